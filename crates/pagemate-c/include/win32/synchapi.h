/* Waiting for time to pass. */
#ifndef PAGEMATE_SYNCHAPI_H
#define PAGEMATE_SYNCHAPI_H

#include "winnt.h"

#define INFINITE 0xFFFFFFFFu

PAGEMATE_BEGIN
void WINAPI Sleep(DWORD dwMilliseconds);
PAGEMATE_END

#endif
