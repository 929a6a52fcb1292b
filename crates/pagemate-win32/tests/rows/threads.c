/* Threads and critical sections, as programs that wait use them. */
#include "rows.h"
#include <process.h>

static HANDLE gate;
static volatile LONG count;
static CRITICAL_SECTION section;

static DWORD WINAPI waits(LPVOID given)
{
    WaitForSingleObject(gate, INFINITE);
    return (DWORD)(ULONG_PTR)given;
}

static DWORD code_of(HANDLE thread)
{
    DWORD code = 0;
    CHECK(GetExitCodeThread(thread, &code));
    return code;
}

static void a_thread_is_waited_for(void)
{
    HANDLE threads[3], duplicate = NULL, me = GetCurrentProcess();
    DWORD ids[3], i;
    gate = CreateEventA(NULL, TRUE, FALSE, NULL);
    for (i = 0; i < 3; i++) {
        threads[i] = CreateThread(NULL, 0, waits, (LPVOID)(ULONG_PTR)(i + 5), 0, &ids[i]);
        CHECK(threads[i] != NULL);
        SAME(GetThreadId(threads[i]), ids[i]);
        SAME(code_of(threads[i]), STILL_ACTIVE);
    }
    CHECK(ids[0] != ids[1] && ids[0] != GetCurrentThreadId());
    SAME(WaitForSingleObject(threads[0], 0), WAIT_TIMEOUT);
    SAME(WaitForMultipleObjects(3, threads, FALSE, 1), WAIT_TIMEOUT);
    CHECK(SetEvent(gate));
    SAME(WaitForMultipleObjects(3, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    for (i = 0; i < 3; i++)
        SAME(code_of(threads[i]), i + 5);
    /* A thread that has ended stays signalled. */
    SAME(WaitForMultipleObjects(3, threads, FALSE, 0), WAIT_OBJECT_0);
    CHECK(DuplicateHandle(me, threads[0], me, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS));
    SAME(code_of(duplicate), 5);
    for (i = 0; i < 3; i++)
        CHECK(CloseHandle(threads[i]));
    SAME(WaitForSingleObject(duplicate, 0), WAIT_OBJECT_0);
    CHECK(CloseHandle(duplicate));
    REFUSED(GetExitCodeThread(gate, &ids[0]), ERROR_INVALID_HANDLE);
    NO_WAIT(duplicate, ERROR_INVALID_HANDLE);
}

static DWORD WINAPI counts(LPVOID given)
{
    InterlockedIncrement(&count);
    return given == NULL;
}

static void a_suspended_thread_waits_to_be_resumed(void)
{
    HANDLE thread = CreateThread(NULL, 1 << 20, counts, NULL, CREATE_SUSPENDED, NULL);
    CHECK(thread != NULL);
    SAME(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
    SAME(count, 0);
    SAME(ResumeThread(thread), 1);
    SAME(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    SAME(count, 1);
    SAME(code_of(thread), 1);
    REFUSED(ResumeThread(NULL) != (DWORD)-1, ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(thread));
}

static unsigned __stdcall takes_and_exits(void *mutex)
{
    if (WaitForSingleObject((HANDLE)mutex, INFINITE) == WAIT_OBJECT_0)
        ExitThread(77);
    return 1;
}

static void mutexes_are_abandoned_before_the_thread_is_signaled(void)
{
    int round;
    for (round = 0; round < 50; round++) {
        HANDLE mutex = CreateMutexA(NULL, FALSE, NULL);
        HANDLE thread = (HANDLE)_beginthreadex(NULL, 0, takes_and_exits, mutex, 0, NULL);
        CHECK(thread != NULL);
        SAME(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        SAME(code_of(thread), 77);
        SAME(WaitForSingleObject(mutex, 0), WAIT_ABANDONED);
        CHECK(ReleaseMutex(mutex));
        CHECK(CloseHandle(thread));
        CHECK(CloseHandle(mutex));
    }
}

static DWORD WINAPI adds(LPVOID total)
{
    int i;
    for (i = 0; i < 10000; i++) {
        EnterCriticalSection(&section);
        EnterCriticalSection(&section);
        ++*(int *)total;
        LeaveCriticalSection(&section);
        LeaveCriticalSection(&section);
    }
    return 0;
}

static DWORD tries(HANDLE ignored)
{
    (void)ignored;
    return TryEnterCriticalSection(&section);
}

static void one_thread_is_in_a_critical_section(void)
{
    HANDLE threads[4];
    int total = 0, i;
    InitializeCriticalSection(&section);
    for (i = 0; i < 4; i++)
        threads[i] = CreateThread(NULL, 0, adds, &total, 0, NULL);
    SAME(WaitForMultipleObjects(4, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    SAME(total, 40000);
    CHECK(TryEnterCriticalSection(&section));
    CHECK(TryEnterCriticalSection(&section));
    SAME(in_thread(tries, NULL), 0);
    LeaveCriticalSection(&section);
    SAME(in_thread(tries, NULL), 0);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    CHECK(InitializeCriticalSectionEx(&section, 4000, 0));
    CHECK(TryEnterCriticalSection(&section));
    SAME(in_thread(tries, NULL), 0);
    LeaveCriticalSection(&section);
    DeleteCriticalSection(&section);
    for (i = 0; i < 4; i++)
        CHECK(CloseHandle(threads[i]));
}

const Row thread_rows[] = {
    {127, "a thread can be waited for and has an exit code", a_thread_is_waited_for},
    {128, "a thread made suspended runs when it is resumed", a_suspended_thread_waits_to_be_resumed},
    {129, "a thread's mutexes are abandoned before it is signalled as ended",
     mutexes_are_abandoned_before_the_thread_is_signaled},
    {130, "one thread at a time owns a critical section, recursively", one_thread_is_in_a_critical_section},
    {0, NULL, NULL},
};
