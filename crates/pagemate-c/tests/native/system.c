/* Checks of files, descriptors, POSIX objects and the inventory in C. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void memory_can_be_a_file(void) {
    char path[256];
    snprintf(path, sizeof path, "%s/file-XXXXXX", getenv("PAGEMATE_DIR"));
    int file = mkstemp(path);
    CHECK(file >= 0);
    const pagemate_section_options over = {.len = 100, .flags = PAGEMATE_OVER_FILE, .file = file};
    pagemate_section *section = NULL;
    uint64_t len = 0;
    DO(pagemate_section_create_new("over", &over, &section));
    DO(pagemate_section_len(section, &len));
    CHECK(len == 100);
    pagemate_view *view = map(section);
    DO(pagemate_view_write_at(view, 0, "in the file", 11));
    DO(pagemate_view_flush(view));
    char seen[11];
    CHECK(pread(file, seen, sizeof seen, 0) == 11 && memcmp(seen, "in the file", 11) == 0);
    pagemate_inventory *found = NULL;
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_find("over", &found));
    DO(pagemate_inventory_entry(found, 0, &entry));
    CHECK(entry->len == 100 && strcmp(entry->file, path) == 0);
    DO(pagemate_inventory_free(found));
    DO(pagemate_view_unmap(view));
    DO(pagemate_section_close(section));

    const pagemate_section_options only_read = {
        .flags = PAGEMATE_OVER_FILE, .file = file, .protection = PAGEMATE_PROTECTION_READ_ONLY};
    DO(pagemate_section_create_unnamed(&only_read, &section));
    pagemate_protection protection = PAGEMATE_PROTECTION_DEFAULT;
    DO(pagemate_section_protection(section, &protection));
    CHECK(protection == PAGEMATE_PROTECTION_READ_ONLY);
    DO(pagemate_section_close(section));
    CHECK(fcntl(file, F_GETFD) >= 0);
    CHECK(close(file) == 0 && unlink(path) == 0);
}

static void descriptors_are_handed_on(void) {
    pagemate_section *section = NULL, *ours = NULL;
    DO(pagemate_section_create_unnamed(&page, &section));
    int descriptor = -1;
    DO(pagemate_section_descriptor(section, &descriptor));
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(30);
        DO(pagemate_section_from_descriptor(descriptor, &ours));
        pagemate_view *view = map(ours);
        DO(pagemate_view_write_at(view, 0, "from the child", 14));
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    char seen[14];
    pagemate_view *view = map(section);
    DO(pagemate_view_read_at(view, 0, seen, sizeof seen));
    CHECK(memcmp(seen, "from the child", 14) == 0);
    DO(pagemate_view_unmap(view));

    /* The section handle owns a duplicate of the descriptor. */
    int copy = dup(descriptor);
    DO(pagemate_section_from_descriptor(copy, &ours));
    CHECK(close(copy) == 0);
    DO(pagemate_section_close(section));
    DO(pagemate_view_unmap(map(ours)));
    DO(pagemate_section_close(ours));

    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_section_from_descriptor(-1, &ours));
    CHECK_STATUS(PAGEMATE_OS, pagemate_section_from_descriptor(copy, &ours));
    CHECK(pagemate_last_os_error() == EBADF);
    CHECK_MESSAGE("import descriptor: ");
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, pagemate_section_from_descriptor(ends[0], &ours));
    CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void posix_objects_open(void) {
    char name[64];
    snprintf(name, sizeof name, "/pagemate-native-%ld", (long)getpid());
    pagemate_section *section = NULL;
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_section_open_posix(name, PAGEMATE_ACCESS_READ, &section));
    int object = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(object >= 0 && ftruncate(object, 4096) == 0 && pwrite(object, "posix", 5, 0) == 5);
    pagemate_status opened = pagemate_section_open_posix(name, PAGEMATE_ACCESS_READ, &section);
    pagemate_section *other = NULL;
    pagemate_status wrong = pagemate_section_open_posix(name, (pagemate_access)77, &other);
    CHECK(shm_unlink(name) == 0 && close(object) == 0);
    CHECK_STATUS(PAGEMATE_OK, opened);
    CHECK_STATUS(PAGEMATE_INVALID_INPUT, wrong);
    pagemate_view *view = map(section);
    char seen[5];
    DO(pagemate_view_read_at(view, 0, seen, sizeof seen));
    CHECK(memcmp(seen, "posix", 5) == 0);
    DO(pagemate_view_unmap(view));
    DO(pagemate_section_close(section));
}

