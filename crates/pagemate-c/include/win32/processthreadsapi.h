/* Who we are. */
#ifndef PAGEMATE_PROCESSTHREADSAPI_H
#define PAGEMATE_PROCESSTHREADSAPI_H

#include "winnt.h"

PAGEMATE_BEGIN
HANDLE WINAPI GetCurrentProcess(void);
DWORD WINAPI GetCurrentProcessId(void);
DWORD WINAPI GetCurrentThreadId(void);
/* Of the code, the system keeps the lowest byte. */
__attribute__((noreturn)) void WINAPI ExitProcess(UINT uExitCode);
PAGEMATE_END

#endif
