/* Microsoft's own functions of the C library, for strings of bytes. If a string does not fit, the
 * function returns an error. Microsoft's library would end the program.
 *
 * This folder contains all functions of Microsoft's C library that this project supports. No
 * further functions will be added. */
#ifndef PAGEMATE_CRT_H
#define PAGEMATE_CRT_H

#include <errno.h>
#include <strings.h>

#include "pagemate_printf.h"
#include "pagemate_scanf.h"
#include "pagemate_stdio.h"
#include "pagemate_stdlib.h"
#include "pagemate_time.h"
#include "../windef.h"

typedef int errno_t;

#define STRUNCATE 80

#define _stricmp strcasecmp
#define _strnicmp strncasecmp
#define _strdup strdup
#define strtok_s strtok_r

#define _countof ARRAYSIZE

/* Copies that take the length of the destination, for characters of either width. */
#define PAGEMATE_COPIES(T, copy_part, copy, append)                                               \
    FORCEINLINE errno_t copy_part(T *to, size_t room, const T *from, size_t count) {              \
        size_t at;                                                                                \
        if (to == NULL || room == 0)                                                              \
            return EINVAL;                                                                        \
        for (at = 0; from != NULL && at < room; at++) {                                           \
            to[at] = at == count ? 0 : from[at];                                                  \
            if (to[at] == 0)                                                                      \
                return 0;                                                                         \
        }                                                                                         \
        to[from != NULL && count == _TRUNCATE ? room - 1 : 0] = 0;                                \
        return from == NULL ? EINVAL : count == _TRUNCATE ? STRUNCATE : ERANGE;                   \
    }                                                                                             \
    FORCEINLINE errno_t copy(T *to, size_t room, const T *from) {                                 \
        return copy_part(to, room, from, room);                                                   \
    }                                                                                             \
    FORCEINLINE errno_t append(T *to, size_t room, const T *from) {                               \
        size_t at = 0;                                                                            \
        errno_t error;                                                                            \
        while (to != NULL && at < room && to[at] != 0)                                            \
            at++;                                                                                 \
        error = to == NULL || at == room ? EINVAL : copy(to + at, room - at, from);               \
        if (error != 0 && to != NULL && room > 0)                                                 \
            to[0] = 0;                                                                            \
        return error;                                                                             \
    }

PAGEMATE_BEGIN
PAGEMATE_COPIES(char, strncpy_s, strcpy_s, strcat_s)

FORCEINLINE errno_t memcpy_s(void *to, size_t room, const void *from, size_t count) {
    if (count == 0)
        return 0;
    if (to == NULL)
        return EINVAL;
    if (from == NULL || room < count) {
        memset(to, 0, room);
        return from == NULL ? EINVAL : ERANGE;
    }
    memcpy(to, from, count);
    return 0;
}

FORCEINLINE errno_t fopen_s(FILE **file, const char *path, const char *mode) {
    if (file == NULL)
        return EINVAL;
    *file = path != NULL && mode != NULL ? fopen(path, mode) : NULL;
    return *file != NULL ? 0 : path == NULL || mode == NULL ? EINVAL : errno;
}
PAGEMATE_END

#ifdef __cplusplus
/* In C++, overloads for arrays pass the length of the array. */
template <size_t room>
inline errno_t strcpy_s(char (&to)[room], const char *from) {
    return strcpy_s(to, room, from);
}
template <size_t room>
inline errno_t strcat_s(char (&to)[room], const char *from) {
    return strcat_s(to, room, from);
}
template <size_t room>
inline errno_t strncpy_s(char (&to)[room], const char *from, size_t count) {
    return strncpy_s(to, room, from, count);
}
template <size_t room, typename... Arguments>
inline int sprintf_s(char (&to)[room], const char *format, Arguments... arguments) {
    return sprintf_s(static_cast<char *>(to), room, format, arguments...);
}
#endif

#endif
