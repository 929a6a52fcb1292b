/* Copying pages on write, committing and protecting them; and the order of checks. */
#include "rows.h"

#define PAGES 4
#define KERNEL ((void *)(ULONG_PTR)0xFFFF800000000000u)

static BOOL protect(void *address, SIZE_T len, DWORD protection)
{
    DWORD old;
    return VirtualProtect(address, len, protection, &old);
}

static void shared_pages_can_be_copied(void)
{
    HANDLE made = memory(NULL, PAGES * 4096);
    char *seen = (char *)view(made, FILE_MAP_WRITE), *other = (char *)view(made, FILE_MAP_WRITE);
    DWORD old = 0;
    other[0] = other[4096] = 1;
    CHECK(VirtualProtect(seen, 2 * 4096, PAGE_WRITECOPY, &old));
    SAME(old, PAGE_READWRITE);
    SAME(at(seen).Protect, PAGE_WRITECOPY);
    SAME(at(seen).RegionSize, 2 * 4096);
    SAME(at(seen + 8192).Protect, PAGE_READWRITE);
    seen[0] = 2;
    seen[8192] = 3;
    SAME(at(seen).Protect, PAGE_READWRITE);
    SAME(at(seen).RegionSize, 4096);
    SAME(at(seen + 4096).Protect, PAGE_WRITECOPY);
    SAME(byte_of(other, 0), 1);
    SAME(byte_of(other, 8192), 3);
    /* A written page keeps its contents through further changes of its protection. */
    CHECK(protect(seen, 3 * 4096, PAGE_WRITECOPY));
    SAME(byte_of(seen, 0), 2);
    SAME(byte_of(seen, 4096), 1);
    SAME(byte_of(seen, 8192), 3);
    CHECK(protect(seen, 3 * 4096, PAGE_READONLY) && protect(seen, 3 * 4096, PAGE_WRITECOPY));
    SAME(byte_of(seen, 0), 2);
    seen[8192] = 4;
    SAME(byte_of(other, 8192), 3);
}

static void unwritten_pages_are_shared_again(void)
{
    HANDLE made = memory(NULL, PAGES * 4096);
    char *seen = (char *)view(made, FILE_MAP_WRITE), *other = (char *)view(made, FILE_MAP_WRITE);
    CHECK(protect(seen, 2 * 4096, PAGE_WRITECOPY));
    seen[0] = 2;
    CHECK(protect(seen, 3 * 4096, PAGE_READWRITE));
    SAME(at(seen).Protect, PAGE_READWRITE);
    SAME(at(seen).RegionSize, PAGES * 4096);
    SAME(byte_of(seen, 0), 2);
    seen[1] = seen[4096] = seen[8192] = 5;
    SAME(byte_of(other, 0), 0);
    SAME(byte_of(other, 1), 0);
    SAME(byte_of(other, 4096), 5);
    SAME(byte_of(other, 8192), 5);
    other[4097] = 6;
    SAME(byte_of(seen, 4097), 6);
}

