// A process forks while its other threads use handles and views. Each child must be able to use the
// same handles and views.
#include <windows.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORKS 200

static atomic_bool over;
static HANDLE thread;

static void *Work(void *unused)
{
    (void)unused;
    while (!over)
    {
        HANDLE map = CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, NULL);
        HANDLE mutex = CreateMutex(NULL, TRUE, "forks");
        void *view = MapViewOfFile(map, FILE_MAP_WRITE, 0, 0, 0);
        MEMORY_BASIC_INFORMATION told;
        int i;
        for (i = 0; i < 100; i++)
        {
            DWORD flags;
            VirtualQuery(view, &told, sizeof(told));
            GetHandleInformation(map, &flags);
            ResumeThread(thread);
        }
        SetHandleInformation(mutex, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        UnmapViewOfFile(view);
        CloseHandle(mutex);
        CloseHandle(map);
    }
    return NULL;
}

static int Child(HANDLE event)
{
    HANDLE mutex = CreateMutex(NULL, FALSE, "another");
    char *own = (char *)VirtualAlloc(NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    if (mutex == NULL || own == NULL || WaitForSingleObject(event, 0) != WAIT_OBJECT_0)
        return 1;
    own[0] = 1;
    return GetThreadId(thread) == 0;
}

int main(void)
{
    pthread_t threads[2];
    HANDLE event = CreateEvent(NULL, TRUE, TRUE, NULL);
    int i, good = 0;
    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &thread, 0, FALSE,
                    DUPLICATE_SAME_ACCESS);
    for (i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, Work, NULL);
    for (i = 0; i < FORKS && good == i; i++)
    {
        int status = -1;
        pid_t child = fork();
        if (child == 0)
        {
            // An alarm kills a child that hangs.
            alarm(60);
            _exit(Child(event));
        }
        if (child > 0 && waitpid(child, &status, 0) == child && status == 0)
            good++;
    }
    over = TRUE;
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    printf("%d children\n", good);
    return 0;
}
