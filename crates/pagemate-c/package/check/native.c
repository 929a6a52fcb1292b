#include <pagemate.h>
#include <stdio.h>

/* A function with the name of a Windows call, as many programs define one. */
void Sleep(unsigned milliseconds) {
    printf("native, %u\n", milliseconds);
}

int main(void) {
    pagemate_section_options options = {.len = 4096};
    pagemate_section *section = NULL;
    if (pagemate_section_create_unnamed(&options, &section) != PAGEMATE_OK) {
        fprintf(stderr, "%s\n", pagemate_last_error_message());
        return 1;
    }
    pagemate_section_close(section);
    Sleep(1);
    return 0;
}
