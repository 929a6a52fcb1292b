/* Formatted input by Microsoft's rules, which pagemate_printf.h describes. In the functions that
 * end in _s, the argument for a string, a set or a character is followed by its length. */
#ifndef PAGEMATE_SCANF_H
#define PAGEMATE_SCANF_H

#include <ctype.h>

#include "pagemate_text.h"

PAGEMATE_BEGIN
#ifndef __cplusplus
/* <stdio.h> declares these functions only if the program does not restrict it to the C standard. */
FILE *fmemopen(void *memory, size_t len, const char *mode);
void flockfile(FILE *stream);
void funlockfile(FILE *stream);
#endif

/* The state of a scan: its source, its position and its rules. */
struct pagemate_in {
    FILE *stream;
    int read;
    int is_wide;
    int is_safe;
};

PAGEMATE_WEAK int pagemate_get(struct pagemate_in *in) {
    int byte = getc(in->stream);
    in->read += byte != EOF;
    return byte;
}

PAGEMATE_WEAK void pagemate_unget(struct pagemate_in *in, int byte) {
    in->read -= byte != EOF && ungetc(byte, in->stream) != EOF;
}

PAGEMATE_WEAK void pagemate_skip_space(struct pagemate_in *in) {
    int byte;
    do
        byte = pagemate_get(in);
    while (byte != EOF && isspace(byte));
    pagemate_unget(in, byte);
}

/* Reads one item with the C library. Returns 1 if it matched, 0 if not, EOF at the end. */
PAGEMATE_WEAK int pagemate_read(struct pagemate_in *in, const char *conversion, void *to) {
    int read = 0;
    int found = to != NULL ? (fscanf)(in->stream, conversion, to, &read)
                           : (fscanf)(in->stream, conversion, &read);
    in->read += read;
    /* If the conversion stores nothing, it matched if the C library read the format up to its end.
     */
    return found == EOF ? EOF : to != NULL ? found : read > 0;
}

/* Reads up to the given number of bytes. Returns how many it read. */
PAGEMATE_WEAK char *pagemate_read_bytes(struct pagemate_in *in, size_t most, size_t *read) {
    char *bytes = (char *)malloc(most);
    int byte = 0;
    while (bytes != NULL && *read < most && (byte = pagemate_get(in)) != EOF)
        bytes[(*read)++] = (char)byte;
    return bytes;
}

/* Copies a string that was read to its argument. Returns false if it does not fit. */
PAGEMATE_WEAK int pagemate_hand_over(const char *text, size_t len, int ends, int is_wide, void *to,
                                     size_t room) {
    void *wide = is_wide ? pagemate_widen(text, len) : NULL;
    size_t size = is_wide ? sizeof(WCHAR) : 1, unit;
    const void *from = is_wide ? wide : (const void *)text;
    if (from == NULL)
        return 0;
    if (is_wide)
        len = pagemate_len(pagemate_wide((const WCHAR *)wide), len);
    if (len + (size_t)ends <= room)
        memcpy(to, from, (len + (size_t)ends) * size);
    else
        for (unit = 0; room > 0 && unit < size; unit++)
            ((char *)to)[unit] = 0;
    free(wide);
    return len + (size_t)ends <= room;
}

/* Scans the input by a format and returns the number of stored items. A conversion starts at `at`
 * in the format, so its text is no longer than the format; `wanted` is its letter. */
PAGEMATE_WEAK int pagemate_scan(struct pagemate_in *in, const char *given_format, va_list given) {
    struct pagemate_text format = pagemate_bytes(given_format);
    char *conversion = (char *)malloc(strlen(given_format) + 16);
    int count = 0, found = 1;
    size_t at;
    for (at = 0; conversion != NULL && found == 1 && given_format[at] != 0; at++) {
        int skips = 0, width = 0, size, wanted, byte;
        const char *as = NULL;
        size_t len = 1;
        if (isspace((unsigned char)given_format[at])) {
            pagemate_skip_space(in);
            continue;
        }
        if (given_format[at] != '%' || given_format[++at] == '%') {
            if (given_format[at] == '%')
                pagemate_skip_space(in);
            byte = pagemate_get(in);
            if (byte != (unsigned char)given_format[at]) {
                found = byte == EOF ? EOF : 0;
                pagemate_unget(in, byte);
            }
            continue;
        }
        if (given_format[at] == '*') {
            skips = 1;
            at++;
        }
        for (; isdigit((unsigned char)given_format[at]) && width < 1000000; at++)
            width = width * 10 + (given_format[at] - '0');
        size = pagemate_size(format, &at);
        wanted = given_format[at];
        strcpy(conversion, skips ? "%*" : "%");
        len = strlen(conversion);
        if (width > 0)
            len += (size_t)(sprintf)(conversion + len, "%d", width);
        if (pagemate_is_of(wanted, "diouxXp"))
            as = wanted == 'p' || size == 1 || size == 0 ? ""
                 : size == 2                             ? "ll"
                 : size == -1                            ? "h"
                                                         : "hh";
        else if (pagemate_is_of(wanted, "aAeEfFgG"))
            as = size == 3 ? "L" : size > 0 ? "l" : "";
        if (wanted == 'n') {
            if (!skips)
                *va_arg(given, int *) = in->read;
        } else if (as != NULL) {
            (sprintf)(conversion + len, "%s%c%%n", as, wanted);
            found = pagemate_read(in, conversion, skips ? NULL : va_arg(given, void *));
            count += found == 1 && !skips;
        } else if (pagemate_is_of(wanted, "cCsS[")) {
            int is_own = wanted != 'C' && wanted != 'S';
            int is_wide = size == 0 ? is_own == in->is_wide : size > 0;
            int is_char = wanted == 'c' || wanted == 'C';
            void *to = skips ? NULL : va_arg(given, void *);
            size_t room = !skips && in->is_safe ? va_arg(given, unsigned) : PAGEMATE_ENOUGH;
            char *text = NULL;
            size_t read = 0;
            if (is_char) {
                text = pagemate_read_bytes(in, width > 0 ? (size_t)width : 1, &read);
                found = read > 0 ? 1 : EOF;
            } else {
                if (!skips)
                    conversion[len++] = 'm';
                conversion[len++] = wanted == 'S' ? 's' : (char)wanted;
                if (wanted == '[') {
                    /* A closing bracket is a member of the set only if it comes first. */
                    if (given_format[at + 1] == '^')
                        conversion[len++] = given_format[++at];
                    do
                        conversion[len++] = given_format[++at];
                    while (given_format[at] != 0 && (given_format[at + 1] != ']'));
                    if (given_format[at] != 0)
                        conversion[len++] = given_format[++at];
                }
                strcpy(conversion + len, "%n");
                found = pagemate_read(in, conversion, skips ? NULL : (void *)&text);
                read = found == 1 && !skips ? strlen(text) : 0;
            }
            if (found == 1 && !skips) {
                found = text != NULL && pagemate_hand_over(text, read, !is_char, is_wide, to, room);
                count += found == 1;
            }
            free(text);
        } else {
            found = 0;
        }
        if (given_format[at] == 0)
            break;
    }
    free(conversion);
    return found == EOF && count == 0 ? EOF : count;
}

