/* Windows' calls for shared memory, on Linux: see docs/porting.md. A function that is declared here
 * works; what does not is not declared, so that a program that needs it does not compile. */
#ifndef PAGEMATE_WINDOWS_H
#define PAGEMATE_WINDOWS_H

#ifdef _UNICODE
#ifndef UNICODE
#define UNICODE
#endif
#endif

#include <stdarg.h>

#include "winbase.h"
#include "winerror.h"

#endif
