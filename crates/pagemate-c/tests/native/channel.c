/* Checks of channels: messages, batches, loans, samples, deaths. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

/* The options of the current kind of channel. */
static pagemate_channel_options plain = {0}, four = {.capacity = 3, .max_len = 16};

/* Whether receivers get the messages that were sent before they were opened. */
static bool keeps_messages(void) {
    return plain.kind != PAGEMATE_CHANNEL_KIND_BROADCAST;
}

static void messages_arrive_in_order(void) {
    pagemate_sender *sender = new_sender("order", &four);
    pagemate_receiver *receiver = open_receiver("order", &plain);
    char bytes[16];
    size_t len = 0, count = 77;
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_receiver_try_recv(receiver, bytes, sizeof bytes, &len));
    CHECK_MESSAGE("receive, channel \"order\": the channel is empty");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_receiver_recv_timeout(receiver, SHORT, bytes, 16, &len));
    DO(pagemate_sender_try_send(sender, "a", 1));
    DO(pagemate_sender_send(sender, NULL, 0));
    DO(pagemate_sender_send_timeout(sender, "0123456789abcdef", 16, LONG));
    DO(pagemate_sender_send(sender, "d", 1));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_sender_try_send(sender, "e", 1));
    CHECK_MESSAGE("send, channel \"order\": the channel is full");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_sender_send_timeout(sender, "e", 1, SHORT));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_sender_wait_until_received(sender, SHORT));
    CHECK_MESSAGE("messages are left");
    DO(pagemate_sender_pending(sender, &count));
    CHECK(count == 4);
    EXPECT(receiver, "a");
    EXPECT(receiver, "");
    EXPECT(receiver, "0123456789abcdef");
    DO(pagemate_receiver_recv(receiver, bytes, sizeof bytes, &len));
    CHECK(len == 1 && bytes[0] == 'd');
    DO(pagemate_sender_wait_until_received(sender, 0));
    DO(pagemate_sender_pending(sender, &count));
    CHECK(count == 0);
    DO(pagemate_sender_close(sender));
    CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_receiver_recv(receiver, bytes, sizeof bytes, &len));
    CHECK_MESSAGE("the channel is empty and has no sender");
    DO(pagemate_receiver_close(receiver));
}

static void properties_are_returned(void) {
    pagemate_sender *sender = NULL;
    pagemate_receiver *receiver = NULL;
    const char *name = NULL;
    bool truth = true;
    size_t number = 0;
    pagemate_layout type = {.len = 9};
    DO(pagemate_receiver_open_or_create("Local\\properties", &four, &receiver));
    DO(pagemate_receiver_was_created(receiver, &truth));
    CHECK(truth);
    DO(pagemate_receiver_has_sender(receiver, &truth));
    CHECK(!truth);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_receiver_wait_for_sender(receiver, SHORT));
    DO(pagemate_sender_open_or_create("properties", &plain, &sender));
    DO(pagemate_receiver_has_sender(receiver, &truth));
    CHECK(truth);
    DO(pagemate_receiver_wait_for_sender(receiver, LONG));
    DO(pagemate_sender_was_created(sender, &truth));
    CHECK(!truth);
    DO(pagemate_sender_has_receiver(sender, &truth));
    CHECK(truth);
    DO(pagemate_sender_wait_for_receiver(sender, LONG));
    pagemate_inventory *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_find("properties", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->kind == PAGEMATE_KIND_CHANNEL);
    DO(pagemate_inventory_free(found));
    DO(pagemate_sender_name(sender, &name));
    CHECK(strcmp(name, "properties") == 0);
    DO(pagemate_receiver_name(receiver, &name));
    CHECK(strcmp(name, "properties") == 0);
    DO(pagemate_sender_capacity(sender, &number));
    CHECK(number == 4);
    DO(pagemate_receiver_capacity(receiver, &number));
    CHECK(number == 4);
    DO(pagemate_sender_max_len(sender, &number));
    CHECK(number == 16);
    DO(pagemate_receiver_max_len(receiver, &number));
    CHECK(number == 16);
    DO(pagemate_sender_message_type(sender, &type));
    CHECK(type.len == 0 && type.align == 0 && type.fingerprint == 0);
    type.len = 9;
    DO(pagemate_receiver_message_type(receiver, &type));
    CHECK(type.len == 0);
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_has_receiver(sender, &truth));
    CHECK(!truth);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_sender_wait_for_receiver(sender, SHORT));
    DO(pagemate_sender_close(sender));
}

