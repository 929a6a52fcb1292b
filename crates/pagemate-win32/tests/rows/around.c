/* Functions that programs use besides shared memory: time, the environment, private memory. */
#include "rows.h"

static void the_calendar(void)
{
    const ULONGLONG second = 10000000, to_1970 = 116444736000000000ull;
    SYSTEMTIME told;
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
    told.wYear = 1600;
    told.wDay = 1;
    REFUSED(SystemTimeToFileTime(&told, &back), ERROR_INVALID_PARAMETER);
    time.dwHighDateTime = 0x80000000u;
    REFUSED(FileTimeToSystemTime(&time, &told), ERROR_INVALID_PARAMETER);
    /* The earliest time that a FILETIME can represent. */
    time.dwHighDateTime = time.dwLowDateTime = 0;
    CHECK(FileTimeToSystemTime(&time, &told));
    SAME(told.wYear, 1601);
    SAME(told.wDayOfWeek, 1);
}

static void every_day_is_in_its_month(void)
{
    SYSTEMTIME day = {2023, 2, 0, 28, 23, 59, 59, 999};
    FILETIME time;
    CHECK(SystemTimeToFileTime(&day, &time));
    day.wDay = 29;
    REFUSED(SystemTimeToFileTime(&day, &time), ERROR_INVALID_PARAMETER);
    day.wYear = 2000;
    CHECK(SystemTimeToFileTime(&day, &time));
    day.wYear = 2100;
    REFUSED(SystemTimeToFileTime(&day, &time), ERROR_INVALID_PARAMETER);
}

static LONGLONG milliseconds(const SYSTEMTIME *parts)
{
    FILETIME time = {0, 0};
    ULARGE_INTEGER units;
    CHECK(SystemTimeToFileTime(parts, &time));
    units.LowPart = time.dwLowDateTime;
    units.HighPart = time.dwHighDateTime;
    return (LONGLONG)(units.QuadPart / 10000);
}

static void the_time(void)
{
    const LONGLONG quarter = 15 * 60 * 1000, day = 24 * 60 * 60 * 1000;
    SYSTEMTIME first, here, parts, last;
    FILETIME time;
    LONGLONG zone;
    GetSystemTime(&first);
    GetSystemTimeAsFileTime(&time);
    GetLocalTime(&here);
    GetSystemTime(&last);
    CHECK(FileTimeToSystemTime(&time, &parts));
    CHECK(milliseconds(&first) <= milliseconds(&parts));
    CHECK(milliseconds(&parts) <= milliseconds(&last));
    /* The offset of a time zone is a multiple of a quarter of an hour. GetLocalTime was called
     * between two other calls, so the remainder of the difference is less than the time between
     * those calls. */
    zone = milliseconds(&here) - milliseconds(&first);
    CHECK(zone > -day && zone < day);
    zone = ((zone % quarter) + quarter) % quarter;
    CHECK(zone <= milliseconds(&last) - milliseconds(&first));
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
    CHECK(SetEnvironmentVariableW(TEXT_W("PAGEMATE_ROW"), TEXT_W("")));
    SAME(GetEnvironmentVariableA("PAGEMATE_ROW", NULL, 0), 1);
    SetLastError(PRESET);
    SAME(GetEnvironmentVariableA("PAGEMATE_ROW", to, 6), 0);
    SAME(GetLastError(), PRESET);
    SAME(to[0], 0);
    CHECK(SetEnvironmentVariableA("PAGEMATE_ROW", NULL));
    REFUSED(GetEnvironmentVariableA("PAGEMATE_ROW", to, 16), ERROR_ENVVAR_NOT_FOUND);
    REFUSED(GetEnvironmentVariableA("", to, 16), ERROR_ENVVAR_NOT_FOUND);
    REFUSED(SetEnvironmentVariableA("A=B", "x"), ERROR_INVALID_PARAMETER);
    REFUSED(SetEnvironmentVariableA(NULL, "x"), ERROR_ENVVAR_NOT_FOUND);
}

/* Returns whether both strings are equal. These names and folders are ASCII. */
static int alike(const char *narrow, const WCHAR *wide)
{
    while (*narrow != 0 && *wide == (unsigned char)*narrow)
        narrow++, wide++;
    return *wide == (unsigned char)*narrow;
}

static void folders_and_names(void)
{
    char path[MAX_PATH];
    WCHAR wide[MAX_PATH];
    DWORD len = GetCurrentDirectoryA(0, NULL), room = 1;
    CHECK(len > 1);
    SAME(GetCurrentDirectoryA(len - 1, path), len);
    SAME(GetCurrentDirectoryA(len, path), len - 1);
    SAME(strlen(path), len - 1);
    SAME(GetCurrentDirectoryW(MAX_PATH, wide), len - 1);
    CHECK(alike(path, wide));
    len = GetTempPathA(sizeof path, path);
    SAME(strlen(path), len);
    CHECK(path[len - 1] == '/' || path[len - 1] == '\\');
    SAME(GetTempPathA(len, path), len + 1);
    SAME(GetTempPathW(MAX_PATH, wide), len);
    CHECK(alike(path, wide));
    len = GetModuleFileNameA(NULL, path, sizeof path);
    SAME(strlen(path), len);
    CHECK(len > 4);
    SAME(GetModuleFileNameW(NULL, wide, MAX_PATH), len);
    CHECK(alike(path, wide));
    SAME(GetFileAttributesA(path) & FILE_ATTRIBUTE_DIRECTORY, 0);
    REFUSED(GetComputerNameA(path, &room), ERROR_BUFFER_OVERFLOW);
    CHECK(room > 1 && room <= MAX_COMPUTERNAME_LENGTH + 1);
    len = room;
    CHECK(GetComputerNameA(path, &room));
    SAME(strlen(path), room);
    SAME(room, len - 1);
    CHECK(GetComputerNameW(wide, &len));
    SAME(len, room);
    CHECK(alike(path, wide));
}

