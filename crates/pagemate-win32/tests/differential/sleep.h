/* Calls that need a second thread: it sleeps until an object is signalled, or owns a mutex. */
#ifndef PAGEMATE_DIFFERENTIAL_SLEEP_H
#define PAGEMATE_DIFFERENTIAL_SLEEP_H

/* Starts a thread; waits until a thread has ended. */
static HANDLE start_thread(LPTHREAD_START_ROUTINE work)
{
    HANDLE thread = CreateThread(NULL, 0, work, NULL, 0, NULL);
    if (thread == NULL)
        exit(1);
    return thread;
}

static void join_thread(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* Returns whether a word names an open handle. Clears the slots of closed handles, because the
 * handle of the new thread may have the same value. */
static int is_live(int at)
{
    int which = slot(at, 'h');
    for (int i = 0; i < SLOTS; i++) {
        if (!handles[i].live)
            handles[i].handle = NULL;
    }
    clear_unmapped_addresses();
    return which >= 0 && handles[which].live;
}

/* The handle that the thread of call_abandon waits for, and the result of that wait. */
static HANDLE abandoned_handle;
static DWORD abandoned_result;

static DWORD WINAPI wait_and_end(LPVOID unused)
{
    (void)unused;
    abandoned_result = WaitForSingleObject(abandoned_handle, 0);
    return 0;
}

/* Starts a thread that tries to acquire an object and then ends. If it acquired a mutex, the mutex
 * is abandoned. */
static void call_abandon(void)
{
    if (!is_live(1)) {
        print("busy -");
        return;
    }
    abandoned_handle = handle(1);
    join_thread(start_thread(wait_and_end));
    print("ok - %x", (unsigned)abandoned_result);
}

/* The thread that sleeps until its objects are signalled. */
static struct {
    HANDLE thread;
    char kind;
    HANDLE list[4];
    DWORD len, time, result, error;
    volatile LONG started;
} sleeper;

static DWORD WINAPI sleep_until_signalled(LPVOID unused)
{
    (void)unused;
    SetLastError(UNTOUCHED);
    InterlockedExchange(&sleeper.started, 1);
    switch (sleeper.kind) {
    case 'o': sleeper.result = WaitForSingleObject(sleeper.list[0], sleeper.time); break;
    case 'p': sleeper.result = SignalObjectAndWait(sleeper.list[0], sleeper.list[1], sleeper.time, FALSE); break;
    default: sleeper.result = WaitForMultipleObjects(sleeper.len, sleeper.list, sleeper.kind == 'l', sleeper.time); break;
    }
    sleeper.error = GetLastError();
    return 0;
}

/* The words of the line are the kind of wait, the timeout and the handles. The kind is "one",
 * "any", "l" for a wait for all, or "pass" for SignalObjectAndWait with two handles. */
static void call_sleep(void)
{
    sleeper.len = (DWORD)count - 3;
    for (DWORD i = 0; i < sleeper.len; i++) {
        if (sleeper.thread != NULL || sleeper.len > 4 || !is_live(3 + (int)i)) {
            print("busy -");
            return;
        }
        sleeper.list[i] = handle(3 + (int)i);
    }
    sleeper.kind = word(1)[0];
    sleeper.time = (DWORD)number(2);
    sleeper.started = 0;
    sleeper.thread = start_thread(sleep_until_signalled);
    while (InterlockedCompareExchange(&sleeper.started, 0, 0) == 0)
        Sleep(1);
    print("ok -");
}

/* Waits long enough that the sleeping threads of all processes are asleep. */
static void call_settle(void)
{
    Sleep((DWORD)number(1));
    print("ok -");
}

/* Waits for the sleeper to end, and prints its result. */
static void call_awake(void)
{
    if (sleeper.thread == NULL) {
        print("busy -");
        return;
    }
    join_thread(sleeper.thread);
    sleeper.thread = NULL;
    SetLastError(sleeper.error);
    print_wait(sleeper.result);
}

/* A thread that acquires an object and keeps it until another thread asks it to end. It then ends
 * without releasing the object. */
static struct {
    HANDLE thread, handle;
    volatile LONG acquired, must_end;
    DWORD result;
} owner;

static DWORD WINAPI own_until_told(LPVOID unused)
{
    (void)unused;
    owner.result = WaitForSingleObject(owner.handle, 0);
    InterlockedExchange(&owner.acquired, 1);
    while (InterlockedCompareExchange(&owner.must_end, 0, 0) == 0)
        Sleep(1);
    return 0;
}

static void call_own(void)
{
    if (owner.thread != NULL || !is_live(1)) {
        print("busy -");
        return;
    }
    owner.handle = handle(1);
    owner.acquired = owner.must_end = 0;
    owner.thread = start_thread(own_until_told);
    while (InterlockedCompareExchange(&owner.acquired, 0, 0) == 0)
        Sleep(1);
    print("ok - %x", (unsigned)owner.result);
}

static void call_endowner(void)
{
    if (owner.thread == NULL) {
        print("busy -");
        return;
    }
    InterlockedExchange(&owner.must_end, 1);
    join_thread(owner.thread);
    owner.thread = NULL;
    print("ok -");
}

/* Ends both threads. Before this call, the caller makes sure that the sleeping thread wakes or
 * times out. */
static void end_threads(void)
{
    if (owner.thread != NULL) {
        InterlockedExchange(&owner.must_end, 1);
        join_thread(owner.thread);
    }
    if (sleeper.thread != NULL)
        join_thread(sleeper.thread);
    owner.thread = sleeper.thread = NULL;
}

#endif