PAGEMATE_WEAK int pagemate_scan_stream(FILE *stream, int is_wide, int is_safe, const char *format,
                                       va_list given) {
    struct pagemate_in in = {stream, 0, is_wide, is_safe};
    int count = -1;
    if (format != NULL) {
        flockfile(stream);
        count = pagemate_scan(&in, format, given);
        funlockfile(stream);
    }
    return count;
}

PAGEMATE_WEAK int pagemate_scan_text(const char *text, int is_wide, int is_safe, const char *format,
                                     va_list given) {
    FILE *stream = text != NULL ? fmemopen((void *)text, strlen(text), "r") : NULL;
    int count = -1;
    if (stream != NULL) {
        count = pagemate_scan_stream(stream, is_wide, is_safe, format, given);
        fclose(stream);
    }
    return count;
}

/* Scans by a wide format: from a wide string, or from a stream if there is no string. */
PAGEMATE_WEAK int pagemate_scan_wide(FILE *stream, const WCHAR *text, int is_safe, const WCHAR *format,
                                     va_list given) {
    char *bytes = NULL, *narrow = NULL;
    int count = -1;
    if (format != NULL)
        narrow = pagemate_narrow(format, pagemate_len(pagemate_wide(format), (size_t)-1));
    if (text != NULL)
        bytes = pagemate_narrow(text, pagemate_len(pagemate_wide(text), (size_t)-1));
    if (narrow != NULL && stream != NULL)
        count = pagemate_scan_stream(stream, 1, is_safe, narrow, given);
    else if (narrow != NULL && bytes != NULL)
        count = pagemate_scan_text(bytes, 1, is_safe, narrow, given);
    free(narrow);
    free(bytes);
    return count;
}

PAGEMATE_BOTH(pagemate_vscanf, pagemate_scanf, (const char *format),
              pagemate_scan_stream(stdin, 0, 0, format, arguments))
PAGEMATE_BOTH(pagemate_vfscanf, pagemate_fscanf, (FILE *stream, const char *format),
              pagemate_scan_stream(stream, 0, 0, format, arguments))
PAGEMATE_BOTH(pagemate_vsscanf, pagemate_sscanf, (const char *text, const char *format),
              pagemate_scan_text(text, 0, 0, format, arguments))
PAGEMATE_BOTH(vscanf_s, scanf_s, (const char *format),
              pagemate_scan_stream(stdin, 0, 1, format, arguments))
PAGEMATE_BOTH(vfscanf_s, fscanf_s, (FILE *stream, const char *format),
              pagemate_scan_stream(stream, 0, 1, format, arguments))
PAGEMATE_BOTH(vsscanf_s, sscanf_s, (const char *text, const char *format),
              pagemate_scan_text(text, 0, 1, format, arguments))

PAGEMATE_BOTH(pagemate_vwscanf, pagemate_wscanf, (const WCHAR *format),
              pagemate_scan_wide(stdin, NULL, 0, format, arguments))
PAGEMATE_BOTH(pagemate_vfwscanf, pagemate_fwscanf, (FILE *stream, const WCHAR *format),
              pagemate_scan_wide(stream, NULL, 0, format, arguments))
PAGEMATE_BOTH(pagemate_vswscanf, pagemate_swscanf, (const WCHAR *text, const WCHAR *format),
              pagemate_scan_wide(NULL, text, 0, format, arguments))
PAGEMATE_BOTH(vwscanf_s, wscanf_s, (const WCHAR *format),
              pagemate_scan_wide(stdin, NULL, 1, format, arguments))
PAGEMATE_BOTH(vfwscanf_s, fwscanf_s, (FILE *stream, const WCHAR *format),
              pagemate_scan_wide(stream, NULL, 1, format, arguments))
PAGEMATE_BOTH(vswscanf_s, swscanf_s, (const WCHAR *text, const WCHAR *format),
              pagemate_scan_wide(NULL, text, 1, format, arguments))
PAGEMATE_END

#endif
