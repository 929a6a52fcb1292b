// Producers and consumers with a bounded buffer, which a slim lock and two condition variables
// protect.
#include <windows.h>
#include <stdio.h>

#define BUFFER_SIZE 10
#define PRODUCERS 2
#define CONSUMERS 3
#define EACH 6000

static LONG Buffer[BUFFER_SIZE];
static ULONG QueueSize, QueueStart;
static LONG LastItemProduced, TotalConsumed;
static LONGLONG Sum;
static CONDITION_VARIABLE BufferNotEmpty, BufferNotFull;
static SRWLOCK BufferLock = SRWLOCK_INIT;
static BOOL StopRequested;

static DWORD WINAPI ProducerThreadProc(PVOID p)
{
    int i;
    UNREFERENCED_PARAMETER(p);
    for (i = 0; i < EACH; i++)
    {
        LONG item = InterlockedIncrement(&LastItemProduced);
        AcquireSRWLockExclusive(&BufferLock);
        while (QueueSize == BUFFER_SIZE)
            SleepConditionVariableSRW(&BufferNotFull, &BufferLock, INFINITE, 0);
        Buffer[(QueueStart + QueueSize) % BUFFER_SIZE] = item;
        QueueSize++;
        ReleaseSRWLockExclusive(&BufferLock);
        WakeConditionVariable(&BufferNotEmpty);
    }
    return 0;
}

static DWORD WINAPI ConsumerThreadProc(PVOID p)
{
    DWORD consumed = 0;
    UNREFERENCED_PARAMETER(p);
    for (;;)
    {
        AcquireSRWLockExclusive(&BufferLock);
        while (QueueSize == 0 && !StopRequested)
            SleepConditionVariableSRW(&BufferNotEmpty, &BufferLock, INFINITE, 0);
        if (QueueSize == 0)
        {
            ReleaseSRWLockExclusive(&BufferLock);
            break;
        }
        Sum += Buffer[QueueStart];
        QueueSize--;
        QueueStart = (QueueStart + 1) % BUFFER_SIZE;
        TotalConsumed++;
        consumed++;
        ReleaseSRWLockExclusive(&BufferLock);
        WakeConditionVariable(&BufferNotFull);
    }
    return consumed;
}

int main()
{
    HANDLE producers[PRODUCERS], consumers[CONSUMERS];
    DWORD i, code, total = 0;

    InitializeConditionVariable(&BufferNotEmpty);
    InitializeConditionVariable(&BufferNotFull);
    for (i = 0; i < PRODUCERS; i++)
        producers[i] = CreateThread(NULL, 0, ProducerThreadProc, NULL, 0, NULL);
    for (i = 0; i < CONSUMERS; i++)
        consumers[i] = CreateThread(NULL, 0, ConsumerThreadProc, NULL, 0, NULL);
    WaitForMultipleObjects(PRODUCERS, producers, TRUE, INFINITE);

    AcquireSRWLockExclusive(&BufferLock);
    StopRequested = TRUE;
    ReleaseSRWLockExclusive(&BufferLock);
    WakeAllConditionVariable(&BufferNotEmpty);
    WaitForMultipleObjects(CONSUMERS, consumers, TRUE, INFINITE);
    for (i = 0; i < CONSUMERS; i++)
        if (GetExitCodeThread(consumers[i], &code))
            total += code;

    AcquireSRWLockShared(&BufferLock);
    printf("consumed %ld of %ld, sum %lld\n", (long)TotalConsumed, (long)LastItemProduced, Sum);
    ReleaseSRWLockShared(&BufferLock);
    return total != PRODUCERS * EACH;
}
