/* Checks of waits for words in shared memory. */
#define _POSIX_C_SOURCE 200809L

#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sync.h"

typedef _Atomic uint32_t word;

static word *word_in(const pagemate_view *view) {
    void *memory = NULL;
    DO(pagemate_view_pointer(view, &memory));
    return memory;
}

static void arguments_are_checked(word *frame) {
    const char *odd = (const char *)frame + 2;
    uint32_t seen = 77;
    CHECK_NULL("word", pagemate_word_wait_while(NULL, 0, &seen));
    CHECK_NULL("word", pagemate_word_wait_while_for(NULL, 0, 0, &seen));
    CHECK_NULL("word", pagemate_word_wake_one(NULL));
    CHECK_NULL("word", pagemate_word_wake_all(NULL));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_word_wait_while(odd, 0, &seen));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_word_wait_while_for(odd, 0, 0, &seen));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_word_wake_one(odd));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_word_wake_all(odd));
    CHECK_MESSAGE("wake waiters of word: word is not at a multiple of 4");
    CHECK(seen == 77);
}

static void waits_end_with_the_change_or_the_time(word *frame, const word *look) {
    uint32_t seen = 77;
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_word_wait_while_for(look, 0, SHORT, &seen));
    CHECK_MESSAGE("wait for word: it did not change in time");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_word_wait_while_for(look, 0, 0, &seen));
    CHECK(seen == 77);
    atomic_store(frame, 5);
    DO(pagemate_word_wait_while(look, 0, &seen));
    CHECK(seen == 5);
    DO(pagemate_word_wait_while(look, 0, NULL));
    DO(pagemate_word_wait_while_for(look, 0, 0, NULL));
    atomic_store(frame, 0);
}

/* Changes the first word, wakes its waiters, and waits until the other process has changed the second word. */
static void answer(word *pair, uint32_t last, pagemate_status (*wake)(const void *)) {
    for (uint32_t turn = 1; turn <= last; turn++) {
        uint32_t seen = 0;
        DO(pagemate_word_wait_while_for(&pair[0], turn - 1, LONG, &seen));
        CHECK(seen == turn);
        atomic_store(&pair[1], turn);
        DO(wake(&pair[1]));
    }
}

/* Two processes take turns. If a wake-up were lost, a turn would take the half second of a sleep. */
static void processes_wake_each_other(word *pair, const word *look, pagemate_status (*wake)(const void *)) {
    const uint32_t last = 200;
    atomic_store(&pair[0], 0);
    atomic_store(&pair[1], 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        answer(pair, last, wake);
        _exit(0);
    }
    for (uint32_t turn = 1; turn <= last; turn++) {
        uint32_t seen = 0;
        atomic_store(&pair[0], turn);
        DO(wake(&pair[0]));
        DO(pagemate_word_wait_while(&look[1], turn - 1, &seen));
        CHECK(seen == turn);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* A process may be killed after it has changed the word and before it has woken the waiters. */
static void a_change_without_a_wake_up_is_noticed(word *frame, const word *look) {
    atomic_store(frame, 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        atomic_store(frame, 9);
        _exit(0);
    }
    uint32_t seen = 0;
    DO(pagemate_word_wait_while_for(look, 0, LONG, &seen));
    CHECK(seen == 9);
    CHECK(waitpid(child, NULL, 0) == child);
}

int main(void) {
    const pagemate_view_options only_read = {.access = PAGEMATE_ACCESS_READ};
    pagemate_section *section = create("words");
    pagemate_view *view = map(section), *reader = NULL;
    DO(pagemate_section_map(section, &only_read, &reader));
    word *frame = word_in(view);
    const word *look = word_in(reader);
    arguments_are_checked(frame);
    waits_end_with_the_change_or_the_time(frame, look);
    processes_wake_each_other(frame, look, pagemate_word_wake_one);
    processes_wake_each_other(frame, look, pagemate_word_wake_all);
    a_change_without_a_wake_up_is_noticed(frame, look);
    DO(pagemate_view_unmap(reader));
    DO(pagemate_view_unmap(view));
    DO(pagemate_section_close(section));
    return 0;
}
