/* FormatMessage, and conversions between bytes and 16-bit characters. */
#include "rows.h"
#include <stdarg.h>

static char message[300];

/* Formats a message with these values, and checks the result. */
static void formats(DWORD flags, const char *should, const char *text, ...)
{
    DWORD len;
    va_list values;
    va_start(values, text);
    strcpy(message, "untouched");
    len = FormatMessageA(FORMAT_MESSAGE_FROM_STRING | flags, text, 0, 0, message, sizeof message,
                         &values);
    va_end(values);
    if (strcmp(message, should) != 0)
        printf("  %s gives \"%s\", not \"%s\"\n", text, message, should);
    CHECK(strcmp(message, should) == 0);
    SAME(len, strlen(should));
}

static void values_are_inserted(void)
{
    const DWORD none = 0;
    formats(none, "6", "%1!u!", 6);
    formats(none, "test", "%1", "test");
    formats(none, "test", "%1%3%2%1", "t", "s", "e");
    formats(none, "   1|1   |0001", "%1!4d!|%1!-4d!|%1!04d!", 1);
    formats(none, "b B 0xb 0000000B", "%1!x! %1!X! %1!#x! %1!08X!", 11);
    formats(none, "-5 5000000000", "%1!I64d! %2!I64u!", (LONGLONG)-5, (ULONGLONG)5000000000u);
    formats(none, "-3 4294967293", "%1!ld! %1!lu!", -3);
    formats(none, "9029", "%1!hd!", 0x12345);
    formats(none, "|000|  000|", "%1!.0d!|%1!.3d!|%1!5.3d!|", 0);
    formats(none, "    ab|", "%1!6.2s!|", "abcd");
    formats(none, "abcd  |", "%1!-6s!|", "abcd");
    formats(none, "wide|e", "%1!ls!|%2!C!", TEXT_W("wide"), 'e');
    formats(none, "xx  x", "%1!c!%1!c!%1!3c!", 'x');
    formats(none, "(null)", "%1", (char *)NULL);
    formats(none, "12: l, 1: a", "12: %12, 1: %1", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
            "k", "l");
    REFUSED(FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "%1", 0, 0, message, 9, NULL),
            ERROR_INVALID_PARAMETER);
}

/* A width or a precision may be a value that the program passes. In an argument array, such an
 * insert occupies one number fewer than the number of values that it reads. */
static void widths_are_values(void)
{
    const DWORD none = 0, array = FORMAT_MESSAGE_FROM_STRING | FORMAT_MESSAGE_ARGUMENT_ARRAY;
    DWORD_PTR values[] = {6, 4, 2, 5, 3, 1};
    formats(none, "   t|", "%1!*s!|", 4, "t");
    formats(none, "t   |", "%1!*s!|", -4, "t");
    formats(none, "  Bi Bob   Bill", "%1!*.*s! %3 %4!*s!", 4, 2, "Bill", "Bob", 6, "Bill");
    formats(none, "  001, 0002", "%1!*.*u!,%1!*.*u!", 5, 3, 1, 4, 2);
    formats(none, "  001,  0002", "%1!*.*u!,%3!*.*u!", 5, 3, 1, 6, 4, 2);
    SAME(FormatMessageA(array, "%1!*.*u!,%1!*.*u!", 0, 0, message, sizeof message, (va_list *)values), 13);
    CHECK(strcmp(message, "  0002, 00003") == 0);
    SAME(FormatMessageA(array, "%1!*.*u!,%4!*.*u!", 0, 0, message, sizeof message, (va_list *)values), 12);
    CHECK(strcmp(message, "  0002,  001") == 0);
}

