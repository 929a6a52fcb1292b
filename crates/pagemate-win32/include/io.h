/* Streams by file descriptor. Text of 16-bit characters is written as UTF-8 in every mode, and
 * bytes are written unchanged. */
#ifndef PAGEMATE_IO_H
#define PAGEMATE_IO_H

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "windef.h"

#define _O_TEXT 0x4000
#define _O_BINARY 0x8000
#define _O_WTEXT 0x10000
#define _O_U16TEXT 0x20000
#define _O_U8TEXT 0x40000

#define _fileno fileno
#define _isatty isatty

PAGEMATE_BEGIN
/* Checks the arguments only, because streams have no modes here. Returns _O_TEXT as the previous
 * mode. */
FORCEINLINE int _setmode(int stream, int mode) {
    int known = mode == _O_TEXT || mode == _O_BINARY || mode == _O_WTEXT || mode == _O_U16TEXT
                || mode == _O_U8TEXT;
    if (known && stream >= 0)
        return _O_TEXT;
    errno = known ? EBADF : EINVAL;
    return -1;
}
PAGEMATE_END

#endif
