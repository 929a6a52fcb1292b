/* CreateFileMapping: creating, refusing and finding sections. */
#include "rows.h"

static HANDLE create(HANDLE file, DWORD protection, DWORD len, const char *name)
{
    return CreateFileMappingA(file, NULL, protection, 0, len, name);
}

static void memory_needs_a_length(void)
{
    REFUSED(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 0, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 0, unique()), ERROR_INVALID_PARAMETER);
}

static void null_file_is_memory(void)
{
    const char *name = unique();
    HANDLE made = create(NULL, PAGE_READWRITE, 1, name);
    CHECK(made != NULL);
    SAME(byte_of(view(made, FILE_MAP_READ), 4095), 0);
    REFUSED(create(NULL, PAGE_READWRITE, 0, NULL), ERROR_INVALID_PARAMETER);
}

static void success_sets_the_last_error(void)
{
    const char *name = unique();
    SetLastError(PRESET);
    CHECK(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 1, name) != NULL);
    SAME(GetLastError(), 0);
    CHECK(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 1, name) != NULL);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    SetLastError(PRESET);
    CHECK(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 1, NULL) != NULL);
    SAME(GetLastError(), 0);
    SetLastError(PRESET);
    CHECK(open_named(name, FILE_MAP_READ) != NULL);
    SAME(GetLastError(), PRESET);
}

static void one_protection(void)
{
    static const DWORD good[] = {PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY};
    DWORD protection;
    size_t i;
    for (i = 0; i < 3; i++)
        CHECK(create(INVALID_HANDLE_VALUE, good[i], 1, NULL) != NULL);
    for (protection = 0; protection < 0x20; protection++)
        if (protection != PAGE_READONLY && protection != PAGE_READWRITE
            && protection != PAGE_WRITECOPY)
            REFUSED(create(INVALID_HANDLE_VALUE, protection, 1, NULL), ERROR_INVALID_PARAMETER);
}

static void no_modifiers(void)
{
    static const DWORD bad[] = {PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE};
    size_t i;
    for (i = 0; i < 3; i++) {
        REFUSED(create(INVALID_HANDLE_VALUE, PAGE_READWRITE | bad[i], 1, NULL),
                ERROR_INVALID_PARAMETER);
        REFUSED(create(INVALID_HANDLE_VALUE, PAGE_READONLY | bad[i], 1, NULL),
                ERROR_INVALID_PARAMETER);
    }
}

static void attributes(void)
{
    static const struct {
        DWORD attributes, in_memory, over_file;
    } rows[] = {
        {0, 0, 0},
        {SEC_RESERVE, 0, 0},
        {SEC_COMMIT, 0, 0},
        {SEC_RESERVE | SEC_COMMIT, 87, 87},
        {SEC_NOCACHE, 87, 87},
        {SEC_WRITECOMBINE, 87, 87},
        {SEC_LARGE_PAGES, 87, 87},
        {SEC_NOCACHE | SEC_RESERVE, 0, 0},
        {SEC_NOCACHE | SEC_COMMIT, 0, 0},
        {SEC_WRITECOMBINE | SEC_RESERVE, 0, 0},
        {SEC_WRITECOMBINE | SEC_COMMIT, 0, 0},
        {SEC_LARGE_PAGES | SEC_RESERVE, 87, 87},
        {SEC_IMAGE, 193, 193},
        {SEC_IMAGE | SEC_RESERVE, 87, 87},
        {SEC_IMAGE | SEC_COMMIT, 87, 87},
        {SEC_IMAGE | SEC_LARGE_PAGES, 87, 87},
        {SEC_IMAGE | SEC_WRITECOMBINE, 87, 87},
        {SEC_FILE, 87, 87},
    };
    HANDLE file = open_file(file_of(4096), GENERIC_READ | GENERIC_WRITE);
    size_t i;
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HANDLE made;
        SetLastError(PRESET);
        made = create(INVALID_HANDLE_VALUE, PAGE_READWRITE | rows[i].attributes, 4096, NULL);
        SAME(GetLastError(), rows[i].in_memory);
        SAME(made != NULL, rows[i].in_memory == 0);
        SetLastError(PRESET);
        made = create(file, PAGE_READWRITE | rows[i].attributes, 0, NULL);
        SAME(GetLastError(), rows[i].over_file);
        SAME(made != NULL, rows[i].over_file == 0);
    }
}

