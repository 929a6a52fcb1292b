/* MapViewOfFile and its family. */
#include "rows.h"

static void protection_of_views(void)
{
    static const DWORD protections[8] = {PAGE_NOACCESS, PAGE_WRITECOPY, PAGE_READWRITE,
                                         PAGE_READWRITE, PAGE_READONLY, PAGE_READONLY,
                                         PAGE_READWRITE, PAGE_READWRITE};
    HANDLE made = memory(NULL, 4096);
    char *shared;
    DWORD access;
    for (access = 0; access < 8; access++) {
        void *seen = view(made, access);
        CHECK(seen != NULL);
        SAME(at(seen).AllocationProtect, protections[access]);
        SAME(at(seen).Protect, protections[access]);
    }
    /* FILE_MAP_COPY with FILE_MAP_WRITE is a shared writable view. */
    shared = (char *)view(made, FILE_MAP_COPY | FILE_MAP_WRITE);
    shared[0] = 9;
    SAME(byte_of(view(made, FILE_MAP_READ), 0), 9);
}

static void no_access_is_legal(void)
{
    const char *name = unique();
    HANDLE made = memory(name, 4096);
    SAME(at(view(made, 0)).Protect, PAGE_NOACCESS);
    SAME(at(view(open_named(name, FILE_MAP_READ), 0)).Protect, PAGE_NOACCESS);
    NO_VIEW(open_named(name, FILE_MAP_WRITE), 0, ERROR_ACCESS_DENIED);
}

static void writing_needs_only_writing(void)
{
    const char *name = unique();
    HANDLE opened;
    memory(name, 1);
    opened = open_named(name, FILE_MAP_WRITE);
    CHECK(view(opened, FILE_MAP_WRITE) != NULL);
    NO_VIEW(opened, FILE_MAP_READ, ERROR_ACCESS_DENIED);
    NO_VIEW(opened, FILE_MAP_COPY, ERROR_ACCESS_DENIED);
    opened = open_named(name, FILE_MAP_READ);
    CHECK(view(opened, FILE_MAP_READ) != NULL && view(opened, FILE_MAP_COPY) != NULL);
}

static void readers_do_not_write(void)
{
    const char *name = unique();
    HANDLE me = GetCurrentProcess(), made = memory(name, 1), less = NULL;
    NO_VIEW(open_named(name, FILE_MAP_READ), FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(DuplicateHandle(me, made, me, &less, FILE_MAP_READ, FALSE, 0));
    NO_VIEW(less, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(view(less, FILE_MAP_READ) != NULL);
}

static void all_access_is_to_write(void)
{
    const char *name = unique();
    memory(name, 1);
    SAME(at(view(open_named(name, FILE_MAP_WRITE), FILE_MAP_ALL_ACCESS)).Protect, PAGE_READWRITE);
}

static void sections_protect_themselves(void)
{
    const char *name = unique();
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 1, name);
    NO_VIEW(open_named(name, FILE_MAP_ALL_ACCESS), FILE_MAP_WRITE, ERROR_INVALID_PARAMETER);
    NO_VIEW(made, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
}

static void reading_and_copying_always(void)
{
    static const DWORD protections[] = {PAGE_READONLY, PAGE_WRITECOPY, PAGE_READWRITE};
    HANDLE file = open_file(file_of(4096), GENERIC_READ | GENERIC_WRITE), made;
    size_t i;
    for (i = 0; i < 3; i++) {
        made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, protections[i], 0, 1, NULL);
        CHECK(view(made, FILE_MAP_READ) != NULL && view(made, FILE_MAP_COPY) != NULL);
        made = section_over(file, protections[i]);
        CHECK(view(made, FILE_MAP_READ) != NULL && view(made, FILE_MAP_COPY) != NULL);
    }
    CHECK(view(made, FILE_MAP_WRITE) != NULL);
}

static void offsets_are_aligned(void)
{
    HANDLE made = memory(NULL, 1 << 18);
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    SAME(system.dwAllocationGranularity, 65536);
    SAME(system.dwPageSize, 4096);
    REFUSED(view_part(made, FILE_MAP_READ, 1, 1), ERROR_MAPPED_ALIGNMENT);
    REFUSED(view_part(made, FILE_MAP_READ, 4096, 1), ERROR_MAPPED_ALIGNMENT);
    CHECK(view_part(made, FILE_MAP_READ, 65536, 1) != NULL);
    REFUSED(MapViewOfFileEx(made, FILE_MAP_READ, 0, 0, 0, (void *)(ULONG_PTR)0x12345000),
            ERROR_MAPPED_ALIGNMENT);
}

static void order_of_checks(void)
{
    const char *name = unique();
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 1, name);
    HANDLE all = open_named(name, FILE_MAP_ALL_ACCESS);
    REFUSED(view_part((HANDLE)(ULONG_PTR)0xBAD0, FILE_MAP_READ, 1, 0), ERROR_INVALID_HANDLE);
    REFUSED(view_part(made, FILE_MAP_WRITE, 1, 0), ERROR_ACCESS_DENIED);
    REFUSED(view_part(all, FILE_MAP_WRITE, 1, 0), ERROR_MAPPED_ALIGNMENT);
    REFUSED(view_part(all, FILE_MAP_WRITE, 0, 5000), ERROR_INVALID_PARAMETER);
}

