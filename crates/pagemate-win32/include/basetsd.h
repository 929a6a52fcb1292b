/* Integers as wide as a pointer: they are among the basic types. */
#ifndef PAGEMATE_BASETSD_H
#define PAGEMATE_BASETSD_H

#include "windef.h"

#endif
