/* Checks of channels with arguments that are not valid, closed handles, forks and several threads. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

static void null_is_refused(void) {
    pagemate_sender *sender = new_sender("null", NULL), *no_sender = NULL;
    pagemate_receiver *receiver = open_receiver("null", NULL), *no_receiver = NULL;
    pagemate_layout type = {0};
    const char *name = NULL;
    const void *seen = NULL;
    void *memory = NULL;
    bool truth = false;
    size_t number = 0;
    uint64_t missed = 0;
    char byte = 0;
    CHECK_NULL("name", pagemate_sender_create_new(NULL, NULL, &no_sender));
    CHECK_NULL("sender", pagemate_sender_create_new("x", NULL, NULL));
    CHECK_NULL("name", pagemate_sender_open_or_create(NULL, NULL, &no_sender));
    CHECK_NULL("sender", pagemate_sender_open_or_create("x", NULL, NULL));
    CHECK_NULL("name", pagemate_sender_open(NULL, NULL, &no_sender));
    CHECK_NULL("sender", pagemate_sender_open("x", NULL, NULL));
    CHECK_NULL("name", pagemate_sender_open_within(NULL, NULL, 0, &no_sender));
    CHECK_NULL("sender", pagemate_sender_open_within("x", NULL, 0, NULL));
    CHECK_NULL("sender", pagemate_sender_send(NULL, "x", 1));
    CHECK_NULL("bytes", pagemate_sender_send(sender, NULL, 1));
    CHECK_NULL("sender", pagemate_sender_try_send(NULL, "x", 1));
    CHECK_NULL("bytes", pagemate_sender_try_send(sender, NULL, 1));
    CHECK_NULL("sender", pagemate_sender_send_timeout(NULL, "x", 1, 0));
    CHECK_NULL("bytes", pagemate_sender_send_timeout(sender, NULL, 1, 0));
    CHECK_NULL("sender", pagemate_sender_try_send_many(NULL, "x", 1, 1, &number));
    CHECK_NULL("bytes", pagemate_sender_try_send_many(sender, NULL, 1, 1, &number));
    CHECK_NULL("sent", pagemate_sender_try_send_many(sender, "x", 1, 1, NULL));
    CHECK_NULL("sender", pagemate_sender_send_all(NULL, "x", 1, 1, &number));
    CHECK_NULL("bytes", pagemate_sender_send_all(sender, NULL, 1, 1, &number));
    CHECK_NULL("sender", pagemate_sender_loan(NULL, &memory, &number));
    CHECK_NULL("memory", pagemate_sender_loan(sender, NULL, &number));
    CHECK_NULL("sender", pagemate_sender_try_loan(NULL, &memory, &number));
    CHECK_NULL("memory", pagemate_sender_try_loan(sender, NULL, &number));
    CHECK_NULL("sender", pagemate_sender_loan_timeout(NULL, 0, &memory, &number));
    CHECK_NULL("memory", pagemate_sender_loan_timeout(sender, 0, NULL, &number));
    CHECK_NULL("sender", pagemate_sender_commit(NULL, 0));
    CHECK_NULL("sender", pagemate_sender_discard(NULL));
    CHECK_NULL("sender", pagemate_sender_wait_until_received(NULL, 0));
    CHECK_NULL("sender", pagemate_sender_has_receiver(NULL, &truth));
    CHECK_NULL("found", pagemate_sender_has_receiver(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_wait_for_receiver(NULL, 0));
    CHECK_NULL("sender", pagemate_sender_pending(NULL, &number));
    CHECK_NULL("count", pagemate_sender_pending(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_was_created(NULL, &truth));
    CHECK_NULL("created", pagemate_sender_was_created(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_name(NULL, &name));
    CHECK_NULL("name", pagemate_sender_name(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_capacity(NULL, &number));
    CHECK_NULL("capacity", pagemate_sender_capacity(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_max_len(NULL, &number));
    CHECK_NULL("len", pagemate_sender_max_len(sender, NULL));
    CHECK_NULL("sender", pagemate_sender_message_type(NULL, &type));
    CHECK_NULL("message", pagemate_sender_message_type(sender, NULL));

    CHECK_NULL("name", pagemate_receiver_create_new(NULL, NULL, &no_receiver));
    CHECK_NULL("receiver", pagemate_receiver_create_new("x", NULL, NULL));
    CHECK_NULL("name", pagemate_receiver_open_or_create(NULL, NULL, &no_receiver));
    CHECK_NULL("receiver", pagemate_receiver_open_or_create("x", NULL, NULL));
    CHECK_NULL("name", pagemate_receiver_open(NULL, NULL, &no_receiver));
    CHECK_NULL("receiver", pagemate_receiver_open("x", NULL, NULL));
    CHECK_NULL("name", pagemate_receiver_open_within(NULL, NULL, 0, &no_receiver));
    CHECK_NULL("receiver", pagemate_receiver_open_within("x", NULL, 0, NULL));
    CHECK_NULL("receiver", pagemate_receiver_recv(NULL, &byte, 1, &number));
    CHECK_NULL("bytes", pagemate_receiver_recv(receiver, NULL, 1, &number));
    CHECK_NULL("len", pagemate_receiver_recv(receiver, &byte, 1, NULL));
    CHECK_NULL("receiver", pagemate_receiver_try_recv(NULL, &byte, 1, &number));
    CHECK_NULL("bytes", pagemate_receiver_try_recv(receiver, NULL, 1, &number));
    CHECK_NULL("len", pagemate_receiver_try_recv(receiver, &byte, 1, NULL));
    CHECK_NULL("receiver", pagemate_receiver_recv_timeout(NULL, 0, &byte, 1, &number));
    CHECK_NULL("bytes", pagemate_receiver_recv_timeout(receiver, 0, NULL, 1, &number));
    CHECK_NULL("len", pagemate_receiver_recv_timeout(receiver, 0, &byte, 1, NULL));
    CHECK_NULL("receiver", pagemate_receiver_recv_many(NULL, &byte, 1, &number, 1, &number));
    CHECK_NULL("bytes", pagemate_receiver_recv_many(receiver, NULL, 1, &number, 1, &number));
    CHECK_NULL("count", pagemate_receiver_recv_many(receiver, &byte, 1, &number, 1, NULL));
    CHECK_NULL("receiver", pagemate_receiver_try_recv_many(NULL, &byte, 1, &number, 1, &number));
    CHECK_NULL("bytes", pagemate_receiver_try_recv_many(receiver, NULL, 1, &number, 1, &number));
    CHECK_NULL("count", pagemate_receiver_try_recv_many(receiver, &byte, 1, &number, 1, NULL));
    CHECK_NULL("receiver", pagemate_receiver_sample(NULL, &seen, &number));
    CHECK_NULL("memory", pagemate_receiver_sample(receiver, NULL, &number));
    CHECK_NULL("len", pagemate_receiver_sample(receiver, &seen, NULL));
    CHECK_NULL("receiver", pagemate_receiver_try_sample(NULL, &seen, &number));
    CHECK_NULL("memory", pagemate_receiver_try_sample(receiver, NULL, &number));
    CHECK_NULL("len", pagemate_receiver_try_sample(receiver, &seen, NULL));
    CHECK_NULL("receiver", pagemate_receiver_sample_timeout(NULL, 0, &seen, &number));
    CHECK_NULL("memory", pagemate_receiver_sample_timeout(receiver, 0, NULL, &number));
    CHECK_NULL("len", pagemate_receiver_sample_timeout(receiver, 0, &seen, NULL));
    CHECK_NULL("receiver", pagemate_receiver_finish(NULL));
    CHECK_NULL("receiver", pagemate_receiver_put_back(NULL));
    CHECK_NULL("receiver", pagemate_receiver_has_sender(NULL, &truth));
    CHECK_NULL("found", pagemate_receiver_has_sender(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_wait_for_sender(NULL, 0));
    CHECK_NULL("receiver", pagemate_receiver_redelivered(NULL, &truth));
    CHECK_NULL("redelivered", pagemate_receiver_redelivered(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_missed(NULL, &missed));
    CHECK_NULL("count", pagemate_receiver_missed(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_was_created(NULL, &truth));
    CHECK_NULL("created", pagemate_receiver_was_created(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_name(NULL, &name));
    CHECK_NULL("name", pagemate_receiver_name(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_capacity(NULL, &number));
    CHECK_NULL("capacity", pagemate_receiver_capacity(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_max_len(NULL, &number));
    CHECK_NULL("len", pagemate_receiver_max_len(receiver, NULL));
    CHECK_NULL("receiver", pagemate_receiver_message_type(NULL, &type));
    CHECK_NULL("message", pagemate_receiver_message_type(receiver, NULL));
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
    DO(pagemate_receiver_close(NULL));
    DO(pagemate_sender_close(NULL));
}

static void options_are_checked(void) {
    static const pagemate_channel_options wrong[] = {
        {.kind = (pagemate_channel_kind)99},
        {.waiting = (pagemate_waiting)99},
        {.sharing = (pagemate_sharing)99},
        {.flags = 1},
        {.reserved = {0, 0, 0, 1}},
        {.capacity = UINT64_MAX},
        {.max_len = UINT64_MAX},
        {.capacity = UINT64_C(1) << 60, .max_len = UINT64_C(1) << 60},
        {.kind = PAGEMATE_CHANNEL_KIND_BROADCAST, .receivers = 65},
        {.kind = PAGEMATE_CHANNEL_KIND_BROADCAST, .receivers = UINT64_MAX},
        {.message = {.len = 4, .align = 3, .fingerprint = 1}},
        {.message = {.len = SIZE_MAX, .align = 1, .fingerprint = 1}},
        {.message = {.len = 8, .align = UINT64_C(1) << 63, .fingerprint = 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pagemate_sender *sender = (pagemate_sender *)&sender;
        pagemate_receiver *receiver = (pagemate_receiver *)&receiver;
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_create_new("wrong", &wrong[i], &sender));
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_open_or_create("wrong", &wrong[i], &receiver));
        CHECK(sender == NULL && receiver == NULL);
    }
}

static void names_are_checked(void) {
    pagemate_section *section = create("section"), *no_section = NULL;
    pagemate_sender *sender = NULL, *second = NULL;
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_sender_open_or_create("section", NULL, &sender));
    CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_sender_create_new("", NULL, &sender));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_sender_open("missing", NULL, &sender));
    sender = new_sender("second", NULL);
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_sender_create_new("second", NULL, &second));
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_sender_open("second", NULL, &second));
    CHECK_MESSAGE("is its sender and is alive");
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_section_open("second", NULL, &no_section));
    DO(pagemate_sender_close(sender));
    DO(pagemate_section_close(section));
}

static void closed_handles_are_refused(void) {
    pagemate_sender *sender = new_sender("closed", NULL);
    pagemate_receiver *receiver = open_receiver("closed", NULL);
    size_t number = 0;
    DO(pagemate_sender_close(sender));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_close(sender));
    CHECK_MESSAGE("close sender: sender was closed before");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_send(sender, "x", 1));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_capacity(sender, &number));
    DO(pagemate_receiver_close(receiver));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_close(receiver));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_try_recv(receiver, NULL, 0, &number));
}

/* The child of a fork has copies of the handles of its parent. */
static void a_forked_child_is_refused(void) {
    pagemate_sender *sender = new_sender("forked", NULL);
    pagemate_receiver *receiver = open_receiver("forked", NULL);
    void *memory = NULL;
    const void *seen = NULL;
    size_t len = 0;
    DO(pagemate_sender_send(sender, "one", 3));
    DO(pagemate_sender_loan(sender, &memory, NULL));
    DO(pagemate_receiver_sample(receiver, &seen, &len));
    memcpy(memory, "two", 3);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        CHECK_STATUS(PAGEMATE_FORKED, pagemate_sender_commit(sender, 3));
        CHECK_STATUS(PAGEMATE_FORKED, pagemate_sender_try_send(sender, "x", 1));
        CHECK_MESSAGE("this process was forked from the one that opened the endpoint");
        CHECK_STATUS(PAGEMATE_FORKED, pagemate_receiver_finish(receiver));
        CHECK_STATUS(PAGEMATE_FORKED, pagemate_receiver_try_sample(receiver, &seen, &len));
        DO(pagemate_sender_close(sender));
        DO(pagemate_receiver_close(receiver));
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    DO(pagemate_sender_commit(sender, 3));
    CHECK(len == 3 && memcmp(seen, "one", 3) == 0);
    DO(pagemate_receiver_finish(receiver));
    EXPECT(receiver, "two");
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
}

