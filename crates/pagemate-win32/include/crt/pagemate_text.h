/* Strings of bytes or of 16-bit characters: the code that both share. Bytes are UTF-8. */
#ifndef PAGEMATE_TEXT_H
#define PAGEMATE_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stringapiset.h"

/* Weak symbols: each object file of a program defines these functions, and the linker keeps one
 * definition. */
#define PAGEMATE_WEAK __attribute__((weak))

/* Defines a variadic function that calls the corresponding function with a va_list. */
#define PAGEMATE_BOTH(list, name, parameters, call)                                               \
    PAGEMATE_WEAK int list(PAGEMATE_EACH parameters, va_list arguments) {                         \
        return call;                                                                              \
    }                                                                                             \
    PAGEMATE_WEAK int name(PAGEMATE_EACH parameters, ...) {                                       \
        va_list arguments;                                                                        \
        int result;                                                                               \
        va_start(arguments, format);                                                              \
        result = call;                                                                            \
        va_end(arguments);                                                                        \
        return result;                                                                            \
    }
#define PAGEMATE_EACH(...) __VA_ARGS__

#define _TRUNCATE ((size_t)-1)
/* The buffer length for functions without a length parameter. The program guarantees that the
 * buffer is large enough. */
#define PAGEMATE_ENOUGH ((size_t)-1 / 4)

PAGEMATE_BEGIN
/* Converts a string to 16-bit characters, or to bytes. The caller frees the result. */
PAGEMATE_WEAK WCHAR *pagemate_widen(const char *text, size_t len) {
    WCHAR *wide = (WCHAR *)malloc((len + 1) * sizeof(WCHAR));
    if (wide != NULL)
        wide[len > 0 ? MultiByteToWideChar(CP_UTF8, 0, text, (int)len, wide, (int)len) : 0] = 0;
    return wide;
}

PAGEMATE_WEAK char *pagemate_narrow(const WCHAR *text, size_t len) {
    /* A 16-bit unit becomes at most three bytes. */
    int room = (int)len * 3;
    char *narrow = (char *)malloc((size_t)room + 1);
    if (narrow != NULL)
        narrow[len > 0 ? WideCharToMultiByte(CP_UTF8, 0, text, (int)len, narrow, room, NULL, NULL)
                       : 0] = 0;
    return narrow;
}

/* A string of either width: one of the two pointers is not null. */
struct pagemate_text {
    const char *bytes;
    const WCHAR *wide;
};

PAGEMATE_WEAK struct pagemate_text pagemate_bytes(const char *bytes) {
    struct pagemate_text text = {bytes, NULL};
    return text;
}

PAGEMATE_WEAK struct pagemate_text pagemate_wide(const WCHAR *wide) {
    struct pagemate_text text = {NULL, wide};
    return text;
}

PAGEMATE_WEAK int pagemate_at(struct pagemate_text text, size_t at) {
    return text.wide != NULL ? text.wide[at] : (unsigned char)text.bytes[at];
}

/* Returns the length of a string, which needs no NUL if a maximal length is given. */
PAGEMATE_WEAK size_t pagemate_len(struct pagemate_text text, size_t most) {
    size_t len = 0;
    while (len != most && pagemate_at(text, len) != 0)
        len++;
    return len;
}

/* An output buffer: it stores the text as far as it fits and counts all of it. */
struct pagemate_out {
    int is_wide;
    void *to;
    size_t room, len;
};

PAGEMATE_WEAK void pagemate_set(struct pagemate_out *out, size_t at, int unit) {
    if (out->is_wide)
        ((WCHAR *)out->to)[at] = (WCHAR)unit;
    else
        ((char *)out->to)[at] = (char)unit;
}

PAGEMATE_WEAK void pagemate_put(struct pagemate_out *out, int unit) {
    if (out->len < out->room)
        pagemate_set(out, out->len, unit);
    out->len++;
}

/* Pads a text to a width: to the left of the text for a positive width, to the right of it for a
 * negative one. Returns false if there is no memory. */
PAGEMATE_WEAK int pagemate_put_text(struct pagemate_out *out, struct pagemate_text text, size_t len,
                                    int width) {
    void *other = NULL;
    size_t at;
    if (out->is_wide && text.wide == NULL) {
        text = pagemate_wide((WCHAR *)(other = pagemate_widen(text.bytes, len)));
    } else if (!out->is_wide && text.bytes == NULL) {
        text = pagemate_bytes((char *)(other = pagemate_narrow(text.wide, len)));
    }
    if (text.wide == NULL && text.bytes == NULL)
        return 0;
    if (other != NULL)
        len = pagemate_len(text, (size_t)-1);
    for (at = len; width > 0 && at < (size_t)width; at++)
        pagemate_put(out, ' ');
    for (at = 0; at < len; at++)
        pagemate_put(out, pagemate_at(text, at));
    for (at = len; width < 0 && at < (size_t)-width; at++)
        pagemate_put(out, ' ');
    free(other);
    return 1;
}

/* Writes the collected text to a stream. Returns its length, or a negative number if it fails. */
PAGEMATE_WEAK int pagemate_write(FILE *stream, const struct pagemate_out *out) {
    char *bytes = (char *)out->to;
    size_t len = out->len, written;
    if (out->is_wide) {
        bytes = pagemate_narrow((const WCHAR *)out->to, len);
        if (bytes == NULL)
            return -1;
        len = strlen(bytes);
    }
    written = fwrite(bytes, 1, len, stream);
    if (out->is_wide)
        free(bytes);
    return written == len ? (int)out->len : -1;
}

PAGEMATE_WEAK int pagemate_is_of(int unit, const char *set) {
    return unit != 0 && unit < 128 && strchr(set, unit) != NULL;
}

/* Reads the length prefix of a conversion and advances to its letter. Returns -2 for hh, -1 for h,
 * 1 for 32 bits, 2 for 64 bits and 3 for L. */
PAGEMATE_WEAK int pagemate_size(struct pagemate_text format, size_t *at) {
    int size = 0;
    if (pagemate_at(format, *at) == 'I' && pagemate_at(format, *at + 1) == '6'
        && pagemate_at(format, *at + 2) == '4') {
        *at += 3;
        return 2;
    }
    if (pagemate_at(format, *at) == 'I' && pagemate_at(format, *at + 1) == '3'
        && pagemate_at(format, *at + 2) == '2') {
        *at += 3;
        return 1;
    }
    for (; pagemate_is_of(pagemate_at(format, *at), "hlwLIjzt"); ++*at) {
        int unit = pagemate_at(format, *at);
        size = unit == 'h' ? size - 1 : unit == 'l' || unit == 'w' ? size + 1 : unit == 'L' ? 3 : 2;
    }
    return size;
}
PAGEMATE_END

#endif
