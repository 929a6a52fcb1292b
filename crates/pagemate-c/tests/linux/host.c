/* What Linux does to a Windows program that Windows does not: it has no streams, no room,
 * other environments. The first argument says what happens. */
#include <windows.h>
#include <process.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every program has a name, and is not read beyond its arguments. */
static void without_a_name(const char *path)
{
    intptr_t started;
    errno = 0;
    started = _spawnl(_P_WAIT, path, NULL);
    printf("%d, error %d\n", (int)started, errno);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    if (strcmp(what, "name") == 0)
        without_a_name(arguments[0]);
    return 0;
}
