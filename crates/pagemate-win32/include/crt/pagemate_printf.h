/* Formatted output by Microsoft's rules, in bytes and in 16-bit characters.
 *
 * `l` means 32 bits, the width of Microsoft's long; `ll` and `I64` mean 64 bits. `%s` and `%c`
 * take characters of the format's own width, `%S` and `%C` of the other width, `%hs` bytes and
 * `%ls` 16-bit characters. An invalid conversion is printed verbatim, and `%n` is invalid. */
#ifndef PAGEMATE_PRINTF_H
#define PAGEMATE_PRINTF_H

#include "pagemate_text.h"

PAGEMATE_BEGIN
/* Formats a number with the C library: `*whole` if that pointer is not null, otherwise `*real` if
 * that pointer is not null, otherwise `other`. */
PAGEMATE_WEAK int pagemate_put_number(struct pagemate_out *out, const char *conversion, int width,
                                      int precision, const long long *whole, const long double *real,
                                      double other) {
    char few[128], *number = few;
    size_t room = sizeof few;
    int at, len;
    for (;;) {
        if (whole != NULL)
            len = (snprintf)(number, room, conversion, width, precision, *whole);
        else if (real != NULL)
            len = (snprintf)(number, room, conversion, width, precision, *real);
        else
            len = (snprintf)(number, room, conversion, width, precision, other);
        if (len < (int)room)
            break;
        room = (size_t)len + 1;
        number = (char *)malloc(room);
        if (number == NULL)
            return 0;
    }
    for (at = 0; at < len; at++)
        pagemate_put(out, (unsigned char)number[at]);
    if (number != few)
        free(number);
    return 1;
}

/* Truncates an integer argument to the width that the conversion states. */
PAGEMATE_WEAK long long pagemate_whole(int size, int is_signed, long long value) {
    if (size == 2)
        return value;
    if (size == -1)
        return is_signed ? (short)value : (unsigned short)value;
    if (size <= -2)
        return is_signed ? (signed char)value : (unsigned char)value;
    return is_signed ? (int)value : (long long)(unsigned)value;
}

/* Reads a width or a precision: a number in the format, or an argument in place of a star. If the
 * number is too large to be printed, the whole call fails. */
#define PAGEMATE_NUMBER(number)                                                                   \
    if (pagemate_at(format, at) == '*') {                                                         \
        number = va_arg(given, int);                                                              \
        at++;                                                                                     \
    }                                                                                             \
    for (; pagemate_is_of(pagemate_at(format, at), "0123456789") && number < 100000; at++)        \
        number = number * 10 + (pagemate_at(format, at) - '0');                                   \
    if (number < -99999 || number > 99999)                                                        \
        return -1;

/* Appends all the formatted text. Returns its length, or a negative number if it fails. */
PAGEMATE_WEAK int pagemate_put_format(struct pagemate_out *out, struct pagemate_text format,
                                      va_list given) {
    size_t at;
    for (at = 0; pagemate_at(format, at) != 0; at++) {
        char conversion[16] = "%";
        size_t flags = 1, start = at;
        int width = 0, precision = -1, size, wanted, done = 1;
        if (pagemate_at(format, at) != '%' || pagemate_at(format, ++at) == '%') {
            pagemate_put(out, pagemate_at(format, at));
            continue;
        }
        for (; pagemate_is_of(pagemate_at(format, at), "-+ #0") && flags < 6; at++)
            conversion[flags++] = (char)pagemate_at(format, at);
        PAGEMATE_NUMBER(width)
        if (strchr(conversion, '-') != NULL && width > 0)
            width = -width;
        if (pagemate_at(format, at) == '.') {
            precision = 0;
            at++;
            PAGEMATE_NUMBER(precision)
        }
        size = pagemate_size(format, &at);
        wanted = pagemate_at(format, at);
        if (pagemate_is_of(wanted, "diouxXp")) {
            int is_signed = wanted == 'd' || wanted == 'i';
            long long value = wanted == 'p' || size == 2 ? va_arg(given, long long)
                                                         : va_arg(given, int);
            if (wanted == 'p') {
                size = 2;
                precision = 16;
                wanted = 'X';
            }
            value = pagemate_whole(size, is_signed, value);
            (snprintf)(conversion + flags, sizeof conversion - flags, "*.*ll%c", wanted);
            done = pagemate_put_number(out, conversion, width, precision, &value, NULL, 0);
        } else if (pagemate_is_of(wanted, "aAeEfFgG") && size == 3) {
            long double value = va_arg(given, long double);
            (snprintf)(conversion + flags, sizeof conversion - flags, "*.*L%c", wanted);
            done = pagemate_put_number(out, conversion, width, precision, NULL, &value, 0);
        } else if (pagemate_is_of(wanted, "aAeEfFgG")) {
            double value = va_arg(given, double);
            (snprintf)(conversion + flags, sizeof conversion - flags, "*.*%c", wanted);
            done = pagemate_put_number(out, conversion, width, precision, NULL, NULL, value);
        } else if (pagemate_is_of(wanted, "cCsS")) {
            int is_own = wanted == 'c' || wanted == 's';
            int is_wide = size == 0 ? is_own == out->is_wide : size > 0;
            struct pagemate_text text;
            WCHAR unit;
            char byte;
            if (wanted == 'c' || wanted == 'C') {
                unit = (WCHAR)va_arg(given, int);
                byte = (char)unit;
                text = is_wide ? pagemate_wide(&unit) : pagemate_bytes(&byte);
                done = pagemate_put_text(out, text, 1, width);
            } else {
                const void *given_text = va_arg(given, const void *);
                text = given_text == NULL ? pagemate_bytes("(null)")
                       : is_wide          ? pagemate_wide((const WCHAR *)given_text)
                                          : pagemate_bytes((const char *)given_text);
                done = pagemate_put_text(out, text, pagemate_len(text, (size_t)precision), width);
            }
        } else {
            at = start;
            pagemate_put(out, '%');
        }
        if (!done)
            return -1;
    }
    return out->len > 0x7FFFFFFF ? -1 : (int)out->len;
}