static void no_length_is_to_the_end(void)
{
    HANDLE made = memory(NULL, 200000);
    SAME(at(view_part(made, FILE_MAP_READ, 65536, 0)).RegionSize, 200704 - 65536);
    SAME(at(view_part(made, FILE_MAP_READ, 0, 4090)).RegionSize, 4096);
}

static void past_the_end(void)
{
    HANDLE made = memory(NULL, 8192);
    REFUSED(view_part(made, FILE_MAP_READ, 0, 8193), ERROR_ACCESS_DENIED);
    REFUSED(view_part(made, FILE_MAP_WRITE, 0, 1 << 20), ERROR_ACCESS_DENIED);
}

static void beyond_the_end(void)
{
    HANDLE made = memory(NULL, 8192);
    REFUSED(view_part(made, FILE_MAP_READ, 65536, 0), ERROR_ACCESS_DENIED);
    REFUSED(view_part(made, FILE_MAP_READ, 65536, 1), ERROR_ACCESS_DENIED);
}

static void views_are_apart_and_coherent(void)
{
    HANDLE made = memory(NULL, 100);
    char *one = (char *)view(made, FILE_MAP_WRITE), *other = (char *)view(made, FILE_MAP_WRITE);
    CHECK(one != other);
    SAME((ULONG_PTR)one % 65536, 0);
    SAME((ULONG_PTR)other % 65536, 0);
    one[99] = 3;
    SAME(byte_of(other, 99), 3);
}

static void addresses_are_used_or_refused(void)
{
    HANDLE made = memory(NULL, 1);
    void *first = view(made, FILE_MAP_READ);
    REFUSED(MapViewOfFileEx(made, FILE_MAP_READ, 0, 0, 0, first), ERROR_INVALID_ADDRESS);
    CHECK(UnmapViewOfFile(first));
    CHECK(MapViewOfFileEx(made, FILE_MAP_READ, 0, 0, 0, first) == first);
}

static void past_the_files_end_is_zero(void)
{
    void *seen = view(section_over(open_file(file_of(36), GENERIC_READ), PAGE_READONLY), FILE_MAP_READ);
    SAME(byte_of(seen, 35), 7);
    SAME(byte_of(seen, 36), 0);
    SAME(byte_of(seen, 4095), 0);
}