static void readers_may_copy(void)
{
    HANDLE made = memory(NULL, PAGES * 4096);
    char *seen = (char *)view(made, FILE_MAP_READ), *other = (char *)view(made, FILE_MAP_WRITE);
    CHECK(protect(seen, 2 * 4096, PAGE_WRITECOPY));
    seen[0] = 2;
    SAME(byte_of(other, 0), 0);
    SAME(at(seen).AllocationProtect, PAGE_READONLY);
    REFUSED(protect(seen, 4096, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    SAME(byte_of(seen, 0), 2);
    CHECK(protect(seen, 2 * 4096, PAGE_READONLY));
    SAME(byte_of(seen, 0), 2);
    other[4096] = 7;
    SAME(byte_of(seen, 4096), 7);
}

static void refused_protection_changes_nothing(void)
{
    HANDLE reserved = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE,
                                         0, 1 << 16, NULL);
    HANDLE made = memory(NULL, PAGES * 4096);
    char *some = (char *)view(reserved, FILE_MAP_WRITE), *seen = (char *)view(made, FILE_MAP_WRITE);
    char *reader = (char *)view(made, FILE_MAP_READ);
    CHECK(VirtualAlloc(some, 4096, MEM_COMMIT, PAGE_READWRITE) == some);
    REFUSED(protect(some, 2 * 4096, PAGE_READONLY), ERROR_INVALID_ADDRESS);
    REFUSED(protect(some, 2 * 4096, PAGE_WRITECOPY), ERROR_INVALID_ADDRESS);
    SAME(at(some).Protect, PAGE_READWRITE);
    SAME(at(some + 4096).State, MEM_RESERVE);
    some[0] = 1;
    SAME(byte_of(view(reserved, FILE_MAP_READ), 0), 1);
    CHECK(protect(reader + 4096, 4096, PAGE_NOACCESS));
    REFUSED(protect(reader, PAGES * 4096, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    SAME(at(reader).Protect, PAGE_READONLY);
    SAME(at(reader + 4096).Protect, PAGE_NOACCESS);
    CHECK(protect(seen + 4096, 4096, PAGE_READONLY));
    CHECK(!protect(seen, (PAGES + 16) * 4096, PAGE_NOACCESS));
    SAME(at(seen).Protect, PAGE_READWRITE);
    SAME(at(seen + 4096).Protect, PAGE_READONLY);
#ifndef _WIN32
    /* A difference from Windows: this library cannot share pages again after all handles of the
     * mapping are closed. */
    CHECK(protect(seen, 4096, PAGE_WRITECOPY));
    CHECK(CloseHandle(made));
    REFUSED(protect(seen, PAGES * 4096, PAGE_READWRITE), ERROR_NOT_SUPPORTED);
    REFUSED(protect(seen + 4096, 4096, PAGE_WRITECOPY), ERROR_NOT_SUPPORTED);
    SAME(at(seen).Protect, PAGE_WRITECOPY);
    SAME(at(seen + 4096).Protect, PAGE_READONLY);
    SAME(at(seen + 8192).Protect, PAGE_READWRITE);
#endif
}

static void refused_commits_commit_nothing(void)
{
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0,
                                     1 << 20, NULL);
    char *reader = (char *)view(made, FILE_MAP_READ), *none = (char *)view(made, 0);
    char *other = (char *)view(made, FILE_MAP_WRITE);
    REFUSED(VirtualAlloc(reader, 4096, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(reader + (1 << 20) - 4096, 8192, MEM_COMMIT, PAGE_READONLY),
            ERROR_INVALID_ADDRESS);
    SAME(at(other).State, MEM_RESERVE);
    SAME(at(other).RegionSize, 1 << 20);
    CHECK(VirtualAlloc(none + 65536, 4096, MEM_COMMIT, PAGE_NOACCESS) == none + 65536);
    SAME(at(none + 65536).State, MEM_COMMIT);
    SAME(at(none + 65536).Protect, PAGE_NOACCESS);
    SAME(at(other + 65536).State, MEM_COMMIT);
    SAME(at(other + 65536).RegionSize, 4096);
    SAME(byte_of(other, 65536), 0);
}

static void allocation_checks_are_ordered(void)
{
    char *own = (char *)VirtualAlloc(NULL, 1 << 20, MEM_RESERVE, PAGE_READWRITE);
    static const DWORD types[] = {0, MEM_DECOMMIT, MEM_RELEASE, MEM_FREE, MEM_COMMIT | 1,
                                  MEM_COMMIT | MEM_RELEASE, MEM_RESERVE | 0x800000};
    void *low = (void *)(ULONG_PTR)0x1000;
    size_t i;
    CHECK(own != NULL);
    for (i = 0; i < sizeof types / sizeof types[0]; i++)
        REFUSED(VirtualAlloc(own, 4096, types[i], PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(own, 0, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(low, 4096, MEM_RESERVE, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(low, 4096, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(KERNEL, 4096, MEM_RESERVE, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(KERNEL, 4096, MEM_COMMIT, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualAlloc(own, ~(SIZE_T)0 >> 1, MEM_COMMIT, PAGE_READWRITE),
            ERROR_INVALID_PARAMETER);
    SAME(at(own).State, MEM_RESERVE);
    SAME(at(own).RegionSize, 1 << 20);
}

static void free_checks_are_ordered(void)
{
    char *own = (char *)VirtualAlloc(NULL, 65536, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    REFUSED(VirtualFree((void *)(ULONG_PTR)0x123450, 0, 0), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(own, 0, MEM_RELEASE | MEM_DECOMMIT), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(own, 0, MEM_COMMIT), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(own, 2 * 65536, MEM_DECOMMIT), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(own + 4096, 65536, MEM_DECOMMIT), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(own + 4096, 0, MEM_RELEASE), ERROR_INVALID_ADDRESS);
    REFUSED(VirtualFree(own + 4096, 0, MEM_DECOMMIT), ERROR_INVALID_ADDRESS);
    SAME(at(own).State, MEM_COMMIT);
    SAME(at(own).RegionSize, 65536);
    CHECK(VirtualFree(own, 0, MEM_DECOMMIT));
    SAME(at(own).State, MEM_RESERVE);
    CHECK(VirtualFree(own, 0, MEM_RELEASE));
    SAME(at(own).State, MEM_FREE);
}

static void ranges_are_checked_before_memory(void)
{
    void *nothing = (void *)(ULONG_PTR)0x123450000;
    void *seen = view(memory(NULL, 4096), FILE_MAP_WRITE);
    HANDLE none = (HANDLE)(ULONG_PTR)0xBAD0;
    REFUSED(protect(nothing, 0, PAGE_READONLY), ERROR_INVALID_PARAMETER);
    REFUSED(protect(seen, 0, PAGE_READONLY), ERROR_INVALID_PARAMETER);
    REFUSED(protect(KERNEL, 4096, PAGE_READONLY), ERROR_INVALID_PARAMETER);
    REFUSED(protect(seen, ~(SIZE_T)0 >> 1, PAGE_READONLY), ERROR_INVALID_PARAMETER);
    REFUSED(protect(nothing, 4096, PAGE_READONLY), ERROR_INVALID_ADDRESS);
    REFUSED(protect(seen, 65536, PAGE_READONLY), ERROR_INVALID_ADDRESS);
    REFUSED(MapViewOfFileEx(none, FILE_MAP_READ, 0, 0, 0, KERNEL), ERROR_INVALID_PARAMETER);
    SAME(at(seen).Protect, PAGE_READWRITE);
}

static void impossible_protections(void)
{
    static const DWORD bad[] = {0, 3, 6, 0x30, 0x44, 0x800, PAGE_GUARD, PAGE_NOCACHE};
    void *seen = view(memory(NULL, 4096), FILE_MAP_WRITE);
    size_t i;
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        REFUSED(protect(seen, 4096, bad[i]), ERROR_INVALID_PARAMETER);
        REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE, bad[i]), ERROR_INVALID_PARAMETER);
    }
    REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE, PAGE_WRITECOPY), ERROR_INVALID_PARAMETER);
#ifndef _WIN32
    {
        /* Calls that Windows supports and this library does not fail with ERROR_NOT_SUPPORTED. */
        static const DWORD odd[] = {PAGE_READWRITE | PAGE_GUARD, PAGE_READONLY | PAGE_GUARD, 0x40};
        static const DWORD types[] = {0x80000, 0x200000, 0x20000000};
        for (i = 0; i < 3; i++) {
            REFUSED(protect(seen, 4096, odd[i]), ERROR_NOT_SUPPORTED);
            REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE, odd[i]), ERROR_NOT_SUPPORTED);
            REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE | types[i], PAGE_READWRITE),
                    ERROR_NOT_SUPPORTED);
        }
    }
#endif
    SAME(at(seen).Protect, PAGE_READWRITE);
}

static void protections_have_modifiers(void)
{
    static const DWORD modifiers[] = {PAGE_NOCACHE, PAGE_WRITECOMBINE};
    HANDLE section = memory(NULL, 4096);
    char *seen = (char *)view(section, FILE_MAP_WRITE);
    size_t i;
    for (i = 0; i < 2; i++) {
        char *own = (char *)VirtualAlloc(NULL, 8192, MEM_RESERVE | MEM_COMMIT,
                                         PAGE_READWRITE | modifiers[i]);
        CHECK(own != NULL);
        if (own == NULL)
            continue;
        own[4096] = 1;
        CHECK(protect(own, 4096, PAGE_READONLY | modifiers[i]));
        SAME(byte_of(own, 0), 0);
        SAME(byte_of(own, 4096), 1);
        CHECK(VirtualFree(own, 4096, MEM_DECOMMIT));
        CHECK(VirtualAlloc(own, 4096, MEM_COMMIT, PAGE_READWRITE | modifiers[i]) == own);
        own[0] = 1;
        REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE, PAGE_WRITECOPY | modifiers[i]),
                ERROR_INVALID_PARAMETER);
        /* The section determines the caching of a view: the modifier has no effect. */
        CHECK(protect(seen, 4096, PAGE_READWRITE | modifiers[i]));
        SAME(at(seen).Protect, PAGE_READWRITE);
        CHECK(protect(seen, 4096, PAGE_WRITECOPY | modifiers[i]));
        SAME(at(seen).Protect, PAGE_WRITECOPY);
#ifndef _WIN32
        own = (char *)MapViewOfFile3(section, NULL, NULL, 0, 0, 0, PAGE_READWRITE | modifiers[i],
                                     NULL, 0);
        CHECK(own != NULL);
        SAME(at(own).Protect, PAGE_READWRITE);
#endif
        REFUSED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | modifiers[i], 0,
                                   4096, NULL),
                ERROR_INVALID_PARAMETER);
    }
}

