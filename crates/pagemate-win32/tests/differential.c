/* The program that the differential test runs (`cargo xtask differential`). The test runs it with
 * this library and under Wine, and compares the answers.
 *
 * The program reads one call from each line, and answers it with one line: the outcome and the
 * returned values; the last error ("-" if the call did not set it); and for each view slot the
 * state of its pages and a checksum of its readable bytes. Numbers are hexadecimal, error codes are
 * decimal. A handle or an address is given by its slot (h3, v2+1000), by an offset from ARENA
 * (a+20000) or as a number (x-1). The answer is "busy" if the call needs a free slot and the slot
 * is in use. A script cannot crash the program, because the program accesses memory only where
 * VirtualQuery permits it. */
#include <windows.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
/* Wine does not have MapViewOfFile2, so this function calls MapViewOfFile3 with the same arguments
 * in its order. */
#define MapViewOfFile2(handle, process, offset, base, len, allocation, protection)                \
    MapViewOfFile3(handle, process, base, offset, len, allocation, protection, NULL, 0)
#endif

#define SLOTS 8
#define PAGE ((size_t)4096)
/* The arena: a range of addresses at which neither system maps anything by itself, so that its
 * state depends only on the script. */
#define ARENA ((char *)0x100000000000)
#define ARENA_LEN ((size_t)1 << 40)
/* A value that no call sets. It is stored as the last error before each call. */
#define UNTOUCHED 0x2BADBEEF
/* The maximal lengths of a line and of a name, and the maximal number of words in a line. */
#define LINE 40000
#define WORDS 12
#define NAME 33000

static struct {
    HANDLE handle;
    int live;
} handles[SLOTS];

static struct {
    char *base;
    size_t len;
    int live;
} views[SLOTS];

static char *words[WORDS];
static int count;

static char answer[1 << 16];
static size_t answer_len;

static void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(answer + answer_len, sizeof answer - answer_len, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof answer - answer_len) {
        fputs("the answer exceeds its buffer; enlarge `answer`\n", stderr);
        exit(1);
    }
    answer_len += (size_t)len;
}

/* The words of a line. */

static const char *word(int at)
{
    return at < count ? words[at] : "0";
}

static unsigned long long number(int at)
{
    return strtoull(word(at), NULL, 16);
}

/* Returns the number of the slot in a word such as h3, or -1. */
static int slot(int at, char kind)
{
    const char *text = word(at);
    return text[0] == kind && text[1] >= '0' && text[1] < '0' + SLOTS ? text[1] - '0' : -1;
}

/* Returns the number after the '+' in a word such as v2+1000. */
static size_t offset_of(int at)
{
    const char *rest = strchr(word(at), '+');
    return rest == NULL ? 0 : (size_t)strtoull(rest + 1, NULL, 16);
}

static HANDLE handle(int at)
{
    int which = slot(at, 'h');
    if (which >= 0)
        return (HANDLE)((uintptr_t)handles[which].handle + offset_of(at));
    return (HANDLE)(uintptr_t)strtoull(word(at) + 1, NULL, 16);
}

static int in_arena(const char *at)
{
    return at >= ARENA && at < ARENA + ARENA_LEN;
}

static char *address(int at)
{
    int which = slot(at, 'v');
    if (which >= 0) {
        char *base = views[which].base;
        size_t offset = offset_of(at);
        /* Outside of the arena, the two systems may have other memory after a view or at address
         * zero. */
        if (!in_arena(base) && offset >= views[which].len)
            offset = views[which].len - 1;
        return base == NULL ? NULL : base + offset;
    }
    if (word(at)[0] == 'a')
        return ARENA + offset_of(at);
    return (char *)(uintptr_t)strtoull(word(at) + 1, NULL, 16);
}

static char narrow[NAME];
static WCHAR wide[NAME];

/* Stores a name as bytes and as 16-bit characters. In the script, %XXXX stands for a 16-bit
 * character, @N for N times an 'x', "null" for a null pointer and "empty" for the empty string.
 * Returns 0 for a null pointer, otherwise 1. */