static void *receive(void *receiver) {
    char bytes[16];
    size_t len = 0;
    pagemate_status status = PAGEMATE_IN_USE;
    while (status == PAGEMATE_IN_USE) {
        status = pagemate_receiver_recv(receiver, bytes, sizeof bytes, &len);
    }
    DO(status);
    CHECK(len == 3 && memcmp(bytes, "end", 3) == 0);
    return NULL;
}

/* Another thread that uses the receiver gets an error, also if it closes the receiver. */
static void two_threads_exclude_each_other(void) {
    pagemate_sender *sender = new_sender("threads", NULL);
    pagemate_receiver *receiver = open_receiver("threads", NULL);
    pthread_t thread;
    size_t number = 0;
    CHECK(pthread_create(&thread, NULL, receive, receiver) == 0);
    while (pagemate_receiver_capacity(receiver, &number) == PAGEMATE_OK) {
        sched_yield();
    }
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_receiver_capacity(receiver, &number));
    CHECK_MESSAGE("another thread is in a call with this receiver; use one thread at a time");
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_receiver_close(receiver));
    DO(pagemate_sender_send(sender, "end", 3));
    CHECK(pthread_join(thread, NULL) == 0);
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
}

/* Endpoints that are opened and closed in a loop use the same handles again. */
static void handles_are_used_again(void) {
    enum { ROUNDS = 200, MAX = 8 };
    const pagemate_channel_options small = {.capacity = 1, .max_len = 8};
    const pagemate_sender *seen[MAX] = {NULL};
    size_t count = 0;
    for (int round = 0; round < ROUNDS; round++) {
        pagemate_sender *sender = new_sender("again", &small);
        size_t i = 0;
        while (i < count && seen[i] != sender) {
            i++;
        }
        CHECK(i < MAX);
        seen[i] = sender;
        count = i == count ? count + 1 : count;
        DO(pagemate_sender_close(sender));
    }
}

