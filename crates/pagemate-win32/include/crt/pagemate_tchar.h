/* Generic text: 16-bit characters with UNICODE, bytes otherwise. */
#ifndef PAGEMATE_TCHAR_H
#define PAGEMATE_TCHAR_H

#include "pagemate_crt.h"

#define _T(text) __TEXT(text)
#define _TEXT(text) __TEXT(text)

#ifdef UNICODE
#include "pagemate_wide.h"

typedef WCHAR _TCHAR;

#define _tmain wmain
#define _tprintf pagemate_wprintf
#define _ftprintf pagemate_fwprintf
#define _vtprintf pagemate_vwprintf
#define _vftprintf pagemate_vfwprintf
#define _stprintf _swprintf
#define _sntprintf _snwprintf
#define _stprintf_s swprintf_s
#define _sntprintf_s _snwprintf_s
#define _vstprintf_s vswprintf_s
#define _vsntprintf _vsnwprintf
#define _vsntprintf_s _vsnwprintf_s
#define _sctprintf _scwprintf
#define _tscanf pagemate_wscanf
#define _ftscanf pagemate_fwscanf
#define _stscanf pagemate_swscanf
#define _tscanf_s wscanf_s
#define _ftscanf_s fwscanf_s
#define _stscanf_s swscanf_s
#define _tcslen pagemate_wcslen
#define _tcsnlen pagemate_wcsnlen
#define _tcscpy pagemate_wcscpy
#define _tcsncpy pagemate_wcsncpy
#define _tcscat pagemate_wcscat
#define _tcsncat pagemate_wcsncat
#define _tcscmp pagemate_wcscmp
#define _tcsncmp pagemate_wcsncmp
#define _tcsicmp _wcsicmp
#define _tcsnicmp _wcsnicmp
#define _tcschr pagemate_wcschr
#define _tcsrchr pagemate_wcsrchr
#define _tcsstr pagemate_wcsstr
#define _tcsdup _wcsdup
#define _tcscpy_s wcscpy_s
#define _tcsncpy_s wcsncpy_s
#define _tcscat_s wcscat_s
#define _tcstol pagemate_wcstol
#define _tcstoul pagemate_wcstoul
#define _ttoi _wtoi
#define _tstoi _wtoi
#define _putts _putws
#define _fputts pagemate_fputws
#define _fgetts pagemate_fgetws
#define _gettchar pagemate_getwchar
#define _tfopen _wfopen
#define _tfopen_s _wfopen_s
#define _tcstok_s wcstok_s
#else
typedef char _TCHAR;

#define _tmain main
#define _tprintf printf
#define _ftprintf fprintf
#define _vtprintf vprintf
#define _vftprintf vfprintf
#define _stprintf sprintf
#define _sntprintf _snprintf
#define _stprintf_s sprintf_s
#define _sntprintf_s _snprintf_s
#define _vstprintf_s vsprintf_s
#define _vsntprintf _vsnprintf
#define _vsntprintf_s _vsnprintf_s
#define _sctprintf _scprintf
#define _tscanf scanf
#define _ftscanf fscanf
#define _stscanf sscanf
#define _tscanf_s scanf_s
#define _ftscanf_s fscanf_s
#define _stscanf_s sscanf_s
#define _tcslen strlen
#define _tcsnlen strnlen
#define _tcscpy strcpy
#define _tcsncpy strncpy
#define _tcscat strcat
#define _tcsncat strncat
#define _tcscmp strcmp
#define _tcsncmp strncmp
#define _tcsicmp _stricmp
#define _tcsnicmp _strnicmp
#define _tcschr strchr
#define _tcsrchr strrchr
#define _tcsstr strstr
#define _tcsdup _strdup
#define _tcscpy_s strcpy_s
#define _tcsncpy_s strncpy_s
#define _tcscat_s strcat_s
#define _tcstol strtol
#define _tcstoul strtoul
#define _ttoi atoi
#define _tstoi atoi
#define _putts puts
#define _fputts fputs
#define _fgetts fgets
#define _gettchar getchar
#define _tfopen fopen
#define _tfopen_s fopen_s
#define _tcstok_s strtok_s
#endif

#endif
