/* The string functions of Microsoft's C library, for bytes and for 16-bit characters. Prints each
 * check that fails, and the number of checks. */
#define STRSAFE_NO_DEPRECATE
#include <windows.h>
#include <fcntl.h>
#include <inttypes.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <tchar.h>
#include <strsafe.h>

static int checks;

#define CHECK(holds)                                                                              \
    do {                                                                                          \
        checks++;                                                                                 \
        if (!(holds))                                                                             \
            printf("%d: %s\n", __LINE__, #holds);                                                 \
    } while (0)

#ifndef __MINGW32__
static __declspec(align(64)) char aligned[3];
#endif

static void narrow(void)
{
    char to[8] = "xxxxxxx";
    CHECK(strcpy_s(to, sizeof to, "abc") == 0 && strcmp(to, "abc") == 0);
    CHECK(strcat_s(to, sizeof to, "defg") == 0 && strcmp(to, "abcdefg") == 0);
    CHECK(strcat_s(to, sizeof to, "h") == ERANGE && to[0] == 0);
    CHECK(strcpy_s(to, sizeof to, "12345678") == ERANGE && to[0] == 0);
    CHECK(strncpy_s(to, sizeof to, "abcdef", 3) == 0 && strcmp(to, "abc") == 0);
    CHECK(strncpy_s(to, sizeof to, "123456789", _TRUNCATE) == STRUNCATE
          && strcmp(to, "1234567") == 0);
    CHECK(sprintf_s(to, sizeof to, "%d-%s", 12, "ab") == 5 && strcmp(to, "12-ab") == 0);
    CHECK(_snprintf(to, sizeof to, "%s", "1234567") == 7 && strcmp(to, "1234567") == 0);
    CHECK(_snprintf(to, 3, "%s", "abcd") == -1 && memcmp(to, "abc4567", 8) == 0);
    CHECK(_snprintf(NULL, 0, "%s", "abcd") == 4);
    CHECK(_stricmp("HeLLo", "hello") == 0 && _strnicmp("abX", "ABy", 2) == 0);
    CHECK(memcpy_s(to, sizeof to, "abc", 4) == 0 && strcmp(to, "abc") == 0);
    CHECK(_countof(to) == 8 && ARRAYSIZE(to) == 8);
    CHECK(_setmode(_fileno(stderr), _O_U8TEXT) == _O_TEXT);
#ifndef __MINGW32__
    CHECK((ULONG_PTR)aligned % 64 == 0);
#endif
}

static void wide(void)
{
    wchar_t to[8] = L"xxxxxxx", *end;
    const wchar_t *text = L"abcabc";
    CHECK(sizeof(wchar_t) == 2 && sizeof(L"ab") == 6);
    CHECK(wcslen(text) == 6 && wcscmp(text, L"abd") < 0 && wcsncmp(text, L"abd", 2) == 0);
    CHECK(wcschr(text, L'c') == text + 2 && wcsrchr(text, L'c') == text + 5);
    CHECK(wcschr(text, L'x') == NULL && wcschr(text, 0) == text + 6);
    CHECK(wcsstr(text, L"ca") == text + 2 && wcsstr(text, L"cc") == NULL && wcsstr(text, L"") == text);
    CHECK(wcscmp(wcscat(wcscpy(to, L"ab"), L"cd"), L"abcd") == 0);
    CHECK(wcsncpy(to, L"z", 3) == to && to[0] == L'z' && to[1] == 0 && to[2] == 0 && to[3] == L'd');
    CHECK(wcscmp(wcsncat(to, L"12345", 2), L"z12") == 0);
    CHECK(_wcsicmp(L"HeLLo", L"hello") == 0 && _wtoi(L" -42x") == -42);
    CHECK(wcstol(L"0x1Fz", &end, 16) == 31 && *end == L'z');
    CHECK(wcstoul(L"zzz", &end, 10) == 0 && *end == L'z');
    CHECK(wcscpy_s(to, 8, L"abc") == 0 && wcscat_s(to, 8, L"defgh") == ERANGE && to[0] == 0);
    CHECK(wmemcmp(wmemset(to, L'q', 3), L"qqq", 3) == 0);
}

/* Checks that are the same for bytes and for 16-bit characters. */
static void formats(void)
{
    wchar_t to[64];
    CHECK(swprintf_s(to, 64, L"%d|%5d|%-5d|%05d|%+d", -1, 42, 42, 42, 42) == 24);
    CHECK(wcscmp(to, L"-1|   42|42   |00042|+42") == 0);
    CHECK(_snwprintf(to, 64, L"%u %lu %x %#X %hd", 7u, (unsigned long)8, 255, 255, 70000) > 0);
    CHECK(wcscmp(to, L"7 8 ff 0XFF 4464") == 0);
    CHECK(_snwprintf(to, 64, L"%lld %I64u", -5000000000LL, 5000000000ULL) > 0);
    CHECK(wcscmp(to, L"-5000000000 5000000000") == 0);
    CHECK(_snwprintf(to, 64, L"[%ls] [%5ls] [%-5ls] [%.2ls]", L"abc", L"abc", L"abc", L"abc") > 0);
    CHECK(wcscmp(to, L"[abc] [  abc] [abc  ] [ab]") == 0);
    CHECK(_snwprintf(to, 64, L"%hs %lc%%", "bytes", L'w') > 0 && wcscmp(to, L"bytes w%") == 0);
    CHECK(_snwprintf(to, 64, L"%.3f %8.2e %g", 1.5, 12345.678, 0.25) > 0);
    CHECK(wcsncmp(to, L"1.500 1.23e+", 12) == 0);
    CHECK(_snwprintf(to, 64, L"%*d %-*d.", 4, 1, 4, 2) > 0 && wcscmp(to, L"   1 2   .") == 0);
    CHECK(_snwprintf(to, 64, L"%p", (void *)(ULONG_PTR)0xBEEF) > 0);
    CHECK(wcscmp(to, L"000000000000BEEF") == 0);
    wmemset(to, L'#', 64);
    CHECK(_snwprintf(to, 3, L"%ls", L"abcd") == -1 && to[2] == L'c' && to[3] == L'#');
    CHECK(_snwprintf(NULL, 0, L"%d", 12345) == 5);
    CHECK(_snwprintf_s(to, 4, _TRUNCATE, L"%d", 12345) == -1 && wcscmp(to, L"123") == 0);
    CHECK(_scwprintf(L"%ld", (LONG)-3) == 2);
    CHECK(wsprintfW(to, L"%ld|%hs", (LONG)-3, "bytes") == 8 && wcscmp(to, L"-3|bytes") == 0);
#ifndef __MINGW32__
    /* An invalid conversion is printed verbatim, and a huge width fails at once. */
    CHECK(swprintf(to, 64, L"ab%q%d", 5) == 5 && wcscmp(to, L"ab%q5") == 0);
    CHECK(swprintf(to, 64, L"%*d", -2147483647 - 1, 1) == -1);
#endif
}

/* Formats values that have the sizes of Windows' types. */
static void byte_formats(void)
{
    const LONG minus = -3;
    const DWORD most = 0xFFFFFFFF;
    const ULONGLONG large = 5000000000;
    char to[64], line[64] = "";
    FILE *stream = tmpfile();
    CHECK(_snprintf(to, 64, "%ld %li %lu %lx %lX %lo", minus, minus, most, most, most, 8u) > 0);
    CHECK(strcmp(to, "-3 -3 4294967295 ffffffff FFFFFFFF 10") == 0);
    CHECK(_snprintf(to, 64, "%I64u %I64d %I64x %llu", large, -5000000000LL, large, large) > 0);
    CHECK(strcmp(to, "5000000000 -5000000000 12a05f200 5000000000") == 0);
    CHECK(_snprintf(to, 64, "%I32u %I32d %Iu %hd %hu", most, minus, (SIZE_T)large, 70000, 70000) > 0);
    CHECK(strcmp(to, "4294967295 -3 5000000000 4464 4464") == 0);
    CHECK(_snprintf(to, 64, "[%s] [%5s] [%-5s] [%.2s] [%hs]", "abc", "abc", "abc", "abc", "h") > 0);
    CHECK(strcmp(to, "[abc] [  abc] [abc  ] [ab] [h]") == 0);
    CHECK(_snprintf(to, 64, "[%ls] [%S] [%5ls] [%.2S]", L"abc", L"abc", L"abc", L"abc") > 0);
    CHECK(strcmp(to, "[abc] [abc] [  abc] [ab]") == 0);
    CHECK(_snprintf(to, 64, "%c%lc%C%hc%%|%3c|%-3c|", 'a', L'b', L'c', 'd', 'e', 'f') > 0);
    CHECK(strcmp(to, "abcd%|  e|f  |") == 0);
    CHECK(_snprintf(to, 64, "%.3f %8.2e %g %lf", 1.5, 12345.678, 0.25, 2.5) > 0);
    CHECK(strncmp(to, "1.500 1.23e+", 12) == 0 && strcmp(to + strlen(to) - 14, " 0.25 2.500000") == 0);
    CHECK(_snprintf(to, 64, "%*d|%-*d|%.*d|%+d|% d|%#x|%05d", 4, 1, 4, 2, 3, 7, 1, 1, 255, -42) > 0);
    CHECK(strcmp(to, "   1|2   |007|+1| 1|0xff|-0042") == 0);
    CHECK(_snprintf(to, 64, "%p", (void *)(ULONG_PTR)0xBEEF) > 0);
    CHECK(strcmp(to, "000000000000BEEF") == 0);
    CHECK(_snprintf(to, 64, "%s", (const char *)NULL) == 6 && strcmp(to, "(null)") == 0);
    CHECK(sprintf(to, "%lu-%ld", most, minus) == 13 && strcmp(to, "4294967295--3") == 0);
    CHECK(snprintf(to, 4, "%lu", most) == 10 && strcmp(to, "429") == 0);
    CHECK(sprintf_s(to, 64, "%I64u%ld", large, minus) == 12 && strcmp(to, "5000000000-3") == 0);
    CHECK(_snprintf_s(to, 4, _TRUNCATE, "%lu", most) == -1 && strcmp(to, "429") == 0);
    CHECK(_snprintf_s(to, 64, 2, "%lu", most) == -1 && strcmp(to, "42") == 0);
    CHECK(_snprintf_s(to, 64, 12, "%ld", minus) == 2 && strcmp(to, "-3") == 0);
    CHECK(_scprintf("%ld", minus) == 2);
    CHECK(wsprintfA(to, "%lu %s", most, "a") == 12 && strcmp(to, "4294967295 a") == 0);
    CHECK(StringCchPrintfA(to, 64, "%ld %I64u", minus, large) == S_OK);
    CHECK(strcmp(to, "-3 5000000000") == 0);
    CHECK(StringCbPrintfA(to, 3, "%ld", -123) == STRSAFE_E_INSUFFICIENT_BUFFER);
    CHECK(strcmp(to, "-1") == 0);
    CHECK(fprintf(stream, "%lu %I64u %600ld\n", most, large, minus) == 623);
    rewind(stream);
    CHECK(fgets(line, 30, stream) == line && strncmp(line, "4294967295 5000000000        ", 29) == 0);
    fclose(stream);
#ifndef __MINGW32__
    CHECK(_snprintf(to, 64, "%" PRIu64 " %" PRIdPTR, large, (intptr_t)-1) == 13);
    CHECK(strcmp(to, "5000000000 -1") == 0);
    CHECK(_snprintf(to, 64, "%S", L"\u00e4") == 2 && strcmp(to, "\xC3\xA4") == 0);
    CHECK(_snprintf(to, 64, "%q%d", 5) == 3 && strcmp(to, "%q5") == 0);
#endif
}

/* Scans values that have the sizes of Windows' types, and checks that the neighbouring memory is
 * unchanged. */
static void scans(void)
{
    LONG number[3] = {7, 7, 7};
    DWORD unsigned_number = 7, guard = 7;
    ULONGLONG large = 0;
    short small[2] = {7, 7};
    float single = 0;
    double real = 0;
    char text[8], other[8];
    wchar_t wide[8];
    int read = 0;
    FILE *stream = tmpfile();
    CHECK(sscanf(" -12 , 0x1F", "%ld , %lx", &number[1], &unsigned_number) == 2);
    CHECK(number[0] == 7 && number[1] == -12 && number[2] == 7);
    CHECK(unsigned_number == 31 && guard == 7);
    CHECK(sscanf("5000000000 -3", "%I64u %hd", &large, &small[0]) == 2);
    CHECK(large == 5000000000 && small[0] == -3 && small[1] == 7);
    CHECK(sscanf("1.5 2.5", "%f %lf", &single, &real) == 2 && single == 1.5f && real == 2.5);
    CHECK(sscanf("word [in]here", "%7s [%7[^]]]%n", text, other, &read) == 2);
    CHECK(strcmp(text, "word") == 0 && strcmp(other, "in") == 0 && read == 9);
    CHECK(sscanf("abcdef", "%2s%c%*c%3s", text, &other[0], &other[1]) == 3);
    CHECK(strcmp(text, "ab") == 0 && strcmp(other, "cef") == 0);
    CHECK(sscanf("wide w", "%ls %S", wide, wide + 5) == 2);
    CHECK(wcscmp(wide, L"wide") == 0 && wcscmp(wide + 5, L"w") == 0);
    CHECK(sscanf("", "%d", &read) == EOF && sscanf("x", "%d", &read) == 0);
    CHECK(sscanf("1 x", "%ld %ld", &number[0], &number[1]) == 1 && number[0] == 1);
    CHECK(sscanf("50% 7", "%ld%% %ld", &number[0], &number[1]) == 2 && number[1] == 7);
    CHECK(swscanf(L"-12 word", L"%ld %ls", &number[1], wide) == 2);
    CHECK(number[1] == -12 && wcscmp(wide, L"word") == 0);
    fputs("12 text\n34", stream);
    rewind(stream);
    CHECK(fscanf(stream, "%lu %7s", &unsigned_number, text) == 2 && unsigned_number == 12);
    CHECK(fscanf(stream, "%lu", &unsigned_number) == 1 && unsigned_number == 34);
    CHECK(fscanf(stream, "%lu", &unsigned_number) == EOF && guard == 7);
    fclose(stream);
    CHECK(sscanf_s("word 12", "%s %ld", text, (unsigned)sizeof text, &number[0]) == 2);
    CHECK(strcmp(text, "word") == 0 && number[0] == 12);
    CHECK(sscanf_s("too long", "%s", text, 3u) == 0 && text[0] == 0);
}

#ifndef __MINGW32__
/* Reads streams with invalid text, and into short buffers. */
static void streams(void)
{
    static const char bytes[] = "z\n\xF0\x9F\x98\x80\xED\xA0\x80\xC0\x80\x80\n";
    static const wchar_t read[] = {0xD83D, 0xDE00, 0xFFFD, 0xFFFD, 0xFFFD, '\n', 0};
    wchar_t to[16];
    FILE *stream = tmpfile();
    fwrite(bytes, 1, sizeof bytes - 1, stream);
    rewind(stream);
    CHECK(fgetws(to, 1, stream) == to && to[0] == 0);
    CHECK(fgetws(to, 2, stream) == to && wcscmp(to, L"z") == 0);
    CHECK(fgetws(to, 2, stream) == to && wcscmp(to, L"\n") == 0);
    CHECK(fgetws(to, 16, stream) == to && wcscmp(to, read) == 0);
    CHECK(fgetws(to, 2, stream) == NULL);
    fclose(stream);
}
#endif

static void generic(void)
{
    TCHAR to[16];
    size_t len = 0;
    CHECK(_tcslen(_T("four")) == 4 && _tcscmp(TEXT("a"), _T("b")) < 0 && _ttoi(_T("12")) == 12);
    CHECK(_tcscpy_s(to, 16, _T("ab")) == 0 && _tcsstr(to, _T("b")) == to + 1);
    CHECK(_sntprintf(to, 16, _T("%d"), 77) == 2 && _tcscmp(to, _T("77")) == 0);
    CHECK(StringCchPrintf(to, 16, _T("%d-%d"), 1, 2) == S_OK && _tcscmp(to, _T("1-2")) == 0);
    CHECK(StringCchCat(to, 16, _T("-3")) == S_OK && _tcscmp(to, _T("1-2-3")) == 0);
    CHECK(StringCchLength(to, 16, &len) == S_OK && len == 5);
    CHECK(StringCchCopy(to, 4, _T("too long")) == STRSAFE_E_INSUFFICIENT_BUFFER);
    CHECK(_tcscmp(to, _T("too")) == 0);
    CHECK(lstrlen(to) == 3);
}

static void conversions(void)
{
    static const WCHAR wide[] = {'a', 0xE4, 0x20AC, 0xD83D, 0xDE00, 0};
    static const char bytes[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80";
    WCHAR to_wide[16];
    char to_bytes[16];
    CHECK(MultiByteToWideChar(CP_UTF8, 0, bytes, -1, NULL, 0) == 6);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, bytes, -1, to_wide, 16) == 6);
    CHECK(memcmp(to_wide, wide, sizeof wide) == 0);
    CHECK(WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL) == sizeof bytes);
    CHECK(WideCharToMultiByte(CP_UTF8, 0, wide, 5, to_bytes, 16, NULL, NULL) == sizeof bytes - 1);
    CHECK(memcmp(to_bytes, bytes, sizeof bytes - 1) == 0);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, bytes, -1, to_wide, 3) == 0);
    CHECK(GetLastError() == ERROR_INSUFFICIENT_BUFFER);
    CHECK(MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, "\xFF", -1, to_wide, 16) == 0);
    CHECK(GetLastError() == ERROR_NO_UNICODE_TRANSLATION);
    CHECK(MultiByteToWideChar(12345, 0, "x", -1, to_wide, 16) == 0);
    CHECK(GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, NULL, -1, to_wide, 16) == 0);
    CHECK(GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(MultiByteToWideChar(CP_UTF8, 0, "x", 0, to_wide, 16) == 0);
    CHECK(GetLastError() == ERROR_INVALID_PARAMETER);
    CHECK(MultiByteToWideChar(CP_ACP, 0, "x", -1, to_wide, 16) == 2);
}

int wmain(int argc, wchar_t *argv[])
{
    wchar_t line[32];
    narrow();
    wide();
    formats();
    byte_formats();
    scans();
    generic();
    conversions();
#ifndef __MINGW32__
    streams();
#endif
    CHECK(argc == 2 && wcscmp(argv[1], L"argument") == 0 && argv[2] == NULL);
    CHECK(fgetws(line, 32, stdin) != NULL && wcscmp(line, L"\n") == 0);
    wprintf(L"%d %ls\n", checks, L"checks");
    fputws(L"done\n", stdout);
    return 0;
}
