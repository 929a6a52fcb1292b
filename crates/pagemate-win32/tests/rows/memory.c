/* Pages of views: unmapping, flushing, querying, protecting and committing. */
#include "rows.h"

static void any_address_unmaps(void)
{
    static const DWORD offsets[] = {0, 100, 4096, 4196};
    HANDLE made = memory(NULL, 8192);
    size_t i;
    for (i = 0; i < 4; i++) {
        char *seen = (char *)view(made, FILE_MAP_READ);
        CHECK(UnmapViewOfFile(seen + offsets[i]));
        SAME(at(seen).State, MEM_FREE);
    }
}

static void only_views_unmap(void)
{
    void *own = VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    void *seen = view(memory(NULL, 1), FILE_MAP_READ);
    CHECK(own != NULL);
    REFUSED(UnmapViewOfFile(own), ERROR_INVALID_ADDRESS);
    REFUSED(UnmapViewOfFile((void *)(ULONG_PTR)0x123450), ERROR_INVALID_ADDRESS);
    CHECK(UnmapViewOfFile(seen));
    REFUSED(UnmapViewOfFile(seen), ERROR_INVALID_ADDRESS);
    CHECK(VirtualFree(own, 0, MEM_RELEASE));
}

static void unmapped_memory_is_free(void)
{
    void *seen = view(memory(NULL, 1), FILE_MAP_READ);
    CHECK(UnmapViewOfFile(seen));
    SAME(at(seen).State, MEM_FREE);
    SAME(at(seen).Protect, PAGE_NOACCESS);
    CHECK(at(seen).AllocationBase == NULL);
}

static void views_are_not_freed(void)
{
    void *seen = view(memory(NULL, 8192), FILE_MAP_WRITE);
    REFUSED(VirtualFree(seen, 4096, MEM_DECOMMIT), ERROR_INVALID_PARAMETER);
    REFUSED(VirtualFree(seen, 0, MEM_RELEASE), ERROR_INVALID_PARAMETER);
    SAME(at(seen).RegionSize, 8192);
}

static void flushing(void)
{
    HANDLE file = open_file(file_of(5000), GENERIC_READ | GENERIC_WRITE);
    char *seen = (char *)view(memory(NULL, 8192), FILE_MAP_WRITE), read = 0;
    DWORD count = 0;
    CHECK(FlushViewOfFile(seen, 0));
    CHECK(FlushViewOfFile(seen + 4096, 1));
    CHECK(!FlushViewOfFile(seen, 8193));
    seen = (char *)view(section_over(file, PAGE_READWRITE), FILE_MAP_WRITE);
    seen[4999] = 'x';
    CHECK(FlushViewOfFile(seen, 0));
    CHECK(FlushFileBuffers(file));
    SAME(SetFilePointer(file, 4999, NULL, FILE_BEGIN), 4999);
    CHECK(ReadFile(file, &read, 1, &count, NULL));
    SAME(read, 'x');
}

static void views_are_described(void)
{
    char *seen = (char *)view(memory(NULL, 12288), FILE_MAP_WRITE);
    MEMORY_BASIC_INFORMATION info = at(seen);
    CHECK(info.BaseAddress == seen && info.AllocationBase == seen);
    SAME(info.AllocationProtect, PAGE_READWRITE);
    SAME(info.Type, MEM_MAPPED);
    SAME(info.State, MEM_COMMIT);
    SAME(info.RegionSize, 12288);
    info = at(seen + 5000);
    CHECK(info.BaseAddress == seen + 4096 && info.AllocationBase == seen);
    SAME(info.RegionSize, 8192);
}

static BOOL protect(void *address, DWORD protection)
{
    DWORD old;
    return VirtualProtect(address, 4096, protection, &old);
}

