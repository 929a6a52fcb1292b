/* Checks of sections and views in C, with valid and invalid arguments. */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

static void errors_are_told(void) {
    CHECK(strcmp(pagemate_version(), PAGEMATE_VERSION) == 0);
    CHECK(strcmp(pagemate_last_error_message(), "") == 0);
    CHECK(pagemate_last_os_error() == 0);
    CHECK(strcmp(pagemate_status_name(PAGEMATE_OK), "PAGEMATE_OK") == 0);
    CHECK(strcmp(pagemate_status_describe(PAGEMATE_NOT_FOUND), "no process holds it") == 0);
    CHECK(strcmp(pagemate_status_name((pagemate_status)1000), "unknown status") == 0);
    CHECK(strcmp(pagemate_status_describe((pagemate_status)-1), "unknown status") == 0);

    pagemate_section *section = (pagemate_section *)1;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open("missing", NULL, &section));
    CHECK(section == NULL);
    CHECK(strcmp(pagemate_last_error_message(), "open section \"missing\": no process holds it") == 0);
    CHECK(pagemate_last_os_error() == 0);
    DO(pagemate_section_close(NULL));
    CHECK_MESSAGE("no process holds it");
}

static void *fail(void *unused) {
    pagemate_section *section = NULL;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open("elsewhere", NULL, &section));
    CHECK_MESSAGE("elsewhere");
    return unused;
}

/* Runs after the thread's local storage, which holds the last failure, was destroyed. */
static void fail_at_the_end(void *unused) {
    (void)unused;
    pagemate_section *section = NULL;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open("the end", NULL, &section));
    CHECK(pagemate_last_error_message() != NULL && pagemate_last_os_error() == 0);
}

static void *fail_and_end(void *key) {
    CHECK(pthread_setspecific(*(pthread_key_t *)key, key) == 0);
    return fail(NULL);
}

static void failures_stay_with_their_thread(void) {
    pagemate_section *section = NULL;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open("here", NULL, &section));
    pthread_key_t key;
    CHECK(pthread_key_create(&key, fail_at_the_end) == 0);
    void *(*bodies[])(void *) = {fail, fail_and_end};
    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, bodies[i], &key) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_MESSAGE("\"here\"");
    }
    CHECK(pthread_key_delete(key) == 0);
}

static void names_are_checked(void) {
    pagemate_section *section = NULL;
    const char *wrong[] = {"", "a\\b", "Local\\", "Session\\1\\x", "\xff", "a\xc3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_section_create_new(wrong[i], &page, &section));
        CHECK_STATUS(PAGEMATE_INVALID_NAME, pagemate_section_open(wrong[i], NULL, &section));
    }
    CHECK_MESSAGE("name is not UTF-8");
    CHECK_STATUS(PAGEMATE_WRONG_KIND, pagemate_section_create_new("Global", &page, &section));

    section = create("Local\\Local\\m\xc3\xbcnze/1");
    const char *name = NULL;
    DO(pagemate_section_name(section, &name));
    CHECK(strcmp(name, "m\xc3\xbcnze/1") == 0);
    DO(pagemate_section_close(section));
}

static void sections_live_while_held(void) {
    pagemate_section *made = create("life"), *opened = NULL, *clone = NULL;
    uint64_t len = 0;
    bool created = false;
    pagemate_access access = PAGEMATE_ACCESS_DEFAULT;
    pagemate_protection protection = PAGEMATE_PROTECTION_DEFAULT;
    DO(pagemate_section_len(made, &len));
    DO(pagemate_section_was_created(made, &created));
    DO(pagemate_section_access(made, &access));
    DO(pagemate_section_protection(made, &protection));
    CHECK(len == 4096 && created);
    CHECK(access == PAGEMATE_ACCESS_READ_WRITE && protection == PAGEMATE_PROTECTION_READ_WRITE);
    CHECK_STATUS(PAGEMATE_ALREADY_EXISTS, pagemate_section_create_new("life", &page, &opened));

    const pagemate_section_options larger = {.len = 1 << 20};
    DO(pagemate_section_open_or_create("life", &larger, &opened));
    DO(pagemate_section_len(opened, &len));
    uint64_t requested = 0;
    DO(pagemate_section_requested_len(made, &requested));
    CHECK(requested == page.len);
    DO(pagemate_section_was_created(opened, &created));
    CHECK(len == 4096 && !created);

    DO(pagemate_section_clone(opened, &clone));
    DO(pagemate_section_close(made));
    DO(pagemate_section_close(opened));
    pagemate_view *view = map(clone);
    DO(pagemate_section_close(clone));
    DO(pagemate_section_open("life", NULL, &opened));
    DO(pagemate_section_close(opened));
    DO(pagemate_view_unmap(view));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open("life", NULL, &opened));
}