static void reserving_a_file_changes_nothing(void)
{
    HANDLE file = open_file(file_of(8192), GENERIC_READ | GENERIC_WRITE);
    void *seen = view(section_over(file, PAGE_READWRITE | SEC_RESERVE), FILE_MAP_WRITE);
    SAME(at(seen).State, MEM_COMMIT);
    SAME(at(seen).RegionSize, 8192);
    SAME(byte_of(seen, 8191), 7);
}

static void memory_is_rounded_up(void)
{
    HANDLE made = memory(NULL, 5000);
    SAME(at(view(made, FILE_MAP_READ)).RegionSize, 8192);
    CHECK(view_part(made, FILE_MAP_READ, 0, 5000) != NULL);
    CHECK(view_part(made, FILE_MAP_READ, 0, 8192) != NULL);
    REFUSED(view_part(made, FILE_MAP_READ, 0, 8193), ERROR_ACCESS_DENIED);
    SAME(at(view(memory(NULL, 0x3452), FILE_MAP_READ)).RegionSize, 0x4000);
}

static void files_are_not_rounded(void)
{
    static const DWORD lens[] = {36, 0x3456};
    size_t i;
    for (i = 0; i < 2; i++) {
        HANDLE made = section_over(open_file(file_of(lens[i]), GENERIC_READ), PAGE_READONLY);
        CHECK(view_part(made, FILE_MAP_READ, 0, lens[i]) != NULL);
        REFUSED(view_part(made, FILE_MAP_READ, 0, lens[i] + 1), ERROR_ACCESS_DENIED);
    }
}

static void memory_begins_as_zero(void)
{
    void *seen = view(memory(NULL, 100000), FILE_MAP_WRITE);
    DWORD i, sum = 0;
    for (i = 0; i < 100000; i++)
        sum += byte_of(seen, i);
    SAME(sum, 0);
}

static void no_length_is_the_files(void)
{
    HANDLE empty = open_file(file_of(0), GENERIC_READ | GENERIC_WRITE);
    HANDLE made = section_over(open_file(file_of(70000), GENERIC_READ), PAGE_READONLY);
    SAME(at(view(made, FILE_MAP_READ)).RegionSize, 73728);
    REFUSED(create(empty, PAGE_READWRITE, 0, NULL), ERROR_FILE_INVALID);
    REFUSED(create(empty, PAGE_READONLY, 0, unique()), ERROR_FILE_INVALID);
}

static void files_grow(void)
{
    HANDLE file = open_file(file_of(5), GENERIC_READ | GENERIC_WRITE);
    HANDLE made = create(file, PAGE_READWRITE, 10000, NULL);
    CHECK(made != NULL);
    SAME(GetFileSize(file, NULL), 10000);
    SAME(byte_of(view(made, FILE_MAP_READ), 4), 7);
    SetLastError(PRESET);
    CHECK(CreateFileMappingA(file, NULL, PAGE_READWRITE, 0x80000000u, 0x10000, NULL) == NULL);
    CHECK(GetLastError() == ERROR_NOT_ENOUGH_MEMORY || GetLastError() == ERROR_INVALID_PARAMETER);
    SAME(GetFileSize(file, NULL), 10000);
}

static void read_only_files_do_not_grow(void)
{
    HANDLE file = open_file(file_of(5), GENERIC_READ | GENERIC_WRITE);
    REFUSED(create(file, PAGE_READONLY, 6, NULL), ERROR_NOT_ENOUGH_MEMORY);
    REFUSED(create(file, PAGE_WRITECOPY, 6, NULL), ERROR_NOT_ENOUGH_MEMORY);
    CHECK(create(file, PAGE_READONLY, 5, NULL) != NULL);
    SAME(GetFileSize(file, NULL), 5);
}