static void modifiers_are_reported_and_exclude_each_other(void)
{
    static const DWORD bad[] = {PAGE_READWRITE | PAGE_NOCACHE | PAGE_WRITECOMBINE,
                                PAGE_READWRITE | PAGE_NOCACHE | PAGE_GUARD,
                                PAGE_READONLY | PAGE_WRITECOMBINE | PAGE_GUARD,
                                PAGE_NOACCESS | PAGE_NOCACHE, PAGE_NOACCESS | PAGE_WRITECOMBINE,
                                PAGE_NOACCESS | PAGE_GUARD};
    char *own = (char *)VirtualAlloc(NULL, 3 * 4096, MEM_RESERVE | MEM_COMMIT,
                                     PAGE_READWRITE | PAGE_NOCACHE);
    DWORD old = 0;
    size_t i;
    SAME(at(own).Protect, PAGE_READWRITE | PAGE_NOCACHE);
    SAME(at(own).AllocationProtect, PAGE_READWRITE | PAGE_NOCACHE);
    SAME(at(own).RegionSize, 3 * 4096);
    CHECK(VirtualProtect(own + 4096, 4096, PAGE_READWRITE | PAGE_WRITECOMBINE, &old));
    SAME(old, PAGE_READWRITE | PAGE_NOCACHE);
    SAME(at(own).RegionSize, 4096);
    SAME(at(own + 4096).Protect, PAGE_READWRITE | PAGE_WRITECOMBINE);
    SAME(at(own + 4096).RegionSize, 4096);
    CHECK(VirtualProtect(own + 4096, 4096, PAGE_NOACCESS, &old));
    SAME(old, PAGE_READWRITE | PAGE_WRITECOMBINE);
    SAME(at(own + 4096).Protect, PAGE_NOACCESS);
    SAME(at(own + 8192).Protect, PAGE_READWRITE | PAGE_NOCACHE);
    CHECK(VirtualProtect(own + 8192, 4096, PAGE_READWRITE, &old));
    SAME(at(own + 8192).Protect, PAGE_READWRITE);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        REFUSED(protect(own, 4096, bad[i]), ERROR_INVALID_PARAMETER);
        REFUSED(VirtualAlloc(NULL, 4096, MEM_RESERVE, bad[i]), ERROR_INVALID_PARAMETER);
    }
    SAME(at(own).Protect, PAGE_READWRITE | PAGE_NOCACHE);
}

