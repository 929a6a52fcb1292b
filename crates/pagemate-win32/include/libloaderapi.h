/* The path of the program's own file. Other modules are not supported. */
#ifndef PAGEMATE_LIBLOADERAPI_H
#define PAGEMATE_LIBLOADERAPI_H

#include "winnt.h"

PAGEMATE_BEGIN
DWORD WINAPI GetModuleFileNameA(HMODULE hModule, LPSTR lpFilename, DWORD nSize);
DWORD WINAPI GetModuleFileNameW(HMODULE hModule, LPWSTR lpFilename, DWORD nSize);
PAGEMATE_END

#ifdef UNICODE
#define GetModuleFileName GetModuleFileNameW
#else
#define GetModuleFileName GetModuleFileNameA
#endif

#endif