static void files_need_the_access(void)
{
    const char *path = file_of(4096);
    HANDLE reader = open_file(path, GENERIC_READ), none = open_file(path, 0);
    REFUSED(create(reader, PAGE_READWRITE, 0, NULL), ERROR_ACCESS_DENIED);
    CHECK(create(reader, PAGE_READONLY, 0, NULL) != NULL);
    CHECK(create(reader, PAGE_WRITECOPY, 0, NULL) != NULL);
    REFUSED(create(none, PAGE_READONLY, 0, NULL), ERROR_ACCESS_DENIED);
    REFUSED(create(none, PAGE_READWRITE, 0, NULL), ERROR_ACCESS_DENIED);
    REFUSED(create(none, PAGE_WRITECOPY, 0, NULL), ERROR_ACCESS_DENIED);
}

static void existing_objects_keep_their_size(void)
{
    const char *name = unique();
    HANDLE first = memory(name, 8192), second;
    ((char *)view(first, FILE_MAP_WRITE))[0] = 5;
    second = create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 1 << 20, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    REFUSED(view_part(second, FILE_MAP_READ, 0, 1 << 20), ERROR_ACCESS_DENIED);
    SAME(at(view(second, FILE_MAP_READ)).RegionSize, 8192);
    SAME(byte_of(view(second, FILE_MAP_READ), 0), 5);
}

