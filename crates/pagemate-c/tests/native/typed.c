/* Checks of typed memory: layouts, values that the first process initialises, and cells. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "robot.h"

static pagemate_layout layout_of(const char *number) {
    pagemate_layout layout;
    DO(pagemate_layout_number(number, &layout));
    return layout;
}

static robot *value_of(const pagemate_shared *shared) {
    void *value = NULL;
    DO(pagemate_shared_value(shared, &value));
    return value;
}

static void layouts_are_computed(void) {
    const pagemate_layout u32 = layout_of("u32"), f64 = layout_of("f64"), u128 = layout_of("u128");
    pagemate_layout layout;
    /* The examples of docs/layout.md. */
    CHECK(u32.fingerprint == 0x97186530833a65ea && u32.len == 4 && u32.align == 4);
    DO(pagemate_layout_array(&u32, 4, &layout));
    CHECK(layout.fingerprint == 0x04a48565905a2052 && layout.len == 16 && layout.align == 4);
    pagemate_field fields[] = {{"x", 0, f64}, {"_y_", 8, f64}};
    DO(pagemate_layout_struct(fields, 2, 16, 8, &layout));
    CHECK(layout.fingerprint == 0x5b24debfc65548fc && layout.len == 16 && layout.align == 8);
    CHECK(layout_of("usize").fingerprint == layout_of("u64").fingerprint);
    DO(pagemate_layout_seqlock(&u32, &layout));
    CHECK(layout.len == 72 && layout.align == 8);
    DO(robot_layout(&layout));
    CHECK(layout.len == sizeof(robot) && layout.align == 8);

    layout.len = 77;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_number("bool", &layout));
    CHECK_MESSAGE("compute layout of number: \"bool\" is not a number; u32 and f64 are");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_array(&u32, SIZE_MAX / 4 + 1, &layout));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_array(&u32, SIZE_MAX / 8 + 1, &layout));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_atomic(&u128, &layout));
    DO(pagemate_layout_array(&u32, 1, &layout));
    const pagemate_layout array = layout, long_value = {.len = SIZE_MAX / 2, .align = 1}, odd = {.align = 3};
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_atomic(&array, &layout));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_seqlock(&long_value, &layout));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_seqlock(&odd, &layout));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_struct(fields, 1, 16, 8, &layout));
    CHECK_MESSAGE("a field that is not listed, after the last field");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_struct(fields, 2, 16, 24, &layout));
    fields[1].offset = 12;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_struct(fields, 2, 20, 8, &layout));
    CHECK_MESSAGE("a field that is not listed here, before field \"_y_\"");
    fields[0].name = NULL;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_layout_struct(fields, 2, 16, 8, &layout));
    CHECK(layout.len == array.len);
}

/* Counts its calls, and returns the next status of the list in `context`. */
static pagemate_status initialise(const pagemate_shared *shared, void *context) {
    pagemate_status **next = context;
    robot *fresh = value_of(shared);
    CHECK(fresh->errors == 0);
    fresh->errors = 5;
    return *(*next)++;
}

