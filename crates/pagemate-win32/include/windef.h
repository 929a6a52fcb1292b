/* Windows' basic types, with their widths of 64-bit Windows.
 *
 * LONG and DWORD have 32 bits: they are int here, because long has 64. WCHAR has 16 bits. In a
 * program that is compiled with -fshort-wchar, WCHAR is wchar_t, and L"..." is a string of WCHAR.
 * In other programs it is char16_t, and TEXT("...") is a string of WCHAR. */
#ifndef PAGEMATE_WINDEF_H
#define PAGEMATE_WINDEF_H

#if defined(UNICODE) || defined(_UNICODE)
#undef UNICODE
#undef _UNICODE
#define UNICODE 1
#define _UNICODE 1
#endif

#include <stddef.h>
#include <stdint.h>

#include "pagemate_msvc.h"

#ifdef __cplusplus
#define PAGEMATE_BEGIN extern "C" {
#define PAGEMATE_END }
#else
#include <uchar.h>
#define PAGEMATE_BEGIN
#define PAGEMATE_END
#endif

#define WINAPI
#define CALLBACK
#define APIENTRY
#define WINBASEAPI
#define CONST const
#define VOID void
#define IN
#define OUT
#define OPTIONAL
#define FORCEINLINE static inline

#define MAX_PATH 260
#ifndef FALSE
#define FALSE 0
#endif
#ifndef TRUE
#define TRUE 1
#endif

typedef int BOOL, *PBOOL, *LPBOOL;
typedef unsigned char BYTE, *PBYTE, *LPBYTE, UCHAR, *PUCHAR, BOOLEAN, *PBOOLEAN;
typedef char CHAR, *PCHAR, *LPCH, *PCH;
typedef unsigned short WORD, *PWORD, *LPWORD, USHORT, *PUSHORT;
typedef short SHORT, *PSHORT;
typedef int INT, *PINT, *LPINT, LONG, *PLONG, *LPLONG, INT32, LONG32, HRESULT;
typedef unsigned int UINT, *PUINT, *LPUINT, DWORD, *PDWORD, *LPDWORD, ULONG, *PULONG, UINT32, ULONG32,
    DWORD32;
typedef float FLOAT, *PFLOAT;
typedef double DOUBLE;
typedef long long LONGLONG, *PLONGLONG, LONG64, *PLONG64, INT64, *PINT64;
typedef unsigned long long ULONGLONG, *PULONGLONG, DWORDLONG, *PDWORDLONG, ULONG64, *PULONG64, DWORD64,
    *PDWORD64, UINT64, *PUINT64;
typedef signed char INT8;
typedef unsigned char UINT8;
typedef short INT16;
typedef unsigned short UINT16;
typedef void *PVOID, *LPVOID;
typedef const void *LPCVOID, *PCVOID;
typedef intptr_t INT_PTR, *PINT_PTR, LONG_PTR, *PLONG_PTR, SSIZE_T, *PSSIZE_T;
typedef uintptr_t UINT_PTR, *PUINT_PTR, ULONG_PTR, *PULONG_PTR, DWORD_PTR, *PDWORD_PTR;
typedef size_t SIZE_T, *PSIZE_T;
typedef void *HANDLE, **PHANDLE, **LPHANDLE;
typedef void *HLOCAL, *HGLOBAL, *HMODULE, *HINSTANCE;

#if __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#define PAGEMATE_WIDE(text) L##text
#else
typedef char16_t WCHAR;
#define PAGEMATE_WIDE(text) u##text
#endif
typedef WCHAR *PWCHAR, *LPWCH, *PWCH, *LPWSTR, *PWSTR, *NWPSTR;
typedef const WCHAR *LPCWCH, *LPCWSTR, *PCWSTR;
typedef CHAR *LPSTR, *PSTR, *NPSTR;
typedef const CHAR *LPCCH, *LPCSTR, *PCSTR;

#ifdef UNICODE
typedef WCHAR TCHAR, *PTCHAR;
typedef LPWSTR LPTSTR, PTSTR;
typedef LPCWSTR LPCTSTR, PCTSTR;
#define __TEXT(text) PAGEMATE_WIDE(text)
#else
typedef char TCHAR, *PTCHAR;
typedef LPSTR LPTSTR, PTSTR;
typedef LPCSTR LPCTSTR, PCTSTR;
#define __TEXT(text) text
#endif
#define TEXT(text) __TEXT(text)

#define LOWORD(l) ((WORD)(((DWORD_PTR)(l)) & 0xffff))
#define HIWORD(l) ((WORD)((((DWORD_PTR)(l)) >> 16) & 0xffff))
#define LOBYTE(w) ((BYTE)(((DWORD_PTR)(w)) & 0xff))
#define HIBYTE(w) ((BYTE)((((DWORD_PTR)(w)) >> 8) & 0xff))
#define MAKEWORD(a, b) ((WORD)(((BYTE)(a)) | ((WORD)((BYTE)(b))) << 8))
#define MAKELONG(a, b) ((LONG)(((WORD)(a)) | ((DWORD)((WORD)(b))) << 16))
#define UNREFERENCED_PARAMETER(p) ((void)(p))
#define ARRAYSIZE(array) (sizeof(array) / sizeof((array)[0]))

/* In C++, macros with the names min and max would break the standard headers that are included
 * later, so these are functions. Like the macros, they take two arguments of different types. They
 * do not affect std::min. */
#ifndef NOMINMAX
#ifndef min
#ifdef __cplusplus
template <typename A, typename B>
constexpr auto min(A a, B b) -> decltype(a < b ? A(a) : B(b)) {
    return a < b ? A(a) : B(b);
}
#else
#define min(a, b) (((a) < (b)) ? (a) : (b))
#endif
#endif
#ifndef max
#ifdef __cplusplus
template <typename A, typename B>
constexpr auto max(A a, B b) -> decltype(a > b ? A(a) : B(b)) {
    return a > b ? A(a) : B(b);
}
#else
#define max(a, b) (((a) > (b)) ? (a) : (b))
#endif
#endif
#endif

typedef struct _FILETIME {
    DWORD dwLowDateTime;
    DWORD dwHighDateTime;
} FILETIME, *PFILETIME, *LPFILETIME;

#endif
