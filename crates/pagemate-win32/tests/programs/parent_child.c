// A parent starts a child with CreateProcess and waits for its exit code. The child sums numbers in
// inherited memory.
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 1000

typedef struct
{
    DWORD count;
    DWORD numbers[COUNT];
    ULONGLONG sum;
} SHARED;

static int Child(HANDLE map)
{
    DWORD i;
    SHARED *shared = (SHARED *)MapViewOfFile(map, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(SHARED));
    if (shared == NULL)
    {
        printf("child: MapViewOfFile failed (%lu)\n", (unsigned long)GetLastError());
        return 1;
    }
    for (i = 0; i < shared->count; i++)
        shared->sum += shared->numbers[i];
    printf("child: %lu numbers\n", (unsigned long)shared->count);
    UnmapViewOfFile(shared);
    CloseHandle(map);
    return 77;
}

int main(int argc, char *argv[])
{
    SECURITY_ATTRIBUTES sa;
    STARTUPINFO si;
    PROCESS_INFORMATION pi;
    HANDLE map;
    SHARED *shared;
    TCHAR path[MAX_PATH];
    TCHAR commandLine[MAX_PATH + 64];
    DWORD i, exitCode = 0;

    if (argc == 2)
        return Child((HANDLE)(ULONG_PTR)strtoul(argv[1], NULL, 10));

    sa.nLength = sizeof(sa);
    sa.lpSecurityDescriptor = NULL;
    sa.bInheritHandle = TRUE;
    map = CreateFileMapping(INVALID_HANDLE_VALUE, &sa, PAGE_READWRITE, 0, sizeof(SHARED), NULL);
    shared = (SHARED *)MapViewOfFile(map, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(SHARED));
    if (shared == NULL)
        return 1;
    shared->count = COUNT;
    for (i = 0; i < COUNT; i++)
        shared->numbers[i] = i + 1;

    ZeroMemory(&si, sizeof(si));
    si.cb = sizeof(si);
    ZeroMemory(&pi, sizeof(pi));
    GetModuleFileName(NULL, path, MAX_PATH);
    wsprintf(commandLine, TEXT("\"%s\" %u"), path, (unsigned)(ULONG_PTR)map);
    if (!CreateProcess(NULL, commandLine, NULL, NULL, TRUE, 0, NULL, NULL, &si, &pi))
    {
        printf("CreateProcess failed (%lu).\n", (unsigned long)GetLastError());
        return 1;
    }
    WaitForSingleObject(pi.hProcess, INFINITE);
    if (!GetExitCodeProcess(pi.hProcess, &exitCode))
        return 1;
    printf("parent: exit code %lu, sum %lu\n", (unsigned long)exitCode,
           (unsigned long)shared->sum);
    CloseHandle(pi.hProcess);
    CloseHandle(pi.hThread);
    UnmapViewOfFile(shared);
    CloseHandle(map);
    return 0;
}
