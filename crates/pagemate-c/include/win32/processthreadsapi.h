/* Who we are. */
#ifndef PAGEMATE_PROCESSTHREADSAPI_H
#define PAGEMATE_PROCESSTHREADSAPI_H

#include "winnt.h"

PAGEMATE_BEGIN
HANDLE WINAPI GetCurrentProcess(void);
DWORD WINAPI GetCurrentProcessId(void);
DWORD WINAPI GetCurrentThreadId(void);
PAGEMATE_END

#endif