static void protection_is_not_raised(void)
{
    HANDLE made = memory(NULL, 4096);
    void *reader = view(made, FILE_MAP_READ), *writer = view(made, FILE_MAP_WRITE);
    void *copy = view(made, FILE_MAP_COPY);
    DWORD old = 0;
    REFUSED(protect(reader, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    CHECK(protect(reader, PAGE_NOACCESS) && protect(reader, PAGE_READONLY));
    CHECK(VirtualProtect(writer, 1, PAGE_READONLY, &old));
    SAME(old, PAGE_READWRITE);
    SAME(at(writer).Protect, PAGE_READONLY);
    CHECK(protect(writer, PAGE_READWRITE));
    REFUSED(protect(copy, PAGE_READWRITE), ERROR_INVALID_PARAMETER);
    CHECK(protect(copy, PAGE_READONLY) && protect(copy, PAGE_WRITECOPY));
}

static void committing_again_protects(void)
{
    HANDLE file = open_file(file_of(8192), GENERIC_READ | GENERIC_WRITE);
    void *seen = view(memory(NULL, 8192), FILE_MAP_WRITE);
    void *of_file = view(section_over(file, PAGE_READWRITE), FILE_MAP_WRITE);
    CHECK(VirtualAlloc(seen, 4096, MEM_COMMIT, PAGE_READONLY) == seen);
    SAME(at(seen).Protect, PAGE_READONLY);
    SAME(at(seen).RegionSize, 4096);
    REFUSED(VirtualAlloc(of_file, 4096, MEM_COMMIT, PAGE_READWRITE), ERROR_ACCESS_DENIED);
}

static void committing_is_for_all(void)
{
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0,
                                     1 << 20, NULL);
    char *one = (char *)view(made, FILE_MAP_WRITE), *other = (char *)view(made, FILE_MAP_READ);
    SAME(at(one).State, MEM_RESERVE);
    SAME(at(one).Protect, 0);
    SAME(at(one).AllocationProtect, PAGE_READWRITE);
    CHECK(VirtualAlloc(one + 65536, 8192, MEM_COMMIT, PAGE_READWRITE) == one + 65536);
    SAME(at(one + 65536).State, MEM_COMMIT);
    SAME(at(other + 65536).State, MEM_COMMIT);
    SAME(at(other + 65536).Protect, PAGE_READONLY);
    SAME(at(other + 65536).RegionSize, 8192);
    SAME(at(other).State, MEM_RESERVE);
    SAME(at(other).RegionSize, 65536);
    one[65536] = 8;
    SAME(byte_of(other, 65536), 8);
    SAME(byte_of(other, 65536 + 8191), 0);
    REFUSED(VirtualFree(one + 65536, 4096, MEM_DECOMMIT), ERROR_INVALID_PARAMETER);
}

static void view_size_is_returned(void)
{
    const char *name = unique();
    memory(name, 70000);
    SAME(at(view(open_named(name, FILE_MAP_READ), FILE_MAP_READ)).RegionSize, 73728);
}

static BOOL set_length(HANDLE file, LONG len)
{
    return SetFilePointer(file, len, NULL, FILE_BEGIN) == (DWORD)len && SetEndOfFile(file);
}

static void mapped_files_do_not_shrink(void)
{
    HANDLE file = open_file(file_of(70000), GENERIC_READ | GENERIC_WRITE);
    HANDLE made = section_over(file, PAGE_READWRITE);
    void *seen = view(made, FILE_MAP_READ);
    REFUSED(set_length(file, 1), ERROR_USER_MAPPED_FILE);
    CHECK(set_length(file, 80000));
    CHECK(CloseHandle(made));
    REFUSED(set_length(file, 1), ERROR_USER_MAPPED_FILE);
    CHECK(UnmapViewOfFile(seen));
    CHECK(set_length(file, 1));
}

static void private_memory_is_flushed_too(void)
{
    char *own = (char *)VirtualAlloc(NULL, 65536, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    CHECK(own != NULL);
    CHECK(FlushViewOfFile(own, 0));
    CHECK(FlushViewOfFile(own + 4096, 100));
}

static void uncached_sections_are_reported(void)
{
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL,
                                        PAGE_READWRITE | SEC_COMMIT | SEC_NOCACHE, 0, 4096, NULL);
    char *bytes = (char *)view(section, FILE_MAP_WRITE);
    DWORD old = 0;
    CHECK(bytes != NULL);
    SAME(at(bytes).Protect, PAGE_READWRITE | PAGE_NOCACHE);
    CHECK(VirtualProtect(bytes, 1, PAGE_READONLY, &old));
    SAME(old, PAGE_READWRITE | PAGE_NOCACHE);
    SAME(at(bytes).Protect, PAGE_READONLY | PAGE_NOCACHE);
}

static void limits_are_those_of_windows(void)
{
    SAME(MAXLONG, 0x7FFFFFFF);
    SAME(MAXDWORD, (DWORD)-1);
    CHECK(CreateSemaphoreA(NULL, 0, MAXLONG, NULL) != NULL);
}

const Row memory_rows[] = {
    {61, "UnmapViewOfFile accepts any address in the view", any_address_unmaps},
    {62, "UnmapViewOfFile refuses an address outside of every view", only_views_unmap},
    {63, "unmapped memory is free", unmapped_memory_is_free},
    {64, "VirtualFree refuses views", views_are_not_freed},
    {65, "a flushed view is written to its file", flushing},
    {66, "VirtualQuery describes a view", views_are_described},
    {67, "a view's protection cannot exceed that of its mapping", protection_is_not_raised},
    {68, "committing memory again changes its protection, except in files", committing_again_protects},
    {69, "committing reserved memory commits it in all views", committing_is_for_all},
    {70, "VirtualQuery returns the size of a whole view", view_size_is_returned},
    {71, "a mapped file cannot shrink", mapped_files_do_not_shrink},
    {145, "FlushViewOfFile has no effect on private memory", private_memory_is_flushed_too},
    {146, "VirtualQuery shows that a section is not cached", uncached_sections_are_reported},
    {147, "the highest count of a semaphore is MAXLONG", limits_are_those_of_windows},
    {0, NULL, NULL},
};