static void truncated_names_are_terminated(void)
{
    char path[MAX_PATH], cut[MAX_PATH];
    CHECK(GetModuleFileNameA(NULL, path, sizeof path) > 4);
    memset(cut, 'x', sizeof cut);
    SetLastError(PRESET);
    SAME(GetModuleFileNameA(NULL, cut, 4), 4);
    SAME(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    CHECK(memcmp(cut, path, 3) == 0 && cut[3] == 0 && cut[4] == 'x');
}

static void file_attributes(void)
{
    const DWORD told = FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_READONLY;
    const char *path = file_of(1);
    char longer[MAX_PATH];
    HANDLE made;
    SAME(GetFileAttributesA(path) & told, 0);
    SAME(GetFileAttributesA(".") & told, FILE_ATTRIBUTE_DIRECTORY);
    SAME(GetFileAttributesA(".\\") & told, FILE_ATTRIBUTE_DIRECTORY);
    SAME(GetFileAttributesW(TEXT_W("/")) & told, FILE_ATTRIBUTE_DIRECTORY);
    REFUSED(GetFileAttributesA(unique()) != INVALID_FILE_ATTRIBUTES, ERROR_FILE_NOT_FOUND);
    sprintf(longer, "%s\\below", path);
    REFUSED(GetFileAttributesA(longer) != INVALID_FILE_ATTRIBUTES, ERROR_PATH_NOT_FOUND);
    sprintf(longer, "%s\\below", unique());
    REFUSED(GetFileAttributesA(longer) != INVALID_FILE_ATTRIBUTES, ERROR_PATH_NOT_FOUND);
    REFUSED(GetFileAttributesA("") != INVALID_FILE_ATTRIBUTES, ERROR_PATH_NOT_FOUND);
    REFUSED(GetFileAttributesA(NULL) != INVALID_FILE_ATTRIBUTES, ERROR_PATH_NOT_FOUND);
    REFUSED(GetFileAttributesW(TEXT_W("wh?t")) != INVALID_FILE_ATTRIBUTES, ERROR_INVALID_NAME);
    remove(path);
    made = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_ATTRIBUTE_READONLY, NULL);
    CHECK(made != INVALID_HANDLE_VALUE && CloseHandle(made));
    SAME(GetFileAttributesA(path) & told, FILE_ATTRIBUTE_READONLY);
}

static DWORD own_number(HANDLE handle)
{
    (void)handle;
    return GetCurrentThreadId();
}

static void thread_ids_and_exit_codes(void)
{
    DWORD here = GetCurrentThreadId(), there = in_thread(own_number, NULL);
    CHECK(here != 0 && there != 0 && here != there);
    SAME(own_number(NULL), here);
    SAME(exit_code_of(start("exit-process", NULL, "none")), 17);
    SAME(exit_code_of(start("exit-at-once", NULL, "none")), 18);
    OutputDebugStringA("a message for a debugger");
    OutputDebugStringW(TEXT_W("a message for a debugger"));
}

static void private_memory(void)
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
    CHECK(HeapReAlloc(heap, HEAP_REALLOC_IN_PLACE_ONLY, moved, 10) == moved);
    SAME(HeapSize(heap, 0, moved), 10);
    CHECK(HeapFree(heap, 0, moved));
    CHECK(HeapFree(heap, 0, NULL));
    CHECK(HeapAlloc(heap, 0, (SIZE_T)-32) == NULL);
    block = (char *)GlobalAlloc(GPTR, 64);
    CHECK(block != NULL && block[63] == 0);
    CHECK(GlobalFree(block) == NULL);
    block = (char *)LocalAlloc(LPTR, 64);
    CHECK(block != NULL && block[63] == 0);
    CHECK(LocalFree(block) == NULL);
}

const Row around_rows[] = {
    {118, "file times and calendar times convert to each other", the_calendar},
    {119, "a variable's value, or the length that it needs", variables},
    {120, "the names of folders, of the program's file and of the machine, or the length that they need",
     folders_and_names},
    {121, "private memory has the requested length, and is zero on request", private_memory},
    {122, "a calendar day must exist in its month", every_day_is_in_its_month},
    {123, "all calls return the same time, and local time differs by a multiple of a quarter of an hour",
     the_time},
    {124, "a truncated name of the program's file is terminated", truncated_names_are_terminated},
    {125, "a path names a folder, a file, a read-only file or nothing", file_attributes},
    {126, "each thread has a number, and a process ends with a code", thread_ids_and_exit_codes},
    {0, NULL, NULL},
};