static void rights_follow_the_second_protection(void)
{
    const char *name = unique();
    HANDLE first = memory(name, 1), second;
    CHECK(view(first, FILE_MAP_WRITE) != NULL);
    second = create(INVALID_HANDLE_VALUE, PAGE_READONLY, 1, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    NO_VIEW(second, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(view(second, FILE_MAP_READ) != NULL);
    CHECK(view(second, FILE_MAP_COPY) != NULL);
    second = create(INVALID_HANDLE_VALUE, PAGE_WRITECOPY, 1, name);
    NO_VIEW(second, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(view(second, FILE_MAP_COPY) != NULL);
}

static void rights_follow_the_protection(void)
{
    HANDLE made = create(INVALID_HANDLE_VALUE, PAGE_READONLY, 1, NULL);
    NO_VIEW(made, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(view(made, FILE_MAP_READ) != NULL);
    made = create(INVALID_HANDLE_VALUE, PAGE_WRITECOPY, 1, NULL);
    NO_VIEW(made, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    CHECK(view(made, FILE_MAP_COPY) != NULL);
}

static void arguments_come_before_the_name(void)
{
    const char *name = unique();
    memory(name, 1);
    REFUSED(create(INVALID_HANDLE_VALUE, PAGE_READWRITE, 0, name), ERROR_INVALID_PARAMETER);
    REFUSED(create(INVALID_HANDLE_VALUE, 0, 1, name), ERROR_INVALID_PARAMETER);
}

static void memory_is_charged_at_creation(void)
{
    REFUSED(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0x4000, 0, NULL),
            ERROR_COMMITMENT_LIMIT);
    CHECK(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 2, 0, NULL)
          != NULL);
}

static void sizes_do_not_change(void)
{
    const char *name = unique();
    HANDLE file = open_file(file_of(4096), GENERIC_READ | GENERIC_WRITE);
    HANDLE made = create(file, PAGE_READWRITE, 0, name);
    SAME(SetFilePointer(file, 100000, NULL, FILE_BEGIN), 100000);
    CHECK(SetEndOfFile(file));
    create(file, PAGE_READWRITE, 100000, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    SAME(at(view(made, FILE_MAP_READ)).RegionSize, 4096);
    REFUSED(view_part(made, FILE_MAP_READ, 0, 4097), ERROR_ACCESS_DENIED);
}

static HANDLE create_long(HANDLE file, DWORD protection, DWORD high)
{
    return CreateFileMappingA(file, NULL, protection, high, 0, NULL);
}

#define NEGATIVE 0x80000000u

static void impossible_lengths(void)
{
    HANDLE file = open_file(file_of(4096), GENERIC_READ | GENERIC_WRITE);
    REFUSED(create_long(INVALID_HANDLE_VALUE, PAGE_READWRITE, NEGATIVE), ERROR_INVALID_PARAMETER);
    REFUSED(create_long(INVALID_HANDLE_VALUE, PAGE_READWRITE | SEC_RESERVE, 0x8000),
            ERROR_NOT_ENOUGH_MEMORY);
    REFUSED(create_long(INVALID_HANDLE_VALUE, PAGE_READWRITE | SEC_RESERVE, 0x7FFFFFFF),
            ERROR_NOT_ENOUGH_MEMORY);
    REFUSED(create_long(file, PAGE_READWRITE, NEGATIVE), ERROR_INVALID_PARAMETER);
    REFUSED(create_long(file, PAGE_READONLY, NEGATIVE), ERROR_NOT_ENOUGH_MEMORY);
    REFUSED(create_long(file, PAGE_WRITECOPY, NEGATIVE), ERROR_NOT_ENOUGH_MEMORY);
    SAME(GetFileSize(file, NULL), 4096);
}

static void order_of_checks(void)
{
    const char *path = file_of(4096);
    HANDLE none = (HANDLE)(ULONG_PTR)0xBAD0, closed = open_file(path, 0);
    HANDLE reader = open_file(path, GENERIC_READ);
    DWORD large = SEC_LARGE_PAGES | SEC_COMMIT;
    REFUSED(create_long(none, PAGE_READWRITE | SEC_NOCACHE, NEGATIVE), ERROR_INVALID_PARAMETER);
    REFUSED(create_long(none, PAGE_READWRITE | SEC_IMAGE, NEGATIVE), ERROR_INVALID_HANDLE);
    REFUSED(create_long(closed, PAGE_READONLY | SEC_IMAGE, NEGATIVE), ERROR_ACCESS_DENIED);
    REFUSED(create_long(reader, PAGE_READWRITE, NEGATIVE), ERROR_ACCESS_DENIED);
    REFUSED(create_long(reader, PAGE_READONLY | SEC_IMAGE, NEGATIVE), ERROR_BAD_EXE_FORMAT);
    REFUSED(create_long(NULL, PAGE_READWRITE | large, NEGATIVE), ERROR_INVALID_PARAMETER);
    REFUSED(create_long(NULL, PAGE_READWRITE | large, 0), ERROR_INVALID_PARAMETER);
    REFUSED(create_long(NULL, PAGE_READWRITE | large, 0x8000), ERROR_NOT_ENOUGH_MEMORY);
}

static void large_pages_require_a_privilege(void)
{
    DWORD large = SEC_LARGE_PAGES | SEC_COMMIT;
    REFUSED(create(NULL, PAGE_READWRITE | large, 1 << 21, NULL), ERROR_PRIVILEGE_NOT_HELD);
}

const Row create_rows[] = {
    {1, "a section in memory needs a length", memory_needs_a_length},
    {2, "a null file handle is a section in memory too", null_file_is_memory},
    {3, "creating sets the last error to 0 or 183, and opening leaves it unchanged",
     success_sets_the_last_error},
    {4, "a section has exactly one protection", one_protection},
    {5, "a section has no modifiers of protections", no_modifiers},
    {6, "some attributes exclude or require each other", attributes},
    {7, "SEC_RESERVE has no effect on a section over a file", reserving_a_file_changes_nothing},
    {8, "the length of a section in memory is rounded up to pages", memory_is_rounded_up},
    {9, "a section over a file is as long as the file", files_are_not_rounded},
    {10, "memory is zero at first", memory_begins_as_zero},
    {11, "length zero means the length of the file, which must not be empty", no_length_is_the_files},
    {12, "a greater length extends the file at once", files_grow},
    {13, "a read-only section extends no file", read_only_files_do_not_grow},
    {14, "the file must be open with the required access", files_need_the_access},
    {15, "an existing object keeps its size", existing_objects_keep_their_size},
    {16, "a handle to an existing section has the rights of the given protection",
     rights_follow_the_second_protection},
    {17, "a handle to a new section has the rights of the given protection", rights_follow_the_protection},
    {18, "the other arguments are checked before the name", arguments_come_before_the_name},
    {21, "creation reserves memory, except with SEC_RESERVE", memory_is_charged_at_creation},
    {23, "an object's size does not change", sizes_do_not_change},
    {115, "a length is neither negative nor beyond the address space", impossible_lengths},
    {116, "the order of checks is attributes, handle, rights, kind, length", order_of_checks},
    {117, "large pages require a privilege, which is checked last", large_pages_require_a_privilege},
    {0, NULL, NULL},
};
