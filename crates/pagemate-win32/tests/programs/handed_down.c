// A parent and a child share memory without a name: the child inherits the handle, and the parent
// passes the value of the handle as an argument.
#include <windows.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE 4096

static int Child(const char *number)
{
    HANDLE map = (HANDLE)(ULONG_PTR)strtoul(number, NULL, 10);
    char *view = (char *)MapViewOfFile(map, FILE_MAP_ALL_ACCESS, 0, 0, SIZE);
    if (view == NULL)
    {
        printf("child: error %lu\n", (unsigned long)GetLastError());
        return 1;
    }
    printf("child: reads \"%s\"\n", view);
    strcpy(view, "Hello, parent!");
    UnmapViewOfFile(view);
    CloseHandle(map);
    return 7;
}

int main(int argc, char *argv[])
{
    SECURITY_ATTRIBUTES attributes;
    HANDLE map, other;
    char *view;
    char number[32];
    intptr_t child;
    int status = 0;

    if (argc > 1)
        return Child(argv[1]);

    attributes.nLength = sizeof(attributes);
    attributes.lpSecurityDescriptor = NULL;
    attributes.bInheritHandle = TRUE;
    map = CreateFileMapping(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, SIZE, NULL);
    if (map == NULL)
        return 1;
    view = (char *)MapViewOfFile(map, FILE_MAP_ALL_ACCESS, 0, 0, SIZE);
    if (view == NULL)
        return 1;

    strcpy(view, "Hello, child!");
    sprintf(number, "%lu", (unsigned long)(ULONG_PTR)map);
    child = _spawnl(_P_NOWAIT, argv[0], argv[0], number, NULL);
    if (child == -1 || _cwait(&status, child, _WAIT_CHILD) == -1)
        return 1;
    printf("parent: the child ended with %d and wrote \"%s\"\n", status, view);
    fflush(stdout);

    // A handle that is not inheritable is invalid in the child.
    if (!DuplicateHandle(GetCurrentProcess(), map, GetCurrentProcess(), &other, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return 1;
    sprintf(number, "%lu", (unsigned long)(ULONG_PTR)other);
    status = (int)_spawnl(_P_WAIT, argv[0], argv[0], number, NULL);
    printf("parent: the second child ended with %d\n", status);

    UnmapViewOfFile(view);
    CloseHandle(other);
    CloseHandle(map);
    return 0;
}
