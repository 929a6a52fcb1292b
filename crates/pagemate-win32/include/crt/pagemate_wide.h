/* Strings of 16-bit characters: counterparts of the C library's functions for 32-bit wchar_t.
 *
 * With -fshort-wchar, these functions replace those of <wchar.h>. They are weak, because every
 * file of a program defines them. Streams are read and written as UTF-8. */
#ifndef PAGEMATE_WIDE_H
#define PAGEMATE_WIDE_H

#include "pagemate_crt.h"

PAGEMATE_BEGIN
PAGEMATE_WEAK size_t pagemate_wcslen(const WCHAR *text) {
    size_t len = 0;
    while (text[len] != 0)
        len++;
    return len;
}

PAGEMATE_WEAK size_t pagemate_wcsnlen(const WCHAR *text, size_t most) {
    size_t len = 0;
    while (len < most && text[len] != 0)
        len++;
    return len;
}

PAGEMATE_WEAK WCHAR *pagemate_wmemcpy(WCHAR *to, const WCHAR *from, size_t count) {
    return (WCHAR *)memcpy(to, from, count * sizeof(WCHAR));
}

PAGEMATE_WEAK WCHAR *pagemate_wmemmove(WCHAR *to, const WCHAR *from, size_t count) {
    return (WCHAR *)memmove(to, from, count * sizeof(WCHAR));
}

PAGEMATE_WEAK WCHAR *pagemate_wmemset(WCHAR *to, WCHAR value, size_t count) {
    size_t at;
    for (at = 0; at < count; at++)
        to[at] = value;
    return to;
}

PAGEMATE_WEAK const WCHAR *pagemate_wmemchr(const WCHAR *text, WCHAR wanted, size_t count) {
    for (; count > 0; text++, count--)
        if (*text == wanted)
            return text;
    return NULL;
}

PAGEMATE_WEAK int pagemate_wmemcmp(const WCHAR *a, const WCHAR *b, size_t count) {
    for (; count > 0; a++, b++, count--)
        if (*a != *b)
            return *a < *b ? -1 : 1;
    return 0;
}

PAGEMATE_WEAK WCHAR *pagemate_wcscpy(WCHAR *to, const WCHAR *from) {
    return pagemate_wmemcpy(to, from, pagemate_wcslen(from) + 1);
}

PAGEMATE_WEAK WCHAR *pagemate_wcsncpy(WCHAR *to, const WCHAR *from, size_t count) {
    size_t len = pagemate_wcsnlen(from, count);
    pagemate_wmemcpy(to, from, len);
    pagemate_wmemset(to + len, 0, count - len);
    return to;
}

PAGEMATE_WEAK WCHAR *pagemate_wcscat(WCHAR *to, const WCHAR *from) {
    pagemate_wcscpy(to + pagemate_wcslen(to), from);
    return to;
}

PAGEMATE_WEAK WCHAR *pagemate_wcsncat(WCHAR *to, const WCHAR *from, size_t count) {
    WCHAR *end = to + pagemate_wcslen(to);
    size_t len = pagemate_wcsnlen(from, count);
    pagemate_wmemcpy(end, from, len);
    end[len] = 0;
    return to;
}

PAGEMATE_WEAK int pagemate_wcsncmp(const WCHAR *a, const WCHAR *b, size_t count) {
    for (; count > 0; a++, b++, count--)
        if (*a != *b || *a == 0)
            return *a < *b ? -1 : *a > *b;
    return 0;
}

PAGEMATE_WEAK int pagemate_wcscmp(const WCHAR *a, const WCHAR *b) {
    return pagemate_wcsncmp(a, b, (size_t)-1);
}

/* Converts the case of ASCII letters only, as in the "C" locale, which each program has at its
 * start. */
PAGEMATE_WEAK int pagemate_fold(WCHAR unit) {
    return unit >= 'A' && unit <= 'Z' ? unit + ('a' - 'A') : unit;
}

PAGEMATE_WEAK int pagemate_wcsnicmp(const WCHAR *a, const WCHAR *b, size_t count) {
    for (; count > 0; a++, b++, count--)
        if (pagemate_fold(*a) != pagemate_fold(*b) || *a == 0)
            return pagemate_fold(*a) - pagemate_fold(*b);
    return 0;
}

PAGEMATE_WEAK int pagemate_wcsicmp(const WCHAR *a, const WCHAR *b) {
    return pagemate_wcsnicmp(a, b, (size_t)-1);
}

