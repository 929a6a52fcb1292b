/* Helpers of all checks. A failed check prints its line and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pagemate.h>

#define CHECK(condition) check((condition), __LINE__, #condition)
#define CHECK_STATUS(expected, call) check_status((expected), (call), __LINE__, #call)
#define CHECK_MESSAGE(text) check_message((text), __LINE__)
#define DO(call) CHECK_STATUS(PAGEMATE_OK, call)

/* Checks that the call reports which argument is NULL. */
#define CHECK_NULL(name, call)                                                                     \
    do {                                                                                           \
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, call);                                                \
        CHECK_MESSAGE(": " name " is NULL");                                                       \
    } while (0)

static inline void check(bool condition, int line, const char *text) {
    if (!condition) {
        printf("line %d: %s\n", line, text);
        exit(1);
    }
}

static inline void check_status(pagemate_status expected, pagemate_status status, int line, const char *call) {
    if (status != expected) {
        printf("line %d: %s: %s, not %s: %s\n", line, call, pagemate_status_name(status),
               pagemate_status_name(expected), pagemate_last_error_message());
        exit(1);
    }
}

static inline void check_message(const char *text, int line) {
    if (strstr(pagemate_last_error_message(), text) == NULL) {
        printf("line %d: \"%s\" is not in: %s\n", line, text, pagemate_last_error_message());
        exit(1);
    }
}

static const pagemate_section_options page = {.len = 4096};

static inline pagemate_section *create(const char *name) {
    pagemate_section *section = NULL;
    DO(pagemate_section_create_new(name, &page, &section));
    return section;
}

static inline pagemate_view *map(const pagemate_section *section) {
    pagemate_view *view = NULL;
    DO(pagemate_section_map(section, NULL, &view));
    return view;
}

#endif
