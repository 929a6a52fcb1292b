/* Calls every function with random arguments: null, invalid, closed and unmapped ones, strings that
 * are too long, and any number. No call may crash, and each failed call must set an error code of
 * Windows.
 *
 * The program does not pass arguments that crash a program on Windows too: invalid pointers to
 * memory that is read or written, strings without a NUL, and memory that is freed twice. Sizes are
 * small, or larger than the available memory. */
#include <windows.h>
#include <process.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRESET 0xDEADBEEFu
#define POOL 8

static const DWORD known[] = {
    1,   2,   3,   4,   5,   6,   8,   10,  12,  14,  24,  32,  38,   39,   50,   53,   80,   87,   110,  111,  112,
    122, 123, 126, 131, 161, 183, 193, 203, 206, 234, 235, 288, 298, 317,  487,  998,  1004, 1006, 1113, 1132,
    267, 1336, 1438, 1460,
    1224, 1305, 1314, 1338, 1450, 1455, 1784, 1812,
};

static const WCHAR TEXT_ABC[] = {'a', 'b', 'c', 0};
static unsigned long long state;
static HANDLE handles[POOL];
static char *views[POOL];
static unsigned long calls, failed;

static unsigned roll(unsigned sides)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % sides;
}

static unsigned long long number(void)
{
    static const unsigned long long some[] = {0,     1,      2,       4,          4095,
                                              4096,  65536,  1 << 20, 0x7FFFFFFF, 0x80000000,
                                              0xFFFFFFFF};
    unsigned long long any = ((unsigned long long)roll(1u << 31) << 33) ^ roll(1u << 31);
    return roll(2) ? some[roll(11)] : any >> roll(64);
}

#define ANY ((DWORD)number())

static HANDLE handle(void)
{
    switch (roll(8)) {
    case 0: return NULL;
    case 1: return INVALID_HANDLE_VALUE;
    case 2: return (HANDLE)(ULONG_PTR)number();
    case 3: return (HANDLE)(LONG_PTR)-(LONG)roll(8);
    default: return handles[roll(POOL)];
    }
}

static char *address(void)
{
    switch (roll(6)) {
    case 0: return NULL;
    case 1: return (char *)(ULONG_PTR)number();
    default: return views[roll(POOL)] + (roll(2) ? 0 : roll(100000));
    }
}

static const char *name(void)
{
    static char long_name[5000];
    static const char *const some[] = {NULL, "", "a", "Local\\a", "Global\\b", "c d/$:*", "a\\b", "\\a",
                                       "Local\\", "Global", "Local\\a\\b", "\xFF\xFE", "\x01"};
    unsigned which = roll(15);
    if (which < 13)
        return some[which];
    memset(long_name, 'n', sizeof long_name);
    long_name[which == 13 ? 259 : 4999] = 0;
    return long_name;
}

static const WCHAR *wide_name(void)
{
    static WCHAR wide[5000];
    const char *narrow = name();
    size_t at = 0;
    if (narrow == NULL)
        return NULL;
    for (; narrow[at] != 0; at++)
        wide[at] = roll(100) ? (unsigned char)narrow[at] : (WCHAR)roll(65536);
    wide[at] = 0;
    return wide;
}

static const char *path(void)
{
    static const char *const some[] = {"one.bin", "two.bin", ".\\one.bin", "no\\such.bin", "", "*", ".", "..\\"};
    return roll(10) == 0 ? name() : some[roll(8)];
}

static const WCHAR *wide_path(void)
{
    static WCHAR wide[5000];
    const char *narrow = path();
    size_t at = 0;
    if (narrow == NULL)
        return NULL;
    for (; narrow[at] != 0; at++)
        wide[at] = (unsigned char)narrow[at];
    wide[at] = 0;
    return wide;
}

static DWORD protection(void)
{
    static const DWORD some[] = {PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_NOACCESS};
    return roll(8) == 0 ? ANY : some[roll(4)];
}

