// common_data with wide characters.
#ifndef UNICODE
#define UNICODE
#endif
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

static const wchar_t *NAME = L"Local\\Wide memory / M\u00e4rz";

int wmain(int argc, wchar_t *argv[])
{
    const wchar_t *text = argc > 1 ? argv[1] : L"This is common data!";
    SIZE_T size = (wcslen(text) + 1) * sizeof(wchar_t);
    HANDLE map;
    wchar_t *view;
    BOOL first;

    map = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, (DWORD)size, NAME);
    first = GetLastError() != ERROR_ALREADY_EXISTS;
    if (map == NULL)
    {
        wprintf(L"CreateFileMapping failed: %lu\n", GetLastError());
        return 1;
    }
    view = (wchar_t *)MapViewOfFile(map, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    if (view == NULL)
    {
        wprintf(L"MapViewOfFile failed: %lu\n", GetLastError());
        return 1;
    }
    if (first)
        wcscpy(view, text);
    wprintf(L"%ls: %ls (%u characters)\n", first ? L"wrote" : L"read", view,
            (unsigned)wcslen(view));
    fflush(stdout);

    getchar();
    UnmapViewOfFile(view);
    CloseHandle(map);
    return 0;
}
