/* The last error, one for each thread. */
#ifndef PAGEMATE_ERRHANDLINGAPI_H
#define PAGEMATE_ERRHANDLINGAPI_H

#include "windef.h"

PAGEMATE_BEGIN
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);
/* An extension to Windows: returns a sentence about this thread's last failed call, with the cause
 * and often a remedy. The pointer is valid until the thread's next call. */
const char *pagemate_win32_last_error_message(void);
PAGEMATE_END

#endif
