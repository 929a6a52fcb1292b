// If no descriptor is free, the call that would share a written copy-on-write page again must fail
// without changing it.
#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define SIZE 4096

static BOOL Writable(char *view)
{
    DWORD old;
    return VirtualProtect(view, SIZE, PAGE_READWRITE, &old);
}

int main(void)
{
    struct rlimit all, none;
    DWORD old;
    HANDLE map = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, SIZE, NULL);
    char *view = (char *)MapViewOfFile(map, FILE_MAP_WRITE, 0, 0, 0);
    if (view == NULL)
        return 1;
    strcpy(view, "shared");
    if (!VirtualProtect(view, SIZE, PAGE_WRITECOPY, &old))
        return 1;
    strcpy(view, "ours");

    getrlimit(RLIMIT_NOFILE, &all);
    none = all;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    if (Writable(view))
        printf("changed\n");
    else
        printf("error %lu\n", (unsigned long)GetLastError());
    setrlimit(RLIMIT_NOFILE, &all);
    printf("%s\n", view);
    printf("%d %s\n", Writable(view), view);
    return 0;
}
