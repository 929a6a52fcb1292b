/* Every common spelling of this name has a file: file names are case-sensitive here. */
#include "pagemate_strsafe.h"
