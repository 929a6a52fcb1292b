// Several processes share one memory: the first process writes, and the others read. Each process
// ends when the user presses Enter.
#include <windows.h>
#include <stdio.h>
#include <string.h>

#define NAME "ShareMemory"

int main()
{
    const char text[] = "This is common data!";
    HANDLE hMapping;
    char *view;

    hMapping = OpenFileMapping(FILE_MAP_ALL_ACCESS, FALSE, NAME);
    if (hMapping == NULL)
    {
        hMapping = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0,
                                     (DWORD)strlen(text) + 1, NAME);
        if (hMapping == NULL)
        {
            printf("CreateFileMapping failed: %lu\n", (unsigned long)GetLastError());
            return 1;
        }
        view = (char *)MapViewOfFile(hMapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
        if (view == NULL)
        {
            printf("MapViewOfFile failed: %lu\n", (unsigned long)GetLastError());
            return 1;
        }
        strcpy(view, text);
        printf("Write shared memory data: %s\n", view);
    }
    else
    {
        view = (char *)MapViewOfFile(hMapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
        if (view == NULL)
        {
            printf("MapViewOfFile failed: %lu\n", (unsigned long)GetLastError());
            return 1;
        }
        printf("read shared memory data: %s\n", view);
    }
    fflush(stdout);

    getchar();
    UnmapViewOfFile(view);
    CloseHandle(hMapping);
    return 0;
}
