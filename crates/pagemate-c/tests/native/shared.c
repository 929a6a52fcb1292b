/* Checks of sync objects that several processes use: values in sections, killed owners, descriptors. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sync.h"

static void *unlock_anothers_value(void *mutex) {
    char byte = 0;
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_shared_mutex_unlock(mutex));
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_shared_mutex_read_at(mutex, 0, &byte, 1));
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_shared_mutex_write_at(mutex, 0, &byte, 1));
    CHECK_MESSAGE("section \"values\": this thread does not hold it through this handle");
    bool abandoned = false;
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_shared_mutex_try_lock(mutex, &abandoned));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_shared_mutex_try_lock_for(mutex, SHORT, &abandoned));
    return NULL;
}

static void values_are_locked(void) {
    pagemate_section *section = create("values");
    pagemate_shared_mutex *mutex = NULL, *other = NULL;
    bool truth = true;
    char seen[8] = "";
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_shared_mutex_open(section, 8, 5, 8, &mutex));
    DO(pagemate_shared_mutex_open_or_init(section, 8, 5, "initial", 8, &mutex));
    DO(pagemate_shared_mutex_open_or_init(section, 8, 5, "another", 8, &other));
    DO(pagemate_shared_mutex_lock(other, &truth));
    CHECK(!truth);
    DO(pagemate_shared_mutex_read_at(other, 0, seen, 8));
    CHECK(strcmp(seen, "initial") == 0);
    DO(pagemate_shared_mutex_write_at(other, 2, "stru", 4));
    DO(pagemate_shared_mutex_read_at(other, 1, seen, 6));
    CHECK(memcmp(seen, "nstrul", 6) == 0);
    DO(pagemate_shared_mutex_read_at(other, 8, NULL, 0));
    DO(pagemate_shared_mutex_write_at(other, 8, NULL, 0));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_shared_mutex_read_at(other, 1, seen, 8));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_shared_mutex_write_at(other, SIZE_MAX, seen, 1));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_shared_mutex_write_at(other, 0, seen, SIZE_MAX));
    in_a_thread(unlock_anothers_value, other);
    DO(pagemate_shared_mutex_is_mine(other, &truth));
    CHECK(truth);
    DO(pagemate_shared_mutex_unlock(other));
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_shared_mutex_unlock(other));
    DO(pagemate_shared_mutex_try_lock(other, &truth));
    DO(pagemate_shared_mutex_close(other));
    DO(pagemate_shared_mutex_try_lock_for(mutex, LONG, &truth));
    CHECK(truth);
    DO(pagemate_shared_mutex_unlock(mutex));

    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_shared_mutex_open(section, 8, 6, 8, &other));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_shared_mutex_open(section, 8, 5, 7, &other));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_shared_mutex_open(section, 4, 5, 8, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_shared_mutex_open(section, 4096, 5, 8, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE,
                 pagemate_shared_mutex_open_or_init(section, 1024, 5, seen, SIZE_MAX, &other));
    const uint64_t last = 4096 - PAGEMATE_SHARED_MUTEX_LEN;
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE,
                 pagemate_shared_mutex_open_or_init(section, last, 5, seen, 8, &other));
    DO(pagemate_shared_mutex_open_or_init(section, last - 8, 5, seen, 8, &other));
    DO(pagemate_shared_mutex_close(other));
    CHECK_STATUS(PAGEMATE_CORRUPTED, pagemate_shared_mutex_open(section, 8 + 32, 5, 8, &other));
    CHECK(other == NULL);

    /* The handle holds the section. */
    DO(pagemate_section_close(section));
    DO(pagemate_section_open("values", NULL, &section));
    DO(pagemate_section_close(section));
    DO(pagemate_shared_mutex_close(mutex));
}

/* Forks a child that runs `body` and then sleeps until it is killed. */
static void kill_after(void (*body)(void)) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        body();
        CHECK(write(ends[1], "!", 1) == 1);
        for (;;) {
            pause();
        }
    }
    char done = 0;
    CHECK(close(ends[1]) == 0 && read(ends[0], &done, 1) == 1 && close(ends[0]) == 0);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void lock_all(void) {
    pagemate_section *section = NULL;
    pagemate_shared_mutex *value = NULL;
    bool abandoned = true;
    LOCK(mutex_of("killed"), false);
    DO(pagemate_section_open("killed-value", NULL, &section));
    DO(pagemate_shared_mutex_open(section, 0, 1, 1, &value));
    DO(pagemate_shared_mutex_lock(value, &abandoned));
    CHECK(!abandoned);
    DO(pagemate_shared_mutex_write_at(value, 0, "h", 1));
}

static void the_killed_abandon(void) {
    pagemate_mutex *mutex = mutex_of("killed");
    pagemate_section *section = create("killed-value");
    pagemate_shared_mutex *value = NULL;
    DO(pagemate_shared_mutex_open_or_init(section, 0, 1, "", 1, &value));
    kill_after(lock_all);
    LOCK(mutex, true);
    DO(pagemate_mutex_unlock(mutex));
    LOCK(mutex, false);
    bool abandoned = false;
    char seen = 0;
    DO(pagemate_shared_mutex_try_lock_for(value, LONG, &abandoned));
    DO(pagemate_shared_mutex_read_at(value, 0, &seen, 1));
    CHECK(abandoned && seen == 'h');
    DO(pagemate_shared_mutex_close(value));
    DO(pagemate_section_close(section));
    DO(pagemate_mutex_close(mutex));
}