static void options_mean_what_they_say(void) {
    pagemate_section *section = NULL;
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_section_create_new("none", NULL, &section));
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_section_open_or_create("none", NULL, &section));
    const pagemate_section_options vast = {.len = UINT64_C(1) << 50};
    CHECK_STATUS(PAGEMATE_NO_SPACE, pagemate_section_create_new("vast", &vast, &section));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open_within("none", NULL, 1, &section));
    pagemate_mutex *mutex = NULL;
    pagemate_event *event = NULL;
    pagemate_semaphore *semaphore = NULL;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_mutex_open_within("none", 1, &mutex));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_event_open_within("none", 1, &event));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_semaphore_open_within("none", 1, &semaphore));
    const pagemate_section_options sparse = {.len = 1 << 30, .flags = PAGEMATE_SPARSE};
    DO(pagemate_section_create_new("sparse", &sparse, &section));
    /* A section that is shorter than the least length is refused. */
    pagemate_section *opened = NULL;
    const pagemate_section_options least = {.len = 1, .min_len = 1 << 30};
    const pagemate_section_options longer = {.len = 1, .min_len = (1 << 30) + 1};
    DO(pagemate_section_open_within("sparse", &least, PAGEMATE_FOREVER, &opened));
    DO(pagemate_section_close(opened));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_section_open("sparse", &longer, &opened));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_section_open_within("sparse", &longer, 0, &opened));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_section_open_or_create("sparse", &longer, &opened));
    DO(pagemate_section_close(section));
    const pagemate_section_options huge = {.len = 4 << 20, .flags = PAGEMATE_HUGE_PAGES};
    DO(pagemate_section_create_unnamed(&huge, &section));
    const char *name = "";
    DO(pagemate_section_name(section, &name));
    CHECK(name == NULL);
    DO(pagemate_section_close(section));

    const pagemate_section_options wrong[] = {
        {.len = 1, .access = PAGEMATE_ACCESS_COPY_ON_WRITE},
        {.len = 1, .access = (pagemate_access)77},
        {.len = 1, .protection = (pagemate_protection)77},
        {.len = 1, .sharing = (pagemate_sharing)77},
        {.len = 1, .sharing_access = (pagemate_access)77},
        {.len = 1, .flags = PAGEMATE_PREFAULT},
        {.len = 1, .flags = PAGEMATE_SPARSE | PAGEMATE_HUGE_PAGES},
        {.len = 1, .file = 1},
        {.len = 1, .file = -1, .flags = PAGEMATE_OVER_FILE},
        {.len = 1, .reserved = {0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pagemate_status status = pagemate_section_create_new("wrong", &wrong[i], &section);
        CHECK_STATUS(PAGEMATE_INVALID_INPUT, status);
        CHECK_MESSAGE("create section");
    }

    /* The inventory shows the access granted. */
    pagemate_section_options shared = {.len = 1, .sharing = PAGEMATE_SHARING_GROUP};
    pagemate_inventory *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_section_create_new("granted", &shared, &section));
    DO(pagemate_inventory_find("granted", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->sharing == PAGEMATE_SHARING_GROUP && entry->sharing_access == PAGEMATE_ACCESS_READ);
    DO(pagemate_inventory_free(found));
    DO(pagemate_section_close(section));
    shared.sharing = PAGEMATE_SHARING_EVERYONE;
    shared.sharing_access = PAGEMATE_ACCESS_READ_WRITE;
    DO(pagemate_section_create_new("granted", &shared, &section));
    DO(pagemate_inventory_find("granted", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->sharing == PAGEMATE_SHARING_EVERYONE);
    CHECK(entry->sharing_access == PAGEMATE_ACCESS_READ_WRITE);
    DO(pagemate_inventory_free(found));
    DO(pagemate_section_close(section));
}

static void access_is_enforced(void) {
    pagemate_section *section = create("access"), *reader = NULL;
    const pagemate_section_options reading = {.access = PAGEMATE_ACCESS_READ};
    DO(pagemate_section_open("access", &reading, &reader));
    pagemate_access access = PAGEMATE_ACCESS_DEFAULT;
    DO(pagemate_section_access(reader, &access));
    CHECK(access == PAGEMATE_ACCESS_READ);

    pagemate_view *view = map(reader);
    bool writable = true;
    DO(pagemate_view_is_writable(view, &writable));
    CHECK(!writable);
    CHECK_STATUS(PAGEMATE_PERMISSION_DENIED, pagemate_view_write_at(view, 0, "x", 1));
    DO(pagemate_view_unmap(view));

    pagemate_view_options how = {.access = PAGEMATE_ACCESS_READ_WRITE};
    CHECK_STATUS(PAGEMATE_PERMISSION_DENIED, pagemate_section_map(reader, &how, &view));
    CHECK(view == NULL);
    CHECK_MESSAGE("map section \"access\": the handle is read-only");

    how.access = PAGEMATE_ACCESS_COPY_ON_WRITE;
    DO(pagemate_section_map(reader, &how, &view));
    DO(pagemate_view_write_at(view, 0, "mine", 4));
    char seen[4];
    pagemate_view *other = map(section);
    DO(pagemate_view_read_at(other, 0, seen, 4));
    CHECK(memcmp(seen, "\0\0\0\0", 4) == 0);
    DO(pagemate_view_unmap(other));
    DO(pagemate_view_unmap(view));
    DO(pagemate_section_close(reader));
    DO(pagemate_section_close(section));
}

static void views_are_ranges(void) {
    const pagemate_section_options pages = {.len = 3 * 4096};
    pagemate_section *section = NULL;
    DO(pagemate_section_create_unnamed(&pages, &section));
    pagemate_view *whole = map(section), *part = NULL;
    const pagemate_view_options range = {
        .offset = 5000, .len = 100, .flags = PAGEMATE_PREFAULT | PAGEMATE_HUGE_PAGES};
    DO(pagemate_section_map(section, &range, &part));
    size_t len = 0;
    void *at = NULL, *part_at = NULL;
    DO(pagemate_view_len(part, &len));
    DO(pagemate_view_pointer(part, &part_at));
    DO(pagemate_view_pointer(whole, &at));
    CHECK(len == 100);
    _Atomic uint64_t *counter = (_Atomic uint64_t *)((char *)at + 5000);
    atomic_fetch_add(counter, 7);
    CHECK(atomic_load((_Atomic uint64_t *)part_at) == 7);

    char bytes[8] = "";
    DO(pagemate_view_read_at(part, 92, bytes, 8));
    DO(pagemate_view_read_at(part, 100, NULL, 0));
    DO(pagemate_view_write_at(part, 100, NULL, 0));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_view_read_at(part, 93, bytes, 8));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_view_write_at(part, SIZE_MAX, bytes, 8));
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_view_read_at(part, 0, bytes, SIZE_MAX));
    CHECK_MESSAGE("reach past its 100 bytes");
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_view_write_at(part, 101, NULL, 0));
    DO(pagemate_view_unmap(part));

    const pagemate_view_options rest = {.offset = 3 * 4096 - 1};
    DO(pagemate_section_map(section, &rest, &part));
    DO(pagemate_view_len(part, &len));
    CHECK(len == 1);
    DO(pagemate_view_unmap(part));

    const struct {
        pagemate_view_options options;
        pagemate_status status;
    } wrong[] = {
        {{.offset = 3 * 4096}, PAGEMATE_INVALID_INPUT},
        {{.offset = 3 * 4096 + 1}, PAGEMATE_OUT_OF_RANGE},
        {{.offset = 1, .len = 3 * 4096}, PAGEMATE_OUT_OF_RANGE},
        {{.offset = 1, .len = UINT64_MAX}, PAGEMATE_OUT_OF_RANGE},
        {{.access = (pagemate_access)77}, PAGEMATE_INVALID_INPUT},
        {{.flags = PAGEMATE_SPARSE}, PAGEMATE_INVALID_INPUT},
        {{.reserved = {1}}, PAGEMATE_INVALID_INPUT},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_STATUS(wrong[i].status, pagemate_section_map(section, &wrong[i].options, &part));
        CHECK(part == NULL);
    }
    DO(pagemate_view_unmap(whole));
    DO(pagemate_section_close(section));
}

