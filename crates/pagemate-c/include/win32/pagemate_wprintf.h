/* Formatted output in 16-bit characters, by Microsoft's rules: %s and %c take wide texts, %S and %hs
 * those in bytes; l means 32 bits, as a long there has, and ll and I64 mean 64. */
#ifndef PAGEMATE_WPRINTF_H
#define PAGEMATE_WPRINTF_H

#include "pagemate_crt.h"
#include "stringapiset.h"

#define PAGEMATE_WEAK __attribute__((weak))

PAGEMATE_BEGIN
/* A text in 16-bit characters, and one in bytes; both are the caller's to free. */
PAGEMATE_WEAK WCHAR *pagemate_widen(const char *text, size_t len) {
    WCHAR *wide = (WCHAR *)malloc((len + 1) * sizeof(WCHAR));
    if (wide != NULL)
        wide[len > 0 ? MultiByteToWideChar(CP_UTF8, 0, text, (int)len, wide, (int)len) : 0] = 0;
    return wide;
}

PAGEMATE_WEAK char *pagemate_narrow(const WCHAR *text) {
    int len = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = (char *)malloc(len > 0 ? (size_t)len : 1);
    if (narrow != NULL)
        narrow[0] = 0;
    if (narrow != NULL && len > 0)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, len, NULL, NULL);
    return narrow;
}

/* Writes a text to a stream; how much it was, or less than zero. */
PAGEMATE_WEAK int pagemate_write(FILE *stream, const WCHAR *text, size_t len) {
    /* No unit takes more than three bytes. */
    char *bytes = (char *)malloc(len * 3 + 1);
    size_t wanted = 0, written = 0;
    if (bytes == NULL)
        return -1;
    if (len > 0)
        wanted = (size_t)WideCharToMultiByte(CP_UTF8, 0, text, (int)len, bytes, (int)(len * 3),
                                             NULL, NULL);
    written = fwrite(bytes, 1, wanted, stream);
    free(bytes);
    return written == wanted ? (int)len : -1;
}

/* A text that grows as far as there is room, and is counted on. */
struct pagemate_out {
    WCHAR *to;
    size_t room, len;
};

PAGEMATE_WEAK void pagemate_put(struct pagemate_out *out, WCHAR unit) {
    if (out->len < out->room)
        out->to[out->len] = unit;
    out->len++;
}

PAGEMATE_WEAK void pagemate_put_text(struct pagemate_out *out, const WCHAR *text, int len, int width) {
    int at;
    for (at = len; at < width; at++)
        pagemate_put(out, ' ');
    for (at = 0; at < len; at++)
        pagemate_put(out, text[at]);
    for (at = len; at < -width; at++)
        pagemate_put(out, ' ');
}

/* How long a text is, which need not end if only its first part is asked for. */
PAGEMATE_WEAK int pagemate_put_len(const WCHAR *text, int most) {
    int len = 0;
    while (len != most && text[len] != 0)
        len++;
    return len;
}

/* A number, as the C library writes it: a whole one, or else the other. */
PAGEMATE_WEAK void pagemate_put_number(struct pagemate_out *out, const char *conversion, int width,
                                       int precision, const long long *whole, long double other) {
    char few[128], *number = few;
    size_t room = sizeof few;
    int at, len;
    for (;;) {
        if (whole != NULL)
            len = snprintf(number, room, conversion, width, precision, *whole);
        else
            len = snprintf(number, room, conversion, width, precision, other);
        if (len < (int)room)
            break;
        room = (size_t)len + 1;
        number = (char *)malloc(room);
        if (number == NULL)
            return;
    }
    for (at = 0; at < len; at++)
        pagemate_put(out, (WCHAR)number[at]);
    if (number != few)
        free(number);
}

/* Ends the text, whatever became of it. */
PAGEMATE_WEAK int pagemate_end(struct pagemate_out *out, int result) {
    if (out->room > 0)
        out->to[out->len < out->room ? out->len : out->room - 1] = 0;
    return result;
}

PAGEMATE_WEAK int pagemate_is_of(WCHAR unit, const char *set) {
    return unit != 0 && unit < 128 && strchr(set, (char)unit) != NULL;
}

