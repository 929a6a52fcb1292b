/* Mutexes, and the names and rights that mutexes, events and semaphores share. */
#include "rows.h"

DWORD take(HANDLE handle)
{
    return WaitForSingleObject(handle, 0);
}

static DWORD release(HANDLE mutex)
{
    return ReleaseMutex(mutex) ? 0 : GetLastError();
}

static HANDLE make_mutex(const char *name)
{
    return CreateMutexA(NULL, FALSE, name);
}

static HANDLE make_event(const char *name)
{
    return CreateEventA(NULL, TRUE, TRUE, name);
}

static HANDLE make_semaphore(const char *name)
{
    return CreateSemaphoreA(NULL, 1, 2, name);
}

/* The functions that create and open each kind of object. */
static const struct {
    HANDLE (*make)(const char *name);
    HANDLE(WINAPI *open)(DWORD access, BOOL inherit, const char *name);
} kinds[] = {
    {make_mutex, OpenMutexA},
    {make_event, OpenEventA},
    {make_semaphore, OpenSemaphoreA},
};
#define KINDS 3

static HANDLE inheritable_mutex(void)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    HANDLE made = CreateMutexA(&attributes, FALSE, NULL);
    CHECK(made != NULL);
    return made;
}

int run_sync_role(const char *role, HANDLE handle, const char *name)
{
    if (strcmp(role, "hold-kinds") == 0) {
        Control *control = (Control *)view(handle, FILE_MAP_WRITE);
        char each[80];
        int i;
        for (i = 0; i < KINDS; i++) {
            sprintf(each, "%s-%d", name, i);
            if (kinds[i].open(SYNCHRONIZE, FALSE, each) == NULL)
                return 2;
        }
        control->ready = 1;
        WAIT_FOR(control->go);
        return 0;
    }
    if (strcmp(role, "own-and-crash") == 0) {
        Control *control = (Control *)view(handle, FILE_MAP_WRITE);
        HANDLE mutex = OpenMutexA(SYNCHRONIZE, FALSE, name);
        if (take(mutex) != WAIT_OBJECT_0 || take(mutex) != WAIT_OBJECT_0)
            return 2;
        control->ready = 1;
        WAIT_FOR(control->go);
        abort();
    }
    if (strcmp(role, "own-inherited") == 0) {
        /* Two handles to one mutex; the thread owns the mutex through both. */
        HANDLE duplicate = (HANDLE)(ULONG_PTR)strtoul(name, NULL, 10);
        if (take(handle) != WAIT_OBJECT_0 || take(duplicate) != WAIT_OBJECT_0)
            return 2;
        if (!ReleaseMutex(duplicate) || !ReleaseMutex(duplicate) || ReleaseMutex(handle))
            return 3;
        return take(handle) != WAIT_OBJECT_0;
    }
    if (strcmp(role, "count") == 0) {
        Control *control = (Control *)view(handle, FILE_MAP_WRITE);
        int i;
        InterlockedIncrement(&control->ready);
        WAIT_FOR(control->go);
        for (i = 0; i < 100000; i++)
            InterlockedIncrement(&control->made);
        return 0;
    }
    return run_process_role(role, handle, name);
}

/* A name of any kind lives while a handle is open, in this process or another. */
static void names_are_as_of_sections(void)
{
    const char *name = unique();
    char each[KINDS][80];
    HANDLE control_handle = inheritable(NULL, sizeof(Control)), made[KINDS], again;
    Control *control = (Control *)view(control_handle, FILE_MAP_WRITE);
    intptr_t child;
    int i, j;
    for (i = 0; i < KINDS; i++) {
        sprintf(each[i], "%s-%d", name, i);
        REFUSED(kinds[i].open(SYNCHRONIZE, FALSE, each[i]), ERROR_FILE_NOT_FOUND);
        SetLastError(PRESET);
        made[i] = kinds[i].make(each[i]);
        CHECK(made[i] != NULL);
        SAME(GetLastError(), 0);
        again = kinds[i].make(each[i]);
        CHECK(again != NULL && again != made[i]);
        SAME(GetLastError(), ERROR_ALREADY_EXISTS);
        CHECK(CloseHandle(again));
        REFUSED(open_named(each[i], FILE_MAP_READ), ERROR_INVALID_HANDLE);
        for (j = 0; j < KINDS; j++)
            if (j != i) {
                REFUSED(kinds[j].make(each[i]), ERROR_INVALID_HANDLE);
                REFUSED(kinds[j].open(SYNCHRONIZE, FALSE, each[i]), ERROR_INVALID_HANDLE);
            }
    }
    child = start("hold-kinds", control_handle, name);
    WAIT_FOR(control->ready);
    for (i = 0; i < KINDS; i++) {
        CHECK(CloseHandle(made[i]));
        again = kinds[i].open(SYNCHRONIZE, FALSE, each[i]);
        CHECK(again != NULL && CloseHandle(again));
    }
    control->go = 1;
    SAME(exit_code_of(child), 0);
    for (i = 0; i < KINDS; i++) {
        REFUSED(kinds[i].open(SYNCHRONIZE, FALSE, each[i]), ERROR_FILE_NOT_FOUND);
        REFUSED(kinds[i].open(SYNCHRONIZE, FALSE, "no such\\path"), ERROR_PATH_NOT_FOUND);
        REFUSED(kinds[i].open(SYNCHRONIZE, FALSE, ""), ERROR_INVALID_HANDLE);
        REFUSED(kinds[i].open(SYNCHRONIZE, FALSE, NULL), ERROR_INVALID_PARAMETER);
        REFUSED(kinds[i].make("a\\b"), ERROR_PATH_NOT_FOUND);
    }
}

