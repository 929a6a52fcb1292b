/* Checks of watch channels, and of waits for endpoints of channels. */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

static const pagemate_channel_options eight = {.max_len = 8};

static pagemate_watch_writer *new_writer(const char *name, const pagemate_channel_options *options) {
    pagemate_watch_writer *writer = NULL;
    DO(pagemate_watch_writer_create_new(name, options, &writer));
    return writer;
}

static pagemate_watch_reader *open_reader(const char *name) {
    pagemate_watch_reader *reader = NULL;
    DO(pagemate_watch_reader_open(name, NULL, &reader));
    return reader;
}

/* Reads the latest value and checks that it is this text. */
static void expect_value(pagemate_watch_reader *reader, const char *text, int line) {
    char bytes[8];
    size_t len = 0;
    check_status(PAGEMATE_OK, pagemate_watch_reader_read(reader, bytes, sizeof bytes, &len), line, "read");
    check(len == strlen(text) && memcmp(bytes, text, len) == 0, line, text);
}

#define EXPECT_VALUE(reader, text) expect_value((reader), (text), __LINE__)

static void the_latest_value_is_read(void) {
    pagemate_watch_writer *writer = new_writer("latest", &eight);
    pagemate_watch_reader *reader = open_reader("latest"), *other = open_reader("latest");
    char bytes[8] = "before";
    size_t len = 77;
    uint64_t version = 77;
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_watch_reader_read(reader, bytes, sizeof bytes, &len));
    CHECK_MESSAGE("read, channel \"latest\": no value was written yet");
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_watch_reader_wait_for_change(reader, SHORT));
    CHECK_MESSAGE("the value did not change in time");
    DO(pagemate_watch_reader_latest_version(reader, &version));
    CHECK(version == 0);
    DO(pagemate_watch_writer_write(writer, "one", 3));
    DO(pagemate_watch_writer_write(writer, "two", 3));
    DO(pagemate_watch_reader_wait_for_change(reader, PAGEMATE_FOREVER));
    DO(pagemate_watch_reader_latest_version(reader, &version));
    CHECK(version == 2);
    DO(pagemate_watch_reader_version(reader, &version));
    CHECK(version == 0);
    EXPECT_VALUE(reader, "two");
    EXPECT_VALUE(reader, "two");
    DO(pagemate_watch_reader_version(reader, &version));
    CHECK(version == 2);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_watch_reader_wait_for_change(reader, 0));
    DO(pagemate_watch_writer_write(writer, NULL, 0));
    DO(pagemate_watch_reader_wait_for_change(reader, LONG));
    EXPECT_VALUE(reader, "");
    DO(pagemate_watch_writer_version(writer, &version));
    CHECK(version == 3);
    DO(pagemate_watch_writer_close(writer));
    CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_watch_reader_wait_for_change(reader, PAGEMATE_FOREVER));
    CHECK_MESSAGE("there is no newer value and no writer");
    EXPECT_VALUE(other, "");
    DO(pagemate_watch_reader_close(reader));
    DO(pagemate_watch_reader_close(other));
}

static void lengths_are_checked(void) {
    pagemate_watch_writer *writer = new_writer("lengths", &eight);
    pagemate_watch_reader *reader = open_reader("lengths");
    char bytes[8];
    size_t len = 0;
    uint64_t version = 77;
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_watch_writer_write(writer, "too long!", 9));
    DO(pagemate_watch_writer_write(writer, "01234567", 8));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_watch_reader_read(reader, bytes, 7, &len));
    CHECK_MESSAGE("the value has 8 bytes, and the buffer 7");
    CHECK(len == 8);
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_watch_reader_read(reader, NULL, 0, &len));
    DO(pagemate_watch_reader_version(reader, &version));
    CHECK(version == 0);
    DO(pagemate_watch_reader_wait_for_change(reader, 0));
    EXPECT_VALUE(reader, "01234567");
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
}