/* Formats as much as there is room for, and tells how much it would be; less than zero for what is
 * no format. */
PAGEMATE_WEAK int pagemate_format(WCHAR *to, size_t room, const WCHAR *format, va_list given) {
    struct pagemate_out out = {to, room, 0};
    for (; *format != 0; format++) {
        char conversion[16] = "%";
        size_t flags = 1;
        int width = 0, precision = -1, size = 0, wanted;
        if (*format != '%' || *++format == '%') {
            pagemate_put(&out, *format);
            continue;
        }
        for (; pagemate_is_of(*format, "-+ #0") && flags < 6; format++)
            conversion[flags++] = (char)*format;
        if (*format == '*' && format++)
            width = va_arg(given, int);
        for (; pagemate_is_of(*format, "0123456789") && width < 100000; format++)
            width = width * 10 + (*format - '0');
        if (strchr(conversion, '-') != NULL && width > 0)
            width = -width;
        if (*format == '.' && format++) {
            precision = 0;
            if (*format == '*' && format++)
                precision = va_arg(given, int);
            for (; pagemate_is_of(*format, "0123456789") && precision < 100000; format++)
                precision = precision * 10 + (*format - '0');
        }
        /* No more than can be written out in a format. */
        if (width < -99999 || width > 99999 || precision > 99999)
            return pagemate_end(&out, -1);
        /* -2, -1: hh, h. 1, 2: l, and what has 64 bits. 3: L. */
        if (format[0] == 'I' && format[1] == '6' && format[2] == '4') {
            size = 2;
            format += 3;
        } else if (format[0] == 'I' && format[1] == '3' && format[2] == '2') {
            format += 3;
        } else {
            for (; pagemate_is_of(*format, "hlwLIjzt"); format++)
                size = *format == 'h'                     ? size - 1
                       : *format == 'l' || *format == 'w' ? size + 1
                       : *format == 'L'                   ? 3
                                                          : 2;
        }
        wanted = *format;
        if (pagemate_is_of(*format, "diouxXp")) {
            long long value;
            if (size == 2 || wanted == 'p')
                value = va_arg(given, long long);
            else if (wanted == 'd' || wanted == 'i')
                value = va_arg(given, int);
            else
                value = va_arg(given, unsigned);
            if (size == -1)
                value = wanted == 'd' || wanted == 'i' ? (short)value : (unsigned short)value;
            if (size == -2)
                value = wanted == 'd' || wanted == 'i' ? (signed char)value : (unsigned char)value;
            if (wanted == 'p') {
                precision = 16;
                wanted = 'X';
            }
            snprintf(conversion + flags, sizeof conversion - flags, "*.*ll%c", wanted);
            pagemate_put_number(&out, conversion, width, precision, &value, 0);
        } else if (pagemate_is_of(*format, "eEfFgG")) {
            long double value = size == 3 ? va_arg(given, long double) : va_arg(given, double);
            snprintf(conversion + flags, sizeof conversion - flags, "*.*L%c", wanted);
            pagemate_put_number(&out, conversion, width, precision, NULL, value);
        } else if (wanted == 'c' || wanted == 'C') {
            WCHAR unit = (WCHAR)va_arg(given, int);
            pagemate_put_text(&out, &unit, 1, width);
        } else if (size == -1 ? wanted == 's' || wanted == 'S' : wanted == 'S' && size == 0) {
            const char *text = va_arg(given, const char *);
            size_t len = text == NULL ? 0 : precision < 0 ? strlen(text) : strnlen(text, (size_t)precision);
            WCHAR *wide = pagemate_widen(text, len);
            if (wide == NULL)
                return pagemate_end(&out, -1);
            pagemate_put_text(&out, wide, pagemate_put_len(wide, -1), width);
            free(wide);
        } else if (wanted == 's' || wanted == 'S') {
            static const WCHAR none[] = {'(', 'n', 'u', 'l', 'l', ')', 0};
            const WCHAR *text = va_arg(given, const WCHAR *);
            text = text == NULL ? none : text;
            pagemate_put_text(&out, text, pagemate_put_len(text, precision), width);
        } else {
            return pagemate_end(&out, -1);
        }
    }
    return pagemate_end(&out, (int)out.len);
}