static void much_is_reserved_at_once(void)
{
    char *own = (char *)VirtualAlloc(NULL, (SIZE_T)1 << 40, MEM_RESERVE, PAGE_READWRITE), *middle;
    CHECK(own != NULL);
    if (own == NULL)
        return;
    middle = own + ((SIZE_T)1 << 39);
    CHECK(VirtualAlloc(middle, 65536, MEM_COMMIT, PAGE_READWRITE) == middle);
    middle[65535] = 1;
    SAME(at(own).State, MEM_RESERVE);
    SAME(at(own).RegionSize >> 12, ((SIZE_T)1 << 39) >> 12);
    SAME(at(middle).RegionSize, 65536);
    SAME(at(middle + 65536).State, MEM_RESERVE);
    CHECK(VirtualFree(own, 0, MEM_RELEASE));
}

static void pseudo_handles_have_no_flags(void)
{
    LONG_PTR number;
    DWORD flags;
    HANDLE made = memory(NULL, 1);
    /* The pseudo-handles of this process and this thread. */
    for (number = -2; number < 0; number++) {
        flags = PRESET;
        CHECK(GetHandleInformation((HANDLE)number, &flags));
        SAME(flags, 0);
        REFUSED(SetHandleInformation((HANDLE)number, HANDLE_FLAG_INHERIT, 0), ERROR_ACCESS_DENIED);
    }
    CHECK(SetHandleInformation(made, 0x80000004u, 0x80000004u));
    CHECK(GetHandleInformation(made, &flags));
    SAME(flags, 0);
}

const Row page_rows[] = {
    {104, "pages of a shared view can be made copy-on-write, and keep their contents",
     shared_pages_can_be_copied},
    {105, "unwritten pages are shared again when they are made writable", unwritten_pages_are_shared_again},
    {106, "a read-only view can be made copy-on-write", readers_may_copy},
    {107, "a refused protection changes no page", refused_protection_changes_nothing},
    {108, "a refused commit commits nothing, and a commit with PAGE_NOACCESS commits",
     refused_commits_commit_nothing},
    {109, "VirtualAlloc checks type, address and range before the memory", allocation_checks_are_ordered},
    {110, "VirtualFree checks the type first, and length zero requires the base", free_checks_are_ordered},
    {111, "empty ranges and impossible addresses are refused before the memory is checked",
     ranges_are_checked_before_memory},
    {112, "invalid protections are refused", impossible_protections},
    {148, "pages may be uncached or write-combined", protections_have_modifiers},
    {149, "modifiers of protections are reported, and exclude each other",
     modifiers_are_reported_and_exclude_each_other},
    {113, "a terabyte can be reserved, and a part of it committed", much_is_reserved_at_once},
    {114, "pseudo-handles have no flags", pseudo_handles_have_no_flags},
    {0, NULL, NULL},
};