PAGEMATE_WEAK WCHAR *pagemate_wcschr(const WCHAR *text, WCHAR wanted) {
    return (WCHAR *)pagemate_wmemchr(text, wanted, pagemate_wcslen(text) + 1);
}

PAGEMATE_WEAK WCHAR *pagemate_wcsrchr(const WCHAR *text, WCHAR wanted) {
    const WCHAR *at = text + pagemate_wcslen(text);
    while (*at != wanted && at > text)
        at--;
    return *at == wanted ? (WCHAR *)at : NULL;
}

PAGEMATE_WEAK WCHAR *pagemate_wcsstr(const WCHAR *text, const WCHAR *part) {
    size_t len = pagemate_wcslen(part);
    for (; pagemate_wcsncmp(text, part, len) != 0; text++)
        if (*text == 0)
            return NULL;
    return (WCHAR *)text;
}

PAGEMATE_WEAK WCHAR *pagemate_wcsdup(const WCHAR *text) {
    size_t len = pagemate_wcslen(text) + 1;
    WCHAR *twin = (WCHAR *)malloc(len * sizeof(WCHAR));
    return twin == NULL ? NULL : pagemate_wmemcpy(twin, text, len);
}

/* Skips white space and copies the ASCII characters that follow, at most 79 of them, which suffice
 * for a number. */
PAGEMATE_WEAK const WCHAR *pagemate_digits(const WCHAR *text, char (*digits)[80]) {
    size_t at = 0;
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    for (; at < sizeof *digits - 1 && text[at] != 0 && text[at] < 128; at++)
        (*digits)[at] = (char)text[at];
    (*digits)[at] = 0;
    return text;
}

PAGEMATE_WEAK long pagemate_wcstol(const WCHAR *text, WCHAR **end, int base) {
    char digits[80], *stop;
    const WCHAR *start = pagemate_digits(text, &digits);
    long value = strtol(digits, &stop, base);
    if (end != NULL)
        *end = (WCHAR *)(stop == digits ? text : start + (stop - digits));
    return value;
}

PAGEMATE_WEAK unsigned long pagemate_wcstoul(const WCHAR *text, WCHAR **end, int base) {
    char digits[80], *stop;
    const WCHAR *start = pagemate_digits(text, &digits);
    unsigned long value = strtoul(digits, &stop, base);
    if (end != NULL)
        *end = (WCHAR *)(stop == digits ? text : start + (stop - digits));
    return value;
}

PAGEMATE_WEAK int pagemate_wtoi(const WCHAR *text) {
    return (int)pagemate_wcstol(text, NULL, 10);
}

PAGEMATE_COPIES(WCHAR, wcsncpy_s, wcscpy_s, wcscat_s)

PAGEMATE_WEAK int pagemate_fputws(const WCHAR *text, FILE *stream) {
    size_t len = pagemate_wcslen(text);
    struct pagemate_out all = {1, (void *)text, len, len};
    return pagemate_write(stream, &all) < 0 ? -1 : 0;
}

PAGEMATE_WEAK int pagemate_putws(const WCHAR *text) {
    return pagemate_fputws(text, stdout) < 0 ? -1 : putchar('\n') == EOF ? -1 : 0;
}

/* Reads the next character of a stream, which may take two units. Returns -1 at the end. */
PAGEMATE_WEAK int pagemate_fgetc(FILE *stream) {
    static const int least[] = {0, 0x80, 0x800, 0x10000};
    int first = fgetc(stream), more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0;
    int len = more, value = more == 0 ? first : first & (0x3F >> more);
    for (; more > 0; more--) {
        int next = fgetc(stream);
        if (next == EOF || (next & 0xC0) != 0x80) {
            ungetc(next, stream);
            return 0xFFFD;
        }
        value = value << 6 | (next & 0x3F);
    }
    /* An invalid first byte, an overlong form, a surrogate, or a value above U+10FFFF. */
    if ((len == 0 && value >= 0x80) || (len > 0 && value < least[len]) || value >> 11 == 0x1B
        || value > 0x10FFFF)
        return 0xFFFD;
    return value;
}

PAGEMATE_WEAK WCHAR *pagemate_fgetws(WCHAR *to, int room, FILE *stream) {
    int at = 0, value = 0;
    /* Continue only while two units and the NUL fit, because a character may have two units. An
     * exception is the first character: in a buffer of two units, U+FFFD replaces it if it has two
     * units. */
    while (at + 1 < room && (at == 0 || at + 2 < room) && value != '\n'
           && (value = pagemate_fgetc(stream)) != EOF) {
        if (value > 0xFFFF && room == 2)
            value = 0xFFFD;
        if (value > 0xFFFF) {
            to[at++] = (WCHAR)(0xD7C0 + (value >> 10));
            value = 0xDC00 + (value & 0x3FF);
        }
        to[at++] = (WCHAR)value;
    }
    if (at == 0 && room != 1)
        return NULL;
    to[at] = 0;
    return to;
}

