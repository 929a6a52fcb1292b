/* Helpers of the checks of channels. */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "check.h"

/* The longest wait, after which a check fails, and a wait that is expected to end by its timeout. */
#define LONG (30000 * PAGEMATE_MILLISECOND)
#define SHORT (20 * PAGEMATE_MILLISECOND)

static inline pagemate_sender *new_sender(const char *name, const pagemate_channel_options *options) {
    pagemate_sender *sender = NULL;
    DO(pagemate_sender_create_new(name, options, &sender));
    return sender;
}

static inline pagemate_receiver *open_receiver(const char *name, const pagemate_channel_options *options) {
    pagemate_receiver *receiver = NULL;
    DO(pagemate_receiver_open(name, options, &receiver));
    return receiver;
}

/* Receives a message and checks that it is this text. */
static inline void expect(pagemate_receiver *receiver, const char *text, int line) {
    char bytes[64];
    size_t len = 0;
    check_status(PAGEMATE_OK, pagemate_receiver_recv_timeout(receiver, LONG, bytes, sizeof bytes, &len), line,
                 "recv");
    check(len == strlen(text) && memcmp(bytes, text, len) == 0, line, text);
}

#define EXPECT(receiver, text) expect((receiver), (text), __LINE__)

#endif