static int name(int at)
{
    const char *text = word(at);
    if (strcmp(text, "null") == 0)
        return 0;
    size_t len = 0;
    for (text = strcmp(text, "empty") == 0 ? "" : text; *text != '\0' && len < NAME - 1;) {
        unsigned unit = (unsigned char)*text++;
        size_t times = 1;
        char *end;
        if (unit == '%') {
            char hex[5] = {0};
            strncpy(hex, text, 4);
            unit = (unsigned)strtoul(hex, NULL, 16);
            text += strlen(hex);
        } else if (unit == '@') {
            unit = 'x';
            times = strtoul(text, &end, 10);
            text = end;
        }
        for (; times > 0 && len < NAME - 1; times--) {
            narrow[len] = (char)unit;
            wide[len++] = (WCHAR)unit;
        }
    }
    narrow[len] = '\0';
    wide[len] = 0;
    return 1;
}

/* Security attributes: "-" none, "i" inheritable, "d" a null access control list, "id" both. */
static SECURITY_ATTRIBUTES *attributes(int at)
{
    static SECURITY_ATTRIBUTES wanted;
    static SECURITY_DESCRIPTOR everyone;
    const char *text = word(at);
    if (text[0] == '-')
        return NULL;
    wanted.nLength = sizeof wanted;
    wanted.bInheritHandle = strchr(text, 'i') != NULL;
    wanted.lpSecurityDescriptor = NULL;
    if (strchr(text, 'd') != NULL) {
        InitializeSecurityDescriptor(&everyone, SECURITY_DESCRIPTOR_REVISION);
        SetSecurityDescriptorDacl(&everyone, TRUE, NULL, FALSE);
        wanted.lpSecurityDescriptor = &everyone;
    }
    return &wanted;
}

/* The answer to the current line. */

static void print_error(void)
{
    DWORD error = GetLastError();
    if (error == UNTOUCHED)
        print(" -");
    else
        print(" %u", (unsigned)error);
}

/* Prints the outcome of a call. */
static int print_outcome(int succeeded)
{
    print(succeeded ? "ok" : "no");
    print_error();
    return succeeded;
}

static void print_address(const void *address)
{
    const char *at = address;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && at >= views[i].base && at < views[i].base + views[i].len) {
            print(" v%d+%zx", i, (size_t)(at - views[i].base));
            return;
        }
    }
    if (in_arena(at))
        print(" a+%zx", (size_t)(at - ARENA));
    else
        print(at == NULL ? " 0" : " elsewhere");
}

static int query(const char *at, MEMORY_BASIC_INFORMATION *info)
{
    return VirtualQuery(at, info, sizeof *info) == sizeof *info;
}

static int has_protection(const MEMORY_BASIC_INFORMATION *info, DWORD protections)
{
    return info->State == MEM_COMMIT && (info->Protect & protections) != 0
           && (info->Protect & PAGE_GUARD) == 0;
}

static int readable(const MEMORY_BASIC_INFORMATION *info)
{
    return has_protection(info, PAGE_READONLY | PAGE_READWRITE | PAGE_WRITECOPY);
}

static int writable(const MEMORY_BASIC_INFORMATION *info)
{
    return has_protection(info, PAGE_READWRITE | PAGE_WRITECOPY);
}

/* Computes a checksum that depends on every byte of some pages and on their offsets, but not on
 * how the pages are divided among calls. */
static uint32_t checksum(const char *bytes, size_t len, size_t first)
{
    uint32_t all = 0;
    for (size_t page = 0; page < len; page += PAGE) {
        uint64_t checksum = first + page;
        for (size_t at = 0; at < PAGE; at += 8) {
            uint64_t eight;
            memcpy(&eight, bytes + page + at, 8);
            checksum = (checksum ^ eight) * 0x9E3779B97F4A7C15u;
        }
        all += (uint32_t)(checksum >> 32);
    }
    return all;
}

/* Returns the length of the allocation that begins here. */
static size_t allocation(char *base)
{
    MEMORY_BASIC_INFORMATION info;
    size_t len = 0;
    while (query(base + len, &info) && info.AllocationBase == base)
        len += info.RegionSize;
    return len;
}

/* Prints the pages of a slot: for each range of equal pages its offset, length, state, protection,
 * allocation protection and type; then the checksum of the readable bytes. */