static void a_value_is_written_in_place(void) {
    pagemate_watch_writer *writer = new_writer("place", &eight);
    pagemate_watch_reader *reader = open_reader("place");
    void *memory = NULL;
    size_t max_len = 0;
    uint64_t version = 0;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_watch_writer_publish(writer, 1));
    CHECK_MESSAGE("the writer has no loan");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_watch_writer_discard(writer));
    DO(pagemate_watch_writer_loan(writer, &memory, &max_len));
    CHECK(max_len == 8 && (uintptr_t)memory % 8 == 0);
    memcpy(memory, "in place", 8);
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_watch_writer_loan(writer, &memory, NULL));
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_watch_writer_write(writer, "x", 1));
    CHECK_MESSAGE("the writer has a loan; publish or discard it first");
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_watch_writer_version(writer, &version));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_watch_writer_publish(writer, 9));
    DO(pagemate_watch_writer_publish(writer, 2));
    EXPECT_VALUE(reader, "in");
    DO(pagemate_watch_writer_loan(writer, &memory, NULL));
    memcpy(memory, "no", 2);
    DO(pagemate_watch_writer_discard(writer));
    EXPECT_VALUE(reader, "in");
    DO(pagemate_watch_writer_loan(writer, &memory, NULL));
    DO(pagemate_watch_writer_close(writer));
    EXPECT_VALUE(reader, "in");
    DO(pagemate_watch_reader_close(reader));
}

static void types_and_kinds_are_checked(void) {
    pagemate_layout number;
    DO(pagemate_layout_number("u64", &number));
    const pagemate_channel_options typed = {.message = number}, any = {.flags = PAGEMATE_ANY_MESSAGE_TYPE};
    pagemate_watch_writer *writer = new_writer("types", &typed), *second = NULL;
    pagemate_watch_reader *reader = NULL;
    pagemate_receiver *receiver = NULL;
    uint64_t value = 7, seen = 0;
    size_t len = 0;
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_watch_reader_open("types", NULL, &reader));
    CHECK(reader == NULL);
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_receiver_open("types", &typed, &receiver));
    CHECK_MESSAGE("it is a channel of kind watch");
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_watch_writer_open("types", &typed, &second));
    CHECK_MESSAGE("is its writer and is alive");
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_watch_writer_create_new("types", &typed, &second));
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_watch_reader_create_new("types", &typed, &reader));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_watch_writer_open_within("missing", NULL, SHORT, &second));
    CHECK_STATUS(PAGEMATE_WRONG_LENGTH, pagemate_watch_writer_write(writer, &value, 7));
    DO(pagemate_watch_writer_write(writer, &value, sizeof value));
    DO(pagemate_watch_reader_open_within("types", &any, LONG, &reader));
    DO(pagemate_watch_reader_read(reader, &seen, sizeof seen, &len));
    CHECK(len == 8 && seen == 7);
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
}

static void properties_are_returned(void) {
    pagemate_watch_writer *writer = NULL;
    pagemate_watch_reader *reader = NULL;
    const char *name = NULL;
    bool truth = false;
    size_t number = 0;
    pagemate_layout type = {.len = 9};
    DO(pagemate_watch_reader_open_or_create("Local\\facts", &eight, &reader));
    DO(pagemate_watch_reader_was_created(reader, &truth));
    CHECK(truth);
    DO(pagemate_watch_reader_has_writer(reader, &truth));
    CHECK(!truth);
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_watch_reader_wait_for_writer(reader, SHORT));
    DO(pagemate_watch_writer_open_or_create("facts", NULL, &writer));
    DO(pagemate_watch_writer_was_created(writer, &truth));
    CHECK(!truth);
    DO(pagemate_watch_reader_has_writer(reader, &truth));
    CHECK(truth);
    DO(pagemate_watch_reader_wait_for_writer(reader, LONG));
    DO(pagemate_watch_writer_name(writer, &name));
    CHECK(strcmp(name, "facts") == 0);
    DO(pagemate_watch_reader_name(reader, &name));
    CHECK(strcmp(name, "facts") == 0);
    DO(pagemate_watch_writer_max_len(writer, &number));
    CHECK(number == 8);
    DO(pagemate_watch_reader_max_len(reader, &number));
    CHECK(number == 8);
    DO(pagemate_watch_writer_message_type(writer, &type));
    CHECK(type.len == 0 && type.align == 0 && type.fingerprint == 0);
    type.len = 9;
    DO(pagemate_watch_reader_message_type(reader, &type));
    CHECK(type.len == 0);
    DO(pagemate_watch_reader_close(reader));
    DO(pagemate_watch_writer_close(writer));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_watch_writer_close(writer));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_watch_reader_read(reader, NULL, 0, &number));
    CHECK_MESSAGE("reader was closed before");
    DO(pagemate_watch_writer_close(NULL));
    DO(pagemate_watch_reader_close(NULL));
}

