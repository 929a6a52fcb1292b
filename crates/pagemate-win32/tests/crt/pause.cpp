// Waits for a key with system("pause"), as sample programs do at their end.
#include <cstdlib>
#include <cstdio>
#include <windows.h>
#include <system_error>

int main()
{
    std::printf("%d", system("exit 3") >> 8);
    std::system("pause");
    std::printf("once more");
    return ::system("PAUSE >NUL");
}