/* Writes as much of the text as fits, and always a NUL. */
PAGEMATE_WEAK int pagemate_format(struct pagemate_out out, struct pagemate_text format, va_list given) {
    int len = pagemate_put_format(&out, format, given);
    if (out.room > 0)
        pagemate_set(&out, out.len < out.room ? out.len : out.room - 1, 0);
    return len;
}

/* Writes the whole text, or fails and writes nothing. */
PAGEMATE_WEAK int pagemate_fit(struct pagemate_out out, struct pagemate_text format, va_list given) {
    int len = -1;
    if (out.to == NULL || out.room == 0)
        return -1;
    if (format.bytes != NULL || format.wide != NULL)
        len = pagemate_format(out, format, given);
    if (len >= 0 && (size_t)len < out.room)
        return len;
    pagemate_set(&out, 0, 0);
    return -1;
}

/* Writes as much of the text as fits, and the NUL if it fits too. Without a buffer, returns the
 * length of the whole text. */
PAGEMATE_WEAK int pagemate_fill(struct pagemate_out out, struct pagemate_text format, va_list given) {
    int len = pagemate_put_format(&out, format, given);
    if (out.to == NULL && out.room == 0)
        return len;
    if (out.len < out.room)
        pagemate_set(&out, out.len, 0);
    return out.len <= out.room ? len : -1;
}

/* Writes at most `most` characters and a NUL. If `most` is not less than the buffer's length,
 * writes the whole text or fails. */
PAGEMATE_WEAK int pagemate_cut(struct pagemate_out out, size_t most, struct pagemate_text format,
                               va_list given) {
    int len;
    if (most != _TRUNCATE && most >= out.room)
        return pagemate_fit(out, format, given);
    if (out.to == NULL || out.room == 0)
        return -1;
    out.room = most < out.room ? most + 1 : out.room;
    len = pagemate_format(out, format, given);
    return len >= 0 && (size_t)len < out.room ? len : -1;
}

/* Writes to a stream, in one call. */
PAGEMATE_WEAK int pagemate_print(FILE *stream, int is_wide, struct pagemate_text format, va_list given) {
    WCHAR few[256];
    struct pagemate_out out = {is_wide, few, is_wide ? ARRAYSIZE(few) : sizeof few, 0};
    va_list again;
    int len;
    va_copy(again, given);
    len = pagemate_put_format(&out, format, again);
    va_end(again);
    if (len < 0)
        return -1;
    if (out.len > out.room) {
        out.to = malloc(out.len * sizeof(WCHAR));
        if (out.to == NULL)
            return -1;
        out.room = out.len;
        out.len = 0;
        pagemate_put_format(&out, format, given);
    }
    len = pagemate_write(stream, &out);
    if (out.to != few)
        free(out.to);
    return len;
}

PAGEMATE_WEAK struct pagemate_out pagemate_to(char *to, size_t room) {
    struct pagemate_out out = {0, to, room, 0};
    return out;
}

