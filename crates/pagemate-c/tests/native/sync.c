/* Checks of mutexes, events, semaphores and waits for several objects in C. */
#define _POSIX_C_SOURCE 200809L

#include "sync.h"

static void *unlock_anothers(void *mutex) {
    bool abandoned = false, mine = true;
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_mutex_unlock(mutex));
    CHECK_MESSAGE("unlock mutex \"locks\": this thread does not hold it through this handle");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_mutex_try_lock(mutex, &abandoned));
    CHECK_MESSAGE("lock mutex \"locks\": another thread owns it");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_mutex_try_lock_for(mutex, SHORT, &abandoned));
    DO(pagemate_mutex_is_mine(mutex, &mine));
    CHECK(!mine);
    return NULL;
}

static void mutexes_lock(void) {
    pagemate_mutex *mutex = NULL, *other = NULL;
    bool abandoned = true, truth = false;
    DO(pagemate_mutex_create_new("Local\\locks", NULL, &mutex));
    DO(pagemate_mutex_was_created(mutex, &truth));
    CHECK(truth);
    const char *name = NULL;
    DO(pagemate_mutex_name(mutex, &name));
    CHECK(strcmp(name, "locks") == 0);

    DO(pagemate_mutex_lock(mutex, &abandoned));
    CHECK(!abandoned);
    DO(pagemate_mutex_is_mine(mutex, &truth));
    CHECK(truth);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_mutex_lock(mutex, &abandoned));
    in_a_thread(unlock_anothers, mutex);
    DO(pagemate_mutex_unlock(mutex));
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_mutex_unlock(mutex));
    DO(pagemate_mutex_try_lock(mutex, &abandoned));
    DO(pagemate_mutex_unlock(mutex));

    DO(pagemate_mutex_open("locks", &other));
    DO(pagemate_mutex_was_created(other, &truth));
    CHECK(!truth);
    LOCK(other, false);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_mutex_try_lock(mutex, &abandoned));
    CHECK_STATUS(PAGEMATE_NOT_OWNER, pagemate_mutex_unlock(mutex));
    /* Closing a locked handle abandons the mutex, and so does the end of the owning thread. */
    DO(pagemate_mutex_close(other));
    LOCK(mutex, true);
    DO(pagemate_mutex_unlock(mutex));
    LOCK(mutex, false);
    DO(pagemate_mutex_unlock(mutex));
    in_a_thread(lock_and_end, mutex);
    LOCK(mutex, true);
    DO(pagemate_mutex_close(mutex));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_mutex_open("locks", &mutex));
    CHECK(mutex == NULL);
}

static void names_have_one_space(void) {
    pagemate_section *section = create("taken");
    pagemate_mutex *mutex = NULL;
    pagemate_event *event = NULL;
    pagemate_semaphore *semaphore = NULL;
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_mutex_create_new("taken", NULL, &mutex));
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_event_create_new("taken", NULL, &event));
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_semaphore_create_new("taken", NULL, &semaphore));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_mutex_open_or_create("taken", NULL, &mutex));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_event_open_or_create("taken", NULL, &event));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_semaphore_open_or_create("taken", NULL, &semaphore));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_mutex_open("taken", &mutex));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_event_open("taken", &event));
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_semaphore_open("taken", &semaphore));
    DO(pagemate_section_close(section));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_event_open("taken", &event));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_semaphore_open("taken", &semaphore));
    CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_mutex_create_new("a\\b", NULL, &mutex));
    CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_event_create_new("\xff", NULL, &event));
    CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_semaphore_create_new("", NULL, &semaphore));
}