/* Picks security attributes, mostly none. */
static DWORD section(void)
{
    static const DWORD some[] = {SEC_RESERVE, SEC_COMMIT, SEC_IMAGE, SEC_LARGE_PAGES, SEC_NOCACHE, SEC_FILE};
    return protection() | (roll(3) == 0 ? some[roll(6)] : 0);
}

static DWORD rights(void)
{
    static const DWORD some[] = {FILE_MAP_ALL_ACCESS, FILE_MAP_READ, FILE_MAP_WRITE, FILE_MAP_COPY,
                                 GENERIC_READ, GENERIC_WRITE, GENERIC_ALL, MAXIMUM_ALLOWED};
    return roll(8) == 0 ? ANY : some[roll(8)];
}

/* Picks a size that is small, or larger than the memory of any machine. */
static unsigned long long size(void)
{
    static const unsigned long long some[] = {0,       1,           4096,        5000,      65536,
                                              1 << 20, 1ull << 62, 1ull << 63, ~0ull};
    return some[roll(9)];
}

static SECURITY_ATTRIBUTES *attributes(void)
{
    static SECURITY_DESCRIPTOR descriptor;
    static SECURITY_ATTRIBUTES attributes;
    if (roll(3) != 0)
        return NULL;
    memset(&descriptor, roll(4) == 0 ? 0xAB : 0, sizeof descriptor);
    descriptor.Revision = (BYTE)roll(3);
    descriptor.Control = (WORD)(roll(2) ? SE_DACL_PRESENT : number());
    attributes.nLength = ANY;
    attributes.lpSecurityDescriptor = roll(2) ? NULL : (PVOID)&descriptor;
    attributes.bInheritHandle = roll(2);
    return &attributes;
}

/* Checks the error code of a failed call. */
static int worked(int success, const char *call)
{
    DWORD code = GetLastError();
    size_t i;
    calls++;
    if (success)
        return 1;
    failed++;
    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i] == code)
            return 0;
    printf("%s failed with %u\n", call, (unsigned)code);
    exit(1);
}

#define TRY(call) (SetLastError(PRESET), worked((call) != 0, #call))

static void keep(HANDLE made, const char *call)
{
    HANDLE *place = &handles[roll(POOL)];
    if (!worked(made != NULL && made != INVALID_HANDLE_VALUE, call))
        return;
    CloseHandle(*place);
    *place = made;
}

#define KEEP(call) (SetLastError(PRESET), keep(call, #call))

static void keep_view(void *made, const char *call)
{
    char **place = &views[roll(POOL)];
    if (!worked(made != NULL, call))
        return;
    if (!UnmapViewOfFile(*place))
        VirtualFree(*place, 0, MEM_RELEASE);
    *place = (char *)made;
}

#define KEEP_VIEW(call) (SetLastError(PRESET), keep_view(call, #call))

static void sections(void)
{
    unsigned long long len = size();
    DWORD high = (DWORD)(len >> 32), low = (DWORD)len;
    HANDLE twin = NULL;
    DWORD flags;
    switch (roll(12)) {
    case 0:
    case 1: KEEP(CreateFileMappingA(roll(2) ? INVALID_HANDLE_VALUE : handle(), attributes(), section(), high, low, name())); break;
    case 2: KEEP(CreateFileMappingW(roll(2) ? INVALID_HANDLE_VALUE : handle(), attributes(), section(), high, low, wide_name())); break;
    case 3: KEEP(OpenFileMappingA(rights(), roll(2), name())); break;
    case 4: KEEP(OpenFileMappingW(rights(), roll(2), wide_name())); break;
    case 5: TRY(CloseHandle(handle())); break;
    case 6: TRY(GetHandleInformation(handle(), roll(4) ? &flags : NULL)); break;
    case 7: TRY(SetHandleInformation(handle(), roll(5), roll(4) ? roll(2) : ANY)); break;
    case 8:
        if (TRY(DuplicateHandle(roll(4) ? GetCurrentProcess() : handle(), handle(),
                                roll(4) ? GetCurrentProcess() : handle(), roll(4) ? &twin : NULL,
                                rights(), roll(2), roll(4) ? roll(4) : ANY)) && twin != NULL)
            keep(twin, "DuplicateHandle");
        break;
    case 9: {
        SECURITY_DESCRIPTOR descriptor;
        memset(&descriptor, (int)roll(256), sizeof descriptor);
        TRY(InitializeSecurityDescriptor(roll(4) ? &descriptor : NULL, roll(3)));
        TRY(SetSecurityDescriptorDacl(roll(4) ? &descriptor : NULL, roll(2), NULL, roll(2)));
        break;
    }
    default: KEEP_VIEW(MapViewOfFile(handle(), roll(8), roll(8) ? 0 : ANY, roll(2) ? 0 : ANY, roll(2) ? 0 : number())); break;
    }
}

