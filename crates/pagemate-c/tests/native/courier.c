/* Sends or receives numbered letters on a channel, as courier.rs documents. */
#include <stddef.h>
#include <stdlib.h>

#include "channel.h"

typedef struct {
    uint64_t number, check;
} letter;

static letter letter_of(uint64_t number) {
    return (letter){number, number * UINT64_C(0x9E3779B97F4A7C15)};
}

static pagemate_layout letter_layout(void) {
    pagemate_layout number, layout;
    DO(pagemate_layout_number("u64", &number));
    const pagemate_field fields[] = {{"number", offsetof(letter, number), number},
                                     {"check", offsetof(letter, check), number}};
    DO(pagemate_layout_struct(fields, 2, sizeof(letter), _Alignof(letter), &layout));
    return layout;
}

static void reply(const char *text) {
    printf("@%s\n", text);
    fflush(stdout);
}

static void send_letters(pagemate_sender *sender, uint64_t first, uint64_t last, bool hangs) {
    void *memory = NULL;
    for (uint64_t number = first; number <= last; number++) {
        const letter next = letter_of(number);
        if (number % 3 == 0) {
            DO(pagemate_sender_loan(sender, &memory, NULL));
            memcpy(memory, &next, sizeof next);
            DO(pagemate_sender_commit(sender, sizeof next));
        } else {
            DO(pagemate_sender_send(sender, &next, sizeof next));
        }
    }
    if (!hangs) {
        DO(pagemate_sender_wait_until_received(sender, LONG));
        reply("sent");
        return;
    }
    DO(pagemate_sender_loan(sender, &memory, NULL));
    memset(memory, 0x55, sizeof(letter) / 2);
    reply("lent");
    getchar();
}

static void receive_letters(pagemate_receiver *receiver, uint64_t first, uint64_t last, bool hangs) {
    const void *memory = NULL;
    size_t len = 0;
    reply("ready");
    for (uint64_t number = first; number <= last; number++) {
        const letter expected = letter_of(number);
        letter found = {0, 0};
        if (number % 2 == 0) {
            DO(pagemate_receiver_sample(receiver, &memory, &len));
            memcpy(&found, memory, sizeof found);
            DO(pagemate_receiver_finish(receiver));
        } else {
            DO(pagemate_receiver_recv(receiver, &found, sizeof found, &len));
        }
        CHECK(len == sizeof found && memcmp(&found, &expected, len) == 0);
    }
    if (!hangs) {
        reply("received");
        return;
    }
    DO(pagemate_receiver_sample(receiver, &memory, &len));
    reply("held");
    getchar();
}

int main(int count, char **arguments) {
    CHECK(count == 7);
    const char *name = arguments[1];
    const uint64_t first = strtoull(arguments[4], NULL, 10), last = strtoull(arguments[5], NULL, 10);
    const bool hangs = strcmp(arguments[6], "hang") == 0;
    const pagemate_channel_options options = {.kind = (pagemate_channel_kind)atoi(arguments[2]),
                                              .flags = PAGEMATE_AWAIT_SUCCESSOR | PAGEMATE_TAKE_OVER,
                                              .capacity = 16,
                                              .message = letter_layout()};
    if (strcmp(arguments[3], "send") == 0) {
        pagemate_sender *sender = NULL;
        DO(pagemate_sender_open_or_create(name, &options, &sender));
        send_letters(sender, first, last, hangs);
        DO(pagemate_sender_close(sender));
    } else {
        pagemate_receiver *receiver = NULL;
        DO(pagemate_receiver_open_or_create(name, &options, &receiver));
        receive_letters(receiver, first, last, hangs);
        DO(pagemate_receiver_close(receiver));
    }
    return 0;
}
