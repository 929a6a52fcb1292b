// A process that executes another program keeps its inheritable handles. If the descriptor of a
// handle is another file by then, the new program must not use it.
#include <windows.h>
#include <process.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static HANDLE Handle(const char *number)
{
    return (HANDLE)(ULONG_PTR)strtoul(number, NULL, 10);
}

// Returns the descriptor of the inheritable event, and not that of its manifest.
static int InheritedEvent(void)
{
    int fd;
    for (fd = 3; fd < 64; fd++)
    {
        char link[64], file[256];
        int flags = fcntl(fd, F_GETFD);
        ssize_t len;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        len = flags == 0 ? readlink(link, file, sizeof(file) - 1) : -1;
        if (len < 0)
            continue;
        file[len] = 0;
        if (strstr(file, "inherits") != NULL)
            return fd;
    }
    return -1;
}

int main(int argc, char *argv[])
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, TRUE};
    char number[32], place[32];
    HANDLE event;
    int fd;

    if (argc == 2)
    {
        printf("after exec: %lu\n", (unsigned long)WaitForSingleObject(Handle(argv[1]), 0));
        return 0;
    }
    if (argc == 3)
    {
        fd = atoi(argv[2]);
        printf("replaced: %lu", (unsigned long)WaitForSingleObject(Handle(argv[1]), 0));
        CloseHandle(Handle(argv[1]));
        printf(", %s\n", fcntl(fd, F_GETFD) == 0 ? "still open" : "closed");
        return 0;
    }
    if (argc == 4)
    {
        // Execute the program in this process, without a fork.
        printf("after exec: %lu\n", (unsigned long)WaitForSingleObject(Handle(argv[1]), 0));
        fflush(stdout);
        execl(argv[0], argv[0], argv[1], (char *)NULL);
        return 1;
    }
    event = CreateEvent(&attributes, TRUE, TRUE, "inherits");
    snprintf(number, sizeof(number), "%lu", (unsigned long)(ULONG_PTR)event);
    fd = InheritedEvent();
    if (event == NULL || fd < 0)
        return 1;
    snprintf(place, sizeof(place), "%d", fd);
    if (fork() == 0)
    {
        dup2(open("/dev/zero", O_RDONLY), fd);
        execl(argv[0], argv[0], number, place, (char *)NULL);
        _exit(1);
    }
    wait(NULL);
    // A failed exec changes nothing.
    if (_spawnl(_P_OVERLAY, "/nowhere", "/nowhere", NULL) != -1)
        return 1;
    _spawnl(_P_OVERLAY, argv[0], argv[0], number, "and", "again", NULL);
    return 1;
}