static void descriptors_are_handed_on(void) {
    pagemate_mutex *mutex = NULL, *same_mutex = NULL;
    pagemate_event *event = NULL, *same_event = NULL;
    pagemate_semaphore *semaphore = NULL, *same_semaphore = NULL;
    const pagemate_mutex_options locked = {.flags = PAGEMATE_LOCKED};
    DO(pagemate_mutex_create_unnamed(&locked, &mutex));
    DO(pagemate_event_create_unnamed(NULL, &event));
    DO(pagemate_semaphore_create_unnamed(NULL, &semaphore));
    int descriptors[3] = {-1, -1, -1};
    DO(pagemate_mutex_descriptor(mutex, &descriptors[0]));
    DO(pagemate_event_descriptor(event, &descriptors[1]));
    DO(pagemate_semaphore_descriptor(semaphore, &descriptors[2]));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        bool abandoned = false;
        CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_mutex_unlock(mutex));
        DO(pagemate_mutex_from_descriptor(descriptors[0], &same_mutex));
        DO(pagemate_event_from_descriptor(descriptors[1], &same_event));
        DO(pagemate_semaphore_from_descriptor(descriptors[2], &same_semaphore));
        CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_mutex_try_lock(same_mutex, &abandoned));
        DO(pagemate_event_set(same_event));
        DO(pagemate_semaphore_acquire(same_semaphore));
        LOCK(same_mutex, false);
        _exit(0);
    }
    DO(pagemate_event_wait_for(event, LONG));
    DO(pagemate_mutex_unlock(mutex));
    DO(pagemate_semaphore_release(semaphore, 1, NULL));
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    LOCK(mutex, true);

    const char *name = "";
    DO(pagemate_mutex_name(mutex, &name));
    CHECK(name == NULL);
    DO(pagemate_event_name(event, &name));
    CHECK(name == NULL);
    DO(pagemate_semaphore_name(semaphore, &name));
    CHECK(name == NULL);
    DO(pagemate_mutex_close(mutex));
    DO(pagemate_event_close(event));
    DO(pagemate_semaphore_close(semaphore));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_mutex_from_descriptor(-1, &mutex));
    CHECK_STATUS(PAGEMATE_OS, pagemate_event_from_descriptor(1 << 20, &event));
    CHECK(pagemate_last_os_error() == EBADF);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_semaphore_from_descriptor(ends[0], &semaphore));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static pagemate_state state_of(const char *name, pagemate_kind kind) {
    pagemate_inventory *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_find(name, &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->kind == kind && entry->state != NULL);
    pagemate_state state = *entry->state;
    DO(pagemate_inventory_free(found));
    return state;
}

static void inventories_tell_of_states(void) {
    pagemate_mutex *mutex = mutex_of("told");
    pagemate_state state = state_of("told", PAGEMATE_KIND_MUTEX);
    CHECK(state.owner == 0 && !state.abandoned && state.waiting == 0);
    LOCK(mutex, false);
    CHECK(state_of("told", PAGEMATE_KIND_MUTEX).owner == (uint32_t)getpid());
    DO(pagemate_mutex_unlock(mutex));
    in_a_thread(lock_and_end, mutex);
    state = state_of("told", PAGEMATE_KIND_MUTEX);
    CHECK(state.owner == 0 && state.abandoned);
    DO(pagemate_mutex_close(mutex));

    pagemate_event *event = NULL;
    const pagemate_event_options manual = {.sharing = PAGEMATE_SHARING_GROUP,
                                           .reset = PAGEMATE_RESET_MANUAL};
    DO(pagemate_event_create_new("told", &manual, &event));
    state = state_of("told", PAGEMATE_KIND_EVENT);
    CHECK(state.reset == PAGEMATE_RESET_MANUAL && !state.signaled);
    DO(pagemate_event_set(event));
    CHECK(state_of("told", PAGEMATE_KIND_EVENT).signaled);
    pagemate_inventory *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_find("told", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->sharing == PAGEMATE_SHARING_GROUP);
    CHECK(entry->sharing_access == PAGEMATE_ACCESS_READ_WRITE);
    DO(pagemate_inventory_free(found));
    DO(pagemate_event_close(event));

    pagemate_semaphore *semaphore = NULL;
    const pagemate_semaphore_options some = {.count = 3, .max = 4};
    DO(pagemate_semaphore_create_new("told", &some, &semaphore));
    state = state_of("told", PAGEMATE_KIND_SEMAPHORE);
    CHECK(state.count == 3 && state.max == 4);
    DO(pagemate_semaphore_close(semaphore));

    pagemate_section *section = create("told");
    DO(pagemate_inventory_find("told", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->state == NULL);
    DO(pagemate_inventory_free(found));
    DO(pagemate_section_close(section));
}

int main(void) {
    values_are_locked();
    the_killed_abandon();
    descriptors_are_handed_on();
    inventories_tell_of_states();
    return 0;
}
