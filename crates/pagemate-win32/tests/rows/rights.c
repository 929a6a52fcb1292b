/* The rights of each kind of object, bit by bit. */
#include "rows.h"

/* The bits that stand for several rights, and ACCESS_SYSTEM_SECURITY. */
#define SEVERAL 0xF2000000u
#define AUDIT 0x01000000u

typedef HANDLE (*Open)(DWORD access);
static char name[64];

static HANDLE open_section(DWORD access) { return OpenFileMappingA(access, FALSE, name); }
static HANDLE open_mutex(DWORD access) { return OpenMutexA(access, FALSE, name); }
static HANDLE open_event(DWORD access) { return OpenEventA(access, FALSE, name); }
static HANDLE open_semaphore(DWORD access) { return OpenSemaphoreA(access, FALSE, name); }
static HANDLE create_mutex(DWORD access) { return CreateMutexExA(NULL, name, 0, access); }
static HANDLE create_event(DWORD access) { return CreateEventExA(NULL, name, 0, access); }
static HANDLE create_semaphore(DWORD access) { return CreateSemaphoreExA(NULL, 1, 2, name, 0, access); }

/* Opens an object with each right alone. It is granted if it is in the mask, otherwise refused. */
static void each_right(Open open, DWORD rights)
{
    int bit;
    for (bit = 0; bit < 32; bit++) {
        DWORD access = 1u << bit;
        HANDLE opened;
        if (access & AUDIT) {
            REFUSED(open(access), ERROR_PRIVILEGE_NOT_HELD);
        } else if (access & (rights | SEVERAL)) {
            opened = open(access);
            if (opened == NULL)
                printf("  right %x\n", (unsigned)access);
            CHECK(opened != NULL && CloseHandle(opened));
        } else {
            SetLastError(PRESET);
            if (open(access) != NULL)
                printf("  right %x\n", (unsigned)access);
            SAME(GetLastError(), ERROR_ACCESS_DENIED);
        }
    }
    REFUSED(open(0), ERROR_ACCESS_DENIED);
}

static void rights_of_sections(void)
{
    strcpy(name, unique());
    memory(name, 1);
    /* FILE_MAP_EXECUTE is another bit for the right to execute. */
    each_right(open_section, SECTION_ALL_ACCESS | 0x20);
    REFUSED(open_section(FILE_MAP_READ | 0x100), ERROR_ACCESS_DENIED);
    REFUSED(open_section(FILE_MAP_READ | SYNCHRONIZE), ERROR_ACCESS_DENIED);
    strcpy(name, unique());
    REFUSED(open_section(0x100), ERROR_FILE_NOT_FOUND);
}

static void rights_of_mutexes(void)
{
    strcpy(name, unique());
    CHECK(CreateMutexA(NULL, FALSE, name) != NULL);
    each_right(open_mutex, MUTEX_ALL_ACCESS);
    each_right(create_mutex, MUTEX_ALL_ACCESS);
    REFUSED(open_mutex(EVENT_ALL_ACCESS), ERROR_ACCESS_DENIED);
    strcpy(name, unique());
    REFUSED(open_mutex(2), ERROR_FILE_NOT_FOUND);
}

static void rights_of_events_and_semaphores(void)
{
    strcpy(name, unique());
    CHECK(CreateEventA(NULL, FALSE, FALSE, name) != NULL);
    each_right(open_event, EVENT_ALL_ACCESS);
    each_right(create_event, EVENT_ALL_ACCESS);
    strcpy(name, unique());
    CHECK(CreateSemaphoreA(NULL, 1, 2, name) != NULL);
    each_right(open_semaphore, SEMAPHORE_ALL_ACCESS);
    each_right(create_semaphore, SEMAPHORE_ALL_ACCESS);
}

static void new_objects_leave_rights_out(void)
{
    HANDLE made, duplicate;
    made = CreateEventExA(NULL, NULL, 0, EVENT_MODIFY_STATE | 0x100);
    CHECK(made != NULL && SetEvent(made));
    NO_WAIT(made, ERROR_ACCESS_DENIED);
    CHECK(CreateMutexExA(NULL, NULL, 0, 0) != NULL);
    made = CreateMutexA(NULL, FALSE, NULL);
    CHECK(DuplicateHandle(GetCurrentProcess(), made, GetCurrentProcess(), &duplicate, SYNCHRONIZE | 2, FALSE, 0));
    SAME(take(duplicate), WAIT_OBJECT_0);
}

