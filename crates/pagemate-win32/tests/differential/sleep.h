/* The part of the program in which threads of their own sleep until something happens. */
#ifndef PAGEMATE_DIFFERENTIAL_SLEEP_H
#define PAGEMATE_DIFFERENTIAL_SLEEP_H

/* Begins a thread, and waits until one has ended. */
static HANDLE begin(LPTHREAD_START_ROUTINE work)
{
    HANDLE thread = CreateThread(NULL, 0, work, NULL, 0, NULL);
    if (thread == NULL)
        exit(1);
    return thread;
}

static void end(HANDLE thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* Whether the handle that a word names is there. A thread may get the number of one that is not, so
 * that those are forgotten. */
static int is_live(int at)
{
    int which = slot(at, 'h');
    for (int i = 0; i < SLOTS; i++) {
        if (!handles[i].live)
            handles[i].handle = NULL;
    }
    forget_places();
    return which >= 0 && handles[which].live;
}

/* What a thread that takes something and ends was told. */
static HANDLE to_be_taken;
static DWORD taken_by_thread;

static DWORD WINAPI take(LPVOID unused)
{
    (void)unused;
    taken_by_thread = WaitForSingleObject(to_be_taken, 0);
    return 0;
}

/* A thread takes something, if it can, and ends. */
static void call_abandon(void)
{
    if (!is_live(1)) {
        say("busy -");
        return;
    }
    to_be_taken = handle(1);
    end(begin(take));
    say("ok - %x", (unsigned)taken_by_thread);
}

/* A thread that sleeps until it has something, and ends. */
static struct {
    HANDLE thread;
    char how;
    HANDLE list[4];
    DWORD len, time, result, error;
    volatile LONG begun;
} sleeper;

static DWORD WINAPI sleep_for_it(LPVOID unused)
{
    (void)unused;
    SetLastError(UNTOUCHED);
    InterlockedExchange(&sleeper.begun, 1);
    switch (sleeper.how) {
    case 'o': sleeper.result = WaitForSingleObject(sleeper.list[0], sleeper.time); break;
    case 'p': sleeper.result = SignalObjectAndWait(sleeper.list[0], sleeper.list[1], sleeper.time, FALSE); break;
    default: sleeper.result = WaitForMultipleObjects(sleeper.len, sleeper.list, sleeper.how == 'l', sleeper.time); break;
    }
    sleeper.error = GetLastError();
    return 0;
}

/* How ("one", "any", "l" for all, "pass" for signal the first and wait for the second), how long, and
 * for what. */
static void call_sleep(void)
{
    sleeper.len = (DWORD)count - 3;
    for (DWORD i = 0; i < sleeper.len; i++) {
        if (sleeper.thread != NULL || sleeper.len > 4 || !is_live(3 + (int)i)) {
            say("busy -");
            return;
        }
        sleeper.list[i] = handle(3 + (int)i);
    }
    sleeper.how = word(1)[0];
    sleeper.time = (DWORD)number(2);
    sleeper.begun = 0;
    sleeper.thread = begin(sleep_for_it);
    while (InterlockedCompareExchange(&sleeper.begun, 0, 0) == 0)
        Sleep(1);
    say("ok -");
}

/* Waits until the sleepers of all processes are asleep, as far as time tells. */
static void call_settle(void)
{
    Sleep((DWORD)number(1));
    say("ok -");
}

/* Waits for the sleeper, and tells what it was told. */
static void call_awake(void)
{
    if (sleeper.thread == NULL) {
        say("busy -");
        return;
    }
    end(sleeper.thread);
    sleeper.thread = NULL;
    SetLastError(sleeper.error);
    waited(sleeper.result);
}

/* A thread that has something until it is told to end, which it does without giving that back. */
static struct {
    HANDLE thread, what;
    volatile LONG had, told;
    DWORD result;
} keeper;

static DWORD WINAPI have(LPVOID unused)
{
    (void)unused;
    keeper.result = WaitForSingleObject(keeper.what, 0);
    InterlockedExchange(&keeper.had, 1);
    while (InterlockedCompareExchange(&keeper.told, 0, 0) == 0)
        Sleep(1);
    return 0;
}

static void call_keep(void)
{
    if (keeper.thread != NULL || !is_live(1)) {
        say("busy -");
        return;
    }
    keeper.what = handle(1);
    keeper.had = keeper.told = 0;
    keeper.thread = begin(have);
    while (InterlockedCompareExchange(&keeper.had, 0, 0) == 0)
        Sleep(1);
    say("ok - %x", (unsigned)keeper.result);
}

static void call_let(void)
{
    if (keeper.thread == NULL) {
        say("busy -");
        return;
    }
    InterlockedExchange(&keeper.told, 1);
    end(keeper.thread);
    keeper.thread = NULL;
    say("ok -");
}

/* Ends both, whatever they do. */
static void end_threads(void)
{
    if (keeper.thread != NULL) {
        InterlockedExchange(&keeper.told, 1);
        end(keeper.thread);
    }
    if (sleeper.thread != NULL)
        end(sleeper.thread);
    keeper.thread = sleeper.thread = NULL;
}

#endif
