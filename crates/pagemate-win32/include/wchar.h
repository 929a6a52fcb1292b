/* Wide characters under -fshort-wchar, where wchar_t has 16 bits: declares the functions of the C
 * library that have a 16-bit counterpart, under their own names. A program that calls another such
 * function fails to link. Without -fshort-wchar this file includes the C library's header only. */
#pragma GCC system_header
#if __SIZEOF_WCHAR_T__ != 2
#include_next <wchar.h>
#elif !defined(PAGEMATE_WCHAR_H)
#define PAGEMATE_WCHAR_H

#ifdef __cplusplus
/* The C++ headers for strings declare that the C++ library contains the code of std::wstring. That
 * code is for characters of 32 bits. These headers all include this file before that declaration,
 * so this file can disable it: each program then instantiates its own code. */
#include <bits/c++config.h>
#undef _GLIBCXX_EXTERN_TEMPLATE
#define _GLIBCXX_EXTERN_TEMPLATE 0
/* The C++ library also contains functions for wide characters of 32 bits that are not templates. So
 * a program cannot use a wide stream of its own, a wide regular expression or a conversion by
 * codecvt: it does not compile. The header iostream declares the standard wide streams. */
namespace std {
template <typename T>
struct char_traits;
template <typename T, typename Traits>
class basic_streambuf;
template <>
class basic_streambuf<wchar_t, char_traits<wchar_t>>;
_GLIBCXX_BEGIN_NAMESPACE_CXX11
template <typename T>
class regex_traits;
template <>
class regex_traits<wchar_t>;
template <typename Codecvt, typename T, typename WideAllocator, typename ByteAllocator>
class wstring_convert;
template <typename Codecvt, typename WideAllocator, typename ByteAllocator>
class wstring_convert<Codecvt, wchar_t, WideAllocator, ByteAllocator>;
_GLIBCXX_END_NAMESPACE_CXX11
}
#endif

#include <features.h>
#include <stdio.h>
#include <stdlib.h>

/* Include the C library's declarations without their asm names and bodies, because the asm names
 * below replace them. */
#pragma push_macro("__asm")
#pragma push_macro("__asm__")
#pragma push_macro("__USE_EXTERN_INLINES")
#pragma push_macro("__USE_FORTIFY_LEVEL")
#undef __USE_EXTERN_INLINES
#undef __USE_FORTIFY_LEVEL
#define __USE_FORTIFY_LEVEL 0
#define __asm(name)
#define __asm__(name)
#include_next <wchar.h>
#pragma pop_macro("__USE_FORTIFY_LEVEL")
#pragma pop_macro("__USE_EXTERN_INLINES")
#pragma pop_macro("__asm__")
#pragma pop_macro("__asm")

#include "windef.h"

#define PAGEMATE_HAS(name) extern __typeof__(name) name __asm__("pagemate_" #name);
#define PAGEMATE_LACKS(name) extern __typeof__(name) name __asm__("with_short_wchar_there_is_no_" #name);

PAGEMATE_BEGIN
PAGEMATE_HAS(wcslen)
PAGEMATE_HAS(wcsnlen)
PAGEMATE_HAS(wcscpy)
PAGEMATE_HAS(wcsncpy)
PAGEMATE_HAS(wcscat)
PAGEMATE_HAS(wcsncat)
PAGEMATE_HAS(wcscmp)
PAGEMATE_HAS(wcsncmp)
PAGEMATE_HAS(wcsdup)
PAGEMATE_HAS(wcstol)
PAGEMATE_HAS(wcstoul)
PAGEMATE_HAS(wmemcpy)
PAGEMATE_HAS(wmemmove)
PAGEMATE_HAS(wmemset)
PAGEMATE_HAS(wmemcmp)
PAGEMATE_HAS(wprintf)
PAGEMATE_HAS(fwprintf)
PAGEMATE_HAS(swprintf)
PAGEMATE_HAS(vwprintf)
PAGEMATE_HAS(vfwprintf)
PAGEMATE_HAS(vswprintf)
PAGEMATE_HAS(fputws)
PAGEMATE_HAS(fgetws)
PAGEMATE_HAS(wscanf)
PAGEMATE_HAS(vwscanf)
PAGEMATE_HAS(vswscanf)
PAGEMATE_HAS(vfwscanf)
PAGEMATE_HAS(swscanf)
PAGEMATE_HAS(fwscanf)

PAGEMATE_LACKS(btowc)
PAGEMATE_LACKS(fgetwc)
PAGEMATE_LACKS(fputwc)
PAGEMATE_LACKS(getwc)
PAGEMATE_LACKS(getwchar)
PAGEMATE_LACKS(mbrtowc)
PAGEMATE_LACKS(mbsrtowcs)
PAGEMATE_LACKS(mbstowcs)
PAGEMATE_LACKS(mbtowc)
PAGEMATE_LACKS(putwc)
PAGEMATE_LACKS(putwchar)
PAGEMATE_LACKS(ungetwc)
PAGEMATE_LACKS(wcrtomb)
PAGEMATE_LACKS(wcscoll)
PAGEMATE_LACKS(wcscspn)
PAGEMATE_LACKS(wcsftime)
PAGEMATE_LACKS(wcsrtombs)
PAGEMATE_LACKS(wcsspn)
PAGEMATE_LACKS(wcstod)
PAGEMATE_LACKS(wcstof)
PAGEMATE_LACKS(wcstok)
PAGEMATE_LACKS(wcstold)
PAGEMATE_LACKS(wcstoll)
PAGEMATE_LACKS(wcstombs)
PAGEMATE_LACKS(wcstoull)
PAGEMATE_LACKS(wcsxfrm)
PAGEMATE_LACKS(wctomb)

#ifndef __CORRECT_ISO_CPP_WCHAR_H_PROTO
PAGEMATE_HAS(wcschr)
PAGEMATE_HAS(wcsrchr)
PAGEMATE_HAS(wcsstr)
PAGEMATE_HAS(wmemchr)
PAGEMATE_LACKS(wcspbrk)
#else
/* In C++, each of these functions has an overload for const strings and one for others. */
#define PAGEMATE_HAS_BOTH(name, parameters)                                                       \
    extern "C++" wchar_t *name(wchar_t *parameters) __THROW __asm__("pagemate_" #name);           \
    extern "C++" const wchar_t *name(const wchar_t *parameters) __THROW __asm__("pagemate_" #name);
#define PAGEMATE_AND ,
PAGEMATE_HAS_BOTH(wcschr, PAGEMATE_AND wchar_t)
PAGEMATE_HAS_BOTH(wcsrchr, PAGEMATE_AND wchar_t)
PAGEMATE_HAS_BOTH(wcsstr, PAGEMATE_AND const wchar_t *)
PAGEMATE_HAS_BOTH(wmemchr, PAGEMATE_AND wchar_t PAGEMATE_AND size_t)
#endif
PAGEMATE_END

#include "crt/pagemate_wide.h"
#endif
