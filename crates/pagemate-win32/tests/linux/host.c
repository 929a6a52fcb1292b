/* Conditions that exist only for a Windows program on Linux: missing standard streams, a full file,
 * another environment. The first argument selects the condition. */
#include <windows.h>
#include <process.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static HANDLE memory(const char *name, BOOL inherit)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, inherit};
    return CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, 65536, name);
}

static char *view(HANDLE map)
{
    return (char *)MapViewOfFile(map, FILE_MAP_WRITE, 0, 0, 0);
}

static void show(const char *number)
{
    char *seen = view((HANDLE)(ULONG_PTR)strtoul(number, NULL, 10));
    if (seen == NULL)
        printf("error %u\n", GetLastError());
    else
        printf("%s\n", seen);
}

/* CreateProcess fails without a program name, and does not read its arguments beyond their end. */
static void without_a_name(const char *path)
{
    intptr_t started;
    errno = 0;
    started = _spawnl(_P_WAIT, path, NULL);
    printf("%d, error %d\n", (int)started, errno);
}

/* A write that the system performs only in part must fail. */
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

/* If standard output is closed, no object may get its descriptor number, because the program would
 * then print into the object. */
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

/* The child uses another object directory. The name there belongs to another object, so the child
 * must refuse the handle that it inherits. */
static void elsewhere(const char *path, const char *name)
{
    char here[4096], number[32], there[4096 + 16];
    const char *const arguments[] = {path, "show", number, NULL};
    const char *const environment[] = {there, NULL};
    HANDLE map = memory(name, TRUE);
    strcpy(view(map), "ours");
    snprintf(number, sizeof number, "%lu", (unsigned long)(ULONG_PTR)map);
    snprintf(there, sizeof there, "PAGEMATE_DIR=%s/there", getcwd(here, sizeof here));
    mkdir("there", 0700);
    putenv(there);
    strcpy(view(memory(name, FALSE)), "theirs");
    _spawnve(_P_WAIT, path, arguments, environment);
    if (SetHandleInformation(map, HANDLE_FLAG_INHERIT, 0)
        && !SetHandleInformation(map, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT))
        printf("not to be inherited from here: error %u\n", GetLastError());
}

#pragma pack(push, 1)
static struct {
    char odd;
    SECURITY_ATTRIBUTES attributes;
    SECURITY_DESCRIPTOR descriptor;
    WCHAR name[64];
} packed;
#pragma pack(pop)

/* The fields of a packed structure may be unaligned. */
static void packed_results(void)
{
    static struct
    {
        char first;
        WCHAR folder[PATH_MAX];
        HANDLE events[2];
        SECURITY_DESCRIPTOR descriptor;
    } __attribute__((packed)) out;
    char *at = (char *)&out;
    DWORD len = GetCurrentDirectoryW(PATH_MAX, (void *)(at + 1)), waited;
    void *descriptor = at + offsetof(__typeof__(out), descriptor);
    out.events[0] = CreateEventA(NULL, TRUE, FALSE, NULL);
    out.events[1] = CreateEventA(NULL, TRUE, TRUE, NULL);
    waited = WaitForMultipleObjects(2, (void *)(at + offsetof(__typeof__(out), events)), FALSE, 0);
    printf("%d, %u, %d\n", len > 0 && out.folder[0] == '/' && out.folder[len] == 0, waited,
           InitializeSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION)
               && SetSecurityDescriptorDacl(descriptor, TRUE, NULL, FALSE));
}

static void packed_arguments(const char *name)
{
    SECURITY_DESCRIPTOR descriptor;
    HANDLE map, found;
    size_t at;
    InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    packed.descriptor = descriptor;
    packed.attributes.nLength = sizeof packed.attributes;
    packed.attributes.lpSecurityDescriptor = (char *)&packed + 1 + sizeof packed.attributes;
    for (at = 0; name[at] != 0; at++)
        packed.name[at] = (WCHAR)name[at];
    map = CreateFileMappingW(INVALID_HANDLE_VALUE, (void *)((char *)&packed + 1), PAGE_READWRITE, 0, 1,
                             (void *)((char *)&packed + offsetof(__typeof__(packed), name)));
    found = OpenFileMappingA(FILE_MAP_READ, FALSE, name);
    printf("%s, %s\n", map != NULL ? "made" : "not made", found != NULL ? "found" : "not found");
    packed_results();
}