PAGEMATE_WEAK int pagemate_getwchar(void) {
    int value = pagemate_fgetc(stdin);
    return value > 0xFFFF ? 0xFFFD : value;
}

PAGEMATE_WEAK FILE *pagemate_wfopen(const WCHAR *path, const WCHAR *mode) {
    char *narrow_path = pagemate_narrow(path, pagemate_wcslen(path));
    char *narrow_mode = pagemate_narrow(mode, pagemate_wcslen(mode));
    FILE *file = NULL;
    if (narrow_path != NULL && narrow_mode != NULL)
        file = fopen(narrow_path, narrow_mode);
    free(narrow_path);
    free(narrow_mode);
    return file;
}

PAGEMATE_WEAK errno_t _wfopen_s(FILE **file, const WCHAR *path, const WCHAR *mode) {
    if (file == NULL)
        return EINVAL;
    *file = path != NULL && mode != NULL ? pagemate_wfopen(path, mode) : NULL;
    return *file != NULL ? 0 : path == NULL || mode == NULL ? EINVAL : errno;
}

/* Returns the next token; `rest` stores the position after it. */
PAGEMATE_WEAK WCHAR *wcstok_s(WCHAR *text, const WCHAR *separators, WCHAR **rest) {
    WCHAR *start = text != NULL ? text : *rest, *end;
    while (*start != 0 && pagemate_wcschr(separators, *start) != NULL)
        start++;
    end = start;
    while (*end != 0 && pagemate_wcschr(separators, *end) == NULL)
        end++;
    *rest = *end == 0 ? end : end + 1;
    *end = 0;
    return end == start ? NULL : start;
}

PAGEMATE_WEAK WCHAR **pagemate_widen_all(char **texts) {
    size_t count = 0, at;
    WCHAR **all;
    while (texts[count] != NULL)
        count++;
    all = (WCHAR **)calloc(count + 1, sizeof *all);
    for (at = 0; all != NULL && at < count; at++) {
        all[at] = pagemate_widen(texts[at], strlen(texts[at]));
        if (all[at] == NULL)
            return NULL;
    }
    return all;
}

/* The arguments and the environment are converted once and never freed. */
PAGEMATE_WEAK WCHAR **pagemate_wide_arguments, **pagemate_wide_environment;

PAGEMATE_WEAK int pagemate_run(int count, char **arguments, char **environment, void (*body)(void)) {
    pagemate_wide_arguments = pagemate_widen_all(arguments);
    pagemate_wide_environment = pagemate_widen_all(environment);
    if (pagemate_wide_arguments == NULL || pagemate_wide_environment == NULL)
        return EXIT_FAILURE;
    return ((int (*)(int, WCHAR **, WCHAR **))body)(count, pagemate_wide_arguments,
                                                    pagemate_wide_environment);
}
PAGEMATE_END

/* The system calls main, which calls the program's wmain. */
#define wmain(...)                                                                                \
    pagemate_wmain(__VA_ARGS__);                                                                  \
    int main(int count, char **arguments, char **environment) {                                   \
        return pagemate_run(count, arguments, environment, (void (*)(void))pagemate_wmain);       \
    }                                                                                             \
    int pagemate_wmain(__VA_ARGS__)

#define _wcsicmp pagemate_wcsicmp
#define _wcsnicmp pagemate_wcsnicmp
#define _wcsdup pagemate_wcsdup
#define _wtoi pagemate_wtoi
#define _putws pagemate_putws
#define _wfopen pagemate_wfopen

#ifdef __cplusplus
/* In C++, overloads for arrays pass the length of the array. */
template <size_t room>
inline errno_t wcscpy_s(WCHAR (&to)[room], const WCHAR *from) {
    return wcscpy_s(to, room, from);
}
template <size_t room>
inline errno_t wcscat_s(WCHAR (&to)[room], const WCHAR *from) {
    return wcscat_s(to, room, from);
}
template <size_t room, typename... Arguments>
inline int swprintf_s(WCHAR (&to)[room], const WCHAR *format, Arguments... arguments) {
    return swprintf_s(static_cast<WCHAR *>(to), room, format, arguments...);
}
#endif

#if __SIZEOF_WCHAR_T__ == 2
#include <wchar.h>
#endif

#endif