static void copies_are_private(void)
{
    HANDLE made = memory(NULL, 3 * 4096);
    char *copy = (char *)view(made, FILE_MAP_COPY), *shared = (char *)view(made, FILE_MAP_WRITE);
    SAME(at(copy).Protect, PAGE_WRITECOPY);
    copy[4096] = 1;
    SAME(at(copy).Protect, PAGE_WRITECOPY);
    SAME(at(copy).RegionSize, 4096);
    SAME(at(copy + 4096).Protect, PAGE_READWRITE);
    SAME(at(copy + 4096).RegionSize, 4096);
    SAME(at(copy + 8192).Protect, PAGE_WRITECOPY);
    SAME(at(copy + 4096).AllocationProtect, PAGE_WRITECOPY);
    SAME(byte_of(shared, 4096), 0);
    SAME(byte_of(view(made, FILE_MAP_COPY), 4096), 0);
    CHECK(UnmapViewOfFile(copy));
    SAME(byte_of(view(made, FILE_MAP_COPY), 4096), 0);
}

static void views_outlive_handles(void)
{
    HANDLE made = memory(NULL, 4096);
    char *seen = (char *)view(made, FILE_MAP_WRITE);
    CHECK(CloseHandle(made));
    seen[0] = 1;
    SAME(byte_of(seen, 0), 1);
    SAME(at(seen).State, MEM_COMMIT);
    SAME(at(seen).Type, MEM_MAPPED);
}

#ifdef _WIN32
/* Some compilers do not have the import library for this function, so the program loads the
 * function by its name. */
typedef PVOID WINAPI MapView3(HANDLE, HANDLE, PVOID, ULONG64, SIZE_T, ULONG, ULONG, void *, ULONG);
static PVOID WINAPI map3(HANDLE section, HANDLE process, PVOID base, ULONG64 offset, SIZE_T len,
                         ULONG how, ULONG protection, void *parameters, ULONG count)
{
    FARPROC found = GetProcAddress(GetModuleHandleA("kernelbase.dll"), "MapViewOfFile3");
    return ((MapView3 *)(void (*)(void))found)(section, process, base, offset, len, how, protection,
                                               parameters, count);
}
#else
#define map3 MapViewOfFile3
#endif

static void views_by_protection(void)
{
    HANDLE made = memory(NULL, 1 << 17);
    char *seen = (char *)map3(made, NULL, NULL, 65536, 0, 0, PAGE_READWRITE, NULL, 0);
    CHECK(seen != NULL);
    SAME(at(seen).RegionSize, 65536);
    SAME(at(seen).Protect, PAGE_READWRITE);
    CHECK(map3(made, GetCurrentProcess(), NULL, 0, 0, 0, PAGE_READONLY, NULL, 0) != NULL);
    REFUSED(map3(made, NULL, NULL, 0, 0, 0, 0, NULL, 0), ERROR_INVALID_PARAMETER);
    REFUSED(map3(made, NULL, NULL, 4096, 0, 0, PAGE_READONLY, NULL, 0), ERROR_MAPPED_ALIGNMENT);
}

const Row map_rows[] = {
    {41, "the access determines a view's protection", protection_of_views},
    {42, "a view without any access is legal", no_access_is_legal},
    {43, "a writable view does not require the right to read", writing_needs_only_writing},
    {44, "a handle with read access maps no writable view", readers_do_not_write},
    {45, "FILE_MAP_ALL_ACCESS maps a writable view", all_access_is_to_write},
    {46, "a read-only section has no writable view", sections_protect_themselves},
    {47, "every protection permits read and copy views", reading_and_copying_always},
    {48, "offsets and addresses of views are multiples of 64 KiB", offsets_are_aligned},
    {49, "the order of checks is handle, access, alignment, protection, size", order_of_checks},
    {50, "length zero maps to the end, and lengths are rounded up", no_length_is_to_the_end},
    {51, "a view does not reach past the end", past_the_end},
    {52, "a view does not begin beyond the end", beyond_the_end},
    {53, "two views have different addresses and show the same memory", views_are_apart_and_coherent},
    {54, "a view is mapped at the requested address or not at all", addresses_are_used_or_refused},
    {55, "the last page is zero beyond a file's end", past_the_files_end_is_zero},
    {56, "a copy-on-write view keeps its writes to itself", copies_are_private},
    {58, "a view outlives its handle", views_outlive_handles},
    {60, "MapViewOfFile2 and 3 take a protection", views_by_protection},
    {0, NULL, NULL},
};
