/* A process loads two copies of the library. The copy that the process uses first restores an
 * inherited handle, and the other copy does not have it. A handle that a copy created belongs to
 * that copy, even after a child has inherited it. */
#include <windows.h>
#include <dlfcn.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void use_both(const char *library, HANDLE event)
{
    void *other = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    BOOL(WINAPI * set)(HANDLE) = (BOOL(WINAPI *)(HANDLE))dlsym(other, "SetEvent");
    DWORD(WINAPI * error)(void) = (DWORD(WINAPI *)(void))dlsym(other, "GetLastError");
    BOOL done;
    if (set == NULL || error == NULL) {
        printf("%s\n", dlerror());
        return;
    }
    printf("the first: %u, ", (unsigned)WaitForSingleObject(event, 0));
    done = set(event);
    printf("the second: %d, error %u", done, (unsigned)error());
    printf(", the first: %u\n", (unsigned)WaitForSingleObject(event, 0));
    fflush(stdout);
}

int main(int count, char **arguments)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, TRUE};
    char number[32];
    HANDLE event;
    if (count == 3) {
        use_both(arguments[1], (HANDLE)(ULONG_PTR)strtoul(arguments[2], NULL, 10));
        return 0;
    }
    event = CreateEventA(&attributes, TRUE, FALSE, NULL);
    snprintf(number, sizeof number, "%lu", (unsigned long)(ULONG_PTR)event);
    if (_spawnl(_P_WAIT, arguments[0], arguments[0], arguments[1], number, NULL) != 0)
        return 2;
    use_both(arguments[1], event);
    execl(arguments[0], arguments[0], arguments[1], number, (char *)NULL);
    return 1;
}