static void memory(void)
{
    MEMORY_BASIC_INFORMATION info;
    DWORD old;
    /* A large reservation takes no memory. A large commitment would, so it is not made. */
    SIZE_T len = roll(2) ? roll(1 << 20) : number() >> 28;
    switch (roll(13)) {
    case 0: KEEP_VIEW(MapViewOfFileEx(handle(), rights() & 7, 0, roll(2) ? 0 : ANY, 0, address())); break;
    case 1: KEEP_VIEW(MapViewOfFile2(handle(), roll(4) ? GetCurrentProcess() : handle(), roll(2) ? 0 : number(), NULL, roll(2) ? 0 : number(), roll(4) ? 0 : ANY, protection())); break;
    case 2: KEEP_VIEW(MapViewOfFile3(handle(), roll(2) ? NULL : handle(), address(), 0, 0, roll(4) ? 0 : ANY, protection(), NULL, roll(4) == 0)); break;
    case 3: KEEP_VIEW(MapViewOfFileNuma2(handle(), GetCurrentProcess(), number(), NULL, number(), 0, protection(), ANY)); break;
    case 4: TRY(UnmapViewOfFile(address())); break;
    case 5: TRY(UnmapViewOfFileEx(address(), roll(2) ? 0 : ANY)); break;
    case 6: TRY(UnmapViewOfFile2(roll(2) ? GetCurrentProcess() : handle(), address(), roll(2) ? 0 : ANY)); break;
    case 7: TRY(FlushViewOfFile(address(), roll(2) ? 0 : number())); break;
    case 8: TRY(VirtualQuery(address(), roll(8) ? &info : NULL, roll(4) ? sizeof info : roll(48))); break;
    case 9: TRY(VirtualProtect(address(), roll(2) ? 4096 : number(), protection(), roll(8) ? &old : NULL)); break;
    case 10: KEEP_VIEW(VirtualAlloc(roll(2) ? NULL : address(), len, MEM_RESERVE, protection())); break;
    case 11: TRY(VirtualAlloc(address(), roll(1 << 16), roll(2) ? MEM_COMMIT : ANY, protection())); break;
    default: TRY(VirtualFree(address(), roll(2) ? 0 : number(), roll(2) ? MEM_RELEASE : roll(2) ? MEM_DECOMMIT : ANY)); break;
    }
}