static void escapes_and_line_ends(void)
{
    const DWORD none = 0, ignore = FORMAT_MESSAGE_IGNORE_INSERTS;
    formats(none, " % ..! ", " %% %.%.%!% %0 not here");
    formats(none, "\r\n\r\t", "%n%r%t");
    formats(none, "hi\r\n", "hi\n");
    formats(none, "hi\r\n", "hi\r\n");
    formats(none, "\r\n", "\r");
    formats(none, "\r\n\r\n", "\r\r\n");
    formats(none, "a\nb\r\n", "%1\n", "a\nb");
    formats(ignore, "test", "test%0test");
    formats(ignore, "test%1%2!*.*s!%99", "test%1%2!*.*s!%99");
    formats(ignore, "%%% %.%!", "%%% %.%!");
    formats(ignore, "\r\n\r\t", "%n%r%t");
    formats(ignore, "hi\r\n", "hi\n");
    formats(ignore | FORMAT_MESSAGE_MAX_WIDTH_MASK, "hi ", "hi\r\n");
    formats(FORMAT_MESSAGE_MAX_WIDTH_MASK, "  ", "\r\r\n");
    REFUSED(FormatMessageA(FORMAT_MESSAGE_FROM_STRING, "test%", 0, 0, message, 9, NULL),
            ERROR_INVALID_PARAMETER);
}

static void lines_are_wrapped(void)
{
    formats(20, "short long line", "short long line");
    formats(11, "short long\r\nline", "short long line");
    formats(10, "short\r\nlong line", "short long line");
    formats(16, "short long\r\nwordlongerthanal\r\nine", "short long    wordlongerthanaline");
    formats(12, "short long\r\n  line", "short long    line");
    formats(8, "shortlon\r\n\r\n", "shortlon%n");
    formats(8, "short\rlong\r\nline", "short%rlong line");
    formats(FORMAT_MESSAGE_IGNORE_INSERTS | 8, "short\r\nlong\r\nline%1", "short%nlong line%1");
}

static void messages_fit_or_not(void)
{
    const DWORD own = FORMAT_MESSAGE_FROM_STRING, allocate = own | FORMAT_MESSAGE_ALLOCATE_BUFFER;
    WCHAR wide[8] = {'x', 'x', 'x', 'x', 'x', 'x', 'x', 0};
    char *made = message;
    strcpy(message, "untouched");
    REFUSED(FormatMessageA(own, "test", 0, 0, message, 4, NULL), ERROR_INSUFFICIENT_BUFFER);
    REFUSED(FormatMessageA(own, "", 0, 0, message, 4, NULL), 235 /* ERROR_NO_WORK_DONE */);
    CHECK(strcmp(message, "untouched") == 0);
    REFUSED(FormatMessageW(own, TEXT_W("test"), 0, 0, wide, 4, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK(wide[2] == 's' && wide[3] == 0 && wide[4] == 'x');
    REFUSED(FormatMessageA(allocate, "", 0, 0, (char *)&made, 0, NULL), 235);
    CHECK(made == NULL);
    SAME(FormatMessageA(allocate, "test", 0, 0, (char *)&made, 0, NULL), 4);
    CHECK(made != NULL && strcmp(made, "test") == 0);
    LocalFree(made);
    REFUSED(FormatMessageA(allocate, "test", 0, 0, NULL, 0, NULL), ERROR_NOT_ENOUGH_MEMORY);
    REFUSED(FormatMessageW(allocate, TEXT_W("test"), 0, 0, NULL, 0, NULL), ERROR_INVALID_PARAMETER);
    REFUSED(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM, NULL, 99999, 0, message, sizeof message, NULL),
            317 /* ERROR_MR_MID_NOT_FOUND */);
    CHECK(FormatMessageA(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_FROM_HMODULE, NULL,
                         ERROR_ACCESS_DENIED, 0, message, sizeof message, NULL) > 0);
}

static void what_fits_is_converted(void)
{
    const WCHAR wide[] = {'a', 0xE9, 'b', 0x20AC, 'c', 0}, pair[] = {'a', 0xD83D, 0xDE00, 'b', 0};
    WCHAR to_wide[4] = {'x', 'x', 'x', 'x'};
    char to[16];
    memset(to, 'x', sizeof to);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, wide, -1, to, 2, NULL, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK(memcmp(to, "axxx", 4) == 0);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, wide, -1, to, 5, NULL, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK(memcmp(to, "a\xC3\xA9" "bxx", 6) == 0);
    memset(to, 'x', sizeof to);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0, pair, -1, to, 4, NULL, NULL), ERROR_INSUFFICIENT_BUFFER);
    CHECK(memcmp(to, "axxx", 4) == 0);
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, "abc", -1, to_wide, 2), ERROR_INSUFFICIENT_BUFFER);
    CHECK(to_wide[0] == 'a' && to_wide[1] == 'b' && to_wide[2] == 'x');
}

