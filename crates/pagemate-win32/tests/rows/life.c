/* The lifetime of names and memory, across processes. */
#include "rows.h"
#include <process.h>

/* An address at which no process maps anything by itself. */
#define FAR_AWAY ((void *)(ULONG_PTR)0x300000000)

HANDLE inheritable(const char *name, DWORD len)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    HANDLE made =
        CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, len, name);
    CHECK(made != NULL);
    return made;
}

static int one_of_many(HANDLE handle, const char *name)
{
    Control *control = (Control *)view(handle, FILE_MAP_WRITE);
    HANDLE made;
    if (control == NULL)
        return 2;
    InterlockedIncrement(&control->ready);
    WAIT_FOR(control->go);
    made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
    if (made != NULL)
        InterlockedIncrement(GetLastError() == 0 ? &control->made : &control->found);
    InterlockedIncrement(&control->finished);
    WAIT_FOR(control->finished == CHILDREN);
    return made == NULL;
}

int run_role(const char *role, HANDLE handle, const char *name)
{
    if (strcmp(role, "create-and-end") == 0)
        return memory(name, 4096) == NULL;
    if (strcmp(role, "exit-process") == 0)
        ExitProcess(17);
    if (strcmp(role, "exit-at-once") == 0)
        _exit(18);
    if (strcmp(role, "create-and-crash") == 0) {
        char *seen = (char *)view(memory(name, 4096), FILE_MAP_WRITE);
        seen[0] = 'c';
        abort();
    }
    if (strcmp(role, "write-and-wait") == 0) {
        Control *control = (Control *)view(handle, FILE_MAP_WRITE);
        char *seen = (char *)view(memory(name, 4096), FILE_MAP_WRITE);
        seen[0] = 'w';
        control->ready = 1;
        WAIT_FOR(control->go);
        abort();
    }
    if (strcmp(role, "hold") == 0) {
        Control *control = (Control *)view(handle, FILE_MAP_WRITE);
        DWORD flags = 0;
        if (control == NULL || !GetHandleInformation(handle, &flags))
            return 2;
        control->ready = flags == HANDLE_FLAG_INHERIT;
        WAIT_FOR(control->go);
        return 0;
    }
    if (strcmp(role, "unmap") == 0)
        return UnmapViewOfFile(FAR_AWAY) || GetLastError() != ERROR_INVALID_ADDRESS;
    if (strcmp(role, "one-of-many") == 0)
        return one_of_many(handle, name);
    return run_sync_role(role, handle, name);
}

static void views_are_not_inherited(void)
{
    HANDLE made = inheritable(NULL, 4096);
    CHECK(MapViewOfFileEx(made, FILE_MAP_WRITE, 0, 0, 0, FAR_AWAY) == FAR_AWAY);
    SAME(exit_code_of(start("unmap", made, "-")), 0);
    SAME(at(FAR_AWAY).Type, MEM_MAPPED);
}

/* A name ends with its last handle, even while a view exists. */
static void ends_with_its_handle(HANDLE (*make)(const char *name))
{
    const char *name = unique();
    HANDLE made = make(name);
    char *seen = (char *)view(made, FILE_MAP_WRITE), *fresh;
    seen[0] = 'o';
    CHECK(CloseHandle(made));
    GONE(name);
    SetLastError(PRESET);
    made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name);
    SAME(GetLastError(), 0);
    fresh = (char *)view(made, FILE_MAP_WRITE);
    SAME(byte_of(fresh, 0), 0);
    fresh[0] = 'n';
    SAME(byte_of(seen, 0), 'o');
    CHECK(CloseHandle(made));
    GONE(name);
    SAME(byte_of(seen, 0), 'o');
    SAME(byte_of(fresh, 0), 'n');
}

static HANDLE of_memory(const char *name)
{
    return memory(name, 4096);
}

static HANDLE of_file(const char *name)
{
    HANDLE file = open_file(file_of(4096), GENERIC_READ | GENERIC_WRITE);
    return CreateFileMappingA(file, NULL, PAGE_READWRITE, 0, 0, name);
}

static void names_end_with_the_last_handle(void)
{
    ends_with_its_handle(of_memory);
    ends_with_its_handle(of_file);
}

static void memory_ends_in_either_order(void)
{
    const char *name = unique();
    int order;
    for (order = 0; order < 2; order++) {
        HANDLE made = memory(name, 4096);
        char *seen = (char *)view(made, FILE_MAP_WRITE);
        SAME(byte_of(seen, 0), 0);
        seen[0] = 1;
        if (order == 0)
            CHECK(UnmapViewOfFile(seen) && CloseHandle(made));
        else
            CHECK(CloseHandle(made) && UnmapViewOfFile(seen));
        GONE(name);
        SAME(at(seen).State, MEM_FREE);
    }
}

static void nothing_outlives_its_processes(void)
{
    const char *name = unique();
    SAME(exit_code_of(start("create-and-end", NULL, name)), 0);
    GONE(name);
    CHECK(exit_code_of(start("create-and-crash", NULL, name)) != 0);
    GONE(name);
    SAME(byte_of(view(memory(name, 4096), FILE_MAP_READ), 0), 0);
}

