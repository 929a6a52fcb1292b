#include <pagemate.h>
#include <stdio.h>

int main(void) {
    pagemate_section_options options = {.len = 4096};
    pagemate_section *section = NULL;
    if (pagemate_section_create_unnamed(&options, &section) != PAGEMATE_OK) {
        fprintf(stderr, "%s\n", pagemate_last_error_message());
        return 1;
    }
    pagemate_section_close(section);
    puts("native");
    return 0;
}