PAGEMATE_WEAK struct pagemate_out pagemate_wide_to(WCHAR *to, size_t room) {
    struct pagemate_out out = {1, to, room, 0};
    return out;
}

/* The functions for bytes. */
PAGEMATE_BOTH(pagemate_vprintf, pagemate_printf, (const char *format),
                pagemate_print(stdout, 0, pagemate_bytes(format), arguments))
PAGEMATE_BOTH(pagemate_vfprintf, pagemate_fprintf, (FILE *stream, const char *format),
                pagemate_print(stream, 0, pagemate_bytes(format), arguments))
PAGEMATE_BOTH(pagemate_vsprintf, pagemate_sprintf, (char *to, const char *format),
                pagemate_format(pagemate_to(to, PAGEMATE_ENOUGH), pagemate_bytes(format), arguments))
PAGEMATE_BOTH(pagemate_vsnprintf, pagemate_snprintf, (char *to, size_t room, const char *format),
                pagemate_format(pagemate_to(to, room), pagemate_bytes(format), arguments))
PAGEMATE_BOTH(vsprintf_s, sprintf_s, (char *to, size_t room, const char *format),
                pagemate_fit(pagemate_to(to, room), pagemate_bytes(format), arguments))
PAGEMATE_BOTH(_vsnprintf, _snprintf, (char *to, size_t room, const char *format),
                pagemate_fill(pagemate_to(to, room), pagemate_bytes(format), arguments))
PAGEMATE_BOTH(_vsnprintf_s, _snprintf_s, (char *to, size_t room, size_t most, const char *format),
                pagemate_cut(pagemate_to(to, room), most, pagemate_bytes(format), arguments))
PAGEMATE_BOTH(_vscprintf, _scprintf, (const char *format),
                pagemate_fill(pagemate_to(NULL, 0), pagemate_bytes(format), arguments))
PAGEMATE_BOTH(wvsprintfA, wsprintfA, (LPSTR to, LPCSTR format),
                pagemate_format(pagemate_to(to, 1025), pagemate_bytes(format), arguments))

/* The functions for 16-bit characters. swprintf is that of the C standard; _swprintf takes no
 * length of the buffer. */
PAGEMATE_BOTH(pagemate_vwprintf, pagemate_wprintf, (const WCHAR *format),
                pagemate_print(stdout, 1, pagemate_wide(format), arguments))
PAGEMATE_BOTH(pagemate_vfwprintf, pagemate_fwprintf, (FILE *stream, const WCHAR *format),
                pagemate_print(stream, 1, pagemate_wide(format), arguments))
PAGEMATE_BOTH(_vswprintf, _swprintf, (WCHAR *to, const WCHAR *format),
                pagemate_format(pagemate_wide_to(to, PAGEMATE_ENOUGH), pagemate_wide(format), arguments))
PAGEMATE_BOTH(pagemate_vswprintf, pagemate_swprintf, (WCHAR *to, size_t room, const WCHAR *format),
                pagemate_cut(pagemate_wide_to(to, room), _TRUNCATE, pagemate_wide(format), arguments))
PAGEMATE_BOTH(vswprintf_s, swprintf_s, (WCHAR *to, size_t room, const WCHAR *format),
                pagemate_fit(pagemate_wide_to(to, room), pagemate_wide(format), arguments))
PAGEMATE_BOTH(_vsnwprintf, _snwprintf, (WCHAR *to, size_t room, const WCHAR *format),
                pagemate_fill(pagemate_wide_to(to, room), pagemate_wide(format), arguments))
PAGEMATE_BOTH(_vsnwprintf_s, _snwprintf_s,
                (WCHAR *to, size_t room, size_t most, const WCHAR *format),
                pagemate_cut(pagemate_wide_to(to, room), most, pagemate_wide(format), arguments))
PAGEMATE_BOTH(_vscwprintf, _scwprintf, (const WCHAR *format),
                pagemate_fill(pagemate_wide_to(NULL, 0), pagemate_wide(format), arguments))
PAGEMATE_BOTH(wvsprintfW, wsprintfW, (LPWSTR to, LPCWSTR format),
                pagemate_format(pagemate_wide_to(to, 1025), pagemate_wide(format), arguments))
PAGEMATE_END

#ifdef UNICODE
#define wsprintf wsprintfW
#define wvsprintf wvsprintfW
#else
#define wsprintf wsprintfA
#define wvsprintf wvsprintfA
#endif

#endif
