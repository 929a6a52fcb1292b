/*
 * Executes commands from standard input, one per line, on typed memory by calls of pagemate.h. Replies to each
 * with one line that begins with `@`. `robot.rs` documents the commands.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "robot.h"

/* The longest wait, after which the test fails. */
#define LONG (30000 * PAGEMATE_MILLISECOND)

static pagemate_shared *shared, *reader;
static pagemate_seqlock_writer *writer;
static robot *value;
static const robot *look;

static void or_die(pagemate_status status) {
    if (status != PAGEMATE_OK) {
        printf("@%s %s\n", pagemate_status_name(status), pagemate_last_error_message());
        fflush(stdout);
        exit(1);
    }
}

/* Stores initial values. If `context` is set, hangs in the middle. */
static pagemate_status initialise(const pagemate_shared *memory, void *context) {
    void *at = NULL;
    or_die(pagemate_shared_value(memory, &at));
    robot *fresh = at;
    if (fresh->errors != 0) {
        return PAGEMATE_CORRUPTED;
    }
    fresh->errors = 1;
    if (*(const bool *)context) {
        puts("@begun");
        fflush(stdout);
        for (;;) {
            pause();
        }
    }
    const pose start = {1, 2};
    pagemate_seqlock_writer *first = NULL;
    or_die(pagemate_seqlock_writer_open(memory, fresh->pose, sizeof start, &first));
    or_die(pagemate_seqlock_writer_write(first, &start, sizeof start));
    or_die(pagemate_seqlock_writer_close(first));
    or_die(pagemate_racy_write(fresh->label, "in C\0\0\0", sizeof fresh->label));
    fresh->limit = 1000;
    return PAGEMATE_OK;
}

static void open_all(const char *name, bool hang) {
    pagemate_layout layout;
    void *at = NULL;
    bool fresh = false;
    or_die(robot_layout(&layout));
    or_die(pagemate_shared_open_or_create(name, &layout, initialise, &hang, &shared));
    or_die(pagemate_shared_open_within(name, &layout, PAGEMATE_ACCESS_READ, LONG, &reader));
    or_die(pagemate_shared_value(shared, &at));
    value = at;
    or_die(pagemate_shared_value(reader, &at));
    look = at;
    or_die(pagemate_seqlock_writer_open(shared, value->pose, sizeof(pose), &writer));
    or_die(pagemate_shared_was_initialised(shared, &fresh));
    puts(fresh ? "@initialised" : "@opened");
}

static pagemate_status move(void *copy, void *context) {
    pose *moved = copy;
    moved->x += *(const double *)context;
    moved->y += *(const double *)context;
    return PAGEMATE_OK;
}

static void play(const char *verb, unsigned number) {
    uint32_t seen = 0;
    pose now;
    char label[sizeof look->label + 1] = "";
    double by = number;
    if (strcmp(verb, "pose") == 0) {
        or_die(pagemate_seqlock_read(look->pose, &now, sizeof now));
        printf("@%g %g\n", now.x, now.y);
    } else if (strcmp(verb, "label") == 0) {
        or_die(pagemate_racy_read(look->label, label, sizeof look->label));
        printf("@%s %u\n", label, (unsigned)value->limit);
    } else if (strcmp(verb, "wait") == 0) {
        or_die(pagemate_word_wait_while_for(&look->frame, number, LONG, &seen));
        printf("@%u\n", (unsigned)seen);
    } else if (strcmp(verb, "move") == 0) {
        or_die(pagemate_seqlock_writer_update(writer, move, &by));
        puts("@ok");
    } else if (strcmp(verb, "step") == 0) {
        atomic_fetch_add(&value->frame, 1);
        or_die(pagemate_word_wake_all(&value->frame));
        puts("@ok");
    } else {
        abort();
    }
}

int main(int count, char **arguments) {
    char line[64], verb[16];
    if (count != 3) {
        abort();
    }
    open_all(arguments[1], strcmp(arguments[2], "hang") == 0);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        unsigned number = 0;
        if (sscanf(line, "%15s %u", verb, &number) < 1 || strcmp(verb, "exit") == 0) {
            break;
        }
        play(verb, number);
        fflush(stdout);
    }
    return 0;
}