static void options_mean_what_they_say(void) {
    pagemate_mutex *mutex = NULL;
    const pagemate_mutex_options locked = {.flags = PAGEMATE_LOCKED};
    DO(pagemate_mutex_create_new("locked", &locked, &mutex));
    pagemate_mutex *other = mutex_of("locked");
    bool truth = false;
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_mutex_try_lock(other, &truth));
    DO(pagemate_mutex_unlock(mutex));
    LOCK(other, false);
    DO(pagemate_mutex_close(other));
    DO(pagemate_mutex_close(mutex));

    const pagemate_mutex_options wrong_mutexes[] = {
        {.sharing = (pagemate_sharing)77}, {.flags = PAGEMATE_SIGNALED}, {.reserved = {0, 1}}};
    for (size_t i = 0; i < 3; i++) {
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_mutex_create_unnamed(&wrong_mutexes[i], &mutex));
        CHECK_MESSAGE("create unnamed mutex: ");
    }
    pagemate_event *event = NULL;
    const pagemate_event_options wrong_events[] = {{.sharing = (pagemate_sharing)77},
                                                   {.reset = (pagemate_reset)2},
                                                   {.flags = PAGEMATE_LOCKED},
                                                   {.reserved = {0, 1}}};
    for (size_t i = 0; i < 4; i++) {
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_event_create_unnamed(&wrong_events[i], &event));
        CHECK_MESSAGE("create unnamed event: ");
    }
    pagemate_semaphore *semaphore = NULL;
    const pagemate_semaphore_options wrong_semaphores[] = {{.sharing = (pagemate_sharing)77},
                                                           {.count = 2, .max = 1},
                                                           {.max = UINT32_MAX},
                                                           {.count = UINT32_MAX},
                                                           {.flags = 1},
                                                           {.reserved = {0, 1}}};
    for (size_t i = 0; i < 6; i++) {
        CHECK_STATUS(PAGEMATE_INVALID_INPUT,
                     pagemate_semaphore_create_unnamed(&wrong_semaphores[i], &semaphore));
        CHECK_MESSAGE("create unnamed semaphore: ");
    }
}

static void events_happen(void) {
    pagemate_event *set = NULL, *same = NULL;
    const pagemate_event_options manual = {.reset = PAGEMATE_RESET_MANUAL,
                                           .flags = PAGEMATE_SIGNALED};
    DO(pagemate_event_create_new("happens", &manual, &set));
    DO(pagemate_event_open("happens", &same));
    const char *name = NULL;
    bool created = true;
    DO(pagemate_event_name(same, &name));
    DO(pagemate_event_was_created(same, &created));
    CHECK(strcmp(name, "happens") == 0 && !created);
    DO(pagemate_event_wait(same));
    DO(pagemate_event_wait_for(same, PAGEMATE_FOREVER));
    DO(pagemate_event_reset(set));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_event_wait_for(same, 0));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_event_wait_for(same, SHORT));
    CHECK_MESSAGE("wait for event \"happens\": it was not set in time");
    /* A pulse without waiters has no effect. */
    DO(pagemate_event_pulse(set));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_event_wait_for(same, 0));
    DO(pagemate_event_set(same));
    DO(pagemate_event_wait_for(set, LONG));
    DO(pagemate_event_close(set));
    DO(pagemate_event_close(same));

    DO(pagemate_event_open_or_create("happens", NULL, &set));
    DO(pagemate_event_set(set));
    DO(pagemate_event_set(set));
    DO(pagemate_event_wait(set));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_event_wait_for(set, 0));
    DO(pagemate_event_close(set));
}

static void semaphores_count(void) {
    pagemate_semaphore *semaphore = NULL, *same = NULL;
    const pagemate_semaphore_options two = {.count = 2, .max = 3};
    DO(pagemate_semaphore_create_new("counts", &two, &semaphore));
    DO(pagemate_semaphore_open("counts", &same));
    const char *name = NULL;
    bool created = true;
    uint32_t before = 77;
    DO(pagemate_semaphore_name(same, &name));
    DO(pagemate_semaphore_was_created(same, &created));
    CHECK(strcmp(name, "counts") == 0 && !created);
    DO(pagemate_semaphore_acquire(same));
    DO(pagemate_semaphore_try_acquire_for(semaphore, LONG));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_semaphore_try_acquire(semaphore));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_semaphore_try_acquire_for(semaphore, SHORT));
    CHECK_MESSAGE("acquire semaphore \"counts\": its count is 0");
    DO(pagemate_semaphore_release(same, 2, &before));
    CHECK(before == 0);
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_semaphore_release(same, 2, &before));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_semaphore_release(same, 0, &before));
    CHECK(before == 0);
    DO(pagemate_semaphore_release(same, 1, NULL));
    DO(pagemate_semaphore_try_acquire(semaphore));
    DO(pagemate_semaphore_close(same));
    DO(pagemate_semaphore_close(semaphore));

    /* The default maximum is the largest possible one. */
    DO(pagemate_semaphore_open_or_create("counts", NULL, &semaphore));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_semaphore_try_acquire(semaphore));
    DO(pagemate_semaphore_release(semaphore, INT32_MAX, NULL));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_semaphore_release(semaphore, 1, NULL));
    DO(pagemate_semaphore_close(semaphore));
}