static void null_is_refused(void) {
    pagemate_watch_writer *writer = new_writer("null", NULL), *no_writer = NULL;
    pagemate_watch_reader *reader = open_reader("null"), *no_reader = NULL;
    void *memory = NULL;
    char byte = 0;
    size_t number = 0;
    uint64_t version = 0;
    bool truth = false;
    const char *name = NULL;
    pagemate_layout type;
    CHECK_NULL("name", pagemate_watch_writer_create_new(NULL, NULL, &no_writer));
    CHECK_NULL("writer", pagemate_watch_writer_open_or_create("x", NULL, NULL));
    CHECK_NULL("writer", pagemate_watch_writer_open("x", NULL, NULL));
    CHECK_NULL("writer", pagemate_watch_writer_write(NULL, &byte, 1));
    CHECK_NULL("bytes", pagemate_watch_writer_write(writer, NULL, 1));
    CHECK_NULL("writer", pagemate_watch_writer_loan(NULL, &memory, &number));
    CHECK_NULL("memory", pagemate_watch_writer_loan(writer, NULL, &number));
    CHECK_NULL("writer", pagemate_watch_writer_publish(NULL, 1));
    CHECK_NULL("writer", pagemate_watch_writer_discard(NULL));
    CHECK_NULL("writer", pagemate_watch_writer_version(NULL, &version));
    CHECK_NULL("version", pagemate_watch_writer_version(writer, NULL));
    CHECK_NULL("writer", pagemate_watch_writer_name(NULL, &name));
    CHECK_NULL("created", pagemate_watch_writer_was_created(writer, NULL));
    CHECK_NULL("len", pagemate_watch_writer_max_len(writer, NULL));
    CHECK_NULL("message", pagemate_watch_writer_message_type(writer, NULL));
    CHECK_NULL("name", pagemate_watch_reader_create_new(NULL, NULL, &no_reader));
    CHECK_NULL("reader", pagemate_watch_reader_open_or_create("x", NULL, NULL));
    CHECK_NULL("reader", pagemate_watch_reader_open("x", NULL, NULL));
    CHECK_NULL("reader", pagemate_watch_reader_read(NULL, &byte, 1, &number));
    CHECK_NULL("bytes", pagemate_watch_reader_read(reader, NULL, 1, &number));
    CHECK_NULL("len", pagemate_watch_reader_read(reader, &byte, 1, NULL));
    CHECK_NULL("reader", pagemate_watch_reader_wait_for_change(NULL, 0));
    CHECK_NULL("version", pagemate_watch_reader_version(reader, NULL));
    CHECK_NULL("version", pagemate_watch_reader_latest_version(reader, NULL));
    CHECK_NULL("found", pagemate_watch_reader_has_writer(reader, NULL));
    CHECK_NULL("reader", pagemate_watch_reader_has_writer(NULL, &truth));
    CHECK_NULL("reader", pagemate_watch_reader_wait_for_writer(NULL, 0));
    CHECK_NULL("reader", pagemate_watch_reader_message_type(NULL, &type));
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
}

/* Runs `child` in a child of fork(), and waits for its end. */
static void in_child(void (*child)(pagemate_watch_writer *, pagemate_watch_reader *), pagemate_watch_writer *writer,
                     pagemate_watch_reader *reader) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        child(writer, reader);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void use_copies(pagemate_watch_writer *writer, pagemate_watch_reader *reader) {
    CHECK_STATUS(PAGEMATE_FORKED, pagemate_watch_writer_write(writer, "child", 5));
    EXPECT_VALUE(reader, "parent");
    DO(pagemate_watch_writer_close(writer));
}

static void publish_copy(pagemate_watch_writer *writer, pagemate_watch_reader *reader) {
    CHECK_STATUS(PAGEMATE_FORKED, pagemate_watch_writer_publish(writer, 5));
    EXPECT_VALUE(reader, "parent");
}

static void a_forked_child_reads_and_does_not_write(void) {
    pagemate_watch_writer *writer = new_writer("fork", &eight);
    pagemate_watch_reader *reader = open_reader("fork");
    void *memory = NULL;
    DO(pagemate_watch_writer_write(writer, "parent", 6));
    in_child(use_copies, writer, reader);
    DO(pagemate_watch_writer_loan(writer, &memory, NULL));
    memcpy(memory, "place", 5);
    in_child(publish_copy, writer, reader);
    DO(pagemate_watch_writer_publish(writer, 5));
    EXPECT_VALUE(reader, "place");
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
}

