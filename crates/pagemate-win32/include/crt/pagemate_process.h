/* Starts programs, as Microsoft's C library does. The started program inherits the inheritable
 * handles of this process. */
#ifndef PAGEMATE_PROCESS_H
#define PAGEMATE_PROCESS_H

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../processthreadsapi.h"

#define _P_WAIT 0
#define _P_NOWAIT 1
#define _P_OVERLAY 2
#define _WAIT_CHILD 0
#define _WAIT_GRANDCHILD 1

#ifndef PAGEMATE_NO_OLD_NAMES
#define P_WAIT _P_WAIT
#define P_NOWAIT _P_NOWAIT
#define P_OVERLAY _P_OVERLAY
#endif

PAGEMATE_BEGIN
intptr_t _spawnv(int mode, const char *program, const char *const *arguments);
intptr_t _spawnvp(int mode, const char *program, const char *const *arguments);
intptr_t _spawnve(int mode, const char *program, const char *const *arguments,
                  const char *const *environment);
intptr_t _cwait(int *status, intptr_t process, int action);
int _getpid(void);
__attribute__((noreturn)) void _exit(int status);

typedef unsigned (*_beginthreadex_proc_type)(void *);

FORCEINLINE uintptr_t _beginthreadex(void *security, unsigned stack, _beginthreadex_proc_type start,
                                     void *given, unsigned flags, unsigned *id) {
    HANDLE thread = CreateThread((LPSECURITY_ATTRIBUTES)security, stack, start, given, flags, id);
    if (thread == NULL)
        errno = start == NULL ? EINVAL : EAGAIN;
    return (uintptr_t)thread;
}

#define _endthreadex ExitThread

/* Collects the arguments in an array that grows as needed. The first argument is the program's
 * name. */
FORCEINLINE const char **pagemate_arguments(const char *first, va_list rest) {
    va_list again;
    size_t count = 1, at = 0;
    const char **all;
    if (first == NULL) {
        errno = EINVAL;
        return NULL;
    }
    va_copy(again, rest);
    while (va_arg(again, const char *) != NULL)
        count++;
    va_end(again);
    all = (const char **)malloc((count + 1) * sizeof *all);
    if (all == NULL)
        return NULL;
    all[at++] = first;
    while (at <= count)
        all[at++] = va_arg(rest, const char *);
    return all;
}

#define PAGEMATE_SPAWNS(name, spawn)                                                              \
    FORCEINLINE intptr_t name(int mode, const char *program, const char *first, ...) {            \
        const char **arguments;                                                                   \
        intptr_t result = -1;                                                                     \
        va_list rest;                                                                             \
        va_start(rest, first);                                                                    \
        arguments = pagemate_arguments(first, rest);                                              \
        va_end(rest);                                                                             \
        if (arguments != NULL)                                                                    \
            result = spawn(mode, program, arguments);                                             \
        free(arguments);                                                                          \
        return result;                                                                            \
    }
PAGEMATE_SPAWNS(_spawnl, _spawnv)
PAGEMATE_SPAWNS(_spawnlp, _spawnvp)
PAGEMATE_END

#endif