static void *lock_both_and_end(void *list) {
    uint64_t bits = 77;
    DO(pagemate_wait_all((const pagemate_waitable *)list, 3, &bits));
    CHECK(bits == 0);
    return NULL;
}

static void several_are_waited_for(void) {
    pagemate_mutex *mutex = NULL, *second = NULL;
    pagemate_event *event = NULL;
    pagemate_semaphore *semaphore = NULL;
    const pagemate_event_options manual = {.reset = PAGEMATE_RESET_MANUAL};
    DO(pagemate_mutex_create_unnamed(NULL, &mutex));
    DO(pagemate_mutex_create_unnamed(NULL, &second));
    DO(pagemate_event_create_unnamed(&manual, &event));
    DO(pagemate_semaphore_create_unnamed(NULL, &semaphore));
    const pagemate_waitable list[] = {{.event = event}, {.semaphore = semaphore}, {.mutex = mutex}};
    size_t index = 77;
    bool abandoned = true, mine = false;
    uint64_t bits = 77;

    DO(pagemate_wait_any(list, 3, &index, &abandoned));
    DO(pagemate_mutex_is_mine(mutex, &mine));
    CHECK(index == 2 && !abandoned && mine);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_any_for(list, 3, 0, &index, &abandoned));
    DO(pagemate_mutex_unlock(mutex));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_wait_any_for(list, 2, SHORT, &index, &abandoned));
    CHECK_MESSAGE("wait for any of several: none became available in time");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_wait_all_for(list, 3, SHORT, &bits));
    CHECK(index == 2 && bits == 77);
    DO(pagemate_mutex_is_mine(mutex, &mine));
    CHECK(!mine);
    DO(pagemate_semaphore_release(semaphore, 2, NULL));
    DO(pagemate_wait_any_for(list, 3, PAGEMATE_FOREVER, &index, &abandoned));
    CHECK(index == 1);
    DO(pagemate_event_set(event));
    DO(pagemate_wait_all_for(list, 3, LONG, &bits));
    DO(pagemate_mutex_is_mine(mutex, &mine));
    CHECK(bits == 0 && mine);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_semaphore_try_acquire(semaphore));
    DO(pagemate_mutex_unlock(mutex));

    /* Each mutex sets the bit of its index. */
    pagemate_waitable all[] = {{.mutex = mutex}, {.event = event}, {.mutex = second}};
    in_a_thread(lock_both_and_end, all);
    DO(pagemate_wait_all(all, 3, &bits));
    CHECK(bits == 5);
    DO(pagemate_mutex_unlock(mutex));
    DO(pagemate_mutex_unlock(second));
    in_a_thread(lock_both_and_end, all);
    DO(pagemate_wait_any(all, 3, &index, &abandoned));
    CHECK(index == 0 && abandoned);
    DO(pagemate_mutex_unlock(mutex));

    const pagemate_waitable wrong[][2] = {
        {{.event = event}, {0}},
        {{.event = event}, {.event = event}},
        {{.event = event}, {.mutex = mutex, .semaphore = semaphore}},
        {{.event = event}, {.mutex = mutex, .reserved = event}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_any_for(wrong[i], 2, 0, &index, &abandoned));
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_all_for(wrong[i], 2, 0, &bits));
    }
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_any_for(list, 0, 0, &index, &abandoned));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_all_for(list, 65, 0, &bits));
    CHECK_MESSAGE("wait for all of several: count is 65; it must be 1 to 64");
    DO(pagemate_semaphore_close(semaphore));
    DO(pagemate_event_close(event));
    DO(pagemate_mutex_close(second));
    DO(pagemate_mutex_close(mutex));
}

int main(void) {
    mutexes_lock();
    names_have_one_space();
    options_mean_what_they_say();
    events_happen();
    semaphores_count();
    several_are_waited_for();
    return 0;
}