static void a_message_that_is_too_long_is_not_lost(void) {
    pagemate_sender *sender = new_sender("long", &four);
    pagemate_receiver *receiver = open_receiver("long", &plain);
    char bytes[16];
    size_t len = 0, lens[4], count = 0;
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_sender_send(sender, "0123456789abcdefg", 17));
    CHECK_MESSAGE("send, channel \"long\": the message has 17 bytes, and this channel's messages have at most 16");
    DO(pagemate_sender_send(sender, "ab", 2));
    DO(pagemate_sender_send(sender, "01234", 5));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_receiver_recv(receiver, bytes, 1, &len));
    CHECK_MESSAGE("the message has 2 bytes, and the buffer 1; the message stays in the channel");
    CHECK(len == 2);
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_receiver_try_recv(receiver, NULL, 0, &len));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_receiver_recv_many(receiver, bytes, 1, lens, 4, &count));
    DO(pagemate_receiver_recv_many(receiver, bytes, 4, lens, 4, &count));
    CHECK(count == 1 && lens[0] == 2 && memcmp(bytes, "ab", 2) == 0);
    EXPECT(receiver, "01234");
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
}

static void batches_are_sent_and_received(void) {
    pagemate_sender *sender = new_sender("batches", &four);
    pagemate_receiver *receiver = open_receiver("batches", &plain);
    char bytes[8][2];
    size_t lens[8] = {0}, count = 77;
    DO(pagemate_sender_try_send_many(sender, "aabbccddee", 2, 5, &count));
    CHECK(count == 4);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_sender_try_send_many(sender, "ee", 2, 1, &count));
    DO(pagemate_receiver_recv_many(receiver, bytes, 2, lens, 3, &count));
    CHECK(count == 3 && lens[2] == 2 && memcmp(bytes, "aabbcc", 6) == 0);
    DO(pagemate_sender_send_all(sender, "eeff", 2, 2, NULL));
    DO(pagemate_receiver_try_recv_many(receiver, bytes, 2, NULL, 8, &count));
    CHECK(count == 3 && memcmp(bytes, "ddeeff", 6) == 0);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_receiver_try_recv_many(receiver, bytes, 2, lens, 8, &count));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_sender_try_send_many(sender, "x", 17, 1, &count));
    DO(pagemate_sender_send_all(sender, NULL, 0, 2, &count));
    CHECK(count == 2);
    DO(pagemate_receiver_try_recv_many(receiver, NULL, 0, lens, 8, &count));
    CHECK(count == 2 && lens[1] == 0);
    DO(pagemate_receiver_recv_many(receiver, NULL, 0, NULL, 0, &count));
    DO(pagemate_sender_try_send_many(sender, NULL, 0, 0, &count));
    CHECK(count == 0);
    DO(pagemate_receiver_close(receiver));
    /* The count is exact although the last message finds no receiver. */
    if (keeps_messages()) {
        CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_sender_send_all(sender, "aabbccddee", 2, 5, &count));
        CHECK(count == 4);
    }
    DO(pagemate_sender_close(sender));
}

static void loans_and_samples_are_in_place(void) {
    pagemate_sender *sender = new_sender("places", &four);
    pagemate_receiver *receiver = open_receiver("places", &plain);
    void *memory = NULL;
    const void *seen = NULL;
    size_t len = 0, count = 0;
    char bytes[16];
    DO(pagemate_sender_loan(sender, &memory, &len));
    CHECK(len == 16 && (uintptr_t)memory % 8 == 0);
    memcpy(memory, "in place", 8);
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_sender_send(sender, "x", 1));
    CHECK_MESSAGE("send: the sender has a loan; commit or discard it first");
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_sender_try_loan(sender, &memory, NULL));
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_sender_pending(sender, &count));
    DO(pagemate_sender_capacity(sender, &count));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_sender_commit(sender, 17));
    DO(pagemate_sender_commit(sender, 8));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_commit(sender, 8));
    CHECK_MESSAGE("send loan: the sender has no loan");
    DO(pagemate_sender_try_loan(sender, &memory, NULL));
    DO(pagemate_sender_discard(sender));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_sender_discard(sender));
    DO(pagemate_sender_loan_timeout(sender, LONG, &memory, NULL));
    memcpy(memory, "second", 6);
    DO(pagemate_sender_commit(sender, 6));

    DO(pagemate_receiver_sample(receiver, &seen, &len));
    CHECK(len == 8 && memcmp(seen, "in place", 8) == 0);
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_receiver_recv(receiver, bytes, 16, &len));
    CHECK_MESSAGE("receive: the receiver has a sample; finish it or put it back first");
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_receiver_try_sample(receiver, &seen, &len));
    DO(pagemate_receiver_put_back(receiver));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_put_back(receiver));
    DO(pagemate_receiver_try_sample(receiver, &seen, &len));
    CHECK(len == 8 && memcmp(seen, "in place", 8) == 0);
    DO(pagemate_receiver_finish(receiver));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_finish(receiver));
    CHECK_MESSAGE("finish sample: the receiver has no sample");

    /* A closed receiver returns the message of its sample. A closed sender sends no loan. */
    DO(pagemate_receiver_sample_timeout(receiver, LONG, &seen, &len));
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_loan(sender, &memory, NULL));
    DO(pagemate_receiver_open("places", &plain, &receiver));
    DO(pagemate_sender_close(sender));
    if (keeps_messages()) {
        EXPECT(receiver, "second");
    }
    CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_receiver_sample(receiver, &seen, &len));
    DO(pagemate_receiver_close(receiver));
}

