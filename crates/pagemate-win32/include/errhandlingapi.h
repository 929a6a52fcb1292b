/* The last error of each thread. */
#ifndef PAGEMATE_ERRHANDLINGAPI_H
#define PAGEMATE_ERRHANDLINGAPI_H

#include "windef.h"

PAGEMATE_BEGIN
DWORD WINAPI GetLastError(void);
void WINAPI SetLastError(DWORD dwErrCode);
PAGEMATE_END

#endif