static void files(void)
{
    static char buffer[8192];
    LARGE_INTEGER by, at;
    OVERLAPPED where;
    DWORD count = 0;
    LONG high = (LONG)roll(2);
    memset(&where, 0, sizeof where);
    where.Offset = ANY;
    where.OffsetHigh = roll(2) ? 0 : ANY;
    by.QuadPart = (LONGLONG)number();
    switch (roll(16)) {
    case 0:
    case 1: KEEP(CreateFileA(path(), roll(2) ? GENERIC_READ | GENERIC_WRITE : ANY, roll(8), attributes(), roll(7), roll(2) ? FILE_ATTRIBUTE_NORMAL : ANY, NULL)); break;
    case 2: KEEP(CreateFileW(wide_path(), rights(), roll(8), NULL, roll(7), 0, handle())); break;
    case 3: TRY(ReadFile(handle(), roll(8) ? buffer : NULL, roll(8192), roll(4) ? &count : NULL, roll(2) ? NULL : &where)); break;
    case 4: TRY(WriteFile(handle(), roll(8) ? buffer : NULL, roll(8192), roll(4) ? &count : NULL, NULL)); break;
    case 5: where.OffsetHigh = 0; TRY(WriteFile(handle(), buffer, roll(8192), &count, &where)); break;
    case 6: TRY(SetFilePointer(handle(), (LONG)number(), roll(2) ? NULL : &high, roll(4)) != INVALID_SET_FILE_POINTER || GetLastError() == NO_ERROR); break;
    case 7: TRY(SetFilePointerEx(handle(), by, roll(2) ? NULL : &at, roll(4))); break;
    case 8: TRY(SetEndOfFile(handle())); break;
    case 9: TRY(GetFileSize(handle(), roll(2) ? NULL : &count) != INVALID_FILE_SIZE || GetLastError() == NO_ERROR || GetLastError() == PRESET); break;
    case 10: TRY(GetFileSizeEx(handle(), roll(4) ? &at : NULL)); break;
    case 11: TRY(FlushFileBuffers(handle())); break;
    case 12: TRY(DeleteFileA(path())); break;
    case 13: TRY(GetFileAttributesA(path()) != INVALID_FILE_ATTRIBUTES); break;
    case 14: TRY(GetFileAttributesW(wide_path()) != INVALID_FILE_ATTRIBUTES); break;
    default: TRY(DeleteFileW(wide_path())); break;
    }
}

static void texts(void)
{
    static char bytes[64];
    static WCHAR wide[64];
    static const char text[] = "%1 a \xC3\xA4 %2!-5.3s! %3!u! %n %99!I64x! %% %4!hs! %0";
    DWORD_PTR arguments[99];
    SYSTEM_INFO system;
    FILETIME time;
    LARGE_INTEGER ticks;
    DWORD flags = FORMAT_MESSAGE_ARGUMENT_ARRAY | (roll(2) ? FORMAT_MESSAGE_FROM_SYSTEM : ANY);
    char *made = NULL;
    size_t i;
    for (i = 0; i < 99; i++)
        arguments[i] = (DWORD_PTR)"x";
    switch (roll(8)) {
    case 0:
        flags &= ~FORMAT_MESSAGE_ALLOCATE_BUFFER;
        TRY(FormatMessageA(flags, text, roll(2000), ANY, roll(8) ? bytes : NULL, roll(64), roll(2) ? NULL : (va_list *)arguments));
        break;
    case 1:
        flags &= ~(FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_STRING);
        TRY(FormatMessageW(flags, NULL, roll(2000), ANY, wide, roll(64), NULL));
        break;
    case 2:
        flags = FORMAT_MESSAGE_ALLOCATE_BUFFER | FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
        TRY(FormatMessageA(flags, NULL, roll(2000), 0, (LPSTR)(void *)&made, 0, NULL));
        LocalFree(made);
        break;
    case 3:
        made = (char *)LocalAlloc(roll(2) ? LPTR : ANY, roll(8) ? roll(4096) : ~(SIZE_T)0);
        LocalFree(made);
        break;
    case 4:
        lstrcpynA(bytes, roll(4) ? "abc" : NULL, (int)roll(64));
        lstrcpyA(roll(4) ? bytes : NULL, "abc");
        lstrcatA(bytes, roll(4) ? "def" : NULL);
        lstrcmpA(roll(4) ? bytes : NULL, "Abc");
        lstrcmpiA(bytes, roll(4) ? "ABC" : NULL);
        lstrlenA(roll(4) ? bytes : NULL);
        break;
    case 5:
        lstrcpynW(wide, roll(4) ? TEXT_ABC : NULL, (int)roll(64));
        lstrcpyW(roll(4) ? wide : NULL, TEXT_ABC);
        lstrcatW(wide, roll(4) ? TEXT_ABC : NULL);
        lstrcmpW(roll(4) ? wide : NULL, TEXT_ABC);
        lstrcmpiW(wide, roll(4) ? TEXT_ABC : NULL);
        lstrlenW(roll(4) ? wide : NULL);
        break;
    case 6:
        TRY(MultiByteToWideChar(roll(2) ? CP_UTF8 : ANY, roll(2) ? 0 : ANY, roll(8) ? text : NULL, roll(2) ? -1 : (int)roll(20), roll(4) ? wide : NULL, (int)roll(64)));
        TRY(WideCharToMultiByte(roll(2) ? CP_UTF8 : ANY, roll(2) ? 0 : ANY, roll(8) ? TEXT_ABC : NULL, roll(2) ? -1 : (int)roll(4), roll(4) ? bytes : NULL, (int)roll(64), roll(2) ? NULL : "?", NULL));
        break;
    default:
        GetSystemInfo(roll(2) ? &system : NULL);
        GetNativeSystemInfo(roll(2) ? &system : NULL);
        GetSystemTimeAsFileTime(roll(2) ? &time : NULL);
        TRY(QueryPerformanceCounter(roll(2) ? &ticks : NULL));
        TRY(QueryPerformanceFrequency(roll(2) ? &ticks : NULL));
        if (_spawnv((int)roll(8) + 3, "x", NULL) != -1 || _spawnv(_P_WAIT, NULL, NULL) != -1
            || _cwait(NULL, roll(2) ? -1 : (intptr_t)(number() | 1u << 30), 0) != -1)
            exit(2);
        break;
    }
}

