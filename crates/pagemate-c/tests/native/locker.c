/*
 * Executes commands from standard input, one per line, by the sync calls of pagemate.h. Replies to each with
 * one line that begins with `@`. `locker.rs` documents the commands.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pagemate.h>

/* The longest wait, after which the test fails. */
#define LONG (30000 * PAGEMATE_MILLISECOND)

static pagemate_mutex *mutex;
static pagemate_event *event;
static pagemate_semaphore *semaphore;
static pagemate_section *section;
static pagemate_shared_mutex *value;

static void answer(pagemate_status status, const char *good) {
    const char *bad = status == PAGEMATE_TIMED_OUT ? "busy" : pagemate_status_name(status);
    printf("@%s\n", status == PAGEMATE_OK ? good : bad);
}

static void or_die(pagemate_status status) {
    if (status != PAGEMATE_OK) {
        answer(status, "");
        exit(1);
    }
}

static void open_all(const char *name, uint64_t fingerprint) {
    char other[256];
    const uint64_t zero = 0;
    const pagemate_section_options page = {.len = 4096};
    const pagemate_event_options manual = {.reset = PAGEMATE_RESET_MANUAL};
    bool created = false;
    or_die(pagemate_mutex_open_or_create(name, NULL, &mutex));
    or_die(pagemate_mutex_was_created(mutex, &created));
    snprintf(other, sizeof other, "%s-event", name);
    or_die(pagemate_event_open_or_create(other, &manual, &event));
    snprintf(other, sizeof other, "%s-semaphore", name);
    or_die(pagemate_semaphore_open_or_create(other, NULL, &semaphore));
    snprintf(other, sizeof other, "%s-value", name);
    or_die(pagemate_section_open_or_create(other, &page, &section));
    or_die(pagemate_shared_mutex_open_or_init(section, 0, fingerprint, &zero, sizeof zero, &value));
    answer(PAGEMATE_OK, created ? "created" : "opened");
}

static void add(void) {
    uint64_t number = 0;
    bool abandoned = false;
    or_die(pagemate_shared_mutex_try_lock_for(value, LONG, &abandoned));
    or_die(pagemate_shared_mutex_read_at(value, 0, &number, sizeof number));
    number++;
    or_die(pagemate_shared_mutex_write_at(value, 0, &number, sizeof number));
    or_die(pagemate_shared_mutex_unlock(value));
    printf("@%" PRIu64 "%s\n", number, abandoned ? " abandoned" : "");
}

static void play(const char *verb) {
    bool abandoned = false;
    size_t index = 0;
    uint64_t bits = 0;
    pagemate_status status = PAGEMATE_OK;
    const pagemate_waitable list[] = {{.event = event}, {.semaphore = semaphore}, {.mutex = mutex}};
    if (strcmp(verb, "lock") == 0) {
        status = pagemate_mutex_try_lock_for(mutex, LONG, &abandoned);
        answer(status, abandoned ? "abandoned" : "had");
    } else if (strcmp(verb, "try") == 0) {
        status = pagemate_mutex_try_lock(mutex, &abandoned);
        answer(status, abandoned ? "abandoned" : "had");
    } else if (strcmp(verb, "unlock") == 0) {
        answer(pagemate_mutex_unlock(mutex), "ok");
    } else if (strcmp(verb, "set") == 0) {
        answer(pagemate_event_set(event), "ok");
    } else if (strcmp(verb, "reset") == 0) {
        answer(pagemate_event_reset(event), "ok");
    } else if (strcmp(verb, "release") == 0) {
        answer(pagemate_semaphore_release(semaphore, 1, NULL), "ok");
    } else if (strcmp(verb, "any") == 0) {
        or_die(pagemate_wait_any_for(list, 3, LONG, &index, &abandoned));
        printf("@%zu%s\n", index, abandoned ? " abandoned" : "");
    } else if (strcmp(verb, "all") == 0) {
        or_die(pagemate_wait_all_for(list, 3, LONG, &bits));
        answer(PAGEMATE_OK, bits == 4 ? "abandoned" : "had");
    } else if (strcmp(verb, "add") == 0) {
        add();
    } else if (strcmp(verb, "hold") == 0) {
        status = pagemate_shared_mutex_try_lock(value, &abandoned);
        answer(status, abandoned ? "abandoned" : "had");
    } else {
        abort();
    }
}

int main(int count, char **arguments) {
    char line[64];
    if (count != 3) {
        abort();
    }
    open_all(arguments[1], strtoull(arguments[2], NULL, 10));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "exit") == 0) {
            exit(0);
        }
        play(line);
        fflush(stdout);
    }
    return 0;
}