PAGEMATE_WEAK int pagemate_vfwprintf(FILE *stream, const WCHAR *format, va_list arguments) {
    va_list again;
    WCHAR *text;
    int len;
    va_copy(again, arguments);
    len = pagemate_format(NULL, 0, format, again);
    va_end(again);
    text = len < 0 ? NULL : (WCHAR *)malloc(((size_t)len + 1) * sizeof(WCHAR));
    if (text == NULL)
        return -1;
    pagemate_format(text, (size_t)len + 1, format, arguments);
    len = pagemate_write(stream, text, (size_t)len);
    free(text);
    return len;
}

PAGEMATE_WEAK int pagemate_vwprintf(const WCHAR *format, va_list arguments) {
    return pagemate_vfwprintf(stdout, format, arguments);
}

PAGEMATE_WEAK int pagemate_vswprintf(WCHAR *to, size_t room, const WCHAR *format,
                                     va_list arguments) {
    int len = pagemate_format(to, room, format, arguments);
    return len >= 0 && (size_t)len < room ? len : -1;
}

/* All of it or nothing. */
PAGEMATE_WEAK int pagemate_whole(WCHAR *to, size_t room, const WCHAR *format, va_list arguments) {
    int len = to == NULL || room == 0 || format == NULL
                  ? -1
                  : pagemate_vswprintf(to, room, format, arguments);
    if (len < 0 && to != NULL && room > 0)
        to[0] = 0;
    return len;
}

/* As much as there is room for; the end's NUL only if there is room for it too. Without any room it
 * tells how much that would be. */
PAGEMATE_WEAK int pagemate_cut(WCHAR *to, size_t room, const WCHAR *format, va_list arguments) {
    va_list again;
    WCHAR *text;
    int len;
    va_copy(again, arguments);
    len = pagemate_format(NULL, 0, format, again);
    va_end(again);
    if (to == NULL && room == 0)
        return len;
    text = len < 0 ? NULL : (WCHAR *)malloc(((size_t)len + 1) * sizeof(WCHAR));
    if (text == NULL)
        return -1;
    pagemate_format(text, (size_t)len + 1, format, arguments);
    memcpy(to, text, ((size_t)len < room ? (size_t)len + 1 : room) * sizeof(WCHAR));
    free(text);
    return (size_t)len <= room ? len : -1;
}

/* Functions that take what to write as their arguments. */
#define PAGEMATE_FORMATS(name, parameters, last, call)                                            \
    PAGEMATE_WEAK int name parameters {                                                           \
        va_list arguments;                                                                        \
        int len;                                                                                  \
        va_start(arguments, last);                                                                \
        len = call;                                                                               \
        va_end(arguments);                                                                        \
        return len;                                                                               \
    }

PAGEMATE_FORMATS(pagemate_wprintf, (const WCHAR *format, ...), format,
                 pagemate_vfwprintf(stdout, format, arguments))
PAGEMATE_FORMATS(pagemate_fwprintf, (FILE *stream, const WCHAR *format, ...), format,
                 pagemate_vfwprintf(stream, format, arguments))
PAGEMATE_FORMATS(pagemate_swprintf, (WCHAR *to, size_t room, const WCHAR *format, ...), format,
                 pagemate_vswprintf(to, room, format, arguments))
PAGEMATE_FORMATS(pagemate_sprintf, (WCHAR *to, const WCHAR *format, ...), format,
                 pagemate_format(to, (size_t)-1 / 2, format, arguments))
PAGEMATE_FORMATS(pagemate_snwprintf, (WCHAR *to, size_t room, const WCHAR *format, ...), format,
                 pagemate_cut(to, room, format, arguments))
PAGEMATE_FORMATS(pagemate_swprintf_s, (WCHAR *to, size_t room, const WCHAR *format, ...), format,
                 pagemate_whole(to, room, format, arguments))
PAGEMATE_END

#endif