/* A thread that acquired a mutex several times, through any of its handles, must release it as
 * often. */
static void mutexes_are_recursive(void)
{
    const char *name = unique();
    HANDLE me = GetCurrentProcess(), made = CreateMutexA(NULL, TRUE, name), opened, duplicate = NULL;
    opened = OpenMutexA(SYNCHRONIZE, FALSE, name);
    CHECK(DuplicateHandle(me, made, me, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS));
    SAME(in_thread(take, made), WAIT_TIMEOUT);
    SAME(in_thread(release, made), ERROR_NOT_OWNER);
    SAME(take(opened), WAIT_OBJECT_0);
    SAME(take(duplicate), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(made));
    CHECK(ReleaseMutex(made));
    SAME(in_thread(take, opened), WAIT_TIMEOUT);
    CHECK(ReleaseMutex(duplicate));
    REFUSED(ReleaseMutex(opened), ERROR_NOT_OWNER);
    SAME(in_thread(take, opened), WAIT_OBJECT_0);
    SAME(take(duplicate), WAIT_ABANDONED);
    CHECK(ReleaseMutex(duplicate));
    REFUSED(ReleaseMutex(NULL), ERROR_INVALID_HANDLE);
}

/* bInitialOwner has no effect if the mutex exists already: the call returns a handle and does not
 * acquire the mutex. */