/* Picks a count, mostly a small one, so that semaphores reach their maximum. */
static LONG times(void)
{
    return roll(4) ? (LONG)roll(4) : (LONG)number();
}

static void make_sync(void)
{
    SECURITY_ATTRIBUTES *given = attributes();
    switch (roll(12)) {
    case 0: KEEP(CreateMutexA(given, roll(2), name())); break;
    case 1: KEEP(CreateMutexW(given, roll(2), wide_name())); break;
    case 2: KEEP(CreateMutexExA(given, name(), ANY, rights())); break;
    case 3: KEEP(CreateMutexExW(given, wide_name(), ANY, rights())); break;
    case 4: KEEP(CreateEventA(given, roll(2), roll(2), name())); break;
    case 5: KEEP(CreateEventW(given, roll(2), roll(2), wide_name())); break;
    case 6: KEEP(CreateEventExA(given, name(), ANY, rights())); break;
    case 7: KEEP(CreateEventExW(given, wide_name(), ANY, rights())); break;
    case 8: KEEP(CreateSemaphoreA(given, times(), times(), name())); break;
    case 9: KEEP(CreateSemaphoreW(given, times(), times(), wide_name())); break;
    case 10: KEEP(CreateSemaphoreExA(given, times(), times(), name(), ANY, rights())); break;
    default: KEEP(CreateSemaphoreExW(given, times(), times(), wide_name(), ANY, rights())); break;
    }
}

static void open_sync(void)
{
    switch (roll(6)) {
    case 0: KEEP(OpenMutexA(rights(), roll(2), name())); break;
    case 1: KEEP(OpenMutexW(rights(), roll(2), wide_name())); break;
    case 2: KEEP(OpenEventA(rights(), roll(2), name())); break;
    case 3: KEEP(OpenEventW(rights(), roll(2), wide_name())); break;
    case 4: KEEP(OpenSemaphoreA(rights(), roll(2), name())); break;
    default: KEEP(OpenSemaphoreW(rights(), roll(2), wide_name())); break;
    }
}