static void types_are_checked(void) {
    const pagemate_layout type = {.len = 8, .align = 8, .fingerprint = 2026};
    pagemate_channel_options typed = plain, other = plain, any = plain, both = plain;
    typed.message = other.message = both.message = type;
    other.message.fingerprint++;
    any.flags = both.flags = PAGEMATE_ANY_MESSAGE_TYPE;
    pagemate_sender *sender = new_sender("typed", &typed);
    pagemate_receiver *receiver = NULL;
    pagemate_layout found = {0};
    uint64_t number = 7;
    size_t len = 0;
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_receiver_open("typed", &plain, &receiver));
    CHECK(receiver == NULL);
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_receiver_open("typed", &other, &receiver));
    CHECK_MESSAGE("8 bytes, aligned to 8, with layout 00000000000007ea");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_receiver_open("typed", &both, &receiver));
    DO(pagemate_receiver_open("typed", &any, &receiver));
    DO(pagemate_receiver_message_type(receiver, &found));
    CHECK(memcmp(&found, &type, sizeof type) == 0);
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_sender_send(sender, &number, 7));
    CHECK_MESSAGE("the message has 7 bytes, and this channel's messages have exactly 8");
    DO(pagemate_sender_send(sender, &number, sizeof number));
    number = 0;
    DO(pagemate_receiver_recv(receiver, &number, sizeof number, &len));
    CHECK(number == 7 && len == 8);
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(sender));
}

static void a_sender_that_is_killed_in_a_loan_sends_nothing_more(void) {
    pagemate_receiver *receiver = NULL;
    pagemate_channel_options waits = plain;
    waits.waiting = PAGEMATE_WAITING_SLEEP;
    char bytes[16];
    size_t len = 0;
    DO(pagemate_receiver_create_new("killed", &waits, &receiver));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pagemate_sender *sender = NULL;
        void *memory = NULL;
        alarm(60);
        DO(pagemate_sender_open("killed", &plain, &sender));
        DO(pagemate_sender_send(sender, "before", 6));
        DO(pagemate_sender_loan(sender, &memory, NULL));
        memcpy(memory, "partial", 7);
        raise(SIGKILL);
    }
    EXPECT(receiver, "before");
    CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_receiver_recv(receiver, bytes, sizeof bytes, &len));
    CHECK(waitpid(child, NULL, 0) == child);
    pagemate_sender *next = NULL;
    DO(pagemate_sender_open("killed", &plain, &next));
    DO(pagemate_sender_send(next, "next", 4));
    EXPECT(receiver, "next");
    DO(pagemate_sender_close(next));
    DO(pagemate_receiver_close(receiver));
}

static void an_endpoint_awaits_the_successor_of_its_peer(void) {
    pagemate_channel_options awaits = plain;
    awaits.flags = PAGEMATE_AWAIT_SUCCESSOR;
    awaits.waiting = PAGEMATE_WAITING_SPIN;
    pagemate_receiver *receiver = NULL;
    pagemate_sender *sender = NULL;
    char bytes[16];
    size_t len = 0;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_receiver_open_within("later", &awaits, SHORT, &receiver));
    DO(pagemate_receiver_create_new("later", &awaits, &receiver));
    DO(pagemate_sender_open_within("later", &plain, LONG, &sender));
    DO(pagemate_sender_close(sender));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_receiver_recv_timeout(receiver, SHORT, bytes, 16, &len));
    DO(pagemate_sender_open("later", &plain, &sender));
    DO(pagemate_sender_send(sender, "successor", 9));
    EXPECT(receiver, "successor");
    DO(pagemate_sender_close(sender));
    DO(pagemate_receiver_close(receiver));
}

