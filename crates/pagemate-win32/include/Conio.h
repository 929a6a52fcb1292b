/* File names are case-sensitive on Linux, so each common spelling of this name has a file. */
#include "crt/pagemate_conio.h"