static void the_first_initialises(const pagemate_layout *layout) {
    pagemate_status list[] = {PAGEMATE_NO_SPACE, 77, PAGEMATE_OK}, *next = list;
    pagemate_shared *first = NULL, *second = NULL;
    bool truth = true;
    pagemate_section *section = NULL;
    DO(pagemate_section_create_new("typed", &page, &section));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_shared_open("typed", layout, 0, &second));
    CHECK_STATUS(PAGEMATE_NO_SPACE, pagemate_shared_open_or_create("typed", layout, initialise, &next, &first));
    CHECK_MESSAGE("the initialiser failed: there is not enough memory");
    CHECK_STATUS(PAGEMATE_INVALID_INPUT,
                 pagemate_shared_open_or_create("typed", layout, initialise, &next, &first));
    CHECK_MESSAGE("the initialiser returned 77, which is not a status");
    CHECK(first == NULL);
    DO(pagemate_shared_open_or_create("typed", layout, initialise, &next, &first));
    DO(pagemate_shared_open_or_create("typed", layout, initialise, &next, &second));
    CHECK(next == list + 3);
    DO(pagemate_shared_was_initialised(first, &truth));
    CHECK(truth);
    DO(pagemate_shared_was_initialised(second, &truth));
    CHECK(!truth);
    value_of(second)->frame = 8;
    CHECK(value_of(first)->frame == 8 && value_of(first)->errors == 5);
    DO(pagemate_section_close(section));
    DO(pagemate_shared_close(first));
    DO(pagemate_shared_clone(second, &first));
    DO(pagemate_shared_close(second));
    CHECK(value_of(first)->frame == 8);
    DO(pagemate_shared_flush(first));

    DO(pagemate_shared_open_within("typed", layout, PAGEMATE_ACCESS_READ, PAGEMATE_FOREVER, &second));
    DO(pagemate_shared_is_writable(second, &truth));
    CHECK(!truth && value_of(second)->frame == 8);
    DO(pagemate_shared_is_writable(first, &truth));
    CHECK(truth);
    DO(pagemate_shared_close(first));
    DO(pagemate_shared_close(second));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_shared_open("typed", layout, 0, &second));
    CHECK_STATUS(PAGEMATE_NOT_FOUND,
                 pagemate_shared_open_within("typed", layout, 0, PAGEMATE_MILLISECOND, &second));
}

static void another_layout_is_refused(const pagemate_layout *layout) {
    pagemate_section *section = create("layouts");
    pagemate_shared *shared = NULL, *other = NULL;
    pagemate_layout wrong = *layout;
    DO(pagemate_shared_open_or_init(section, 64, layout, NULL, NULL, &shared));
    DO(pagemate_shared_open_in(section, 64, layout, PAGEMATE_ACCESS_READ, &other));
    DO(pagemate_shared_close(other));
    wrong.fingerprint++;
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_shared_open_in(section, 64, &wrong, 0, &other));
    CHECK_MESSAGE("it has a value of another type");
    CHECK_STATUS(PAGEMATE_CORRUPTED, pagemate_shared_open_in(section, 72, layout, 0, &other));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_shared_open_in(section, 1024, layout, 0, &other));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_shared_open_in(section, 68, layout, 0, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_shared_open_in(section, 4096, layout, 0, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE,
                 pagemate_shared_open_or_init(section, UINT64_MAX - 7, layout, NULL, NULL, &other));
    wrong.len = SIZE_MAX;
    CHECK_STATUS(PAGEMATE_NO_SPACE, pagemate_shared_open_or_create("layouts", &wrong, NULL, NULL, &other));
    wrong.len = 5000;
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE,
                 pagemate_shared_open_or_create("layouts", &wrong, NULL, NULL, &other));
    wrong.align = 12;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_shared_open_in(section, 64, &wrong, 0, &other));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT,
                 pagemate_shared_open_in(section, 64, layout, PAGEMATE_ACCESS_COPY_ON_WRITE, &other));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_shared_open_in(section, 64, layout, 77, &other));
    CHECK(other == NULL);
    DO(pagemate_shared_close(shared));
    DO(pagemate_section_close(section));
}

static pagemate_status add(void *value, void *context) {
    pose *moved = value;
    moved->x += 1;
    return *(const pagemate_status *)context;
}