static void print_view(int which)
{
    char *base = views[which].base;
    MEMORY_BASIC_INFORMATION info;
    uint32_t all = 0;
    print(" | v%d", which);
    for (size_t at = 0; query(base + at, &info) && info.AllocationBase == base;
         at += info.RegionSize) {
        print(" %zx+%zx/%x/%x/%x/%x", at, (size_t)info.RegionSize, (unsigned)info.State,
              (unsigned)info.Protect, (unsigned)info.AllocationProtect, (unsigned)info.Type);
        if ((char *)info.BaseAddress != base + at)
            print("/base");
        if (readable(&info))
            all += checksum(base + at, info.RegionSize, at);
    }
    print(" #%x", (unsigned)all);
}

/* Stores a handle in a slot. Clears closed slots with the same value, because the system has reused
 * that value. */
static void store_handle(int at, HANDLE handle)
{
    int which = slot(at, 'h');
    /* Ignore the two lowest bits, which a program may use as tags: a duplicate may inherit those of
     * its source. */
    handle = (HANDLE)((uintptr_t)handle & ~(uintptr_t)3);
    for (int i = 0; i < SLOTS; i++) {
        if (!handles[i].live || handles[i].handle == handle) {
            handles[i].handle = NULL;
            handles[i].live = 0;
        }
    }
    handles[which].handle = handle;
    handles[which].live = 1;
}

/* Prints the outcome of a call that creates a handle, and stores the handle. */
static void print_handle(int at, HANDLE handle)
{
    if (print_outcome(handle != NULL))
        store_handle(at, handle);
}

/* Marks the slot of a handle as closed if the handle is no longer open. */
static void mark_closed(int at)
{
    DWORD flags;
    int which = slot(at, 'h');
    if (which >= 0 && !GetHandleInformation(handles[which].handle, &flags))
        handles[which].live = 0;
}

/* Clears the addresses of unmapped views outside of the arena, because other memory may be mapped
 * there by now. */
static void clear_unmapped_addresses(void)
{
    for (int i = 0; i < SLOTS; i++) {
        if (!views[i].live && !in_arena(views[i].base))
            views[i].base = NULL;
    }
}

/* Prints the outcome of a call that maps or allocates, and stores a new allocation. */
static void print_map(int at, char *base)
{
    int which = slot(at, 'v');
    if (!print_outcome(base != NULL))
        return;
    MEMORY_BASIC_INFORMATION info;
    int new = query(base, &info) && info.AllocationBase == base;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && base >= views[i].base && base < views[i].base + views[i].len)
            new = 0;
    }
    clear_unmapped_addresses();
    if (new) {
        views[which].base = base;
        views[which].len = allocation(base);
        views[which].live = 1;
    }
    print_address(base);
    if (new && (uintptr_t)base % 0x10000 != 0)
        print(" unaligned");
}

/* Marks the slots of allocations that no longer exist as unmapped. */
static void mark_unmapped(void)
{
    MEMORY_BASIC_INFORMATION info;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && !(query(views[i].base, &info) && info.AllocationBase == views[i].base))
            views[i].live = 0;
    }
}

/* The calls. A word gives the width of the strings: if it begins with 'A', the call for bytes is
 * made, otherwise the call for 16-bit characters. */

static void call_create(void)
{
    int named = name(8);
    if (word(2)[0] == 'A')
        print_handle(1, CreateFileMappingA(handle(3), attributes(4), (DWORD)number(5), (DWORD)number(6),
                                           (DWORD)number(7), named ? narrow : NULL));
    else
        print_handle(1, CreateFileMappingW(handle(3), attributes(4), (DWORD)number(5), (DWORD)number(6),
                                           (DWORD)number(7), named ? wide : NULL));
}

static void call_open(void)
{
    int named = name(5);
    if (word(2)[0] == 'A')
        print_handle(1, OpenFileMappingA((DWORD)number(3), (BOOL)number(4), named ? narrow : NULL));
    else
        print_handle(1, OpenFileMappingW((DWORD)number(3), (BOOL)number(4), named ? wide : NULL));
}

static void call_map(void)
{
    print_map(1, MapViewOfFile(handle(2), (DWORD)number(3), (DWORD)number(4), (DWORD)number(5),
                 (SIZE_T)number(6)));
}

static void call_mapex(void)
{
    print_map(1, MapViewOfFileEx(handle(2), (DWORD)number(3), (DWORD)number(4), (DWORD)number(5),
                 (SIZE_T)number(6), address(7)));
}

