#include <windows.h>
#include <stdio.h>

int main(void) {
    HANDLE mapping =
        CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
    if (mapping == NULL) {
        return 1;
    }
    CloseHandle(mapping);
    puts("win32");
    return 0;
}
