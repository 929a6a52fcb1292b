/* Helpers of the checks of sync objects. */
#ifndef SYNC_H
#define SYNC_H

#include <pthread.h>

#include "check.h"

#define SHORT PAGEMATE_MILLISECOND
/* The longest wait, after which a check fails. */
#define LONG (30000 * PAGEMATE_MILLISECOND)

static inline pagemate_mutex *mutex_of(const char *name) {
    pagemate_mutex *mutex = NULL;
    DO(pagemate_mutex_open_or_create(name, NULL, &mutex));
    return mutex;
}

/* Locks the mutex, and checks whether it was abandoned. */
#define LOCK(mutex, expected)                                                                      \
    do {                                                                                           \
        bool abandoned = !(expected);                                                              \
        DO(pagemate_mutex_try_lock_for(mutex, LONG, &abandoned));                                  \
        CHECK(abandoned == (expected));                                                            \
    } while (0)

/* Runs `body` in a thread and waits for its end. */
static inline void in_a_thread(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static inline void *lock_and_end(void *mutex) {
    LOCK(mutex, false);
    return NULL;
}

#endif