static void a_killed_writer_leaves_the_value_and_has_a_successor(void) {
    pagemate_watch_reader *reader = NULL;
    int status = 0;
    DO(pagemate_watch_reader_create_new("killed", &eight, &reader));
    const pid_t pid = fork();
    if (pid == 0) {
        pagemate_watch_writer *writer = NULL;
        void *memory = NULL;
        DO(pagemate_watch_writer_open("killed", NULL, &writer));
        DO(pagemate_watch_writer_write(writer, "kept", 4));
        DO(pagemate_watch_writer_loan(writer, &memory, NULL));
        memset(memory, 'x', 8);
        raise(SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    DO(pagemate_watch_reader_wait_for_change(reader, LONG));
    EXPECT_VALUE(reader, "kept");
    CHECK_STATUS(PAGEMATE_DISCONNECTED, pagemate_watch_reader_wait_for_change(reader, LONG));
    pagemate_watch_writer *writer = NULL;
    DO(pagemate_watch_writer_open("killed", NULL, &writer));
    DO(pagemate_watch_writer_write(writer, "next", 4));
    DO(pagemate_watch_reader_wait_for_change(reader, LONG));
    EXPECT_VALUE(reader, "next");
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
}

static void one_wait_is_for_endpoints_and_sync_objects(void) {
    const pagemate_channel_options one = {.capacity = 1, .max_len = 8};
    pagemate_watch_writer *writer = new_writer("any-value", &eight);
    pagemate_watch_reader *reader = open_reader("any-value");
    pagemate_sender *sender = new_sender("any-message", &one);
    pagemate_receiver *receiver = open_receiver("any-message", NULL);
    pagemate_event *event = NULL;
    size_t index = 77, len = 0;
    bool abandoned = true;
    uint64_t bits = 0;
    const void *memory = NULL;
    DO(pagemate_event_create_unnamed(NULL, &event));
    pagemate_waitable list[] = {{.event = event}, {.receiver = receiver}, {.watch_reader = reader}, {.sender = sender}};
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_wait_any_for(list, 3, SHORT, &index, &abandoned));
    DO(pagemate_wait_any(list, 4, &index, &abandoned));
    CHECK(index == 3 && !abandoned);
    DO(pagemate_sender_send(sender, "a", 1));
    DO(pagemate_wait_any(list, 4, &index, &abandoned));
    CHECK(index == 1);
    EXPECT(receiver, "a");
    DO(pagemate_watch_writer_write(writer, "b", 1));
    DO(pagemate_wait_any_for(list, 3, LONG, &index, &abandoned));
    CHECK(index == 2);
    EXPECT_VALUE(reader, "b");
    DO(pagemate_event_set(event));
    DO(pagemate_wait_any(list, 3, &index, &abandoned));
    CHECK(index == 0);

    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_all_for(list, 3, 0, &bits));
    list[0] = (pagemate_waitable){.receiver = receiver};
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_wait_any_for(list, 2, 0, &index, &abandoned));
    list[0] = (pagemate_waitable){.event = event, .receiver = receiver};
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_any_for(list, 1, 0, &index, &abandoned));
    CHECK_MESSAGE("list[0] must have exactly one object");
    DO(pagemate_sender_send(sender, "c", 1));
    DO(pagemate_receiver_sample(receiver, &memory, &len));
    CHECK_STATUS(PAGEMATE_IN_USE, pagemate_wait_any_for(list + 1, 1, 0, &index, &abandoned));
    CHECK_MESSAGE("the receiver has a sample");
    DO(pagemate_receiver_finish(receiver));
    /* The end of its sender ends the wait for a receiver. */
    DO(pagemate_sender_close(sender));
    DO(pagemate_wait_any_for(list + 1, 2, LONG, &index, &abandoned));
    CHECK(index == 0);
    DO(pagemate_receiver_close(receiver));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_wait_any_for(list + 1, 1, 0, &index, &abandoned));
    DO(pagemate_watch_writer_close(writer));
    DO(pagemate_watch_reader_close(reader));
    DO(pagemate_event_close(event));
}

int main(void) {
    the_latest_value_is_read();
    lengths_are_checked();
    a_value_is_written_in_place();
    types_and_kinds_are_checked();
    properties_are_returned();
    null_is_refused();
    a_forked_child_reads_and_does_not_write();
    a_killed_writer_leaves_the_value_and_has_a_successor();
    one_wait_is_for_endpoints_and_sync_objects();
    return 0;
}
