/* What programs ask for around shared memory: time, the environment, memory of their own. */
#include "rows.h"

static void the_calendar(void)
{
    const ULONGLONG second = 10000000, to_1970 = 116444736000000000ull;
    SYSTEMTIME told, now;
    FILETIME time, back;
    ULARGE_INTEGER units;
    /* A leap day, 29 February 2024, 12:34:56.789; it was a Thursday. */
    units.QuadPart = to_1970 + 1709210096ull * second + 7890000;
    time.dwLowDateTime = units.LowPart;
    time.dwHighDateTime = units.HighPart;
    CHECK(FileTimeToSystemTime(&time, &told));
    SAME(told.wYear, 2024);
    SAME(told.wMonth, 2);
    SAME(told.wDay, 29);
    SAME(told.wDayOfWeek, 4);
    SAME(told.wHour, 12);
    SAME(told.wMinute, 34);
    SAME(told.wSecond, 56);
    SAME(told.wMilliseconds, 789);
    told.wDayOfWeek = 6;
    CHECK(SystemTimeToFileTime(&told, &back));
    SAME(back.dwLowDateTime, time.dwLowDateTime);
    SAME(back.dwHighDateTime, time.dwHighDateTime);
    told.wYear = 2023;
    REFUSED(SystemTimeToFileTime(&told, &back), ERROR_INVALID_PARAMETER);
    told.wYear = 1600;
    told.wDay = 1;
    REFUSED(SystemTimeToFileTime(&told, &back), ERROR_INVALID_PARAMETER);
    time.dwHighDateTime = 0x80000000u;
    REFUSED(FileTimeToSystemTime(&time, &told), ERROR_INVALID_PARAMETER);
    /* The beginning of time. */
    time.dwHighDateTime = time.dwLowDateTime = 0;
    CHECK(FileTimeToSystemTime(&time, &told));
    SAME(told.wYear, 1601);
    SAME(told.wDayOfWeek, 1);
    GetSystemTime(&now);
    CHECK(SystemTimeToFileTime(&now, &time));
    GetSystemTimeAsFileTime(&back);
    CHECK(back.dwHighDateTime - time.dwHighDateTime <= 1);
    memset(&now, 0xFF, sizeof now);
    GetLocalTime(&now);
    CHECK(now.wYear >= 2024 && now.wMonth <= 12 && now.wMilliseconds < 1000);
}

static void variables(void)
{
    char to[16] = "untouched";
    WCHAR wide[16];
    CHECK(SetEnvironmentVariableA("PAGEMATE_ROW", "value"));
    SAME(GetEnvironmentVariableA("PAGEMATE_ROW", NULL, 0), 6);
    SAME(GetEnvironmentVariableA("PAGEMATE_ROW", to, 5), 6);
    SAME(GetEnvironmentVariableA("PAGEMATE_ROW", to, 6), 5);
    CHECK(strcmp(to, "value") == 0);
    SAME(GetEnvironmentVariableW(TEXT_W("PAGEMATE_ROW"), wide, 16), 5);
    CHECK(wide[4] == 'e' && wide[5] == 0);
    CHECK(SetEnvironmentVariableA("PAGEMATE_ROW", NULL));
    REFUSED(GetEnvironmentVariableA("PAGEMATE_ROW", to, 16), ERROR_ENVVAR_NOT_FOUND);
    REFUSED(GetEnvironmentVariableA("", to, 16), ERROR_ENVVAR_NOT_FOUND);
    REFUSED(SetEnvironmentVariableA("A=B", "x"), ERROR_INVALID_PARAMETER);
    REFUSED(SetEnvironmentVariableA(NULL, "x"), ERROR_ENVVAR_NOT_FOUND);
}

static void folders_and_names(void)
{
    char path[MAX_PATH], again[MAX_PATH];
    DWORD len = GetCurrentDirectoryA(0, NULL), room = 1;
    CHECK(len > 1);
    SAME(GetCurrentDirectoryA(len - 1, path), len);
    SAME(GetCurrentDirectoryA(len, path), len - 1);
    SAME(strlen(path), len - 1);
    len = GetTempPathA(sizeof path, path);
    SAME(strlen(path), len);
    CHECK(path[len - 1] == '/' || path[len - 1] == '\\');
    SAME(GetTempPathA(len, path), len + 1);
    len = GetModuleFileNameA(NULL, path, sizeof path);
    SAME(strlen(path), len);
    CHECK(len > 4);
    memset(again, 'x', sizeof again);
    SetLastError(PRESET);
    SAME(GetModuleFileNameA(NULL, again, 4), 4);
    SAME(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    CHECK(memcmp(again, path, 3) == 0 && again[3] == 0);
    REFUSED(GetComputerNameA(path, &room), ERROR_BUFFER_OVERFLOW);
    CHECK(room > 1 && room <= MAX_COMPUTERNAME_LENGTH + 1);
    CHECK(GetComputerNameA(path, &room));
    SAME(strlen(path), room);
}

static void memory_of_ones_own(void)
{
    HANDLE heap = GetProcessHeap();
    char *block = (char *)HeapAlloc(heap, HEAP_ZERO_MEMORY, 1000), *moved;
    int i, sum = 0;
    CHECK(heap != NULL && block != NULL);
    SAME((ULONG_PTR)block % 16, 0);
    for (i = 0; i < 1000; i++)
        sum |= block[i];
    SAME(sum, 0);
    SAME(HeapSize(heap, 0, block), 1000);
    memset(block, 7, 1000);
    moved = (char *)HeapReAlloc(heap, HEAP_ZERO_MEMORY, block, 100000);
    CHECK(moved != NULL && moved[999] == 7 && moved[1000] == 0 && moved[99999] == 0);
    SAME(HeapSize(heap, 0, moved), 100000);
    CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, moved, 1 << 30) == NULL);
    SAME(moved[999], 7);
    CHECK(HeapFree(heap, 0, moved));
    CHECK(HeapFree(heap, 0, NULL));
    CHECK(HeapAlloc(heap, 0, (SIZE_T)-32) == NULL);
    block = (char *)GlobalAlloc(GPTR, 64);
    CHECK(block != NULL && block[63] == 0);
    CHECK(GlobalFree(block) == NULL);
    OutputDebugStringA("nobody listens");
}

const Row around_rows[] = {
    {118, "times and the calendar tell the same", the_calendar},
    {119, "a variable's value, or how much room it takes", variables},
    {120, "folders, the program's file and the machine's name, or how much room they take", folders_and_names},
    {121, "memory of one's own is as long as asked for, and zero if asked for", memory_of_ones_own},
    {0, NULL, NULL},
};
