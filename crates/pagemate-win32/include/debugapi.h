/* Messages for a debugger. They are printed on standard error if PAGEMATE_TRACE is set. */
#ifndef PAGEMATE_DEBUGAPI_H
#define PAGEMATE_DEBUGAPI_H

#include "winnt.h"

PAGEMATE_BEGIN
void WINAPI OutputDebugStringA(LPCSTR lpOutputString);
void WINAPI OutputDebugStringW(LPCWSTR lpOutputString);
PAGEMATE_END

#ifdef UNICODE
#define OutputDebugString OutputDebugStringW
#else
#define OutputDebugString OutputDebugStringA
#endif

#endif