static void null_is_told_by_name(void) {
    pagemate_section *section = create("null"), *other = NULL;
    pagemate_view *view = map(section), *unmapped = NULL;
    pagemate_inventory *all = NULL, *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_list(&all));
    uint64_t len = 0;
    size_t size = 0;
    bool truth = false;
    const char *name = NULL;
    pagemate_access access = PAGEMATE_ACCESS_DEFAULT;
    pagemate_protection protection = PAGEMATE_PROTECTION_DEFAULT;
    void *pointer = NULL;
    int descriptor = 0;
    char byte = 0;

    CHECK_NULL("name", pagemate_section_create_new(NULL, &page, &other));
    CHECK_NULL("section", pagemate_section_create_new("x", &page, NULL));
    CHECK_NULL("name", pagemate_section_open_or_create(NULL, &page, &other));
    CHECK_NULL("section", pagemate_section_open_or_create("x", &page, NULL));
    CHECK_NULL("name", pagemate_section_open(NULL, NULL, &other));
    CHECK_NULL("section", pagemate_section_open("null", NULL, NULL));
    CHECK_NULL("section", pagemate_section_create_unnamed(&page, NULL));
    CHECK_NULL("section", pagemate_section_clone(NULL, &other));
    CHECK_NULL("clone", pagemate_section_clone(section, NULL));
    CHECK_NULL("section", pagemate_section_len(NULL, &len));
    CHECK_NULL("len", pagemate_section_len(section, NULL));
    CHECK_NULL("section", pagemate_section_requested_len(NULL, &len));
    CHECK_NULL("len", pagemate_section_requested_len(section, NULL));
    CHECK_NULL("section", pagemate_section_was_created(NULL, &truth));
    CHECK_NULL("created", pagemate_section_was_created(section, NULL));
    CHECK_NULL("section", pagemate_section_name(NULL, &name));
    CHECK_NULL("name", pagemate_section_name(section, NULL));
    CHECK_NULL("section", pagemate_section_access(NULL, &access));
    CHECK_NULL("access", pagemate_section_access(section, NULL));
    CHECK_NULL("section", pagemate_section_protection(NULL, &protection));
    CHECK_NULL("protection", pagemate_section_protection(section, NULL));
    CHECK_NULL("section", pagemate_section_descriptor(NULL, &descriptor));
    CHECK_NULL("descriptor", pagemate_section_descriptor(section, NULL));
    CHECK_NULL("section", pagemate_section_from_descriptor(0, NULL));
    CHECK_NULL("name", pagemate_section_open_posix(NULL, PAGEMATE_ACCESS_READ, &other));
    CHECK_NULL("section", pagemate_section_open_posix("/x", PAGEMATE_ACCESS_READ, NULL));
    CHECK_NULL("section", pagemate_section_map(NULL, NULL, &unmapped));
    CHECK_NULL("view", pagemate_section_map(section, NULL, NULL));
    CHECK_NULL("view", pagemate_view_pointer(NULL, &pointer));
    CHECK_NULL("pointer", pagemate_view_pointer(view, NULL));
    CHECK_NULL("view", pagemate_view_len(NULL, &size));
    CHECK_NULL("len", pagemate_view_len(view, NULL));
    CHECK_NULL("view", pagemate_view_is_writable(NULL, &truth));
    CHECK_NULL("writable", pagemate_view_is_writable(view, NULL));
    CHECK_NULL("view", pagemate_view_read_at(NULL, 0, &byte, 1));
    CHECK_NULL("bytes", pagemate_view_read_at(view, 0, NULL, 1));
    CHECK_NULL("view", pagemate_view_write_at(NULL, 0, &byte, 1));
    CHECK_NULL("bytes", pagemate_view_write_at(view, 0, NULL, 1));
    CHECK_NULL("view", pagemate_view_flush(NULL));
    CHECK_NULL("inventory", pagemate_inventory_list(NULL));
    CHECK_NULL("inventory", pagemate_inventory_find("x", NULL));
    CHECK_NULL("inventory", pagemate_inventory_count(NULL, &size));
    CHECK_NULL("count", pagemate_inventory_count(all, NULL));
    CHECK_NULL("inventory", pagemate_inventory_entry(NULL, 0, &entry));
    CHECK_NULL("entry", pagemate_inventory_entry(all, 0, NULL));
    CHECK_NULL("name", pagemate_inventory_find(NULL, &found));
    DO(pagemate_inventory_free(all));
    DO(pagemate_inventory_free(NULL));
    DO(pagemate_view_unmap(NULL));
    DO(pagemate_section_close(NULL));
    DO(pagemate_view_unmap(view));
    DO(pagemate_section_close(section));
}

int main(void) {
    errors_are_told();
    failures_stay_with_their_thread();
    names_are_checked();
    sections_live_while_held();
    options_mean_what_they_say();
    access_is_enforced();
    views_are_ranges();
    null_is_told_by_name();
    return 0;
}