static void files_refuse_rights_too(void)
{
    const char *path = file_of(1);
    HANDLE file;
    SetLastError(PRESET);
    CHECK(CreateFileA(path, 0x200, 7, NULL, OPEN_EXISTING, 0, NULL) == INVALID_HANDLE_VALUE);
    SAME(GetLastError(), ERROR_ACCESS_DENIED);
    CHECK(open_file(path, 0) != INVALID_HANDLE_VALUE);
    file = open_file(path, MAXIMUM_ALLOWED);
    SAME(GetFileSize(file, NULL), 1);
    CHECK(section_over(file, PAGE_READWRITE) != NULL);
}

#define NO_FILE(path, access, disposition, code)                                                  \
    REFUSED(CreateFileA(path, access, 7, NULL, disposition, 0, NULL) != INVALID_HANDLE_VALUE, code)

static void paths_come_before_rights(void)
{
    /* The order of checks is empty path, disposition, invalid name. */
    static const DWORD none[] = {0, TRUNCATE_EXISTING + 1, (DWORD)-1};
    const char *path = file_of(1);
    size_t i;
    for (i = 0; i < 3; i++) {
        NO_FILE(NULL, GENERIC_READ, none[i], ERROR_PATH_NOT_FOUND);
        NO_FILE("", 0x200, none[i], ERROR_PATH_NOT_FOUND);
        NO_FILE("what?", GENERIC_READ, none[i], ERROR_INVALID_PARAMETER);
        NO_FILE("none\\such", 0x200, none[i], ERROR_INVALID_PARAMETER);
    }
    NO_FILE("what?", 0x200, OPEN_EXISTING, ERROR_INVALID_NAME);
    NO_FILE("none", 0x200, OPEN_EXISTING, ERROR_FILE_NOT_FOUND);
    NO_FILE("none", GENERIC_WRITE | 0x200, TRUNCATE_EXISTING, ERROR_FILE_NOT_FOUND);
    NO_FILE("none\\such", 0x200, OPEN_EXISTING, ERROR_PATH_NOT_FOUND);
    NO_FILE("none\\such", 0x200, CREATE_ALWAYS, ERROR_PATH_NOT_FOUND);
    NO_FILE(path, 0x200, CREATE_NEW, ERROR_FILE_EXISTS);
}

static void folders_are_no_files(void)
{
    static const DWORD access[] = {0, GENERIC_READ, GENERIC_WRITE, 0x200};
    static const char *const folders[] = {".", ".\\", "\\"};
    const char *path = file_of(1);
    char slashed[80];
    DWORD disposition;
    size_t i, j;
    sprintf(slashed, "%s\\", path);
    for (i = 0; i < 4; i++) {
        for (j = 0; j < 3; j++) {
            NO_FILE(folders[j], access[i], CREATE_NEW, ERROR_FILE_EXISTS);
            NO_FILE(folders[j], access[i], CREATE_ALWAYS, ERROR_ACCESS_DENIED);
            NO_FILE(folders[j], access[i], OPEN_EXISTING, ERROR_ACCESS_DENIED);
            NO_FILE(folders[j], access[i], OPEN_ALWAYS, ERROR_ACCESS_DENIED);
        }
        NO_FILE(slashed, access[i], CREATE_NEW, ERROR_FILE_EXISTS);
        for (disposition = CREATE_ALWAYS; disposition <= OPEN_ALWAYS; disposition++)
            NO_FILE(slashed, access[i], disposition, ERROR_INVALID_NAME);
        NO_FILE("none\\", access[i], CREATE_NEW, ERROR_INVALID_NAME);
        NO_FILE("none\\", access[i], OPEN_EXISTING, ERROR_FILE_NOT_FOUND);
        NO_FILE("none\\such\\", access[i], OPEN_ALWAYS, ERROR_PATH_NOT_FOUND);
    }
}

const Row right_rows[] = {
    {139, "sections grant these rights and refuse others", rights_of_sections},
    {140, "mutexes grant these rights and refuse others", rights_of_mutexes},
    {141, "events and semaphores grant these rights and refuse others", rights_of_events_and_semaphores},
    {142, "a new object's handle and a duplicate ignore other rights", new_objects_leave_rights_out},
    {143, "files refuse other rights too, and support MAXIMUM_ALLOWED", files_refuse_rights_too},
    {150, "the path is checked before the rights", paths_come_before_rights},
    {151, "CreateFile opens no folder, and a file's path does not end in a separator", folders_are_no_files},
    {0, NULL, NULL},
};
