/* Slim reader/writer locks and condition variables. */
#include "rows.h"

static SRWLOCK lock = SRWLOCK_INIT;
static CONDITION_VARIABLE filled = CONDITION_VARIABLE_INIT, emptied = CONDITION_VARIABLE_INIT;
static CRITICAL_SECTION section;
static int slots, total, readers;

static DWORD tries_exclusive(HANDLE ignored)
{
    DWORD got = TryAcquireSRWLockExclusive(&lock);
    (void)ignored;
    if (got)
        ReleaseSRWLockExclusive(&lock);
    return got;
}

static DWORD tries_shared(HANDLE ignored)
{
    DWORD got = TryAcquireSRWLockShared(&lock);
    (void)ignored;
    if (got)
        ReleaseSRWLockShared(&lock);
    return got;
}

static void a_lock_is_shared_or_exclusive(void)
{
    SAME(sizeof lock, sizeof(void *));
    SAME(in_thread(tries_exclusive, NULL), TRUE);
    AcquireSRWLockShared(&lock);
    SAME(in_thread(tries_exclusive, NULL), FALSE);
    SAME(in_thread(tries_shared, NULL), TRUE);
    CHECK(TryAcquireSRWLockShared(&lock));
    ReleaseSRWLockShared(&lock);
    SAME(in_thread(tries_exclusive, NULL), FALSE);
    ReleaseSRWLockShared(&lock);
    AcquireSRWLockExclusive(&lock);
    SAME(in_thread(tries_exclusive, NULL), FALSE);
    SAME(in_thread(tries_shared, NULL), FALSE);
    SAME(TryAcquireSRWLockExclusive(&lock), FALSE);
    ReleaseSRWLockExclusive(&lock);
    SAME(in_thread(tries_exclusive, NULL), TRUE);
    InitializeSRWLock(&lock);
    SAME(in_thread(tries_shared, NULL), TRUE);
}

static DWORD writes(HANDLE ignored)
{
    int i;
    (void)ignored;
    for (i = 0; i < 20000; i++) {
        AcquireSRWLockExclusive(&lock);
        if (slots++ != total++)
            return 1;
        ReleaseSRWLockExclusive(&lock);
    }
    return 0;
}

static DWORD reads(HANDLE ignored)
{
    int i, torn = 0;
    (void)ignored;
    for (i = 0; i < 20000; i++) {
        AcquireSRWLockShared(&lock);
        torn += slots != total;
        ReleaseSRWLockShared(&lock);
    }
    return torn;
}

static void owners_exclude_each_other(void)
{
    Thread threads[5];
    int i;
    slots = total = 0;
    for (i = 0; i < 5; i++)
        begin(&threads[i], i < 3 ? writes : reads, NULL);
    for (i = 0; i < 5; i++)
        SAME(joined(&threads[i]), 0);
    SAME(total, 60000);
}

static DWORD takes(HANDLE count)
{
    int left = (int)(LONG_PTR)count;
    for (; left > 0; left--) {
        AcquireSRWLockExclusive(&lock);
        while (slots == 0)
            CHECK(SleepConditionVariableSRW(&filled, &lock, INFINITE, 0));
        slots--;
        total++;
        ReleaseSRWLockExclusive(&lock);
        WakeConditionVariable(&emptied);
    }
    return 0;
}

static void producers_and_consumers_meet(void)
{
    Thread threads[3];
    int i;
    slots = total = 0;
    for (i = 0; i < 3; i++)
        begin(&threads[i], takes, (HANDLE)(LONG_PTR)5000);
    for (i = 0; i < 15000; i++) {
        AcquireSRWLockExclusive(&lock);
        while (slots == 4)
            CHECK(SleepConditionVariableSRW(&emptied, &lock, INFINITE, 0));
        slots++;
        ReleaseSRWLockExclusive(&lock);
        WakeConditionVariable(&filled);
    }
    for (i = 0; i < 3; i++)
        SAME(joined(&threads[i]), 0);
    SAME(total, 15000);
    SAME(slots, 0);
}

static DWORD waits_in_section(HANDLE shared)
{
    int woken = 0;
    if (shared != NULL) {
        AcquireSRWLockShared(&lock);
        InterlockedIncrement((LONG volatile *)&readers);
        while (slots == 0)
            woken = SleepConditionVariableSRW(&filled, &lock, INFINITE, CONDITION_VARIABLE_LOCKMODE_SHARED);
        ReleaseSRWLockShared(&lock);
        return woken;
    }
    EnterCriticalSection(&section);
    readers++;
    while (slots == 0)
        woken = SleepConditionVariableCS(&filled, &section, INFINITE);
    LeaveCriticalSection(&section);
    return woken;
}

static void all_are_woken(void)
{
    Thread threads[4];
    int i, shared;
    InitializeCriticalSection(&section);
    InitializeConditionVariable(&filled);
    for (shared = 0; shared < 2; shared++) {
        slots = readers = 0;
        for (i = 0; i < 4; i++)
            begin(&threads[i], waits_in_section, (HANDLE)(LONG_PTR)shared);
        WAIT_FOR(*(int volatile *)&readers == 4);
        /* Each thread sleeps now, or owns the lock and will sleep next. */
        if (shared)
            AcquireSRWLockExclusive(&lock);
        else
            EnterCriticalSection(&section);
        slots = 1;
        if (shared)
            ReleaseSRWLockExclusive(&lock);
        else
            LeaveCriticalSection(&section);
        WakeAllConditionVariable(&filled);
        for (i = 0; i < 4; i++)
            SAME(joined(&threads[i]), TRUE);
    }
    DeleteCriticalSection(&section);
}

static void waits_time_out(void)
{
    ULONGLONG before = GetTickCount64();
    InitializeCriticalSection(&section);
    EnterCriticalSection(&section);
    REFUSED(SleepConditionVariableCS(&emptied, &section, 30), ERROR_TIMEOUT);
    LeaveCriticalSection(&section);
    AcquireSRWLockExclusive(&lock);
    REFUSED(SleepConditionVariableSRW(&emptied, &lock, 30, 0), ERROR_TIMEOUT);
    REFUSED(SleepConditionVariableSRW(&emptied, &lock, 0, 0), ERROR_TIMEOUT);
    SAME(in_thread(tries_shared, NULL), FALSE);
    ReleaseSRWLockExclusive(&lock);
    AcquireSRWLockShared(&lock);
    REFUSED(SleepConditionVariableSRW(&emptied, &lock, 1, CONDITION_VARIABLE_LOCKMODE_SHARED), ERROR_TIMEOUT);
    SAME(in_thread(tries_exclusive, NULL), FALSE);
    ReleaseSRWLockShared(&lock);
    CHECK(GetTickCount64() - before >= 50);
    DeleteCriticalSection(&section);
}

const Row slim_rows[] = {
    {218, "a slim lock is owned shared or exclusively", a_lock_is_shared_or_exclusive},
    {219, "owners of a slim lock exclude each other", owners_exclude_each_other},
    {220, "producers and consumers wait on condition variables", producers_and_consumers_meet},
    {221, "WakeAllConditionVariable wakes all waiters", all_are_woken},
    {222, "a wait on a condition variable times out", waits_time_out},
    {0, NULL, NULL},
};