/* Waits with short timeouts, because no other thread signals the objects. */
static void use_sync(void)
{
    HANDLE list[MAXIMUM_WAIT_OBJECTS];
    DWORD count = roll(4) ? roll(4) : ANY, soon = roll(16) == 0;
    LONG before;
    size_t i;
    for (i = 0; i < MAXIMUM_WAIT_OBJECTS; i++)
        list[i] = roll(4) ? handles[roll(POOL)] : handle();
    switch (roll(10)) {
    case 0: TRY(ReleaseMutex(handle())); break;
    case 1: TRY(SetEvent(handle())); break;
    case 2: TRY(ResetEvent(handle())); break;
    case 3: TRY(PulseEvent(handle())); break;
    case 4: TRY(ReleaseSemaphore(handle(), times(), roll(2) ? NULL : &before)); break;
    case 5: TRY(WaitForSingleObject(handle(), soon) != WAIT_FAILED); break;
    case 6: TRY(WaitForSingleObjectEx(handle(), soon, roll(2)) != WAIT_FAILED); break;
    case 7: TRY(WaitForMultipleObjects(count, roll(8) ? list : NULL, roll(2), soon) != WAIT_FAILED); break;
    case 8: TRY(WaitForMultipleObjectsEx(count, roll(8) ? list : NULL, roll(2), soon, roll(2)) != WAIT_FAILED); break;
    default: TRY(SignalObjectAndWait(handle(), handle(), soon, roll(2)) != WAIT_FAILED); break;
    }
}

static DWORD WINAPI nothing(LPVOID given)
{
    return (DWORD)(ULONG_PTR)given;
}

/* Locks and condition variables that no other thread uses. */
static void slim(void)
{
    static SRWLOCK lock = SRWLOCK_INIT;
    static CONDITION_VARIABLE condition;
    static CRITICAL_SECTION section;
    if (roll(2))
        InitializeSRWLock(&lock);
    InitializeConditionVariable(&condition);
    if (roll(2)) {
        AcquireSRWLockExclusive(&lock);
        TRY(SleepConditionVariableSRW(&condition, &lock, 0, 0));
        TryAcquireSRWLockShared(&lock);
        ReleaseSRWLockExclusive(&lock);
    } else {
        AcquireSRWLockShared(&lock);
        TRY(SleepConditionVariableSRW(&condition, &lock, 0, roll(2) ? 1 : ANY | 2));
        TryAcquireSRWLockExclusive(&lock);
        ReleaseSRWLockShared(&lock);
    }
    InitializeCriticalSectionEx(&section, ANY, ANY);
    EnterCriticalSection(&section);
    TRY(SleepConditionVariableCS(&condition, &section, roll(2)));
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    WakeConditionVariable(&condition);
    WakeAllConditionVariable(&condition);
}

/* Threads that end at once or never start. */
static void threads(void)
{
    CRITICAL_SECTION section;
    DWORD told;
    switch (roll(6)) {
    case 5: slim(); break;
    case 0: KEEP(CreateThread(attributes(), roll(2) ? 0 : number(), roll(4) ? nothing : NULL, NULL, roll(2) ? 0 : ANY, roll(2) ? &told : NULL)); break;
    case 1: TRY(ResumeThread(handle()) != (DWORD)-1); break;
    case 2: TRY(GetExitCodeThread(handle(), roll(4) ? &told : NULL)); break;
    case 3: TRY(GetThreadId(handle())); break;
    default:
        if (roll(2))
            InitializeCriticalSection(&section);
        else
            InitializeCriticalSectionAndSpinCount(&section, ANY);
        EnterCriticalSection(&section);
        TryEnterCriticalSection(&section);
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
        DeleteCriticalSection(&section);
    }
}

