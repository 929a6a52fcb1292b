/* One process of the differential test (`cargo xtask differential`): the same program runs over our
 * library and under Wine, and must say the same.
 *
 * It takes a call a line and answers each with a line: whether the call did it and what it gave, the
 * last error ("-" if untouched), and what stands in each of this process' slots for memory, down to
 * a sum of all bytes that can be read. Numbers are hexadecimal, errors decimal. Handles and addresses
 * are told by their slots (h3, v2+1000), by an offset from ARENA (a+20000) or as they are (x-1); a
 * line that needs a slot that is taken is answered "busy". Nothing here faults by what a script says:
 * memory is touched only where VirtualQuery allows it.
 */
#include <windows.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
/* Wine lacks it: the same call with its arguments in another order. */
#define MapViewOfFile2(handle, process, offset, base, len, allocation, protection)                \
    MapViewOfFile3(handle, process, base, offset, len, allocation, protection, NULL, 0)
#endif

#define SLOTS 8
#define PAGE ((size_t)4096)
/* A stretch of addresses that no system uses by itself, so that what stands there is known. */
#define ARENA ((char *)0x100000000000)
#define ARENA_LEN ((size_t)1 << 40)
/* What the last error is before each call. */
#define UNTOUCHED 0x2BADBEEF
/* A line, its words, and a name in a line. */
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
static size_t answered;

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(answer + answered, sizeof answer - answered, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof answer - answered) {
        fputs("an answer is too long\n", stderr);
        exit(1);
    }
    answered += (size_t)len;
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

/* The number of the slot that a word names, or -1. */
static int slot(int at, char kind)
{
    const char *text = word(at);
    return text[0] == kind && text[1] >= '0' && text[1] < '0' + SLOTS ? text[1] - '0' : -1;
}

/* What follows a '+' in a word. */
static size_t plus(int at)
{
    const char *rest = strchr(word(at), '+');
    return rest == NULL ? 0 : (size_t)strtoull(rest + 1, NULL, 16);
}

static HANDLE handle(int at)
{
    int which = slot(at, 'h');
    if (which >= 0)
        return (HANDLE)((uintptr_t)handles[which].handle + plus(at));
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
        size_t offset = plus(at);
        /* What stands behind it elsewhere, or at zero, is not ours. */
        if (!in_arena(base) && offset >= views[which].len)
            offset = views[which].len - 1;
        return base == NULL ? NULL : base + offset;
    }
    if (word(at)[0] == 'a')
        return ARENA + plus(at);
    return (char *)(uintptr_t)strtoull(word(at) + 1, NULL, 16);
}

static char narrow[NAME];
static WCHAR wide[NAME];

/* A name in both spellings: %XXXX stands for a 16-bit character, @N for N times an 'x', "null" for
 * a null pointer and "empty" for no characters. Returns whether there is one. */
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

/* Security attributes: "-" none, "i" inheritable, "d" a null list of rights, "id" both. */
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

/* Telling. */

static void say_error(void)
{
    DWORD error = GetLastError();
    if (error == UNTOUCHED)
        say(" -");
    else
        say(" %u", (unsigned)error);
}

/* Says how a call went. */
static int done(int good)
{
    say(good ? "ok" : "no");
    say_error();
    return good;
}

static void say_address(const void *address)
{
    const char *at = address;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && at >= views[i].base && at < views[i].base + views[i].len) {
            say(" v%d+%zx", i, (size_t)(at - views[i].base));
            return;
        }
    }
    if (in_arena(at))
        say(" a+%zx", (size_t)(at - ARENA));
    else
        say(at == NULL ? " 0" : " elsewhere");
}

static int query(const char *at, MEMORY_BASIC_INFORMATION *told)
{
    return VirtualQuery(at, told, sizeof *told) == sizeof *told;
}

static int may(const MEMORY_BASIC_INFORMATION *told, DWORD protections)
{
    return told->State == MEM_COMMIT && (told->Protect & protections) != 0
           && (told->Protect & PAGE_GUARD) == 0;
}

static int readable(const MEMORY_BASIC_INFORMATION *told)
{
    return may(told, PAGE_READONLY | PAGE_READWRITE | PAGE_WRITECOPY);
}

static int writable(const MEMORY_BASIC_INFORMATION *told)
{
    return may(told, PAGE_READWRITE | PAGE_WRITECOPY);
}

/* A sum that depends on every byte of some pages and on where they stand, but not on which others are
 * summed up with them. */
static uint32_t sum(const char *bytes, size_t len, size_t first)
{
    uint32_t all = 0;
    for (size_t page = 0; page < len; page += PAGE) {
        uint64_t sum = first + page;
        for (size_t at = 0; at < PAGE; at += 8) {
            uint64_t eight;
            memcpy(&eight, bytes + page + at, 8);
            sum = (sum ^ eight) * 0x9E3779B97F4A7C15u;
        }
        all += (uint32_t)(sum >> 32);
    }
    return all;
}

