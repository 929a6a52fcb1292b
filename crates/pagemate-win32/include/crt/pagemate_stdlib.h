/* The command pause, which no shell of Linux has. */
#ifndef PAGEMATE_STDLIB_H
#define PAGEMATE_STDLIB_H

/* Before its name is a macro: this header would undo that. */
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

/* As system, but pause waits for a key. With its output sent elsewhere it says nothing. */
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