static void call_map2(void)
{
    print_map(1, MapViewOfFile2(handle(2), handle(3), number(4), address(5), (SIZE_T)number(6),
                 (ULONG)number(7), (ULONG)number(8)));
}

static void call_map3(void)
{
    print_map(1, MapViewOfFile3(handle(2), handle(3), address(5), number(4), (SIZE_T)number(6),
                 (ULONG)number(7), (ULONG)number(8), NULL, 0));
}

static void call_unmap(void)
{
    print_outcome(UnmapViewOfFile(address(1)));
    mark_unmapped();
}

static void call_unmapex(void)
{
    print_outcome(UnmapViewOfFileEx(address(1), (ULONG)number(2)));
    mark_unmapped();
}

static void call_unmap2(void)
{
    print_outcome(UnmapViewOfFile2(handle(1), address(2), (ULONG)number(3)));
    mark_unmapped();
}

static void call_flush(void)
{
    print_outcome(FlushViewOfFile(address(1), (SIZE_T)number(2)));
}

static void call_query(void)
{
    MEMORY_BASIC_INFORMATION info;
    SIZE_T len = VirtualQuery(address(1), &info, (SIZE_T)number(2));
    print_outcome(len != 0);
    if (len == 0)
        return;
    print(" %zx", (size_t)len);
    print_address(info.BaseAddress);
    print_address(info.AllocationBase);
    /* The size of a free region depends on the other mappings of the process, so do not print it.
     */
    print(" %zx/%x/%x/%x/%x", info.State == MEM_FREE ? 0 : (size_t)info.RegionSize,
          (unsigned)info.State, (unsigned)info.Protect, (unsigned)info.AllocationProtect,
          (unsigned)info.Type);
}

static void call_protect(void)
{
    DWORD old = 0;
    BOOL succeeded = VirtualProtect(address(1), (SIZE_T)number(2), (DWORD)number(3),
                               number(4) == 0 ? &old : NULL);
    if (print_outcome(succeeded))
        print(" %x", (unsigned)old);
}

static void call_alloc(void)
{
    print_map(1, VirtualAlloc(address(2), (SIZE_T)number(3), (DWORD)number(4), (DWORD)number(5)));
}

static void call_free(void)
{
    print_outcome(VirtualFree(address(1), (SIZE_T)number(2), (DWORD)number(3)));
    mark_unmapped();
}

#include "differential/sync.h"
#include "differential/sleep.h"

/* Duplicates a handle. If the line has a last word, the handle is a mutex, which is released first.
 */
static void call_dup(void)
{
    HANDLE duplicate = NULL;
    int wants_handle = slot(1, 'h') >= 0;
    if (count > 8)
        release_all(handle(3));
    BOOL succeeded = DuplicateHandle(handle(2), handle(3), handle(4), wants_handle ? &duplicate : NULL,
                                (DWORD)number(5), (BOOL)number(6), (DWORD)number(7));
    print_outcome(succeeded);
    /* The duplicate may have reused the value of the closed source. The source's slot is then not
     * marked as closed. */
    if ((number(7) & DUPLICATE_CLOSE_SOURCE) != 0 && ((uintptr_t)handle(3) ^ (uintptr_t)duplicate) > 3)
        mark_closed(3);
    if (succeeded && wants_handle)
        store_handle(1, duplicate);
}

static void call_close(void)
{
    if (count > 2)
        release_all(handle(1));
    if (print_outcome(CloseHandle(handle(1))))
        mark_closed(1);
}

static void call_info(void)
{
    DWORD flags = 0;
    if (print_outcome(GetHandleInformation(handle(1), &flags)))
        print(" %x", (unsigned)flags);
}

static void call_setinfo(void)
{
    print_outcome(SetHandleInformation(handle(1), (DWORD)number(2), (DWORD)number(3)));
}

static void call_file(void)
{
    int named = name(8);
    HANDLE file;
    if (word(2)[0] == 'A')
        file = CreateFileA(named ? narrow : NULL, (DWORD)number(3), (DWORD)number(4), attributes(5),
                           (DWORD)number(6), (DWORD)number(7), NULL);
    else
        file = CreateFileW(named ? wide : NULL, (DWORD)number(3), (DWORD)number(4), attributes(5),
                           (DWORD)number(6), (DWORD)number(7), NULL);
    print_handle(1, file == INVALID_HANDLE_VALUE ? NULL : file);
}

