/* OpenFileMapping: the rights of handles. */
#include "rows.h"

static void missing(void)
{
    GONE(unique());
    REFUSED(open_named(unique(), 0), ERROR_FILE_NOT_FOUND);
    REFUSED(open_named(unique(), ACCESS_SYSTEM_SECURITY), ERROR_FILE_NOT_FOUND);
    REFUSED(open_named("no such\\path", FILE_MAP_READ), ERROR_PATH_NOT_FOUND);
    REFUSED(open_named("Local", FILE_MAP_READ), ERROR_INVALID_HANDLE);
}

static void only_while_a_handle_is_open(void)
{
    const char *name = unique();
    HANDLE made, opened;
    GONE(name);
    made = memory(name, 1);
    opened = open_named(name, FILE_MAP_READ);
    CHECK(CloseHandle(made));
    made = open_named(name, FILE_MAP_READ);
    CHECK(made != NULL);
    CHECK(CloseHandle(made) && CloseHandle(opened));
    GONE(name);
}

static void handles_have_the_requested_rights(void)
{
    const char *name = unique();
    HANDLE opened;
    memory(name, 1);
    opened = open_named(name, FILE_MAP_READ);
    CHECK(view(opened, FILE_MAP_READ) != NULL);
    NO_VIEW(opened, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    opened = open_named(name, GENERIC_READ);
    CHECK(view(opened, FILE_MAP_READ) != NULL);
    NO_VIEW(opened, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    opened = open_named(name, GENERIC_WRITE);
    CHECK(view(opened, FILE_MAP_WRITE) != NULL);
    NO_VIEW(opened, FILE_MAP_READ, ERROR_ACCESS_DENIED);
    opened = open_named(name, GENERIC_ALL);
    CHECK(view(opened, FILE_MAP_WRITE) != NULL && view(opened, FILE_MAP_READ) != NULL);
    opened = open_named(name, FILE_MAP_ALL_ACCESS);
    CHECK(view(opened, FILE_MAP_WRITE) != NULL && view(opened, FILE_MAP_READ) != NULL);
    opened = open_named(name, READ_CONTROL);
    NO_VIEW(opened, FILE_MAP_READ, ERROR_ACCESS_DENIED);
}

static void copy_access_is_read_access(void)
{
    const char *name = unique();
    HANDLE opened;
    memory(name, 1);
    opened = open_named(name, FILE_MAP_COPY);
    CHECK(view(opened, FILE_MAP_COPY) != NULL && view(opened, FILE_MAP_READ) != NULL);
    NO_VIEW(opened, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
}

static void copy_access_adds_no_right(void)
{
    const char *name = unique();
    HANDLE opened;
    memory(name, 1);
    opened = open_named(name, FILE_MAP_COPY | FILE_MAP_WRITE);
    CHECK(view(opened, FILE_MAP_WRITE) != NULL);
    NO_VIEW(opened, FILE_MAP_READ, ERROR_ACCESS_DENIED);
    NO_VIEW(opened, FILE_MAP_COPY, ERROR_ACCESS_DENIED);
    CHECK(view(open_named(name, SECTION_QUERY | SECTION_MAP_READ), FILE_MAP_READ) != NULL);
}

static void no_right_at_all(void)
{
    const char *name = unique();
    memory(name, 1);
    REFUSED(open_named(name, 0), ERROR_ACCESS_DENIED);
}

static void protection_does_not_refuse_handles(void)
{
    const char *name = unique();
    CHECK(CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READONLY, 0, 1, name) != NULL);
    CHECK(open_named(name, FILE_MAP_ALL_ACCESS) != NULL);
    CHECK(open_named(name, FILE_MAP_WRITE) != NULL);
}

static void handles_are_inherited_if_asked_for(void)
{
    const char *name = unique();
    DWORD flags = PRESET;
    memory(name, 1);
    CHECK(GetHandleInformation(OpenFileMappingA(FILE_MAP_READ, TRUE, name), &flags));
    SAME(flags, HANDLE_FLAG_INHERIT);
    CHECK(GetHandleInformation(OpenFileMappingA(FILE_MAP_READ, FALSE, name), &flags));
    SAME(flags, 0);
}

static void sections_cannot_be_waited_for(void)
{
    HANDLE made = memory(NULL, 1);
    NO_WAIT(made, ERROR_ACCESS_DENIED);
    NO_WAIT(NULL, ERROR_INVALID_HANDLE);
}

static void null_list_shares_with_all(void)
{
    const char *name = unique();
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, &descriptor, FALSE};
    DWORD flags = PRESET;
    HANDLE made = memory(unique(), 1);
    CHECK(GetHandleInformation(made, &flags));
    SAME(flags, 0);
    CHECK(InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION));
    CHECK(SetSecurityDescriptorDacl(&descriptor, TRUE, NULL, FALSE));
    made = CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, 1, name);
    CHECK(made != NULL);
    CHECK(view(open_named(name, FILE_MAP_ALL_ACCESS), FILE_MAP_WRITE) != NULL);
    attributes.bInheritHandle = TRUE;
    made = CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, 1, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    CHECK(GetHandleInformation(made, &flags));
    SAME(flags, HANDLE_FLAG_INHERIT);
}

static void rights_are_bits(void)
{
    SAME(SECTION_QUERY, 1);
    SAME(SECTION_MAP_WRITE, 2);
    SAME(SECTION_MAP_READ, 4);
    SAME(SECTION_EXTEND_SIZE, 0x10);
    SAME(SECTION_ALL_ACCESS, 0xF001F);
    SAME(FILE_MAP_COPY, 1);
    SAME(FILE_MAP_WRITE, 2);
    SAME(FILE_MAP_READ, 4);
    SAME(FILE_MAP_ALL_ACCESS, 0xF001F);
}

const Row open_rows[] = {
    {31, "a name that no process holds is not found", missing},
    {32, "a name opens only while a handle to it is open", only_while_a_handle_is_open},
    {33, "a handle has exactly the requested rights", handles_have_the_requested_rights},
    {34, "FILE_MAP_COPY alone requests the right to read", copy_access_is_read_access},
    {35, "FILE_MAP_COPY beside other rights requests no right", copy_access_adds_no_right},
    {37, "a request for no rights is refused", no_right_at_all},
    {38, "a read-only section can be opened for writing", protection_does_not_refuse_handles},
    {39, "an opened handle is inheritable on request", handles_are_inherited_if_asked_for},
    {40, "a section cannot be waited for", sections_cannot_be_waited_for},
    {82, "without attributes nothing is inherited; with a null list every user may open", null_list_shares_with_all},
    {83, "the rights have Windows' numbers", rights_are_bits},
    {0, NULL, NULL},
};