/* Time, the environment and memory, with sufficient and insufficient buffers. */
static void around(void)
{
    char to[64];
    WCHAR wide[64];
    SYSTEMTIME calendar;
    FILETIME time;
    DWORD room = roll(64);
    SIZE_T len = roll(4) ? room : (SIZE_T)-1 - room;
    memset(&calendar, roll(256), sizeof calendar);
    memset(&time, roll(256), sizeof time);
    switch (roll(21)) {
    case 0: TRY(FileTimeToSystemTime(roll(4) ? &time : NULL, roll(4) ? &calendar : NULL)); break;
    case 1: TRY(SystemTimeToFileTime(roll(4) ? &calendar : NULL, roll(4) ? &time : NULL)); break;
    case 2: GetLocalTime(roll(4) ? &calendar : NULL); break;
    case 3: GetSystemTime(roll(4) ? &calendar : NULL); break;
    case 4: TRY(GetEnvironmentVariableA(roll(4) ? "PATH" : name(), roll(4) ? to : NULL, room)); break;
    case 5: TRY(GetEnvironmentVariableW(wide_name(), roll(4) ? wide : NULL, room)); break;
    case 6: TRY(SetEnvironmentVariableA(name(), roll(2) ? "x" : NULL)); break;
    case 7: TRY(SetEnvironmentVariableW(wide_name(), roll(2) ? wide_name() : NULL)); break;
    case 8: TRY(GetCurrentDirectoryA(room, roll(4) ? to : NULL)); break;
    case 9: TRY(GetCurrentDirectoryW(room, roll(4) ? wide : NULL)); break;
    case 10: TRY(GetTempPathA(room, roll(4) ? to : NULL)); break;
    case 11: TRY(GetTempPathW(room, roll(4) ? wide : NULL)); break;
    case 12: TRY(GetModuleFileNameA(roll(4) ? NULL : (HMODULE)handle(), to, room)); break;
    case 13: TRY(GetModuleFileNameW(roll(4) ? NULL : (HMODULE)handle(), roll(4) ? wide : NULL, room)); break;
    case 14: TRY(GetComputerNameA(roll(4) ? to : NULL, roll(4) ? &room : NULL)); break;
    case 15: TRY(GetComputerNameW(roll(4) ? wide : NULL, roll(4) ? &room : NULL)); break;
    case 16: OutputDebugStringA(name()); break;
    case 17: OutputDebugStringW(wide_name()); break;
    case 18: GlobalFree(GlobalAlloc((UINT)number(), len)); break;
    case 19: TRY(HeapSize(GetProcessHeap(), ANY, NULL) != (SIZE_T)-1); break;
    default: HeapFree(GetProcessHeap(), ANY, HeapReAlloc(handle(), 0, HeapAlloc(handle(), ANY, room), len / 2)); break;
    }
}

/* Security descriptors as strings, and message boxes. */
static void boxes(void)
{
    static const char *const texts[] = {"D:(A;;GA;;;WD)", "D:", "D:(", "D:)", "S:(ML;;NW;;;LW)D:(A;;0xZ;;;WD)",
                                        "D:(A;;GA;;;WD)(D;;;;;)", "O:", "D:P\xC3\xA4(A;;\xC3\xA4;;;WD)"};
    PSECURITY_DESCRIPTOR made = NULL;
    ULONG len;
    const char *text = roll(2) ? texts[roll(8)] : name();
    switch (roll(4)) {
    case 0: TRY(ConvertStringSecurityDescriptorToSecurityDescriptorA(text, roll(8) ? 1 : ANY, roll(8) ? &made : NULL, roll(2) ? &len : NULL)); break;
    case 1: TRY(ConvertStringSecurityDescriptorToSecurityDescriptorW(wide_name(), roll(8) ? 1 : ANY, &made, NULL)); break;
    case 2: TRY(MessageBoxA(handle(), text, name(), roll(2) ? roll(8) : ANY)); break;
    default: TRY(MessageBoxW(NULL, wide_name(), roll(2) ? NULL : TEXT_ABC, ANY)); break;
    }
    LocalFree(made);
}

#include "processes.h"

int main(int argc, char **argv)
{
    unsigned long rounds = strtoul(argv[2], NULL, 10), i;
    (void)argc;
    state = strtoull(argv[1], NULL, 10);
    for (i = 0; i < rounds; i++)
        switch (roll(16)) {
        case 15: boxes(); break;
        case 14: processes(); break;
        case 13: threads(); break;
        case 12: around(); break;
        case 0: files(); break;
        case 1: texts(); break;
        case 2: make_sync(); break;
        case 3: open_sync(); break;
        case 4:
        case 5: use_sync(); break;
        case 6:
        case 7:
        case 8: memory(); break;
        default: sections(); break;
        }
    printf("%s\n", failed > 0 && failed < calls ? "both success and failure" : "one of both is missing");
    return 0;
}
