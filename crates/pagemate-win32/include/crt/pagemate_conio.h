/* Reads single keys. If standard input is not a terminal, the next byte of it is returned as the
 * key. */
#ifndef PAGEMATE_CONIO_H
#define PAGEMATE_CONIO_H

#include "../windef.h"

PAGEMATE_BEGIN
int _getch(void);
int _getche(void);
int _kbhit(void);
int _putch(int character);
PAGEMATE_END

#define getch _getch
#define getche _getche
#define kbhit _kbhit
#define putch _putch

#endif
