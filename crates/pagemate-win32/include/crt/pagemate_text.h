/* Texts in bytes or in 16-bit characters, for what is the same for both. Bytes are UTF-8. */
#ifndef PAGEMATE_TEXT_H
#define PAGEMATE_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stringapiset.h"

/* Each file of a program brings such functions along, and one of each stays. */
#define PAGEMATE_WEAK __attribute__((weak))

/* A function that takes what follows its format as a list, and one that takes it as arguments. */
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
/* Room enough, by the word of a program that has made it. */
#define PAGEMATE_ENOUGH ((size_t)-1 / 4)

PAGEMATE_BEGIN
/* A text in 16-bit characters, and one in bytes; both are the caller's to free. */
PAGEMATE_WEAK WCHAR *pagemate_widen(const char *text, size_t len) {
    WCHAR *wide = (WCHAR *)malloc((len + 1) * sizeof(WCHAR));
    if (wide != NULL)
        wide[len > 0 ? MultiByteToWideChar(CP_UTF8, 0, text, (int)len, wide, (int)len) : 0] = 0;
    return wide;
}

PAGEMATE_WEAK char *pagemate_narrow(const WCHAR *text, size_t len) {
    /* No unit takes more than three bytes. */
    int room = (int)len * 3;
    char *narrow = (char *)malloc((size_t)room + 1);
    if (narrow != NULL)
        narrow[len > 0 ? WideCharToMultiByte(CP_UTF8, 0, text, (int)len, narrow, room, NULL, NULL)
                       : 0] = 0;
    return narrow;
}

/* A text of which one is there. */
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

/* How long a text is, which need not end if only its first part is asked for. */
PAGEMATE_WEAK size_t pagemate_len(struct pagemate_text text, size_t most) {
    size_t len = 0;
    while (len != most && pagemate_at(text, len) != 0)
        len++;
    return len;
}

/* A text that grows as far as there is room, and is counted on. */
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

/* As wide as it is to be: more than zero with the text at the right, less with it at the left. False
 * if there is no memory. */
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

/* Writes what was put to a stream; how much it was, or less than zero. */
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

/* What stands before the letter of a conversion: -2, -1: hh, h. 1, 2: 32 bits, and 64. 3: L. Goes on
 * to that letter. */
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