/* A kind is refused where another one is expected. */
static void kinds_are_checked(void) {
    pagemate_channel_options other = plain;
    pagemate_receiver *receiver = NULL;
    pagemate_sender *sender = new_sender("kind", &plain);
    other.kind = plain.kind == PAGEMATE_CHANNEL_KIND_SPSC ? PAGEMATE_CHANNEL_KIND_BROADCAST
                                                          : PAGEMATE_CHANNEL_KIND_SPSC;
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_receiver_open("kind", &other, &receiver));
    CHECK_MESSAGE("it is a channel of kind");
    DO(pagemate_sender_close(sender));
}

/* Receivers of a lossy broadcast channel count the messages that they missed. */
static void a_lossy_channel_counts_missed_messages(void) {
    const pagemate_channel_options lossy = {.kind = PAGEMATE_CHANNEL_KIND_BROADCAST,
                                            .flags = PAGEMATE_LOSSY,
                                            .capacity = 4,
                                            .receivers = 2};
    const pagemate_channel_options over = {.kind = PAGEMATE_CHANNEL_KIND_BROADCAST,
                                           .flags = PAGEMATE_TAKE_OVER};
    pagemate_sender *sender = new_sender("lossy", &lossy);
    pagemate_receiver *quick = open_receiver("lossy", &lossy), *slow = open_receiver("lossy", &over);
    pagemate_receiver *third = NULL;
    const void *seen = NULL;
    uint64_t missed = 77;
    size_t len = 0;
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_receiver_open("lossy", &lossy, &third));
    for (char c = 'a'; c < 'g'; c++) {
        const char text[2] = {c};
        DO(pagemate_sender_send(sender, text, 1));
        EXPECT(quick, text);
    }
    EXPECT(slow, "c");
    DO(pagemate_receiver_sample(slow, &seen, &len));
    for (int i = 0; i < 50; i++) {
        DO(pagemate_sender_send(sender, "x", 1));
    }
    CHECK(len == 1 && *(const char *)seen == 'd');
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_receiver_missed(slow, &missed));
    DO(pagemate_receiver_finish(slow));
    EXPECT(slow, "x");
    DO(pagemate_receiver_missed(slow, &missed));
    CHECK(missed == 2 + 2 + 46);
    DO(pagemate_receiver_missed(quick, &missed));
    CHECK(missed == 0);
    DO(pagemate_receiver_close(quick));
    DO(pagemate_receiver_close(slow));
    DO(pagemate_sender_close(sender));
}

/* A work queue: each message goes to one receiver, and to another one if that is killed. */
static void the_work_of_a_killed_receiver_is_delivered_again(void) {
    const pagemate_channel_options queue = {.kind = PAGEMATE_CHANNEL_KIND_MPMC, .capacity = 8};
    pagemate_sender *sender = new_sender("queue", &queue), *second = NULL;
    pagemate_receiver *receiver = open_receiver("queue", &queue);
    const void *seen = NULL;
    size_t len = 0;
    bool again = true;
    DO(pagemate_sender_open("queue", &queue, &second));
    DO(pagemate_sender_send(sender, "one", 3));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        pagemate_receiver *worker = NULL;
        alarm(60);
        DO(pagemate_receiver_open("queue", &queue, &worker));
        DO(pagemate_receiver_sample(worker, &seen, &len));
        raise(SIGKILL);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    DO(pagemate_receiver_sample_timeout(receiver, LONG, &seen, &len));
    CHECK(len == 3 && memcmp(seen, "one", 3) == 0);
    DO(pagemate_receiver_redelivered(receiver, &again));
    CHECK(again);
    DO(pagemate_receiver_finish(receiver));
    DO(pagemate_sender_send(second, "two", 3));
    EXPECT(receiver, "two");
    DO(pagemate_receiver_redelivered(receiver, &again));
    CHECK(!again);
    DO(pagemate_receiver_close(receiver));
    DO(pagemate_sender_close(second));
    DO(pagemate_sender_close(sender));
}

int main(void) {
    static const pagemate_channel_kind kinds[] = {PAGEMATE_CHANNEL_KIND_SPSC, PAGEMATE_CHANNEL_KIND_MPMC,
                                                  PAGEMATE_CHANNEL_KIND_BROADCAST};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        plain.kind = four.kind = kinds[i];
        messages_arrive_in_order();
        properties_are_returned();
        a_message_that_is_too_long_is_not_lost();
        batches_are_sent_and_received();
        loans_and_samples_are_in_place();
        types_are_checked();
        kinds_are_checked();
        a_sender_that_is_killed_in_a_loan_sends_nothing_more();
        an_endpoint_awaits_the_successor_of_its_peer();
    }
    a_lossy_channel_counts_missed_messages();
    the_work_of_a_killed_receiver_is_delivered_again();
    return 0;
}
