/* The same by every spelling of its name: file systems here tell large letters from small ones. */
#include "crt/pagemate_process.h"