static void inventories_list(void) {
    pagemate_section *a = create("list-a"), *b = create("list-b");
    pagemate_inventory *all = NULL;
    size_t count = 0;
    DO(pagemate_inventory_unreachable());
    DO(pagemate_inventory_list(&all));
    DO(pagemate_inventory_count(all, &count));
    CHECK(count == 2);
    const pagemate_entry *entry = NULL;
    DO(pagemate_inventory_entry(all, 1, &entry));
    CHECK(strcmp(entry->name, "list-b") == 0 && entry->len == 4096);
    CHECK(entry->kind == PAGEMATE_KIND_SECTION);
    CHECK(entry->protection == PAGEMATE_PROTECTION_READ_WRITE);
    CHECK(entry->sharing == PAGEMATE_SHARING_OWNER);
    CHECK(entry->sharing_access == PAGEMATE_ACCESS_DEFAULT);
    CHECK(entry->created > UINT64_C(1700000000000000000) && entry->creator == (uint32_t)getpid());
    CHECK(entry->owner == (int64_t)geteuid() && entry->file == NULL);
    CHECK(entry->holder_count == 1 && entry->holders[0] == (uint32_t)getpid());
    CHECK_STATUS(PAGEMATE_OUT_OF_RANGE, pagemate_inventory_entry(all, 2, &entry));
    CHECK_MESSAGE("get object 2: the list has 2 objects");
    DO(pagemate_inventory_free(all));
    DO(pagemate_section_close(a));
    DO(pagemate_section_close(b));
    CHECK_STATUS(PAGEMATE_NOT_FOUND, pagemate_inventory_find("list-a", &all));
    CHECK(all == NULL);

    /* A child that exits without closing leaves a file, which the next call sweeps. */
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        create("left");
        _exit(0);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    uint64_t objects = 0, bytes = 0;
    DO(pagemate_prune(&objects, &bytes));
    CHECK(objects == 1 && bytes >= 4096);
    DO(pagemate_prune(NULL, NULL));
}

/* Returns the path of a local object's file: docs/layout.md. */
static const char *path_of(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/pagemate-%u/%s", getenv("PAGEMATE_DIR"), (unsigned)geteuid(), name);
    return path;
}

static void removed_names_are_noticed(void) {
    pagemate_section *section = create("removed");
    pagemate_mutex *mutex = NULL;
    pagemate_event *event = NULL;
    pagemate_semaphore *semaphore = NULL;
    DO(pagemate_mutex_create_new("removed-m", NULL, &mutex));
    DO(pagemate_event_create_new("removed-e", NULL, &event));
    DO(pagemate_semaphore_create_new("removed-s", NULL, &semaphore));
    DO(pagemate_section_check_name(section));
    DO(pagemate_mutex_check_name(mutex));
    DO(pagemate_event_check_name(event));
    DO(pagemate_semaphore_check_name(semaphore));
    const char *const names[] = {"removed", "removed-m", "removed-e", "removed-s"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(unlink(path_of(names[i])) == 0);
    }
    CHECK_STATUS(PAGEMATE_ORPHANED, pagemate_section_check_name(section));
    CHECK_MESSAGE("check name of section \"removed\"");
    CHECK_STATUS(PAGEMATE_ORPHANED, pagemate_mutex_check_name(mutex));
    CHECK_STATUS(PAGEMATE_ORPHANED, pagemate_event_check_name(event));
    CHECK_STATUS(PAGEMATE_ORPHANED, pagemate_semaphore_check_name(semaphore));
    CHECK_NULL("section", pagemate_section_check_name(NULL));
    CHECK_NULL("mutex", pagemate_mutex_check_name(NULL));
    CHECK_NULL("event", pagemate_event_check_name(NULL));
    CHECK_NULL("semaphore", pagemate_semaphore_check_name(NULL));
    DO(pagemate_semaphore_close(semaphore));
    DO(pagemate_event_close(event));
    DO(pagemate_mutex_close(mutex));
    DO(pagemate_section_close(section));
}

int main(void) {
    memory_can_be_a_file();
    descriptors_are_handed_on();
    posix_objects_open();
    inventories_list();
    removed_names_are_noticed();
    return 0;
}
