/* Conversions between file times and calendar dates. */
#ifndef PAGEMATE_TIMEZONEAPI_H
#define PAGEMATE_TIMEZONEAPI_H

#include "minwinbase.h"

PAGEMATE_BEGIN
BOOL WINAPI FileTimeToSystemTime(const FILETIME *lpFileTime, LPSYSTEMTIME lpSystemTime);
BOOL WINAPI SystemTimeToFileTime(const SYSTEMTIME *lpSystemTime, LPFILETIME lpFileTime);
PAGEMATE_END

#endif