static void conversion_arguments_are_checked_first(void)
{
    WCHAR to_wide[4];
    char to[4];
    REFUSED(MultiByteToWideChar(CP_ACP, 0x10, "ab", -1, to_wide, 4), ERROR_INVALID_FLAGS);
    REFUSED(MultiByteToWideChar(CP_ACP, 0x10, NULL, -1, to_wide, 4), ERROR_INVALID_PARAMETER);
    REFUSED(MultiByteToWideChar(CP_ACP, 0x10, "ab", 0, to_wide, 4), ERROR_INVALID_PARAMETER);
    REFUSED(MultiByteToWideChar(CP_ACP, 0x10, "ab", -1, to_wide, -4), ERROR_INVALID_PARAMETER);
    REFUSED(MultiByteToWideChar(12345, 0x10, "ab", -1, to_wide, 4), ERROR_INVALID_PARAMETER);
    SAME(MultiByteToWideChar(CP_ACP, 1, "ab", -1, to_wide, 4), 3);
    SAME(MultiByteToWideChar(CP_ACP, 6, "ab", -1, to_wide, 4), 3);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0x4000, TEXT_W("ab"), -1, to, 4, NULL, NULL), ERROR_INVALID_FLAGS);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0x4000, NULL, -1, to, 4, NULL, NULL), ERROR_INVALID_PARAMETER);
    SAME(WideCharToMultiByte(CP_ACP, 0x600, TEXT_W("ab"), -1, to, 4, NULL, NULL), 3);
}

static void utf8_accepts_one_flag(void)
{
    WCHAR to_wide[4];
    char to[4];
    REFUSED(MultiByteToWideChar(CP_UTF8, 1, "ab", -1, to_wide, 4), ERROR_INVALID_FLAGS);
    SAME(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "ab", -1, to_wide, 4), 3);
    REFUSED(MultiByteToWideChar(CP_ACP, 3, "ab", -1, to_wide, 4), ERROR_INVALID_FLAGS);
    REFUSED(WideCharToMultiByte(CP_UTF8, 0x400, TEXT_W("ab"), -1, to, 4, NULL, NULL), ERROR_INVALID_FLAGS);
    SAME(WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, TEXT_W("ab"), -1, to, 4, NULL, NULL), 3);
    REFUSED(MultiByteToWideChar(CP_UTF8, 0, (char *)to_wide, 2, to_wide, 4), ERROR_INVALID_PARAMETER);
}

const Row message_rows[] = {
    {131, "values are inserted into messages according to their formats", values_are_inserted},
    {132, "a width or a precision of an insert may be a value", widths_are_values},
    {133, "escapes and line ends of messages", escapes_and_line_ends},
    {134, "lines of messages are wrapped at spaces", lines_are_wrapped},
    {135, "messages that do not fit, are empty or do not exist", messages_fit_or_not},
    {136, "conversions between widths write the part that fits", what_fits_is_converted},
    {137, "a conversion checks its string, length and code page before its flags",
     conversion_arguments_are_checked_first},
    {138, "UTF-8 is converted with at most one flag, into another buffer", utf8_accepts_one_flag},
    {0, NULL, NULL},
};
