#include <pagemate.h>
#include <windows.h>
#include <stdio.h>

int main(void) {
    pagemate_section *section = NULL;
    HANDLE mapping =
        CreateFileMapping(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, "dist-check-both");
    if (mapping == NULL) {
        return 1;
    }
    if (pagemate_section_open("dist-check-both", NULL, &section) != PAGEMATE_OK) {
        fprintf(stderr, "%s\n", pagemate_last_error_message());
        return 1;
    }
    pagemate_section_close(section);
    CloseHandle(mapping);
    puts("both");
    return 0;
}