/* How long the allocation is that begins here. */
static size_t allocation(char *base)
{
    MEMORY_BASIC_INFORMATION told;
    size_t len = 0;
    while (query(base + len, &told) && told.AllocationBase == base)
        len += told.RegionSize;
    return len;
}

/* Tells of each stretch in a slot where it begins, how long it is, its state, its protection, that of
 * its allocation and its type; and at the end the sum of what can be read. */
static void say_view(int which)
{
    char *base = views[which].base;
    MEMORY_BASIC_INFORMATION told;
    uint32_t all = 0;
    say(" | v%d", which);
    for (size_t at = 0; query(base + at, &told) && told.AllocationBase == base;
         at += told.RegionSize) {
        say(" %zx+%zx/%x/%x/%x/%x", at, (size_t)told.RegionSize, (unsigned)told.State,
            (unsigned)told.Protect, (unsigned)told.AllocationProtect, (unsigned)told.Type);
        if ((char *)told.BaseAddress != base + at)
            say("/base");
        if (readable(&told))
            all += sum(base + at, told.RegionSize, at);
    }
    say(" #%x", (unsigned)all);
}

/* The slots. */

/* Puts a handle into a slot. What closed slots had may be its number by now. */
static void keep_handle(int at, HANDLE handle)
{
    int which = slot(at, 'h');
    /* Of a duplicate, the bits that mean nothing may be those of its source. */
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

/* Says how a call that makes a handle went, and keeps it. */
static void made(int at, HANDLE handle)
{
    if (done(handle != NULL))
        keep_handle(at, handle);
}

/* Notes that a handle was closed, unless it is still there. */
static void closed(int at)
{
    DWORD flags;
    int which = slot(at, 'h');
    if (which >= 0 && !GetHandleInformation(handles[which].handle, &flags))
        handles[which].live = 0;
}

/* Forgets where things stood outside of the arena: something else may stand there. */
static void forget_places(void)
{
    for (int i = 0; i < SLOTS; i++) {
        if (!views[i].live && !in_arena(views[i].base))
            views[i].base = NULL;
    }
}

/* Says how a call that maps or allocates went, and keeps what is new. */
static void mapped(int at, char *base)
{
    int which = slot(at, 'v');
    if (!done(base != NULL))
        return;
    MEMORY_BASIC_INFORMATION told;
    int new = query(base, &told) && told.AllocationBase == base;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && base >= views[i].base && base < views[i].base + views[i].len)
            new = 0;
    }
    forget_places();
    if (new) {
        views[which].base = base;
        views[which].len = allocation(base);
        views[which].live = 1;
    }
    say_address(base);
    if (new && (uintptr_t)base % 0x10000 != 0)
        say(" unaligned");
}

/* Notes what is no more. */
static void unmapped(void)
{
    MEMORY_BASIC_INFORMATION told;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && !(query(views[i].base, &told) && told.AllocationBase == views[i].base))
            views[i].live = 0;
    }
}

/* The calls. A word that begins with 'A' asks for the call for bytes. */

static void call_create(void)
{
    int named = name(8);
    if (word(2)[0] == 'A')
        made(1, CreateFileMappingA(handle(3), attributes(4), (DWORD)number(5), (DWORD)number(6),
                                   (DWORD)number(7), named ? narrow : NULL));
    else
        made(1, CreateFileMappingW(handle(3), attributes(4), (DWORD)number(5), (DWORD)number(6),
                                   (DWORD)number(7), named ? wide : NULL));
}

static void call_open(void)
{
    int named = name(5);
    if (word(2)[0] == 'A')
        made(1, OpenFileMappingA((DWORD)number(3), (BOOL)number(4), named ? narrow : NULL));
    else
        made(1, OpenFileMappingW((DWORD)number(3), (BOOL)number(4), named ? wide : NULL));
}

static void call_map(void)
{
    mapped(1, MapViewOfFile(handle(2), (DWORD)number(3), (DWORD)number(4), (DWORD)number(5),
                            (SIZE_T)number(6)));
}

static void call_mapex(void)
{
    mapped(1, MapViewOfFileEx(handle(2), (DWORD)number(3), (DWORD)number(4), (DWORD)number(5),
                              (SIZE_T)number(6), address(7)));
}

static void call_map2(void)
{
    mapped(1, MapViewOfFile2(handle(2), handle(3), number(4), address(5), (SIZE_T)number(6),
                             (ULONG)number(7), (ULONG)number(8)));
}

static void call_map3(void)
{
    mapped(1, MapViewOfFile3(handle(2), handle(3), address(5), number(4), (SIZE_T)number(6),
                             (ULONG)number(7), (ULONG)number(8), NULL, 0));
}