static DWORD WINAPI forks(LPVOID done)
{
    pid_t child = fork();
    if (child == 0)
        exit(0);
    waitpid(child, NULL, 0);
    SetEvent(done);
    Sleep(INFINITE);
    return 0;
}

/* A thread forks, and the child exits. The thread must not be marked as ended. */
static void forked_in_a_thread(void)
{
    HANDLE done = CreateEventA(NULL, TRUE, FALSE, NULL);
    HANDLE thread = CreateThread(NULL, 0, forks, done, 0, NULL);
    WaitForSingleObject(done, INFINITE);
    printf("%s\n", WaitForSingleObject(thread, 0) == WAIT_TIMEOUT ? "it runs" : "it has ended");
}

/* The usual limit of descriptors must not limit the number of handles. */
static void with_few_descriptors(void)
{
    struct rlimit limit;
    int count = 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (count < 500 && CreateEventA(NULL, TRUE, TRUE, NULL) != NULL)
        count++;
    printf("%d handles\n", count);
}

static DWORD WINAPI nothing(void *given)
{
    (void)given;
    return 0;
}

/* A thread with a stack as large as the address space cannot be created. */
static void with_a_huge_stack(void)
{
    HANDLE thread = CreateThread(NULL, ~(SIZE_T)0, nothing, NULL, 0, NULL);
    printf("%s, error %u\n", thread == NULL ? "none" : "made", GetLastError());
}

/* Creates the manifest of an inheritable handle with the highest possible value, and executes this
 * program again. The table of handles must not allocate memory for all lower values. */
static void with_a_far_handle(const char *path)
{
    char text[256], number[32];
    struct stat file;
    int zero = fcntl(open("/dev/zero", O_RDONLY), F_DUPFD, 100), manifest = memfd_create("pagemate:handle", 0);
    fstat(zero, &file);
    snprintf(number, sizeof number, "%u", 1u << 26);
    snprintf(text, sizeof text, "%032d %s 1179785 file %d %lu %lu 0 ", 1, number, zero,
             (unsigned long)file.st_dev, (unsigned long)file.st_ino);
    if (write(manifest, text, strlen(text)) > 0)
        execl(path, path, "near", number, (char *)NULL);
}

static void and_a_near_one(const char *number)
{
    struct rlimit some = {512u << 20, 512u << 20};
    DWORD count = 0;
    char byte = 1;
    setrlimit(RLIMIT_AS, &some);
    ReadFile((HANDLE)(ULONG_PTR)strtoul(number, NULL, 10), &byte, 1, &count, NULL);
    printf("%u bytes, %s\n", count, CreateEventA(NULL, TRUE, TRUE, NULL) == (HANDLE)4 ? "and the first" : "none");
}

/* Prints the error messages of calls that fail because the object directory is unusable. */
static void without_a_directory(const char *path)
{
    setenv("PAGEMATE_DIR", path, 1);
    CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, "none");
    printf("%s\n", pagemate_win32_last_error_message());
    CreateEventA(NULL, TRUE, TRUE, "none");
    printf("%u\n", GetLastError());
    OpenMutexA(SYNCHRONIZE, FALSE, "none");
    printf("%u\n", GetLastError());
    CloseHandle(NULL);
    printf("%s\n", pagemate_win32_last_error_message());
    OutputDebugStringA("for a debugger\n");
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
    else if (strcmp(what, "elsewhere") == 0)
        elsewhere(arguments[0], arguments[2]);
    else if (strcmp(what, "packed") == 0)
        packed_arguments(arguments[2]);
    else if (strcmp(what, "forks") == 0)
        forked_in_a_thread();
    else if (strcmp(what, "few") == 0)
        with_few_descriptors();
    else if (strcmp(what, "stack") == 0)
        with_a_huge_stack();
    else if (strcmp(what, "far") == 0)
        with_a_far_handle(arguments[0]);
    else if (strcmp(what, "near") == 0)
        and_a_near_one(arguments[2]);
    else if (strcmp(what, "directory") == 0)
        without_a_directory(arguments[2]);
    else if (strcmp(what, "show") == 0)
        show(arguments[2]);
    return 0;
}
