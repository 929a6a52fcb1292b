/* What Linux does to a Windows program that Windows does not: it has no streams, no room,
 * other environments. The first argument says what happens. */
#include <windows.h>
#include <process.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static HANDLE memory(const char *name, BOOL inherit)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, inherit};
    return CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, 65536, name);
}

/* Every program has a name, and is not read beyond its arguments. */
static void without_a_name(const char *path)
{
    intptr_t started;
    errno = 0;
    started = _spawnl(_P_WAIT, path, NULL);
    printf("%d, error %d\n", (int)started, errno);
}

/* A file that has no room for all of it was not written to. */
static void without_room(void)
{
    static const char bytes[8192];
    struct rlimit little = {5000, 5000};
    HANDLE file = CreateFileA("file.bin", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    DWORD written = 0;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &little);
    if (WriteFile(file, bytes, sizeof bytes, &written, NULL))
        printf("%u bytes\n", written);
    else
        printf("error %u\n", GetLastError());
}

/* What a program prints without standard output goes nowhere. */
static void without_streams(const char *name)
{
    int output = fcntl(1, F_DUPFD_CLOEXEC, 3), stream, open_streams = 0;
    HANDLE made, found, unnamed, file;
    close(0);
    close(1);
    close(2);
    made = memory(name, TRUE);
    found = OpenFileMappingA(FILE_MAP_ALL_ACCESS, TRUE, name);
    unnamed = memory(NULL, TRUE);
    file = CreateFileA("file.bin", GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    SetHandleInformation(file, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    for (stream = 0; stream < 3; stream++)
        open_streams += fcntl(stream, F_GETFD) != -1;
    dup2(output, 1);
    printf("%d objects, %d streams\n",
           (made != NULL) + (found != NULL) + (unnamed != NULL) + (file != INVALID_HANDLE_VALUE),
           open_streams);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    if (strcmp(what, "name") == 0)
        without_a_name(arguments[0]);
    else if (strcmp(what, "room") == 0)
        without_room();
    else if (strcmp(what, "streams") == 0)
        without_streams(arguments[2]);
    return 0;
}