static void call_unmap(void)
{
    done(UnmapViewOfFile(address(1)));
    unmapped();
}

static void call_unmapex(void)
{
    done(UnmapViewOfFileEx(address(1), (ULONG)number(2)));
    unmapped();
}

static void call_unmap2(void)
{
    done(UnmapViewOfFile2(handle(1), address(2), (ULONG)number(3)));
    unmapped();
}

static void call_flush(void)
{
    done(FlushViewOfFile(address(1), (SIZE_T)number(2)));
}

static void call_query(void)
{
    MEMORY_BASIC_INFORMATION told;
    SIZE_T len = VirtualQuery(address(1), &told, (SIZE_T)number(2));
    done(len != 0);
    if (len == 0)
        return;
    say(" %zx", (size_t)len);
    say_address(told.BaseAddress);
    say_address(told.AllocationBase);
    /* How far free memory goes depends on what else is there. */
    say(" %zx/%x/%x/%x/%x", told.State == MEM_FREE ? 0 : (size_t)told.RegionSize,
        (unsigned)told.State, (unsigned)told.Protect, (unsigned)told.AllocationProtect,
        (unsigned)told.Type);
}

static void call_protect(void)
{
    DWORD old = 0;
    BOOL good = VirtualProtect(address(1), (SIZE_T)number(2), (DWORD)number(3),
                               number(4) == 0 ? &old : NULL);
    if (done(good))
        say(" %x", (unsigned)old);
}

static void call_alloc(void)
{
    mapped(1, VirtualAlloc(address(2), (SIZE_T)number(3), (DWORD)number(4), (DWORD)number(5)));
}

static void call_free(void)
{
    done(VirtualFree(address(1), (SIZE_T)number(2), (DWORD)number(3)));
    unmapped();
}

#include "differential/sync.h"
#include "differential/sleep.h"

/* With a last word, gives a mutex back before. */
static void call_dup(void)
{
    HANDLE twin = NULL;
    int keep = slot(1, 'h') >= 0;
    if (count > 8)
        give_back(handle(3));
    BOOL good = DuplicateHandle(handle(2), handle(3), handle(4), keep ? &twin : NULL,
                                (DWORD)number(5), (BOOL)number(6), (DWORD)number(7));
    done(good);
    /* The twin may have its number. */
    if ((number(7) & DUPLICATE_CLOSE_SOURCE) != 0 && ((uintptr_t)handle(3) ^ (uintptr_t)twin) > 3)
        closed(3);
    if (good && keep)
        keep_handle(1, twin);
}

static void call_close(void)
{
    if (count > 2)
        give_back(handle(1));
    if (done(CloseHandle(handle(1))))
        closed(1);
}

static void call_info(void)
{
    DWORD flags = 0;
    if (done(GetHandleInformation(handle(1), &flags)))
        say(" %x", (unsigned)flags);
}

static void call_setinfo(void)
{
    done(SetHandleInformation(handle(1), (DWORD)number(2), (DWORD)number(3)));
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
    made(1, file == INVALID_HANDLE_VALUE ? NULL : file);
}

static void call_delete(void)
{
    int named = name(2);
    done(word(1)[0] == 'A' ? DeleteFileA(named ? narrow : NULL) : DeleteFileW(named ? wide : NULL));
}

/* What a call that reads or writes moves, and how many bytes that are. */
static char bytes[1 << 16];

static DWORD bytes_asked(int at)
{
    unsigned long long len = number(at);
    return len < sizeof bytes ? (DWORD)len : (DWORD)sizeof bytes;
}

/* Where a call reads or writes: an offset, or "-" for where the file stands. */
static OVERLAPPED *place(int at)
{
    static OVERLAPPED place;
    unsigned long long offset = number(at);
    if (word(at)[0] == '-')
        return NULL;
    memset(&place, 0, sizeof place);
    place.Offset = (DWORD)offset;
    place.OffsetHigh = (DWORD)(offset >> 32);
    return &place;
}

static void say_moved(BOOL good, DWORD moved, const OVERLAPPED *place)
{
    DWORD error = GetLastError();
    done(good);
    say(" %x", (unsigned)moved);
    if (place != NULL && (good || error == ERROR_HANDLE_EOF))
        say(" %zx/%zx", (size_t)place->Internal, (size_t)place->InternalHigh);
}

static void call_fread(void)
{
    DWORD moved = 0xAAAA;
    OVERLAPPED *from = place(3);
    memset(bytes, 0xEE, sizeof bytes);
    BOOL good = ReadFile(handle(1), bytes, bytes_asked(2), &moved, from);
    say_moved(good, moved, from);
    say(" #%x", (unsigned)sum(bytes, sizeof bytes, 0));
}

