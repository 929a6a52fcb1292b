/* Names: equal, different and invalid ones. */
#include "rows.h"

static HANDLE named(const char *name)
{
    return CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, name);
}

/* Checks that creating and opening an object with an invalid name fail. */
static void refuses(const char *name, DWORD code)
{
    REFUSED(named(name), code);
    REFUSED(open_named(name, FILE_MAP_READ), code);
}

static void kinds_share_one_namespace(void)
{
    const char *name = unique();
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, name), made;
    CHECK(event != NULL);
    refuses(name, ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(event));
    made = memory(name, 1);
    SAME(GetLastError(), 0);
    REFUSED(CreateEventA(NULL, FALSE, FALSE, name), ERROR_INVALID_HANDLE);
    REFUSED(OpenEventA(SYNCHRONIZE, FALSE, name), ERROR_INVALID_HANDLE);
    REFUSED(CreateMutexA(NULL, FALSE, name), ERROR_INVALID_HANDLE);
    REFUSED(OpenSemaphoreA(SYNCHRONIZE, FALSE, name), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(made));
}

static void long_names(void)
{
    char name[300];
    WCHAR wide[1001];
    int i;
    memset(name, 'n', sizeof name);
    name[260] = 0;
    REFUSED(named(name), ERROR_FILENAME_EXCED_RANGE);
    REFUSED(open_named(name, FILE_MAP_READ), ERROR_FILENAME_EXCED_RANGE);
    /* The name is checked before the other arguments, all of which are wrong. */
    REFUSED(CreateFileMappingA((HANDLE)(ULONG_PTR)0xBAD0, NULL, 0, 0, 0, name),
            ERROR_FILENAME_EXCED_RANGE);
    name[259] = 0;
    CHECK(named(name) != NULL);
    for (i = 0; i < 1000; i++)
        wide[i] = 'w';
    wide[1000] = 0;
    CHECK(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 1, wide) != NULL);
    CHECK(OpenFileMappingW(FILE_MAP_READ, FALSE, wide) != NULL);
}

static void case_matters(void)
{
    const char *name = unique();
    char other[64];
    HANDLE made = memory(name, 1);
    sprintf(other, "R%s", name + 1);
    GONE(other);
    CHECK(named(other) != NULL);
    SAME(GetLastError(), 0);
    CloseHandle(made);
    GONE(name);
}

static void prefixes_are_exact(void)
{
    refuses("local\\x", ERROR_PATH_NOT_FOUND);
    refuses("GLOBAL\\x", ERROR_PATH_NOT_FOUND);
}

static void prefixes_are_links(void)
{
    const char *name = unique();
    char local[80], twice[80];
    memory(name, 1);
    sprintf(local, "Local\\%s", name);
    sprintf(twice, "Local\\Local\\%s", name);
    CHECK(open_named(local, FILE_MAP_READ) != NULL);
    CHECK(open_named(twice, FILE_MAP_READ) != NULL);
    named(local);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    REFUSED(named("Local"), ERROR_INVALID_HANDLE);
    REFUSED(named("Global"), ERROR_INVALID_HANDLE);
}

static void backslashes(void)
{
    const char *name = unique();
    char odd[128];
    refuses("a\\b", ERROR_PATH_NOT_FOUND);
    refuses("\\b", ERROR_BAD_PATHNAME);
    /* An object is not a folder. */
    memory(name, 1);
    sprintf(odd, "%s\\b", name);
    REFUSED(named(odd), ERROR_INVALID_HANDLE);
    refuses("Local\\a\\b", ERROR_PATH_NOT_FOUND);
    refuses("Local\\", ERROR_INVALID_NAME);
    sprintf(odd, "$ /:*?<>|\".%%~ %s", name);
    CHECK(named(odd) != NULL);
    CHECK(open_named(odd, FILE_MAP_READ) != NULL);
}

static void empty_names(void)
{
    HANDLE first = named(""), second;
    SAME(GetLastError(), 0);
    second = named("");
    SAME(GetLastError(), 0);
    ((char *)view(first, FILE_MAP_WRITE))[0] = 1;
    SAME(byte_of(view(second, FILE_MAP_READ), 0), 0);
    REFUSED(open_named("", FILE_MAP_READ), ERROR_INVALID_HANDLE);
    REFUSED(open_named(NULL, FILE_MAP_READ), ERROR_INVALID_PARAMETER);
}

static void private_namespaces(void)
{
    refuses("NoSuchNamespace\\x", ERROR_PATH_NOT_FOUND);
}

const Row name_rows[] = {
    {20, "sections, events, mutexes and semaphores share one namespace", kinds_share_one_namespace},
    {22, "a name in bytes is shorter than 260, one in 16-bit characters may have a thousand", long_names},
    {24, "names differ by case", case_matters},
    {25, "prefixes are case-sensitive", prefixes_are_exact},
    {26, "a name without a prefix is in Local, prefixes may repeat, and a bare prefix is no name",
     prefixes_are_links},
    {28, "a name may contain any character except stray backslashes", backslashes},
    {29, "an empty name means no name on creation, and is refused on opening", empty_names},
    {30, "names of private namespaces are refused", private_namespaces},
    {0, NULL, NULL},
};
