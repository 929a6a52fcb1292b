// A queue of numbers between two processes: "queue put" fills it, and "queue take" empties it. The
// first process creates the memory, its mutex and its events. "queue crash" exits while it owns the
// mutex and has changed only a part of the data.
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 8
#define NUMBERS 1000
#define TIMEOUT 30000

typedef struct
{
    BOOL changing;
    DWORD put, taken;
    DWORD numbers[ROOM];
} Queue;

static HANDLE g_mutex, g_map, g_ready, g_space, g_closed;
static Queue *g_queue;

static BOOL Open(void)
{
    g_mutex = CreateMutex(NULL, FALSE, TEXT("Local\\NumbersMutex"));
    g_map = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(Queue),
                              TEXT("Local\\Numbers"));
    g_ready = CreateEvent(NULL, FALSE, FALSE, TEXT("Local\\NumbersReady"));
    g_space = CreateEvent(NULL, FALSE, FALSE, TEXT("Local\\NumbersSpace"));
    g_closed = CreateEvent(NULL, TRUE, FALSE, TEXT("Local\\NumbersClosed"));
    printf(GetLastError() == ERROR_ALREADY_EXISTS ? "found the queue\n" : "made the queue\n");
    fflush(stdout);
    if (!g_mutex || !g_map || !g_ready || !g_space || !g_closed)
        return FALSE;
    g_queue = (Queue *)MapViewOfFile(g_map, FILE_MAP_ALL_ACCESS, 0, 0, sizeof(Queue));
    return g_queue != NULL;
}

static BOOL Lock(void)
{
    DWORD result = WaitForSingleObject(g_mutex, TIMEOUT);
    if (result == WAIT_ABANDONED)
    {
        printf("another process died with the mutex%s\n", g_queue->changing ? " during a change" : "");
        g_queue->changing = FALSE;
        return TRUE;
    }
    return result == WAIT_OBJECT_0;
}

static int Put(void)
{
    DWORD next = 1;
    BOOL empty;
    do
    {
        if (!Lock())
            return 1;
        while (next <= NUMBERS && g_queue->put - g_queue->taken < ROOM)
            g_queue->numbers[g_queue->put++ % ROOM] = next++;
        empty = g_queue->put == g_queue->taken;
        ReleaseMutex(g_mutex);
        SetEvent(g_ready);
        if (!empty && WaitForSingleObject(g_space, TIMEOUT) != WAIT_OBJECT_0)
            return 1;
    } while (!empty);
    SetEvent(g_closed);
    printf("put %d numbers\n", NUMBERS);
    return 0;
}

static int Take(void)
{
    HANDLE events[2];
    DWORD count = 0, sum = 0, result;
    events[0] = g_ready;
    events[1] = g_closed;
    for (;;)
    {
        result = WaitForMultipleObjects(2, events, FALSE, TIMEOUT);
        if (result == WAIT_OBJECT_0 + 1)
            break;
        if (result != WAIT_OBJECT_0 || !Lock())
            return 1;
        while (g_queue->taken != g_queue->put)
        {
            DWORD number = g_queue->numbers[g_queue->taken++ % ROOM];
            if (number != ++count)
                printf("number %u came as number %u\n", (unsigned)number, (unsigned)count);
            sum += number;
        }
        ReleaseMutex(g_mutex);
        SetEvent(g_space);
    }
    printf("took %u numbers, sum %u\n", (unsigned)count, (unsigned)sum);
    return 0;
}

int main(int argc, char *argv[])
{
    int status = 1;
    if (argc != 2 || !Open())
        return 2;
    if (strcmp(argv[1], "put") == 0)
        status = Put();
    else if (strcmp(argv[1], "take") == 0)
        status = Take();
    else if (Lock())
    {
        g_queue->changing = TRUE;
        abort();
    }
    UnmapViewOfFile(g_queue);
    CloseHandle(g_closed);
    CloseHandle(g_space);
    CloseHandle(g_ready);
    CloseHandle(g_map);
    CloseHandle(g_mutex);
    return status;
}
