/* The last error of each thread. */
#ifndef PAGEMATE_ERRHANDLINGAPI_H
#define PAGEMATE_ERRHANDLINGAPI_H

#include "windef.h"

PAGEMATE_BEGIN
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);
/* Not of Windows: a sentence about the last call of this thread that failed, with the cause and often a
 * remedy. It is valid until the thread's next call. */
const char *pagemate_win32_last_error_message(void);
PAGEMATE_END

#endif