static void call_delete(void)
{
    int named = name(2);
    print_outcome(word(1)[0] == 'A' ? DeleteFileA(named ? narrow : NULL) : DeleteFileW(named ? wide : NULL));
}

/* The buffer of calls that read or write. */
static char bytes[1 << 16];

static DWORD bytes_asked(int at)
{
    unsigned long long len = number(at);
    return len < sizeof bytes ? (DWORD)len : (DWORD)sizeof bytes;
}

/* The offset of a call that reads or writes, or "-" for the file position. */
static OVERLAPPED *position(int at)
{
    static OVERLAPPED position;
    unsigned long long offset = number(at);
    if (word(at)[0] == '-')
        return NULL;
    memset(&position, 0, sizeof position);
    position.Offset = (DWORD)offset;
    position.OffsetHigh = (DWORD)(offset >> 32);
    return &position;
}

static void print_transfer(BOOL succeeded, DWORD moved, const OVERLAPPED *position)
{
    DWORD error = GetLastError();
    print_outcome(succeeded);
    print(" %x", (unsigned)moved);
    if (position != NULL && (succeeded || error == ERROR_HANDLE_EOF))
        print(" %zx/%zx", (size_t)position->Internal, (size_t)position->InternalHigh);
}

static void call_fread(void)
{
    DWORD moved = 0xAAAA;
    OVERLAPPED *from = position(3);
    memset(bytes, 0xEE, sizeof bytes);
    BOOL succeeded = ReadFile(handle(1), bytes, bytes_asked(2), &moved, from);
    print_transfer(succeeded, moved, from);
    print(" #%x", (unsigned)checksum(bytes, sizeof bytes, 0));
}

static void call_fwrite(void)
{
    DWORD moved = 0xAAAA;
    OVERLAPPED *to = position(4);
    memset(bytes, (int)number(3), sizeof bytes);
    BOOL succeeded = WriteFile(handle(1), bytes, bytes_asked(2), &moved, to);
    print_transfer(succeeded, moved, to);
}

static void call_seek(void)
{
    LONG high = (LONG)number(3);
    int halves = word(3)[0] != '-';
    DWORD low = SetFilePointer(handle(1), (LONG)number(2), halves ? &high : NULL, (DWORD)number(4));
    if (print_outcome(low != INVALID_SET_FILE_POINTER))
        print(" %x %x", (unsigned)low, halves ? (unsigned)high : 0);
}

static void call_seekex(void)
{
    LARGE_INTEGER by;
    LARGE_INTEGER now;
    by.QuadPart = (LONGLONG)number(2);
    if (print_outcome(SetFilePointerEx(handle(1), by, &now, (DWORD)number(3))))
        print(" %llx", (unsigned long long)now.QuadPart);
}

static void call_size(void)
{
    DWORD high = 0;
    DWORD low = GetFileSize(handle(1), &high);
    if (print_outcome(low != INVALID_FILE_SIZE))
        print(" %x %x", (unsigned)high, (unsigned)low);
}

static void call_sizeex(void)
{
    LARGE_INTEGER len;
    if (print_outcome(GetFileSizeEx(handle(1), &len)))
        print(" %llx", (unsigned long long)len.QuadPart);
}

static void call_seteof(void)
{
    print_outcome(SetEndOfFile(handle(1)));
}

static void call_fflush(void)
{
    print_outcome(FlushFileBuffers(handle(1)));
}

/* Writes to the writable pages of a range, and prints how many bytes they have. */
static void call_write(void)
{
    char *at = address(1);
    size_t left = (size_t)number(2);
    size_t written = 0;
    MEMORY_BASIC_INFORMATION info;
    char *base = NULL;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && at >= views[i].base && at < views[i].base + views[i].len)
            base = views[i].base;
    }
    while (left > 0 && base != NULL && query(at, &info) && info.AllocationBase == base) {
        size_t here = info.RegionSize - (size_t)(at - (char *)info.BaseAddress);
        here = here < left ? here : left;
        if (writable(&info)) {
            memset(at, (int)number(3), here);
            written += here;
        }
        at += here;
        left -= here;
    }
    print("ok - %zx", written);
}

