/* Windows' calls for shared memory, on Linux; docs/porting.md describes them. Only functions that
 * work are declared. A program that calls another function does not compile. */
#ifndef PAGEMATE_WINDOWS_H
#define PAGEMATE_WINDOWS_H

#include <stdarg.h>

#include "crt/pagemate_crt.h"
#include "guiddef.h"
#include "stringapiset.h"
#include "winbase.h"
#include "winerror.h"
#include "winuser.h"
#if defined(UNICODE) || __SIZEOF_WCHAR_T__ == 2
#include "crt/pagemate_wide.h"
#endif

#endif