static void inherited_handles_hold(void)
{
    const char *name = unique();
    HANDLE made = inheritable(name, sizeof(Control)), opened;
    Control *control = (Control *)view(made, FILE_MAP_WRITE);
    intptr_t child = start("hold", made, "-");
    WAIT_FOR(control->ready);
    CHECK(CloseHandle(made));
    opened = open_named(name, FILE_MAP_READ);
    CHECK(opened != NULL);
    CHECK(CloseHandle(opened));
    control->go = 1;
    SAME(exit_code_of(child), 0);
    GONE(name);
}

static void duplicates_hold(void)
{
    const char *name = unique();
    HANDLE me = GetCurrentProcess(), made = memory(name, 4096), duplicate = NULL, opened, moved = NULL;
    CHECK(DuplicateHandle(me, made, me, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK(duplicate != made);
    CHECK(CloseHandle(made));
    opened = open_named(name, FILE_MAP_READ);
    CHECK(opened != NULL && CloseHandle(opened));
    CHECK(view(duplicate, FILE_MAP_WRITE) != NULL);
    CHECK(DuplicateHandle(me, duplicate, me, &moved, FILE_MAP_READ, FALSE, DUPLICATE_CLOSE_SOURCE));
    /* The new handle may have the same value as the closed one. */
    if (moved != duplicate)
        REFUSED(CloseHandle(duplicate), ERROR_INVALID_HANDLE);
    NO_VIEW(moved, FILE_MAP_WRITE, ERROR_ACCESS_DENIED);
    /* The source handle has fewer rights than the object grants. MAXIMUM_ALLOWED gives all of them. */
    CHECK(DuplicateHandle(me, moved, me, &duplicate, MAXIMUM_ALLOWED, FALSE, 0));
    CHECK(view(duplicate, FILE_MAP_WRITE) != NULL && view(duplicate, FILE_MAP_READ) != NULL);
    CHECK(CloseHandle(duplicate) && CloseHandle(moved));
    GONE(name);
    /* DuplicateHandle without a place for the result creates a handle that the program does not
     * know. It still holds the object. */
    made = memory(name, 4096);
    CHECK(DuplicateHandle(me, made, me, NULL, 0, FALSE, DUPLICATE_SAME_ACCESS));
    CHECK(CloseHandle(made));
    opened = open_named(name, FILE_MAP_READ);
    CHECK(opened != NULL && CloseHandle(opened));
}

static void readers_keep_the_object(void)
{
    const char *name = unique();
    HANDLE control_handle = inheritable(NULL, sizeof(Control)), reader, again;
    Control *control = (Control *)view(control_handle, FILE_MAP_WRITE);
    intptr_t writer = start("write-and-wait", control_handle, name);
    WAIT_FOR(control->ready);
    reader = open_named(name, FILE_MAP_READ);
    CHECK(reader != NULL);
    control->go = 1;
    CHECK(exit_code_of(writer) != 0);
    again = memory(name, 4096);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    SAME(byte_of(view(again, FILE_MAP_READ), 0), 'w');
    CHECK(CloseHandle(again) && CloseHandle(reader));
    GONE(name);
}

static void first_creator_fixes_the_size(void)
{
    const char *name = unique();
    HANDLE consumer = memory(name, 4096), producer = memory(name, 32768);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    REFUSED(view_part(producer, FILE_MAP_WRITE, 0, 32768), ERROR_ACCESS_DENIED);
    CHECK(view_part(producer, FILE_MAP_WRITE, 0, 4096) != NULL);
    CHECK(CloseHandle(consumer));
}

static void exactly_one_creates(void)
{
    const char *name = unique();
    HANDLE handle = inheritable(NULL, sizeof(Control));
    Control *control = (Control *)view(handle, FILE_MAP_WRITE);
    intptr_t children[CHILDREN];
    int i;
    for (i = 0; i < CHILDREN; i++)
        children[i] = start("one-of-many", handle, name);
    WAIT_FOR(control->ready == CHILDREN);
    control->go = 1;
    for (i = 0; i < CHILDREN; i++)
        SAME(exit_code_of(children[i]), 0);
    SAME(control->made, 1);
    SAME(control->found, CHILDREN - 1);
}

const Row life_rows[] = {
    {59, "views are not inherited", views_are_not_inherited},
    {72, "a name ends with its last handle, even while views exist", names_end_with_the_last_handle},
    {73, "memory ends with the last handle and the last view, in either order", memory_ends_in_either_order},
    {74, "nothing outlives its processes, whether they exit or crash", nothing_outlives_its_processes},
    {75, "an inherited handle has the same number and holds the object", inherited_handles_hold},
    {76, "a duplicate is a handle of its own, with fewer rights on request", duplicates_hold},
    {77, "a reader keeps the name and the bytes for a writer that returns", readers_keep_the_object},
    {78, "the first creator fixes the size", first_creator_fixes_the_size},
    {79, "of many concurrent creators, exactly one creates the object", exactly_one_creates},
    {0, NULL, NULL},
};
