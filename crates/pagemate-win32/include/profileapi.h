/* The high-resolution clock. */
#ifndef PAGEMATE_PROFILEAPI_H
#define PAGEMATE_PROFILEAPI_H

#include "winnt.h"

PAGEMATE_BEGIN
BOOL WINAPI QueryPerformanceCounter(LARGE_INTEGER *lpPerformanceCount);
BOOL WINAPI QueryPerformanceFrequency(LARGE_INTEGER *lpFrequency);
PAGEMATE_END

#endif
