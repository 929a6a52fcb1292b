/*
 * One channel between a C program and a Rust program: a thermometer in C sends measurements, and a display in
 * Rust (thermometer.rs, beside this file) prints them.
 *
 *     cargo build --release -p pagemate-c
 *     cc crates/pagemate-c/examples/thermometer.c -I crates/pagemate-c/include \
 *         target/release/libpagemate_c.a -o thermometer
 *     cargo run -p pagemate-c --example thermometer    # in one terminal
 *     ./thermometer 5                                  # in another one, before or after
 *
 * The display ends when the thermometer has ended.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <pagemate.h>

/* The same structure as in thermometer.rs. */
struct measurement {
    double celsius;
    uint64_t number;
};

/* Returns the layout of the messages, by which the display finds that it has the same structure. */
static pagemate_layout measurement_layout(void) {
    pagemate_layout real, whole, layout = {0};
    pagemate_layout_number("f64", &real);
    pagemate_layout_number("u64", &whole);
    const pagemate_field fields[] = {
        {"celsius", offsetof(struct measurement, celsius), real},
        {"number", offsetof(struct measurement, number), whole},
    };
    pagemate_layout_struct(fields, 2, sizeof(struct measurement), _Alignof(struct measurement), &layout);
    return layout;
}

static int fail(void) {
    fprintf(stderr, "%s\n", pagemate_last_error_message());
    return 1;
}

int main(int count, char **arguments) {
    const pagemate_channel_options options = {.message = measurement_layout(), .capacity = 64};
    const uint64_t last = count > 1 ? strtoull(arguments[1], NULL, 10) : 5;
    pagemate_sender *sender = NULL;
    if (pagemate_sender_open_or_create("thermometer", &options, &sender) != PAGEMATE_OK) {
        return fail();
    }
    for (uint64_t number = 1; number <= last; number++) {
        const struct measurement now = {20.0 + (double)number / 2, number};
        if (pagemate_sender_send(sender, &now, sizeof now) != PAGEMATE_OK) {
            return fail();
        }
    }
    /* The measurements would end with the channel if this process closed it before the display opens it. */
    if (pagemate_sender_wait_until_received(sender, PAGEMATE_FOREVER) != PAGEMATE_OK) {
        return fail();
    }
    printf("%llu measurements were received\n", (unsigned long long)last);
    pagemate_sender_close(sender);
    return 0;
}
