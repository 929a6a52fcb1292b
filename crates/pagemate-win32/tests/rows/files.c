/* ReadFile, WriteFile and SetFilePointer, as programs with file mappings use them. */
#include "rows.h"

static DWORD position(HANDLE file)
{
    return SetFilePointer(file, 0, NULL, FILE_CURRENT);
}

static OVERLAPPED from(DWORD high, DWORD low)
{
    OVERLAPPED where;
    memset(&where, 0, sizeof where);
    where.OffsetHigh = high;
    where.Offset = low;
    return where;
}

static void only_success_moves(void)
{
    HANDLE file = open_file(file_of(100), GENERIC_READ | GENERIC_WRITE);
    OVERLAPPED at_end = from(0, 100), nowhere = from(0x80000000u, 0), inside = from(0, 20);
    OVERLAPPED last = from(0, 97), appending = from(0xFFFFFFFFu, 0xFFFFFFFFu);
    char bytes[5] = "abcd";
    DWORD count = 0;
    SAME(SetFilePointer(file, 10, NULL, FILE_BEGIN), 10);
    REFUSED(ReadFile(file, bytes, 5, &count, &at_end), ERROR_HANDLE_EOF);
    SAME(position(file), 10);
    REFUSED(ReadFile(file, bytes, 5, &count, &nowhere), ERROR_INVALID_PARAMETER);
    SAME(position(file), 10);
    REFUSED(WriteFile(file, bytes, 5, &count, &nowhere), ERROR_INVALID_PARAMETER);
    SAME(position(file), 10);
    SAME(GetFileSize(file, NULL), 100);
    CHECK(WriteFile(file, bytes, 5, &count, &inside));
    SAME(position(file), 25);
    CHECK(ReadFile(file, bytes, 5, &count, &last));
    SAME(count, 3);
    SAME(position(file), 100);
    CHECK(ReadFile(file, bytes, 5, &count, &inside));
    SAME(position(file), 25);
    CHECK(strcmp(bytes, "abcd") == 0);
    CHECK(WriteFile(file, bytes, 5, &count, &appending));
    SAME(GetFileSize(file, NULL), 105);
    SAME(position(file), 105);
}

static void appending_is_at_the_end(void)
{
    HANDLE me = GetCurrentProcess(), file = open_file(file_of(10), GENERIC_READ | GENERIC_WRITE);
    HANDLE appender = NULL, duplicate = NULL, opened;
    OVERLAPPED start = from(0, 0);
    const char *path = file_of(10);
    char bytes[13] = {0};
    DWORD count = 0;
    CHECK(DuplicateHandle(me, file, me, &appender, FILE_APPEND_DATA | SYNCHRONIZE, FALSE, 0));
    CHECK(DuplicateHandle(me, appender, me, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS));
    SAME(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0);
    CHECK(WriteFile(appender, "x", 1, &count, NULL));
    SAME(count, 1);
    SAME(position(file), 11);
    CHECK(WriteFile(duplicate, "y", 1, &count, &start));
    SAME(GetFileSize(file, NULL), 12);
    SAME(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0);
    CHECK(WriteFile(file, "z", 1, &count, NULL));
    SAME(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0);
    CHECK(ReadFile(file, bytes, 13, &count, NULL));
    SAME(count, 12);
    CHECK(memcmp(bytes, "z\7\7\7\7\7\7\7\7\7xy", 12) == 0);
    REFUSED(ReadFile(appender, bytes, 1, &count, NULL), ERROR_ACCESS_DENIED);
    opened = open_file(path, FILE_APPEND_DATA | SYNCHRONIZE);
    CHECK(WriteFile(opened, "x", 1, &count, NULL));
    CHECK(WriteFile(opened, "y", 1, &count, &start));
    SAME(GetFileSize(open_file(path, GENERIC_READ), NULL), 12);
}

static void pointer_arguments_are_checked_first(void)
{
    HANDLE none = (HANDLE)(ULONG_PTR)0xBAD0, file = open_file(file_of(10), GENERIC_READ);
    LARGE_INTEGER back, on;
    back.QuadPart = -1;
    on.QuadPart = 1;
    REFUSED(SetFilePointerEx(none, on, NULL, 3), ERROR_INVALID_PARAMETER);
    REFUSED(SetFilePointerEx(none, back, NULL, 3), ERROR_INVALID_PARAMETER);
    REFUSED(SetFilePointerEx(none, back, NULL, FILE_BEGIN), ERROR_NEGATIVE_SEEK);
    REFUSED(SetFilePointerEx(none, back, NULL, FILE_CURRENT), ERROR_INVALID_HANDLE);
    REFUSED(SetFilePointerEx(none, back, NULL, FILE_END), ERROR_INVALID_HANDLE);
    REFUSED(SetFilePointerEx(none, on, NULL, FILE_BEGIN), ERROR_INVALID_HANDLE);
    REFUSED(SetFilePointer(none, 1, NULL, 3) != INVALID_SET_FILE_POINTER, ERROR_INVALID_PARAMETER);
    REFUSED(SetFilePointer(none, -1, NULL, FILE_BEGIN) != INVALID_SET_FILE_POINTER,
            ERROR_NEGATIVE_SEEK);
    REFUSED(SetFilePointer(none, -1, NULL, FILE_END) != INVALID_SET_FILE_POINTER,
            ERROR_INVALID_HANDLE);
    SAME(SetFilePointer(file, 4, NULL, FILE_BEGIN), 4);
    REFUSED(SetFilePointerEx(file, back, NULL, FILE_BEGIN), ERROR_NEGATIVE_SEEK);
    SAME(SetFilePointer(file, -5, NULL, FILE_CURRENT), INVALID_SET_FILE_POINTER);
    SAME(GetLastError(), ERROR_NEGATIVE_SEEK);
    SAME(position(file), 4);
}

static void partly_unwritable_buffers_fail(void)
{
    const char *path = file_of(8192);
    HANDLE file = open_file(path, GENERIC_READ);
    char *buffer = (char *)VirtualAlloc(NULL, 8192, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    DWORD old, count = 7;
    CHECK(VirtualProtect(buffer + 4096, 4096, PAGE_NOACCESS, &old));
    REFUSED(ReadFile(file, buffer, 8192, &count, NULL), ERROR_NOACCESS);
    SAME(count, 0);
    SAME(SetFilePointer(file, 0, NULL, FILE_CURRENT), 0);
    CHECK(ReadFile(file, buffer, 4096, &count, NULL));
    SAME(count, 4096);
}

const Row file_rows[] = {
    {101, "the file position moves only if a read or write succeeds", only_success_moves},
    {102, "a handle with append access writes at the end, and so does a duplicate", appending_is_at_the_end},
    {103, "SetFilePointer checks the method and the sign before the file",
     pointer_arguments_are_checked_first},
    {144, "a read into a partly unwritable buffer fails", partly_unwritable_buffers_fail},
    {0, NULL, NULL},
};
