/* The part of the program in which threads of their own sleep until something happens. */
#ifndef PAGEMATE_DIFFERENTIAL_SLEEP_H
#define PAGEMATE_DIFFERENTIAL_SLEEP_H

#ifdef _WIN32
typedef HANDLE Thread;

static DWORD WINAPI run(void *work)
{
    (*(void (**)(void))work)();
    return 0;
}

static Thread begin(void (*const *work)(void))
{
    return CreateThread(NULL, 0, run, (void *)work, 0, NULL);
}

static void end(Thread thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}
#else
#include <pthread.h>

typedef pthread_t Thread;

static void *run(void *work)
{
    (*(void (**)(void))work)();
    return NULL;
}

static Thread begin(void (*const *work)(void))
{
    Thread thread;
    if (pthread_create(&thread, NULL, run, (void *)work) != 0)
        exit(1);
    return thread;
}

static void end(Thread thread)
{
    pthread_join(thread, NULL);
}
#endif

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

static void take(void)
{
    taken_by_thread = WaitForSingleObject(to_be_taken, 0);
}
static void (*const taking)(void) = take;

/* A thread takes something, if it can, and ends. */
static void call_abandon(void)
{
    if (!is_live(1)) {
        say("busy -");
        return;
    }
    to_be_taken = handle(1);
    end(begin(&taking));
    say("ok - %x", (unsigned)taken_by_thread);
}

/* A thread that sleeps until it has something, and ends. */
static struct {
    int there;
    Thread thread;
    char how;
    HANDLE list[4];
    DWORD len, time, result, error;
} sleeper;

static void sleep_for_it(void)
{
    SetLastError(UNTOUCHED);
    switch (sleeper.how) {
    case 'o': sleeper.result = WaitForSingleObject(sleeper.list[0], sleeper.time); break;
    case 'p': sleeper.result = SignalObjectAndWait(sleeper.list[0], sleeper.list[1], sleeper.time, FALSE); break;
    default: sleeper.result = WaitForMultipleObjects(sleeper.len, sleeper.list, sleeper.how == 'l', sleeper.time); break;
    }
    sleeper.error = GetLastError();
}
static void (*const sleeping)(void) = sleep_for_it;

/* How ("one", "any", "l" for all, "pass" for signal the first and wait for the second), how long, and
 * for what. */
static void call_sleep(void)
{
    sleeper.len = (DWORD)count - 3;
    for (DWORD i = 0; i < sleeper.len; i++) {
        if (sleeper.there || sleeper.len > 4 || !is_live(3 + (int)i)) {
            say("busy -");
            return;
        }
        sleeper.list[i] = handle(3 + (int)i);
    }
    sleeper.how = word(1)[0];
    sleeper.time = (DWORD)number(2);
    sleeper.there = 1;
    sleeper.thread = begin(&sleeping);
    say("ok -");
}

/* Waits for the sleeper, and tells what it was told. */
static void call_awake(void)
{
    if (!sleeper.there) {
        say("busy -");
        return;
    }
    end(sleeper.thread);
    sleeper.there = 0;
    SetLastError(sleeper.error);
    waited(sleeper.result);
}

/* A thread that has something until it is told to end, which it does without giving that back. */
static struct {
    int there;
    Thread thread;
    HANDLE what;
    volatile LONG had, told;
    DWORD result;
} keeper;

static void have(void)
{
    keeper.result = WaitForSingleObject(keeper.what, 0);
    InterlockedExchange(&keeper.had, 1);
    while (InterlockedCompareExchange(&keeper.told, 0, 0) == 0)
        Sleep(1);
}
static void (*const having)(void) = have;

static void call_keep(void)
{
    if (keeper.there || !is_live(1)) {
        say("busy -");
        return;
    }
    keeper.what = handle(1);
    keeper.had = keeper.told = 0;
    keeper.there = 1;
    keeper.thread = begin(&having);
    while (InterlockedCompareExchange(&keeper.had, 0, 0) == 0)
        Sleep(1);
    say("ok - %x", (unsigned)keeper.result);
}

static void call_let(void)
{
    if (!keeper.there) {
        say("busy -");
        return;
    }
    InterlockedExchange(&keeper.told, 1);
    end(keeper.thread);
    keeper.there = 0;
    say("ok -");
}

/* Ends both, whatever they do. */
static void end_threads(void)
{
    if (keeper.there) {
        InterlockedExchange(&keeper.told, 1);
        end(keeper.thread);
    }
    if (sleeper.there)
        end(sleeper.thread);
    keeper.there = sleeper.there = 0;
}

#endif