static uint32_t random_number(void) {
    static uint32_t state = 2026;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

/* Returns whether the bytes are a part of the source of the messages, each of which is 1 more than the one before. */
static bool is_whole(const void *memory, size_t len) {
    const unsigned char *bytes = memory;
    for (size_t i = 1; i < len; i++) {
        if (bytes[i] != bytes[0] + i) {
            return false;
        }
    }
    return len == 0 || bytes[0] >= '!';
}

/* Calls with random arguments return, and every message arrives whole. */
static void random_arguments_are_survived(void) {
    const pagemate_channel_options small = {.capacity = 4, .max_len = 24};
    pagemate_sender *sender = new_sender("random", &small);
    pagemate_receiver *receiver = open_receiver("random", NULL);
    char bytes[256], source[64];
    for (size_t i = 0; i < sizeof source; i++) {
        source[i] = (char)('!' + i);
    }
    size_t len = 0, lens[8], count = 0;
    void *memory = NULL;
    const void *seen = NULL;
    for (int round = 0; round < 20000; round++) {
        const size_t some = random_number() % 33, few = random_number() % 9;
        pagemate_status status = PAGEMATE_OK;
        switch (random_number() % 14) {
        case 0:
            status = pagemate_sender_try_send(sender, source, some);
            break;
        case 1:
            status = pagemate_sender_send_timeout(sender, source, some, 0);
            break;
        case 2:
            status = pagemate_sender_try_send_many(sender, source, some % 8, few, &count);
            break;
        case 3:
            status = pagemate_sender_try_loan(sender, &memory, &len);
            if (status == PAGEMATE_OK) {
                CHECK(len == 24);
                memcpy(memory, source, len);
            }
            break;
        case 4:
            status = pagemate_sender_commit(sender, some);
            break;
        case 5:
            status = pagemate_sender_discard(sender);
            break;
        case 6:
        case 7:
            status = pagemate_receiver_try_recv(receiver, bytes, some, &len);
            CHECK(status != PAGEMATE_OK || (len <= some && is_whole(bytes, len)));
            break;
        case 8:
        case 9:
            status = pagemate_receiver_try_recv_many(receiver, bytes, some % 32, lens, few, &count);
            for (size_t i = 0; status == PAGEMATE_OK && i < count; i++) {
                CHECK(lens[i] <= some % 32 && is_whole(bytes + i * (some % 32), lens[i]));
            }
            break;
        case 10:
        case 11:
            status = pagemate_receiver_try_sample(receiver, &seen, &len);
            CHECK(status != PAGEMATE_OK || (len <= 24 && is_whole(seen, len)));
            break;
        case 12:
            status = pagemate_receiver_finish(receiver);
            break;
        default:
            status = pagemate_receiver_put_back(receiver);
            break;
        }
        CHECK(status == PAGEMATE_OK || status == PAGEMATE_TIMED_OUT || status == PAGEMATE_WRONG_LENGTH ||
              status == PAGEMATE_IN_USE || status == PAGEMATE_INVALID_INPUT);
    }
    pagemate_receiver_put_back(receiver);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT,
                 pagemate_receiver_try_recv_many(receiver, bytes, SIZE_MAX / 2, lens, 8, &count));
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
}

int main(void) {
    null_is_refused();
    options_are_checked();
    names_are_checked();
    closed_handles_are_refused();
    a_forked_child_is_refused();
    two_threads_exclude_each_other();
    handles_are_used_again();
    random_arguments_are_survived();
    return 0;
}
