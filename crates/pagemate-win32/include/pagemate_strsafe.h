/* Strings with a given length of the buffer. A string that does not fit is truncated, and the
 * function returns an error. */
#ifndef PAGEMATE_STRSAFE_H
#define PAGEMATE_STRSAFE_H

#include "crt/pagemate_crt.h"
#include "crt/pagemate_wide.h"
#include "winerror.h"

#define STRSAFE_MAX_CCH 2147483647
#define STRSAFE_E_INVALID_PARAMETER ((HRESULT)0x80070057)
#define STRSAFE_E_INSUFFICIENT_BUFFER ((HRESULT)0x8007007A)

#define PAGEMATE_SAFE(T, copy, append, measure, vprint, print, to_text, text)                     \
    FORCEINLINE HRESULT copy(T *to, size_t room, const T *from) {                                 \
        size_t at;                                                                                \
        if (room == 0 || room > STRSAFE_MAX_CCH)                                                  \
            return STRSAFE_E_INVALID_PARAMETER;                                                   \
        for (at = 0; at < room - 1 && from[at] != 0; at++)                                        \
            to[at] = from[at];                                                                    \
        to[at] = 0;                                                                               \
        return from[at] == 0 ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;                              \
    }                                                                                             \
    FORCEINLINE HRESULT measure(const T *text, size_t most, size_t *len) {                        \
        size_t at = 0;                                                                            \
        while (text != NULL && at < most && text[at] != 0)                                        \
            at++;                                                                                 \
        if (len != NULL)                                                                          \
            *len = text != NULL && at < most ? at : 0;                                            \
        return text != NULL && at < most && most <= STRSAFE_MAX_CCH ? S_OK                        \
                                                                    : STRSAFE_E_INVALID_PARAMETER; \
    }                                                                                             \
    FORCEINLINE HRESULT append(T *to, size_t room, const T *from) {                               \
        size_t len;                                                                               \
        HRESULT result = measure(to, room, &len);                                                 \
        return result == S_OK ? copy(to + len, room - len, from) : result;                        \
    }                                                                                             \
    FORCEINLINE HRESULT vprint(T *to, size_t room, const T *format, va_list arguments) {          \
        int len;                                                                                  \
        if (room == 0 || room > STRSAFE_MAX_CCH)                                                  \
            return STRSAFE_E_INVALID_PARAMETER;                                                   \
        len = pagemate_format(to_text(to, room), text(format), arguments);                        \
        return len >= 0 && (size_t)len < room ? S_OK : STRSAFE_E_INSUFFICIENT_BUFFER;             \
    }                                                                                             \
    FORCEINLINE HRESULT print(T *to, size_t room, const T *format, ...) {                         \
        HRESULT result;                                                                           \
        va_list arguments;                                                                        \
        va_start(arguments, format);                                                              \
        result = vprint(to, room, format, arguments);                                             \
        va_end(arguments);                                                                        \
        return result;                                                                            \
    }

PAGEMATE_BEGIN
PAGEMATE_SAFE(char, StringCchCopyA, StringCchCatA, StringCchLengthA, StringCchVPrintfA,
              StringCchPrintfA, pagemate_to, pagemate_bytes)
PAGEMATE_SAFE(WCHAR, StringCchCopyW, StringCchCatW, StringCchLengthW, StringCchVPrintfW,
              StringCchPrintfW, pagemate_wide_to, pagemate_wide)
PAGEMATE_END

/* The same functions, with the length in bytes. */
#define StringCbCopyA StringCchCopyA
#define StringCbCatA StringCchCatA
#define StringCbPrintfA StringCchPrintfA
#define StringCbCopyW(to, room, from) StringCchCopyW(to, (room) / sizeof(WCHAR), from)
#define StringCbCatW(to, room, from) StringCchCatW(to, (room) / sizeof(WCHAR), from)
#define StringCbPrintfW(to, room, ...) StringCchPrintfW(to, (room) / sizeof(WCHAR), __VA_ARGS__)

#ifdef UNICODE
#define StringCchCopy StringCchCopyW
#define StringCchCat StringCchCatW
#define StringCchLength StringCchLengthW
#define StringCchVPrintf StringCchVPrintfW
#define StringCchPrintf StringCchPrintfW
#define StringCbCopy StringCbCopyW
#define StringCbCat StringCbCatW
#define StringCbPrintf StringCbPrintfW
#else
#define StringCchCopy StringCchCopyA
#define StringCchCat StringCchCatA
#define StringCchLength StringCchLengthA
#define StringCchVPrintf StringCchVPrintfA
#define StringCchPrintf StringCchPrintfA
#define StringCbCopy StringCbCopyA
#define StringCbCat StringCbCatA
#define StringCbPrintf StringCbPrintfA
#endif

#endif