static void cells_are_copied(const pagemate_layout *layout) {
    pagemate_shared *shared = NULL, *reader = NULL;
    pagemate_seqlock_writer *writer = NULL, *other = NULL;
    DO(pagemate_shared_open_or_create("cells", layout, NULL, NULL, &shared));
    DO(pagemate_shared_open("cells", layout, PAGEMATE_ACCESS_READ, &reader));
    robot *value = value_of(shared);
    const robot *look = value_of(reader);
    pose seen = {7, 7}, next = {1, 2};
    pagemate_status good = PAGEMATE_OK, bad = PAGEMATE_TIMED_OUT;
    DO(pagemate_seqlock_read(look->pose, &seen, sizeof seen));
    CHECK(seen.x == 0 && seen.y == 0);
    DO(pagemate_seqlock_writer_open(shared, value->pose, sizeof seen, &writer));
    DO(pagemate_seqlock_writer_write(writer, &next, sizeof next));
    DO(pagemate_seqlock_writer_update(writer, add, &good));
    CHECK_STATUS(PAGEMATE_TIMED_OUT, pagemate_seqlock_writer_update(writer, add, &bad));
    CHECK_MESSAGE("change sequence-locked value: the function failed: timed out");
    DO(pagemate_seqlock_read(look->pose, &seen, sizeof seen));
    CHECK(seen.x == 2 && seen.y == 2);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_seqlock_writer_write(writer, &next, 8));

    char label[8] = "";
    DO(pagemate_racy_write(value->label, "a label", 8));
    DO(pagemate_racy_read(look->label, label, 8));
    CHECK(strcmp(label, "a label") == 0);
    DO(pagemate_racy_read(look->label, NULL, 0));
    DO(pagemate_racy_write(value->label, NULL, 0));

    const size_t len = sizeof(pose);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_seqlock_read(look->pose + 4, &seen, len));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_seqlock_read(look->pose, &seen, SIZE_MAX));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_racy_read(look->label, label, SIZE_MAX));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_racy_write(value->label, label, SIZE_MAX));
    CHECK_STATUS(PAGEMATE_PERMISSION_DENIED, pagemate_seqlock_writer_open(reader, look->pose, len, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_seqlock_writer_open(shared, look->pose, len, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_seqlock_writer_open(shared, value + 1, len, &other));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_seqlock_writer_open(shared, value->pose, SIZE_MAX, &other));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_seqlock_writer_open(shared, value->pose + 4, len, &other));
    CHECK(other == NULL);
    DO(pagemate_shared_close(reader));
    DO(pagemate_shared_close(shared));
    /* The writer keeps the memory. */
    DO(pagemate_seqlock_writer_write(writer, &next, sizeof next));
    DO(pagemate_shared_open("cells", layout, 0, &shared));
    DO(pagemate_shared_close(shared));
    DO(pagemate_seqlock_writer_close(writer));
}

