/* Microsoft's secure functions for time. The result is the first parameter; in C11 it is the
 * second. */
#ifndef PAGEMATE_TIME_H
#define PAGEMATE_TIME_H

#include <errno.h>
#include <time.h>

#include "windef.h"

PAGEMATE_BEGIN
FORCEINLINE int localtime_s(struct tm *to, const time_t *from) {
    if (to == NULL || from == NULL)
        return EINVAL;
    return localtime_r(from, to) != NULL ? 0 : EINVAL;
}

FORCEINLINE int gmtime_s(struct tm *to, const time_t *from) {
    if (to == NULL || from == NULL)
        return EINVAL;
    return gmtime_r(from, to) != NULL ? 0 : EINVAL;
}

/* A date and a time of fixed width: 26 characters with the newline and the NUL. */
FORCEINLINE int asctime_s(char *to, size_t room, const struct tm *from) {
    if (to != NULL && room > 0)
        to[0] = 0;
    if (to == NULL || room < 26 || from == NULL)
        return EINVAL;
    return strftime(to, room, "%a %b %d %H:%M:%S %Y\n", from) > 0 ? 0 : EINVAL;
}

FORCEINLINE int ctime_s(char *to, size_t room, const time_t *from) {
    struct tm local;
    if (to != NULL && room > 0)
        to[0] = 0;
    return localtime_s(&local, from) == 0 ? asctime_s(to, room, &local) : EINVAL;
}

FORCEINLINE int pagemate_now(char *to, size_t room, const char *format) {
    time_t now = time(NULL);
    struct tm local;
    if (to == NULL || room < 9 || localtime_s(&local, &now) != 0)
        return EINVAL;
    return strftime(to, room, format, &local) > 0 ? 0 : EINVAL;
}

FORCEINLINE int _strdate_s(char *to, size_t room) {
    return pagemate_now(to, room, "%m/%d/%y");
}

FORCEINLINE int _strtime_s(char *to, size_t room) {
    return pagemate_now(to, room, "%H:%M:%S");
}
PAGEMATE_END

#define _localtime64_s localtime_s
#define _gmtime64_s gmtime_s
#define _ctime64_s ctime_s

#ifdef __cplusplus
/* In C++, overloads for arrays pass the length of the array. */
template <size_t room>
inline int asctime_s(char (&to)[room], const struct tm *from) {
    return asctime_s(to, room, from);
}
template <size_t room>
inline int ctime_s(char (&to)[room], const time_t *from) {
    return ctime_s(to, room, from);
}
template <size_t room>
inline int _strdate_s(char (&to)[room]) {
    return _strdate_s(to, room);
}
template <size_t room>
inline int _strtime_s(char (&to)[room]) {
    return _strtime_s(to, room);
}
#endif

#endif