static void initial_owner_applies_to_creation(void)
{
    const char *name = unique();
    HANDLE made = CreateMutexA(NULL, FALSE, name), other = CreateMutexA(NULL, TRUE, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    REFUSED(ReleaseMutex(other), ERROR_NOT_OWNER);
    SAME(in_thread(take, made), WAIT_OBJECT_0);
    SAME(take(other), WAIT_ABANDONED);
    CHECK(ReleaseMutex(other));
    CHECK(CloseHandle(made) && CloseHandle(other));
    made = CreateMutexExA(NULL, name, CREATE_MUTEX_INITIAL_OWNER, MUTEX_ALL_ACCESS);
    SAME(GetLastError(), 0);
    CHECK(ReleaseMutex(made));
}

static DWORD take_twice(HANDLE mutex)
{
    DWORD first = WaitForSingleObject(mutex, 30000);
    return first == WAIT_OBJECT_0 ? take(mutex) : first;
}

/* The first wait after an owner died returns WAIT_ABANDONED. Later waits return WAIT_OBJECT_0, and
 * the mutex is owned once. */
static void abandoned(void)
{
    const char *name = unique();
    HANDLE control_handle = inheritable(NULL, sizeof(Control)), mutex, duplicate = NULL;
    HANDLE me = GetCurrentProcess();
    Control *control = (Control *)view(control_handle, FILE_MAP_WRITE);
    intptr_t child;
    char number[32];
    mutex = CreateMutexA(NULL, FALSE, name);
    SAME(in_thread(take_twice, mutex), WAIT_OBJECT_0);
    SAME(take(mutex), WAIT_ABANDONED);
    SAME(in_thread(take, mutex), WAIT_TIMEOUT);
    CHECK(ReleaseMutex(mutex));
    REFUSED(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    SAME(take(mutex), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(mutex));

    child = start("own-and-crash", control_handle, name);
    WAIT_FOR(control->ready);
    SAME(take(mutex), WAIT_TIMEOUT);
    REFUSED(ReleaseMutex(mutex), ERROR_NOT_OWNER);
    control->go = 1;
    SAME(WaitForSingleObject(mutex, 30000), WAIT_ABANDONED);
    CHECK(exit_code_of(child) != 0);
    CHECK(ReleaseMutex(mutex));
    SAME(in_thread(take_twice, mutex), WAIT_OBJECT_0);
    SAME(take(mutex), WAIT_ABANDONED);

    mutex = inheritable_mutex();
    CHECK(DuplicateHandle(me, mutex, me, &duplicate, 0, TRUE, DUPLICATE_SAME_ACCESS));
    sprintf(number, "%lu", (unsigned long)(ULONG_PTR)duplicate);
    SAME(exit_code_of(start("own-inherited", mutex, number)), 0);
    SAME(take(duplicate), WAIT_ABANDONED);
    SAME(take(mutex), WAIT_OBJECT_0);
}

static void mutexes(void)
{
    mutexes_are_recursive();
    initial_owner_applies_to_creation();
    abandoned();
}

static void rights(void)
{
    const char *name = unique();
    HANDLE me = GetCurrentProcess(), made = CreateMutexA(NULL, FALSE, name), other, duplicate = NULL;
    other = OpenMutexA(GENERIC_READ | GENERIC_WRITE, FALSE, name);
    NO_WAIT(other, ERROR_ACCESS_DENIED);
    /* Releasing a mutex requires no right. */
    SAME(take(made), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(other));
    NO_WAIT(OpenMutexA(MUTEX_MODIFY_STATE, FALSE, name), ERROR_ACCESS_DENIED);
    NO_WAIT(CreateMutexExA(NULL, name, 0, READ_CONTROL), ERROR_ACCESS_DENIED);
    other = OpenMutexA(SYNCHRONIZE, FALSE, name);
    SAME(take(other), WAIT_OBJECT_0);
    CHECK(ReleaseMutex(other));
    CHECK(DuplicateHandle(me, made, me, &duplicate, MUTEX_MODIFY_STATE, FALSE, 0));
    NO_WAIT(duplicate, ERROR_ACCESS_DENIED);

    name = unique();
    made = CreateEventA(NULL, TRUE, TRUE, name);
    other = OpenEventA(SYNCHRONIZE, FALSE, name);
    SAME(take(other), WAIT_OBJECT_0);
    REFUSED(SetEvent(other), ERROR_ACCESS_DENIED);
    REFUSED(ResetEvent(other), ERROR_ACCESS_DENIED);
    REFUSED(PulseEvent(other), ERROR_ACCESS_DENIED);
    other = OpenEventA(EVENT_MODIFY_STATE, FALSE, name);
    NO_WAIT(other, ERROR_ACCESS_DENIED);
    CHECK(SetEvent(other) && ResetEvent(other));
    SAME(take(made), WAIT_TIMEOUT);
    CHECK(SetEvent(OpenEventA(GENERIC_WRITE, FALSE, name)));
    SAME(take(OpenEventA(GENERIC_EXECUTE, FALSE, name)), WAIT_OBJECT_0);

    name = unique();
    made = CreateSemaphoreA(NULL, 0, 2, name);
    other = OpenSemaphoreA(SYNCHRONIZE, FALSE, name);
    REFUSED(ReleaseSemaphore(other, 1, NULL), ERROR_ACCESS_DENIED);
    SAME(take(other), WAIT_TIMEOUT);
    other = OpenSemaphoreA(SEMAPHORE_MODIFY_STATE, FALSE, name);
    CHECK(ReleaseSemaphore(other, 1, NULL));
    NO_WAIT(other, ERROR_ACCESS_DENIED);
    SAME(take(made), WAIT_OBJECT_0);
    SAME(MUTEX_ALL_ACCESS, 0x1F0001);
    SAME(EVENT_ALL_ACCESS, 0x1F0003);
    SAME(SEMAPHORE_ALL_ACCESS, 0x1F0003);
}

const Row sync_rows[] = {
    {89, "mutexes, events and semaphores have names as sections have", names_are_as_of_sections},
    {90, "a thread owns a mutex as often as it acquired it, until it ends", mutexes},
    {91, "waiting and changing require rights, releasing a mutex requires none", rights},
    {0, NULL, NULL},
};
