/*
 * Executes commands from standard input, one in each line, by calls of pagemate.h. Replies to each
 * command with one line that begins with `@`. The commands are some of those that the actors in
 * `crates/pagemate/tests/harness` execute.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pagemate.h>

enum { MOST = 8 };

static struct {
    char name[256];
    pagemate_section *section;
    pagemate_view *view;
} held[MOST];

static int find(const char *name) {
    for (int i = 0; i < MOST; i++) {
        if (held[i].section != NULL && strcmp(held[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static pagemate_status keep(const char *name, pagemate_section *section) {
    for (int i = 0; i < MOST; i++) {
        if (held[i].section == NULL) {
            snprintf(held[i].name, sizeof held[i].name, "%s", name);
            held[i].section = section;
            return pagemate_section_map(section, NULL, &held[i].view);
        }
    }
    abort();
}

static void play(const char *verb, const char *name, const char *rest) {
    pagemate_section *section = NULL;
    pagemate_section_options options = {.len = strtoull(rest, NULL, 10)};
    pagemate_status status = PAGEMATE_OK;
    uint64_t number = 0;
    bool created = false;
    int i = find(name);

    if (strcmp(verb, "share") == 0) {
        status = pagemate_section_open_or_create(name, &options, &section);
        if (status == PAGEMATE_OK) {
            status = pagemate_section_was_created(section, &created);
        }
        if (status == PAGEMATE_OK) {
            status = keep(name, section);
        }
        if (status == PAGEMATE_OK) {
            printf("@%s\n", created ? "created" : "opened");
            return;
        }
    } else if (strcmp(verb, "create") == 0) {
        status = pagemate_section_create_new(name, &options, &section);
        if (status == PAGEMATE_OK) {
            status = keep(name, section);
        }
    } else if (strcmp(verb, "open") == 0) {
        status = pagemate_section_open(name, NULL, &section);
        if (status == PAGEMATE_OK) {
            status = keep(name, section);
        }
    } else if (strcmp(verb, "probe") == 0) {
        status = pagemate_section_open(name, NULL, &section);
        pagemate_section_close(section);
    } else if (strcmp(verb, "reach") == 0) {
        status = pagemate_inventory_unreachable();
    } else if (i < 0) {
        abort();
    } else if (strcmp(verb, "write") == 0) {
        number = strtoull(rest, NULL, 10);
        status = pagemate_view_write_at(held[i].view, 0, &number, sizeof number);
    } else if (strcmp(verb, "read") == 0) {
        status = pagemate_view_read_at(held[i].view, 0, &number, sizeof number);
        if (status == PAGEMATE_OK) {
            printf("@%" PRIu64 "\n", number);
            return;
        }
    } else if (strcmp(verb, "close") == 0) {
        pagemate_view_unmap(held[i].view);
        status = pagemate_section_close(held[i].section);
        held[i].section = NULL;
    } else {
        abort();
    }
    printf("@%s\n", status == PAGEMATE_OK ? "ok" : pagemate_status_name(status));
}

int main(void) {
    char line[512];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char verb[16] = "", name[256] = "", rest[32] = "";
        sscanf(line, "%15s %255s %31s", verb, name, rest);
        if (strcmp(verb, "exit") == 0) {
            exit(0);
        }
        play(verb, name, rest);
        fflush(stdout);
    }
    return 0;
}
