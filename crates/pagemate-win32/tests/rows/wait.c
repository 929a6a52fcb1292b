/* Events, semaphores and waits for several objects. */
#include "rows.h"

#define LONG_ENOUGH 30000

static HANDLE event(BOOL manual, BOOL signaled)
{
    HANDLE made = CreateEventA(NULL, manual, signaled, NULL);
    CHECK(made != NULL);
    return made;
}

static DWORD wait(HANDLE handle)
{
    return WaitForSingleObject(handle, LONG_ENOUGH);
}

static DWORD any(const HANDLE *list, DWORD count)
{
    return WaitForMultipleObjects(count, list, FALSE, 0);
}

static DWORD all(const HANDLE *list, DWORD count)
{
    return WaitForMultipleObjects(count, list, TRUE, 0);
}

static void events(void)
{
    const char *name = unique();
    HANDLE manual = event(TRUE, FALSE), made = event(FALSE, FALSE), other;
    Thread threads[3];
    int i;
    for (i = 0; i < 3; i++)
        begin(&threads[i], wait, manual);
    CHECK(SetEvent(manual));
    for (i = 0; i < 3; i++)
        SAME(joined(&threads[i]), WAIT_OBJECT_0);
    SAME(take(manual), WAIT_OBJECT_0);
    CHECK(ResetEvent(manual));
    SAME(take(manual), WAIT_TIMEOUT);

    /* An auto-reset event stores one signal, however often it is set; a waiter consumes it. */
    CHECK(SetEvent(made) && SetEvent(made));
    SAME(take(made), WAIT_OBJECT_0);
    SAME(take(made), WAIT_TIMEOUT);
    begin(&threads[0], wait, made);
    CHECK(SetEvent(made));
    SAME(joined(&threads[0]), WAIT_OBJECT_0);
    SAME(take(made), WAIT_TIMEOUT);
    SAME(take(event(FALSE, TRUE)), WAIT_OBJECT_0);

    /* If the event exists already, the arguments for its kind and its state have no effect. */
    made = CreateEventA(NULL, FALSE, TRUE, name);
    other = CreateEventA(NULL, TRUE, FALSE, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    SAME(take(other), WAIT_OBJECT_0);
    SAME(take(made), WAIT_TIMEOUT);
    CHECK(CloseHandle(made) && CloseHandle(other));
    made = CreateEventExA(NULL, name, CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET,
                          EVENT_ALL_ACCESS);
    SAME(GetLastError(), 0);
    SAME(take(made), WAIT_OBJECT_0);
    SAME(take(made), WAIT_OBJECT_0);
}

static volatile LONG passed;

static DWORD wait_and_tell(HANDLE handle)
{
    DWORD result = wait(handle);
    InterlockedIncrement(&passed);
    return result;
}

/* Pulses an event until every waiter was woken. Returns the number of pulses. */
static LONG pulse_through(HANDLE pulsed, Thread *threads, int count)
{
    ULONGLONG deadline = GetTickCount64() + LONG_ENOUGH;
    LONG pulses = 0;
    int i;
    passed = 0;
    for (i = 0; i < count; i++)
        begin(&threads[i], wait_and_tell, pulsed);
    while (passed < count && GetTickCount64() < deadline) {
        CHECK(PulseEvent(pulsed));
        pulses++;
        Sleep(1);
    }
    for (i = 0; i < count; i++)
        SAME(joined(&threads[i]), WAIT_OBJECT_0);
    return pulses;
}

static void pulses(void)
{
    HANDLE manual = event(TRUE, TRUE), automatic = event(FALSE, TRUE);
    Thread threads[3];
    CHECK(PulseEvent(manual) && PulseEvent(automatic));
    SAME(take(manual), WAIT_TIMEOUT);
    SAME(take(automatic), WAIT_TIMEOUT);
    CHECK(PulseEvent(manual) && PulseEvent(automatic));
    SAME(take(manual), WAIT_TIMEOUT);
    SAME(take(automatic), WAIT_TIMEOUT);
    pulse_through(manual, threads, 3);
    SAME(take(manual), WAIT_TIMEOUT);
    /* A pulse of an auto-reset event wakes one waiter. */
    CHECK(pulse_through(automatic, threads, 3) >= 3);
    SAME(take(automatic), WAIT_TIMEOUT);
}

static void semaphores(void)
{
    const char *name = unique();
    LONG before = -1;
    HANDLE made = CreateSemaphoreA(NULL, 2, 3, name), other;
    Thread thread;
    SAME(take(made), WAIT_OBJECT_0);
    SAME(take(made), WAIT_OBJECT_0);
    SAME(take(made), WAIT_TIMEOUT);
    begin(&thread, wait, made);
    CHECK(ReleaseSemaphore(made, 1, NULL));
    SAME(joined(&thread), WAIT_OBJECT_0);
    CHECK(ReleaseSemaphore(made, 2, &before));
    SAME(before, 0);
    REFUSED(ReleaseSemaphore(made, 2, &before), ERROR_TOO_MANY_POSTS);
    SAME(before, 0);
    REFUSED(ReleaseSemaphore(made, 0x7FFFFFFF, NULL), ERROR_TOO_MANY_POSTS);
    CHECK(ReleaseSemaphore(made, 1, &before));
    SAME(before, 2);
    REFUSED(ReleaseSemaphore(made, 1, NULL), ERROR_TOO_MANY_POSTS);

    other = CreateSemaphoreA(NULL, 0, 9, name);
    SAME(GetLastError(), ERROR_ALREADY_EXISTS);
    REFUSED(ReleaseSemaphore(other, 1, NULL), ERROR_TOO_MANY_POSTS);
    SAME(take(other), WAIT_OBJECT_0);
    REFUSED(CreateSemaphoreA(NULL, 2, 1, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(CreateSemaphoreA(NULL, -1, 1, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(CreateSemaphoreA(NULL, 0, 0, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(ReleaseSemaphore(event(FALSE, FALSE), 1, NULL), ERROR_INVALID_HANDLE);
    REFUSED(ReleaseSemaphore(made, 0, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(ReleaseSemaphore(made, -1, NULL), ERROR_INVALID_PARAMETER);
}

static DWORD one_of_each(HANDLE mutex)
{
    HANDLE list[3];
    list[0] = event(FALSE, FALSE);
    list[1] = mutex;
    list[2] = event(FALSE, TRUE);
    return WaitForMultipleObjects(3, list, FALSE, LONG_ENOUGH);
}

static DWORD acquire_and_end(HANDLE mutex)
{
    return take(mutex);
}

/* Waits for two events at once, the second of which is set later. */
static DWORD both(HANDLE given)
{
    return WaitForMultipleObjects(2, (const HANDLE *)given, TRUE, LONG_ENOUGH);
}

static void several(void)
{
    const char *name = unique();
    HANDLE list[65], mutex = CreateMutexA(NULL, FALSE, NULL);
    Thread thread;
    int i;
    for (i = 0; i < 65; i++)
        list[i] = event(FALSE, FALSE);
    REFUSED(any(list, 0) != WAIT_FAILED, ERROR_INVALID_PARAMETER);
    REFUSED(any(list, 65) != WAIT_FAILED, ERROR_INVALID_PARAMETER);
    REFUSED(all(list, 65) != WAIT_FAILED, ERROR_INVALID_PARAMETER);
    SAME(any(list, 64), WAIT_TIMEOUT);
    SAME(all(list, 64), WAIT_TIMEOUT);

    /* The first signalled object satisfies the wait, and only that one changes. */
    CHECK(SetEvent(list[63]) && SetEvent(list[7]));
    SAME(any(list, 64), WAIT_OBJECT_0 + 7);
    SAME(any(list, 64), WAIT_OBJECT_0 + 63);
    SAME(any(list, 64), WAIT_TIMEOUT);

    /* A wait for all changes all objects or none. */
    CHECK(SetEvent(list[0]));
    SAME(all(list, 2), WAIT_TIMEOUT);
    SAME(take(list[0]), WAIT_OBJECT_0);
    begin(&thread, both, (HANDLE)list);
    CHECK(SetEvent(list[0]) && SetEvent(list[1]));
    SAME(joined(&thread), WAIT_OBJECT_0);
    SAME(any(list, 2), WAIT_TIMEOUT);
    for (i = 0; i < 64; i++)
        CHECK(SetEvent(list[i]));
    SAME(all(list, 64), WAIT_OBJECT_0);
    SAME(any(list, 64), WAIT_TIMEOUT);

    /* A thread ended while it owned this mutex. */
    SAME(in_thread(acquire_and_end, mutex), WAIT_OBJECT_0);
    SAME(in_thread(one_of_each, mutex), WAIT_ABANDONED_0 + 1);
    list[1] = mutex;
    CHECK(SetEvent(list[0]));
    SAME(all(list, 2), WAIT_ABANDONED_0);
    SAME(take(list[0]), WAIT_TIMEOUT);
    /* The thread owns the mutex already, and acquires it once more. */
    SAME(any(list, 2), WAIT_OBJECT_0 + 1);
    CHECK(ReleaseMutex(mutex) && ReleaseMutex(mutex));
    REFUSED(ReleaseMutex(mutex), ERROR_NOT_OWNER);

    /* One invalid handle fails the whole wait. */
    CHECK(SetEvent(list[0]));
    list[1] = memory(NULL, 1);
    REFUSED(any(list, 2) != WAIT_FAILED, ERROR_ACCESS_DENIED);
    list[1] = NULL;
    REFUSED(any(list, 2) != WAIT_FAILED, ERROR_INVALID_HANDLE);
    SAME(take(list[0]), WAIT_OBJECT_0);

    /* A wait for all objects fails if two handles refer to one object. A wait for any object
     * accepts them. */
    list[0] = CreateEventA(NULL, TRUE, TRUE, name);
    list[1] = OpenEventA(SYNCHRONIZE, FALSE, name);
    SAME(any(list, 2), WAIT_OBJECT_0);
    REFUSED(all(list, 2) != WAIT_FAILED, ERROR_INVALID_PARAMETER);
    list[1] = list[0];
    REFUSED(all(list, 2) != WAIT_FAILED, ERROR_INVALID_PARAMETER);
}

/* Interlocked increments of several processes are all counted. */
static void atomics(void)
{
    HANDLE handle = inheritable(NULL, sizeof(Control));
    Control *control = (Control *)view(handle, FILE_MAP_WRITE);
    intptr_t children[CHILDREN];
    int i;
    for (i = 0; i < CHILDREN; i++)
        children[i] = start("count", handle, "-");
    WAIT_FOR(control->ready == CHILDREN);
    control->go = 1;
    for (i = 0; i < CHILDREN; i++)
        SAME(exit_code_of(children[i]), 0);
    SAME(control->made, CHILDREN * 100000);
}

const Row wait_rows[] = {
    {92, "a manual-reset event wakes all waiters, an auto-reset event wakes one", events},
    {93, "a pulse wakes the present waiters and leaves the event reset", pulses},
    {94, "a semaphore counts up to its maximum", semaphores},
    {95, "a wait for any takes the first signalled object, a wait for all takes all at once", several},
    {97, "interlocked calls are atomic between processes", atomics},
    {0, NULL, NULL},
};
