// Processes a file of any length through views of 64 KiB, as programs with a small address space
// do.
#include <windows.h>
#include <stdio.h>

#define FILE_NAME "numbers.bin"
#define LENGTH (1024 * 1024 + 12345)

static int Fail(const char *call)
{
    printf("%s failed: %lu\n", call, (unsigned long)GetLastError());
    return 1;
}

static BOOL MakeFile(void)
{
    HANDLE file = CreateFile(FILE_NAME, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS,
                             FILE_ATTRIBUTE_NORMAL, NULL);
    BYTE bytes[1000];
    DWORD at = 0, i, written;
    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    while (at < LENGTH)
    {
        DWORD count = LENGTH - at < sizeof(bytes) ? LENGTH - at : sizeof(bytes);
        for (i = 0; i < count; i++)
            bytes[i] = (BYTE)((at + i) % 251);
        if (!WriteFile(file, bytes, count, &written, NULL) || written != count)
            return FALSE;
        at += count;
    }
    return CloseHandle(file);
}

int main(void)
{
    SYSTEM_INFO system;
    LARGE_INTEGER size, offset;
    HANDLE file, map;
    ULONGLONG sum = 0;
    DWORD windows = 0, read, i;
    BYTE last[4];

    if (!MakeFile())
        return Fail("MakeFile");
    GetSystemInfo(&system);
    file = CreateFile(FILE_NAME, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL,
                      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return Fail("CreateFile");
    if (!GetFileSizeEx(file, &size))
        return Fail("GetFileSizeEx");
    map = CreateFileMapping(file, NULL, PAGE_READWRITE, 0, 0, NULL);
    if (map == NULL)
        return Fail("CreateFileMapping");

    for (offset.QuadPart = 0; offset.QuadPart < size.QuadPart;
         offset.QuadPart += system.dwAllocationGranularity)
    {
        LONGLONG left = size.QuadPart - offset.QuadPart;
        DWORD count = system.dwAllocationGranularity;
        BYTE *window;
        if (left < count)
            count = (DWORD)left;
        window = (BYTE *)MapViewOfFile(map, FILE_MAP_WRITE, (DWORD)offset.HighPart,
                                       offset.LowPart, count);
        if (window == NULL)
            return Fail("MapViewOfFile");
        for (i = 0; i < count; i++)
        {
            sum += window[i];
            window[i] ^= 0xFF;
        }
        if (!FlushViewOfFile(window, 0))
            return Fail("FlushViewOfFile");
        UnmapViewOfFile(window);
        windows++;
    }
    printf("%u windows, sum %u\n", (unsigned)windows, (unsigned)sum);
    CloseHandle(map);

    // The file contains the written bytes.
    if (SetFilePointer(file, -4, NULL, FILE_END) != LENGTH - 4)
        return Fail("SetFilePointer");
    if (!ReadFile(file, last, sizeof(last), &read, NULL) || read != sizeof(last))
        return Fail("ReadFile");
    printf("the last bytes: %u %u %u %u\n", last[0], last[1], last[2], last[3]);
    CloseHandle(file);
    if (!DeleteFile(FILE_NAME))
        return Fail("DeleteFile");
    return 0;
}