static void call_views(void)
{
    print("ok -");
}

/* Closes the handle or unmaps the view of one slot or of all slots, even if a handle is protected.
 * Also clears slots that are closed already. */
static void call_reset(void)
{
    if (count == 1)
        end_threads();
    for (int i = 0; i < SLOTS; i++) {
        if (count == 1 || slot(1, 'v') == i || !views[i].live) {
            if (views[i].live && !UnmapViewOfFile(views[i].base))
                VirtualFree(views[i].base, 0, MEM_RELEASE);
            views[i].live = 0;
            views[i].base = NULL;
        }
        if (count == 1 || slot(1, 'h') == i || !handles[i].live) {
            if (handles[i].live) {
                SetHandleInformation(handles[i].handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
                CloseHandle(handles[i].handle);
            }
            handles[i].live = 0;
            handles[i].handle = NULL;
        }
    }
    print("ok -");
}

static const struct {
    const char *name;
    void (*call)(void);
    /* The index of the word that names the slot for the result; 0 if the call has no result to
     * store. */
    int makes;
} calls[] = {
    {"create", call_create, 1}, {"open", call_open, 1},         {"map", call_map, 1},
    {"mapex", call_mapex, 1},   {"map2", call_map2, 1},         {"map3", call_map3, 1},
    {"unmap", call_unmap, 0},   {"unmapex", call_unmapex, 0},   {"unmap2", call_unmap2, 0},
    {"flush", call_flush, 0},   {"query", call_query, 0},       {"protect", call_protect, 0},
    {"alloc", call_alloc, 1},   {"free", call_free, 0},         {"dup", call_dup, 1},
    {"close", call_close, 0},   {"info", call_info, 0},         {"setinfo", call_setinfo, 0},
    {"file", call_file, 1},     {"delete", call_delete, 0},     {"fread", call_fread, 0},
    {"fwrite", call_fwrite, 0}, {"seek", call_seek, 0},         {"seekex", call_seekex, 0},
    {"size", call_size, 0},     {"sizeex", call_sizeex, 0},     {"seteof", call_seteof, 0},
    {"fflush", call_fflush, 0}, {"write", call_write, 0},       {"views", call_views, 0},
    {"reset", call_reset, 0},   {"mutex", call_mutex, 1},       {"mutexex", call_mutexex, 1},
    {"event", call_event, 1},   {"eventex", call_eventex, 1},   {"openmutex", call_openmutex, 1},
    {"release", call_release, 0}, {"openevent", call_openevent, 1}, {"set", call_set, 0},
    {"setmany", call_setmany, 0},     {"settle", call_settle, 0},
    {"unset", call_unset, 0},   {"pulse", call_pulse, 0},       {"semaphore", call_semaphore, 1},
    {"semaphoreex", call_semaphoreex, 1}, {"opensemaphore", call_opensemaphore, 1},
    {"post", call_post, 0},     {"wait", call_wait, 0},         {"waitmany", call_waitmany, 0},
    {"signal", call_signal, 0}, {"abandon", call_abandon, 0},   {"sleep", call_sleep, 0},
    {"awake", call_awake, 0},   {"own", call_own, 0},         {"endowner", call_endowner, 0},
};

static int in_use(int at)
{
    int handle = slot(at, 'h');
    int view = slot(at, 'v');
    return (handle >= 0 && handles[handle].live) || (view >= 0 && views[view].live);
}

static void run_line(void)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, word(0)) == 0) {
            if (calls[i].makes != 0 && in_use(calls[i].makes)) {
                print("busy -");
            } else {
                SetLastError(UNTOUCHED);
                calls[i].call();
            }
            return;
        }
    }
    print("unknown -");
}

int main(void)
{
    static char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        count = 0;
        for (char *next = strtok(line, " \r\n"); next != NULL && count < WORDS;
             next = strtok(NULL, " \r\n"))
            words[count++] = next;
        answer_len = 0;
        run_line();
        for (int i = 0; i < SLOTS; i++) {
            if (views[i].live)
                print_view(i);
        }
        puts(answer);
        fflush(stdout);
    }
    return 0;
}
