/* After this header, DEFINE_GUID also defines the GUID. */
#ifndef INITGUID
#define INITGUID
#endif
#include "guiddef.h"
