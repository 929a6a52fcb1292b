// A program that ends as samples do.
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
