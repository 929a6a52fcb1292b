/* Prints each key as it is pressed, until q. */
#include <conio.h>
#include <stdio.h>

int main()
{
    int key;
    printf("which key?");
    do {
        key = _getch();
        printf(" %d", key);
    } while (key != 'q' && key != EOF);
    printf(" %s\n", _kbhit() ? "and more" : "and no more");
    return 0;
}