static void call_fwrite(void)
{
    DWORD moved = 0xAAAA;
    OVERLAPPED *to = place(4);
    memset(bytes, (int)number(3), sizeof bytes);
    BOOL good = WriteFile(handle(1), bytes, bytes_asked(2), &moved, to);
    say_moved(good, moved, to);
}

static void call_seek(void)
{
    LONG high = (LONG)number(3);
    int halves = word(3)[0] != '-';
    DWORD low = SetFilePointer(handle(1), (LONG)number(2), halves ? &high : NULL, (DWORD)number(4));
    if (done(low != INVALID_SET_FILE_POINTER))
        say(" %x %x", (unsigned)low, halves ? (unsigned)high : 0);
}

static void call_seekex(void)
{
    LARGE_INTEGER by;
    LARGE_INTEGER now;
    by.QuadPart = (LONGLONG)number(2);
    if (done(SetFilePointerEx(handle(1), by, &now, (DWORD)number(3))))
        say(" %llx", (unsigned long long)now.QuadPart);
}

static void call_size(void)
{
    DWORD high = 0;
    DWORD low = GetFileSize(handle(1), &high);
    if (done(low != INVALID_FILE_SIZE))
        say(" %x %x", (unsigned)high, (unsigned)low);
}

static void call_sizeex(void)
{
    LARGE_INTEGER len;
    if (done(GetFileSizeEx(handle(1), &len)))
        say(" %llx", (unsigned long long)len.QuadPart);
}

static void call_seteof(void)
{
    done(SetEndOfFile(handle(1)));
}

static void call_fflush(void)
{
    done(FlushFileBuffers(handle(1)));
}

/* Fills what can be written to of a stretch, and tells how much that was. */
static void call_write(void)
{
    char *at = address(1);
    size_t left = (size_t)number(2);
    size_t written = 0;
    MEMORY_BASIC_INFORMATION told;
    char *base = NULL;
    for (int i = 0; i < SLOTS; i++) {
        if (views[i].live && at >= views[i].base && at < views[i].base + views[i].len)
            base = views[i].base;
    }
    while (left > 0 && base != NULL && query(at, &told) && told.AllocationBase == base) {
        size_t here = told.RegionSize - (size_t)(at - (char *)told.BaseAddress);
        here = here < left ? here : left;
        if (writable(&told)) {
            memset(at, (int)number(3), here);
            written += here;
        }
        at += here;
        left -= here;
    }
    say("ok - %zx", written);
}

static void call_look(void)
{
    say("ok -");
}

/* Lets go of one slot, or of all, whatever their protection; and of what closed slots had. */
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
    say("ok -");
}

static const struct {
    const char *name;
    void (*call)(void);
    /* The word that names the slot for what the call makes, or 0. */
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
    {"fflush", call_fflush, 0}, {"write", call_write, 0},       {"look", call_look, 0},
    {"reset", call_reset, 0},   {"mutex", call_mutex, 1},       {"mutexex", call_mutexex, 1},
    {"event", call_event, 1},   {"eventex", call_eventex, 1},   {"openmutex", call_openmutex, 1},
    {"release", call_release, 0}, {"openevent", call_openevent, 1}, {"set", call_set, 0},
    {"sets", call_sets, 0},     {"settle", call_settle, 0},
    {"unset", call_unset, 0},   {"pulse", call_pulse, 0},       {"semaphore", call_semaphore, 1},
    {"semaphoreex", call_semaphoreex, 1}, {"opensemaphore", call_opensemaphore, 1},
    {"post", call_post, 0},     {"wait", call_wait, 0},         {"waitmany", call_waitmany, 0},
    {"signal", call_signal, 0}, {"abandon", call_abandon, 0},   {"sleep", call_sleep, 0},
    {"awake", call_awake, 0},   {"keep", call_keep, 0},         {"let", call_let, 0},
};

static int taken(int at)
{
    int handle = slot(at, 'h');
    int view = slot(at, 'v');
    return (handle >= 0 && handles[handle].live) || (view >= 0 && views[view].live);
}

static void act(void)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, word(0)) == 0) {
            if (calls[i].makes != 0 && taken(calls[i].makes)) {
                say("busy -");
            } else {
                SetLastError(UNTOUCHED);
                calls[i].call();
            }
            return;
        }
    }
    say("what -");
}

int main(void)
{
    static char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        count = 0;
        for (char *next = strtok(line, " \r\n"); next != NULL && count < WORDS;
             next = strtok(NULL, " \r\n"))
            words[count++] = next;
        answered = 0;
        act();
        for (int i = 0; i < SLOTS; i++) {
            if (views[i].live)
                say_view(i);
        }
        puts(answer);
        fflush(stdout);
    }
    return 0;
}