static void null_arguments_are_reported(const pagemate_layout *layout) {
    pagemate_section *section = create("null");
    pagemate_shared *shared = NULL, *none = NULL;
    pagemate_seqlock_writer *writer = NULL, *no_writer = NULL;
    pagemate_layout computed;
    pagemate_status good = PAGEMATE_OK;
    void *value = NULL;
    bool truth = false;
    pose point = {0, 0};
    const size_t len = sizeof point;
    DO(pagemate_shared_open_or_init(section, 0, layout, NULL, NULL, &shared));
    robot *at = value_of(shared);
    DO(pagemate_seqlock_writer_open(shared, at->pose, len, &writer));

    CHECK_NULL("name", pagemate_layout_number(NULL, &computed));
    CHECK_NULL("layout", pagemate_layout_number("u8", NULL));
    CHECK_NULL("element", pagemate_layout_array(NULL, 1, &computed));
    CHECK_NULL("layout", pagemate_layout_array(layout, 1, NULL));
    CHECK_NULL("number", pagemate_layout_atomic(NULL, &computed));
    CHECK_NULL("layout", pagemate_layout_atomic(layout, NULL));
    CHECK_NULL("value", pagemate_layout_racy(NULL, &computed));
    CHECK_NULL("layout", pagemate_layout_racy(layout, NULL));
    CHECK_NULL("value", pagemate_layout_seqlock(NULL, &computed));
    CHECK_NULL("layout", pagemate_layout_seqlock(layout, NULL));
    CHECK_NULL("fields", pagemate_layout_struct(NULL, 1, 8, 8, &computed));
    CHECK_NULL("layout", pagemate_layout_struct(NULL, 1, 8, 8, NULL));

    CHECK_NULL("name", pagemate_shared_open_or_create(NULL, layout, NULL, NULL, &none));
    CHECK_NULL("layout", pagemate_shared_open_or_create("x", NULL, NULL, NULL, &none));
    CHECK_NULL("shared", pagemate_shared_open_or_create("x", layout, NULL, NULL, NULL));
    CHECK_NULL("name", pagemate_shared_open(NULL, layout, 0, &none));
    CHECK_NULL("layout", pagemate_shared_open("x", NULL, 0, &none));
    CHECK_NULL("shared", pagemate_shared_open("x", layout, 0, NULL));
    CHECK_NULL("name", pagemate_shared_open_within(NULL, layout, 0, 0, &none));
    CHECK_NULL("layout", pagemate_shared_open_within("x", NULL, 0, 0, &none));
    CHECK_NULL("shared", pagemate_shared_open_within("x", layout, 0, 0, NULL));
    CHECK_NULL("section", pagemate_shared_open_or_init(NULL, 0, layout, NULL, NULL, &none));
    CHECK_NULL("layout", pagemate_shared_open_or_init(section, 0, NULL, NULL, NULL, &none));
    CHECK_NULL("shared", pagemate_shared_open_or_init(section, 0, layout, NULL, NULL, NULL));
    CHECK_NULL("section", pagemate_shared_open_in(NULL, 0, layout, 0, &none));
    CHECK_NULL("layout", pagemate_shared_open_in(section, 0, NULL, 0, &none));
    CHECK_NULL("shared", pagemate_shared_open_in(section, 0, layout, 0, NULL));
    CHECK_NULL("shared", pagemate_shared_clone(NULL, &none));
    CHECK_NULL("clone", pagemate_shared_clone(shared, NULL));
    CHECK_NULL("shared", pagemate_shared_value(NULL, &value));
    CHECK_NULL("value", pagemate_shared_value(shared, NULL));
    CHECK_NULL("shared", pagemate_shared_is_writable(NULL, &truth));
    CHECK_NULL("writable", pagemate_shared_is_writable(shared, NULL));
    CHECK_NULL("shared", pagemate_shared_was_initialised(NULL, &truth));
    CHECK_NULL("initialised", pagemate_shared_was_initialised(shared, NULL));
    CHECK_NULL("shared", pagemate_shared_flush(NULL));

    CHECK_NULL("cell", pagemate_seqlock_read(NULL, &point, len));
    CHECK_NULL("value", pagemate_seqlock_read(at->pose, NULL, len));
    CHECK_NULL("shared", pagemate_seqlock_writer_open(NULL, at->pose, len, &no_writer));
    CHECK_NULL("cell", pagemate_seqlock_writer_open(shared, NULL, len, &no_writer));
    CHECK_NULL("writer", pagemate_seqlock_writer_open(shared, at->pose, len, NULL));
    CHECK_NULL("writer", pagemate_seqlock_writer_write(NULL, &point, len));
    CHECK_NULL("value", pagemate_seqlock_writer_write(writer, NULL, len));
    CHECK_NULL("writer", pagemate_seqlock_writer_update(NULL, add, &good));
    CHECK_NULL("change", pagemate_seqlock_writer_update(writer, NULL, NULL));
    CHECK_NULL("cell", pagemate_racy_read(NULL, &point, len));
    CHECK_NULL("value", pagemate_racy_read(at->label, NULL, 8));
    CHECK_NULL("cell", pagemate_racy_write(NULL, &point, len));
    CHECK_NULL("value", pagemate_racy_write(at->label, NULL, 8));
    DO(pagemate_shared_close(NULL));
    DO(pagemate_seqlock_writer_close(NULL));
    DO(pagemate_seqlock_writer_close(writer));
    DO(pagemate_shared_close(shared));
    DO(pagemate_section_close(section));
}

int main(void) {
    pagemate_layout layout;
    DO(robot_layout(&layout));
    layouts_are_computed();
    the_first_initialises(&layout);
    another_layout_is_refused(&layout);
    cells_are_copied(&layout);
    null_arguments_are_reported(&layout);
    return 0;
}
