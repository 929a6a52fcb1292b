/* Implements the shell command pause for system(), because shells on Linux do not have it. */
#ifndef PAGEMATE_STDLIB_H
#define PAGEMATE_STDLIB_H

/* Include this header before the macro is defined. If the program included it later, it would fail
 * to compile. */
#ifdef __cplusplus
#include <cstdlib>
#else
#include <stdlib.h>
#endif
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pagemate_text.h"

PAGEMATE_BEGIN
int _getch(void);

/* Runs a command as system does, except that pause waits for a key. It prints no prompt if its
 * output is redirected. */
PAGEMATE_WEAK int pagemate_system(const char *command) {
    const char *rest = command;
    if (rest != NULL)
        rest += strspn(rest, " ");
    if (rest == NULL || strncasecmp(rest, "pause", 5) != 0)
        return system(command);
    rest += 5 + strspn(rest + 5, " ");
    if (*rest != 0 && *rest != '>')
        return system(command);
    if (*rest == 0)
        fputs("Press any key to continue . . . ", stdout);
    _getch();
    if (*rest == 0)
        fputs("\n", stdout);
    return 0;
}
PAGEMATE_END

#ifdef __cplusplus
namespace std {
using ::pagemate_system;
}
#endif

#define system(...) pagemate_system(__VA_ARGS__)

#endif
