/* A child restores its inherited handles while its sibling holds locks on the same files. */
#include <windows.h>
#include <fcntl.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Locks every file that the children inherit. A sibling may do that, because all children share
 * these files. */
static void lock_inherited(void)
{
    int fd;
    for (fd = 3; fd < 64; fd++) {
        char link[64], file[256];
        ssize_t len = -1;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (fcntl(fd, F_GETFD) == 0)
            len = readlink(link, file, sizeof file - 1);
        if (len > 0 && strncmp(file, "/memfd:", 7) == 0)
            flock(open(link, O_RDWR | O_CLOEXEC), LOCK_EX);
    }
}

int main(int count, char **arguments)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    char number[32];
    HANDLE event;
    if (count == 2) {
        event = (HANDLE)(ULONG_PTR)strtoul(arguments[1], NULL, 10);
        printf("the child: %u\n", (unsigned)WaitForSingleObject(event, 0));
        return 0;
    }
    event = CreateEventA(&attributes, TRUE, TRUE, NULL);
    lock_inherited();
    snprintf(number, sizeof number, "%lu", (unsigned long)(ULONG_PTR)event);
    if (_spawnl(_P_WAIT, arguments[0], arguments[0], number, NULL) != 0)
        return 1;
    printf("the parent: %u\n", (unsigned)WaitForSingleObject(event, 0));
    return 0;
}
