/**
 * @file pagemate.h
 *
 * Named shared memory that lives exactly as long as some process holds it.
 *
 * One process creates a section under a name, others open it by that name, and views put the same
 * physical pages into all their address spaces. When the last holder lets go, by closing, exit, a crash
 * or SIGKILL, the name is gone, and what comes next under it is new: nothing to unlink, no daemon,
 * nothing stale. Mutexes, events and semaphores live likewise, and survive who holds them: see
 * pagemate_mutex. Programs in Rust, and the command `pagemate`, meet under the same names.
 *
 * ```c
 * static const char text[] = "This is common data!";
 * char seen[sizeof text];
 * pagemate_section_options options = {.len = 4096};
 * pagemate_section *section = NULL;
 * pagemate_view *view = NULL;
 * bool created = false;
 *
 * if (pagemate_section_open_or_create("ShareMemory", &options, &section) == PAGEMATE_OK &&
 *     pagemate_section_was_created(section, &created) == PAGEMATE_OK &&
 *     pagemate_section_map(section, NULL, &view) == PAGEMATE_OK &&
 *     (!created || pagemate_view_write_at(view, 0, text, sizeof text) == PAGEMATE_OK) &&
 *     pagemate_view_read_at(view, 0, seen, sizeof seen) == PAGEMATE_OK) {
 *     puts(seen);
 * } else {
 *     fprintf(stderr, "%s\n", pagemate_last_error_message());
 * }
 * pagemate_view_unmap(view);
 * pagemate_section_close(section);
 * ```
 *
 * **Results.** Every function returns a pagemate_status and gives its results through its last
 * arguments; only those that tell about errors and versions return what they tell. A call that fails
 * sets the handle it would have made to NULL, leaves other results as they are, and leaves the system's
 * code and a sentence that says why for its thread: pagemate_last_os_error(),
 * pagemate_last_error_message(). PAGEMATE_INVALID_INPUT can come from every function that takes
 * arguments, PAGEMATE_OS and PAGEMATE_INTERNAL from every one.
 *
 * **Pointers.** NULL is PAGEMATE_INVALID_INPUT, except where it is said to mean something. Every other
 * pointer has to be good for what its type says, texts end in a NUL and are UTF-8, and a handle is not
 * used after it was closed: that, nobody can check. Nothing is kept of what is passed in.
 *
 * **Waiting.** Mutexes, events and semaphores are waited for in nanoseconds, with PAGEMATE_FOREVER for as
 * long as it takes. PAGEMATE_OK means that what was waited for is had; if it is not had in time, that is
 * PAGEMATE_TIMED_OUT.
 *
 * **Threads** may call everything at the same time, each with a last failure of its own.
 */

#ifndef PAGEMATE_H
#define PAGEMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The release that this header belongs to; pagemate_version() is the library's. */
#define PAGEMATE_VERSION "0.1.0"
#define PAGEMATE_VERSION_MAJOR 0
#define PAGEMATE_VERSION_MINOR 1
#define PAGEMATE_VERSION_PATCH 0

/**
 * For a new section: sets nothing aside at creation, pages come at first touch. For sparse giants. A
 * touch that finds no memory ends the process with SIGBUS on Unix; on Windows a range is set aside
 * when it is mapped. Not together with PAGEMATE_HUGE_PAGES.
 */
#define PAGEMATE_RESERVE 1

/**
 * For a new section: sets its memory aside in huge pages, as far as the system has them. For a view:
 * gathers the memory into huge pages, which copies it. A wish, without effect on Windows.
 */
#define PAGEMATE_HUGE_PAGES 2

/**
 * For a new section: makes it over the open file in `file`, whose bytes are the memory. The file
 * stays when the name goes, and the descriptor remains yours to close.
 */
#define PAGEMATE_OVER_FILE 4

/**
 * For a view: brings all pages in now, so that no later touch waits for one. A wish.
 */
#define PAGEMATE_PREFAULT 8

/**
 * For a new mutex: locks it before anybody else can, as if this thread had. One that exists stays as it
 * is. Not on macOS.
 */
#define PAGEMATE_LOCKED 16

/**
 * For a new event: it has happened already.
 */
#define PAGEMATE_SIGNALED 32

/**
 * For what waits: as long as it takes.
 */
#define PAGEMATE_FOREVER UINT64_MAX

/**
 * For what waits: a millisecond, of the nanoseconds in which all of it counts.
 */
#define PAGEMATE_MILLISECOND (uint64_t)1000000

/**
 * How many bytes of a section a pagemate_shared_mutex takes before its value.
 */
#define PAGEMATE_SHARED_MUTEX_LEN 64

/**
 * What a call came to. Zero is success; later releases may add others.
 */
typedef enum {
    /**
     * It is done.
     */
    PAGEMATE_OK = 0,
    /**
     * No process holds an object of this name.
     */
    PAGEMATE_NOT_FOUND = 1,
    /**
     * Some process already holds an object of this name.
     */
    PAGEMATE_ALREADY_EXISTS = 2,
    /**
     * The system, the object's protection or the handle's access forbids it.
     */
    PAGEMATE_PERMISSION_DENIED = 3,
    /**
     * The name is not one that an object can have, or not UTF-8.
     */
    PAGEMATE_INVALID_NAME = 4,
    /**
     * An argument makes no sense, whatever the state of the system.
     */
    PAGEMATE_INVALID_INPUT = 5,
    /**
     * A range reaches past the end of the object or the view.
     */
    PAGEMATE_OUT_OF_RANGE = 6,
    /**
     * There is not enough memory to back the object.
     */
    PAGEMATE_NO_SPACE = 7,
    /**
     * The name belongs to an object of another kind.
     */
    PAGEMATE_WRONG_KIND = 8,
    /**
     * The object was made by an incompatible release.
     */
    PAGEMATE_WRONG_VERSION = 9,
    /**
     * What stands under this name is not a whole object.
     */
    PAGEMATE_CORRUPTED = 10,
    /**
     * What was waited for did not come in time, or another process kept the object busy for too long.
     */
    PAGEMATE_TIMED_OUT = 11,
    /**
     * The mutex is not this thread's to free or to use.
     */
    PAGEMATE_NOT_OWNER = 12,
    /**
     * This system cannot do it.
     */
    PAGEMATE_UNSUPPORTED = 13,
    /**
     * Any other refusal of the system: see pagemate_last_os_error().
     */
    PAGEMATE_OS = 14,
    /**
     * A mistake in pagemate itself. The message has what is known; please report it.
     */
    PAGEMATE_INTERNAL = 15,
    /**
     * Another program removed the object's name, so that other processes do not find it. Close every
     * handle to the object and create it again.
     */
    PAGEMATE_ORPHANED = 16,
} pagemate_status;

/**
 * What a handle or a view may do with the memory.
 */
typedef enum {
    /**
     * What is the default in that place: each says which.
     */
    PAGEMATE_ACCESS_DEFAULT = 0,
    /**
     * Look only. The kernel enforces it.
     */
    PAGEMATE_ACCESS_READ = 1,
    /**
     * Look and change.
     */
    PAGEMATE_ACCESS_READ_WRITE = 2,
    /**
     * For views only: look and change, but writes stay in this view, page by page from the first one
     * (`FILE_MAP_COPY`, `MAP_PRIVATE`). Whether pages not written yet show others' later writes is
     * left open by the systems.
     */
    PAGEMATE_ACCESS_COPY_ON_WRITE = 3,
} pagemate_access;

/**
 * What views of an object may ever do, whoever opens it.
 */
typedef enum {
    /**
     * PAGEMATE_PROTECTION_READ_WRITE.
     */
    PAGEMATE_PROTECTION_DEFAULT = 0,
    /**
     * Views read, or write to a copy of their own (`PAGE_READONLY`): for a file that is there
     * already, since memory of which nobody ever writes a byte stays zero.
     */
    PAGEMATE_PROTECTION_READ_ONLY = 1,
    /**
     * Views read and write (`PAGE_READWRITE`).
     */
    PAGEMATE_PROTECTION_READ_WRITE = 2,
} pagemate_protection;

/**
 * What stands under a name.
 */
typedef enum {
    /**
     * What this release has no word for.
     */
    PAGEMATE_KIND_OTHER = 0,
    /**
     * Named memory.
     */
    PAGEMATE_KIND_SECTION = 1,
    /**
     * A mutex.
     */
    PAGEMATE_KIND_MUTEX = 2,
    /**
     * An event.
     */
    PAGEMATE_KIND_EVENT = 3,
    /**
     * A semaphore.
     */
    PAGEMATE_KIND_SEMAPHORE = 4,
} pagemate_kind;

/**
 * Which other users may open an object. Its owner always has all access.
 *
 * What you grant is what they can do to you: somebody who can read an object can also keep its name
 * alive, and somebody who can write can change any byte at any time, or cut the memory short under
 * your views, which ends your process with SIGBUS on Unix. It is the mode of a file on Unix, a
 * security descriptor on Windows.
 */
typedef enum {
    /**
     * The owner alone.
     */
    PAGEMATE_SHARING_OWNER = 0,
    /**
     * Members of the creator's group too: of its primary group on Windows.
     */
    PAGEMATE_SHARING_GROUP = 1,
    /**
     * Everyone on the machine.
     */
    PAGEMATE_SHARING_EVERYONE = 2,
} pagemate_sharing;

/**
 * How an event that has happened comes to be one that has not.
 */
typedef enum {
    /**
     * Letting one go who waits resets it.
     */
    PAGEMATE_RESET_AUTO = 0,
    /**
     * It stays set, for all who wait and will wait, until it is reset.
     */
    PAGEMATE_RESET_MANUAL = 1,
} pagemate_reset;

/**
 * A handle to something that has happened, or not yet, for all processes. Its name lives as a section's
 * does.
 *
 * Threads may use one handle at the same time; only to close it one has to be alone with it.
 */
typedef struct pagemate_event pagemate_event;

/**
 * Live objects as they were when somebody looked.
 */
typedef struct pagemate_inventory pagemate_inventory;

/**
 * A handle to a lock that one thread of all processes has at a time.
 *
 * Its name lives as a section's does. The threads of a process may share a handle; only to close it one
 * has to be alone with it. A thread that has the mutex by this handle cannot take it again by the same
 * one: that is PAGEMATE_INVALID_INPUT.
 *
 * **A holder's death is an answer, not a hang.** If a process is killed while it has a mutex, or a thread
 * ends, the next who waits has it within a tenth of a second, and is told by `abandoned`: what the mutex
 * guards is as its holder left it, half changed perhaps. A process that merely stands still is never taken
 * for dead. A child made by `fork` has none of its parent's mutexes.
 *
 * ```c
 * pagemate_mutex *mutex = NULL;
 * bool abandoned = false;
 * if (pagemate_mutex_open_or_create("ledger", NULL, &mutex) == PAGEMATE_OK &&
 *     pagemate_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
 *     if (abandoned) {
 *         puts("whoever had it died: look at what it left, and mend it");
 *     }
 *     pagemate_mutex_unlock(mutex);
 * }
 * pagemate_mutex_close(mutex);
 * ```
 */
typedef struct pagemate_mutex pagemate_mutex;

/**
 * A handle to shared memory.
 *
 * A named section lives as long as any process has a handle or a view of it. The last to let go,
 * by closing, exit, a crash or SIGKILL, ends it: the name is free at once, and who creates it anew
 * gets zeroed memory. A child made by `fork` holds what its parent held, until it exits or replaces
 * itself.
 *
 * Threads may use one handle at the same time; only to close it one has to be alone with it.
 */
typedef struct pagemate_section pagemate_section;

/**
 * A handle to a count that all processes share, and that is never less than zero. Its name lives as a
 * section's does.
 *
 * What a process took and did not give back when it ended is not given back for it: a semaphore does not
 * know who has its parts. Threads may use one handle at the same time; only to close it one has to be
 * alone with it.
 */
typedef struct pagemate_semaphore pagemate_semaphore;

/**
 * A mutex beside the value that it guards, at a place in a section.
 *
 * It takes PAGEMATE_SHARED_MUTEX_LEN bytes and the value's from a multiple of eight on. Whoever comes first
 * makes the value, and if it dies over that the next one does, so that nobody sees half of it. Who opens
 * it with another length or fingerprint is refused. The value is copied in and out, since other processes
 * have these bytes mapped too.
 *
 * **The fingerprint** is a number that stands for the type: any that all programs use which mean the same
 * by these bytes. Programs in Rust meet this one by `SharedMutex<T>` if it is `T`'s
 * `Shareable::FINGERPRINT`.
 *
 * It is had, given back and abandoned as a pagemate_mutex is, and threads may share a handle likewise. It
 * keeps its section alive, also after that was closed.
 *
 * ```c
 * pagemate_section_options options = {.len = 4096};
 * pagemate_section *section = NULL;
 * pagemate_shared_mutex *mutex = NULL;
 * uint64_t tally = 0;
 * bool abandoned = false;
 * if (pagemate_section_open_or_create("tally", &options, &section) == PAGEMATE_OK &&
 *     pagemate_shared_mutex_open_or_init(section, 0, 2026, &tally, sizeof tally, &mutex) == PAGEMATE_OK &&
 *     pagemate_shared_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
 *     pagemate_shared_mutex_read_at(mutex, 0, &tally, sizeof tally);
 *     tally++;
 *     pagemate_shared_mutex_write_at(mutex, 0, &tally, sizeof tally);
 *     pagemate_shared_mutex_unlock(mutex);
 * }
 * pagemate_shared_mutex_close(mutex);
 * pagemate_section_close(section);
 * ```
 */
typedef struct pagemate_shared_mutex pagemate_shared_mutex;

/**
 * Shared memory in this process' address space. It keeps its section alive, also after the handle
 * was closed.
 *
 * Threads may use one view at the same time; only to unmap it one has to be alone with it.
 */
typedef struct pagemate_view pagemate_view;

/**
 * How to make or open a section. A zeroed one, `{0}`, has all defaults, and NULL stands for it.
 *
 * It grows in later releases by taking from `reserved`, so that what says nothing of a new field
 * gets its default; a release that does not know a field refuses it, instead of passing over it.
 */
typedef struct {
    /**
     * The length in bytes, rounded up to whole pages unless it is a file's; an object that exists
     * keeps its own. 0 is refused by what creates, but over a file it is the file's own length. A
     * greater one makes the file grow.
     */
    uint64_t len;
    /**
     * What the new handle may do. The default is PAGEMATE_ACCESS_READ_WRITE. An opener has no say in
     * what else stands here.
     */
    pagemate_access access;
    /**
     * What views of a new object may do, whoever opens it.
     */
    pagemate_protection protection;
    /**
     * Which other users may open a new object. They meet under a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * What those others may do. The default is PAGEMATE_ACCESS_READ.
     */
    pagemate_access sharing_access;
    /**
     * Any of PAGEMATE_RESERVE, PAGEMATE_HUGE_PAGES and PAGEMATE_OVER_FILE, or 0.
     */
    uint32_t flags;
    /**
     * With PAGEMATE_OVER_FILE an open file: a descriptor, on Windows a `HANDLE`. Else 0.
     */
    intptr_t file;
    /**
     * 0.
     */
    uint64_t reserved[4];
} pagemate_section_options;

/**
 * How to map a section. A zeroed one, `{0}`, maps all of it with the access of the handle, and NULL
 * stands for it. It grows as pagemate_section_options does.
 */
typedef struct {
    /**
     * Where in the section the view begins, in bytes. Any offset will do.
     */
    uint64_t offset;
    /**
     * How many bytes it has; 0 is all up to the end.
     */
    uint64_t len;
    /**
     * What the view may do. The default is the handle's own access, as far as the object's
     * protection allows.
     */
    pagemate_access access;
    /**
     * Any of PAGEMATE_PREFAULT and PAGEMATE_HUGE_PAGES, or 0.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint64_t reserved[4];
} pagemate_view_options;

/**
 * How to make a mutex. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
 * pagemate_section_options does.
 */
typedef struct {
    /**
     * Which other users may use a new mutex. They meet under a `Global\` name. Whoever may use it may
     * also have it for as long as they like.
     */
    pagemate_sharing sharing;
    /**
     * PAGEMATE_LOCKED, or 0.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint64_t reserved[4];
} pagemate_mutex_options;

/**
 * How to make an event. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
 * pagemate_section_options does.
 */
typedef struct {
    /**
     * Which other users may use a new event. They meet under a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * How a new event resets.
     */
    pagemate_reset reset;
    /**
     * PAGEMATE_SIGNALED, or 0.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint64_t reserved[4];
} pagemate_event_options;

/**
 * How to make a semaphore. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
 * pagemate_section_options does.
 */
typedef struct {
    /**
     * Which other users may use a new semaphore. They meet under a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * The count that it begins with.
     */
    uint32_t count;
    /**
     * The highest count that it can have; 0 is 2,147,483,647, and no other can have more.
     */
    uint32_t max;
    /**
     * 0.
     */
    uint32_t flags;
    /**
     * 0.
     */
    uint64_t reserved[4];
} pagemate_semaphore_options;

/**
 * One of several to wait for: one of these is set, and all else is NULL. It grows in later releases by
 * taking from `reserved`.
 */
typedef struct {
    /**
     * Until nobody has it; then it is locked.
     */
    const pagemate_mutex *mutex;
    /**
     * Until it has happened.
     */
    const pagemate_event *event;
    /**
     * Until its count is more than zero; then one is taken off.
     */
    const pagemate_semaphore *semaphore;
    /**
     * NULL.
     */
    const void *reserved;
} pagemate_waitable;

/**
 * What a sync object was like when somebody looked; the next moment it may be otherwise. What is not of
 * its kind is zero. Later releases may add fields at the end: look at it where it stands.
 */
typedef struct {
    /**
     * Of a mutex: the pid that has it, in its own pid namespace; 0 if none has.
     */
    uint32_t owner;
    /**
     * Of a mutex: whether the next who takes it will be told that it was abandoned.
     */
    bool abandoned;
    /**
     * Of an event: whether it has happened.
     */
    bool signaled;
    /**
     * Of an event: how it resets.
     */
    pagemate_reset reset;
    /**
     * Of a semaphore: how many there are to take.
     */
    uint32_t count;
    /**
     * Of a semaphore: the highest count.
     */
    uint32_t max;
    /**
     * About how many threads sleep until they can have it; -1 where that is not known, as on Windows.
     * Who was killed meanwhile may be counted.
     */
    int64_t waiting;
} pagemate_state;

/**
 * A live object. Later releases may add fields at the end: look at it where it stands.
 */
typedef struct {
    /**
     * Its name, UTF-8.
     */
    const char *name;
    /**
     * Its length in bytes.
     */
    uint64_t len;
    /**
     * What it is.
     */
    pagemate_kind kind;
    /**
     * What views of it may do. On Windows this shows only to those who may write to it.
     */
    pagemate_protection protection;
    /**
     * Which other users may open it.
     */
    pagemate_sharing sharing;
    /**
     * What those others may do; PAGEMATE_ACCESS_DEFAULT if there are none.
     */
    pagemate_access sharing_access;
    /**
     * When it was made, in nanoseconds since 1970; 0 where that is not known, as on Windows.
     */
    uint64_t created;
    /**
     * The pid that made it, in its maker's pid namespace; 0 where that is not known, as on Windows.
     */
    uint32_t creator;
    /**
     * The uid of its owner; -1 on Windows, which has none.
     */
    int64_t owner;
    /**
     * The pids that hold it, as far as this user may look: other users' processes are not seen without
     * privilege, and on macOS and Windows none are.
     */
    const uint32_t *holders;
    /**
     * How many they are.
     */
    size_t holder_count;
    /**
     * The path of the file that is its memory, as its maker wrote it down; NULL if there is none, and on
     * Windows.
     */
    const char *file;
    /**
     * What a sync object was like; NULL for a section, and where that is not known.
     */
    const pagemate_state *state;
} pagemate_entry;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The system's own code (errno, on Windows GetLastError()) of this thread's last call that failed;
 * 0 if it was not the system that refused.
 */
int32_t pagemate_last_os_error(void);

/**
 * Why this thread's last call that failed did so, as a sentence with the object and the numbers:
 * `open section "frames": no process holds it`.
 *
 * It is UTF-8, never NULL, and empty before the first failure. It is valid until the next call of
 * this thread that fails, and as long as the thread lives.
 */
const char *pagemate_last_error_message(void);

/**
 * A status as it is called here: `"PAGEMATE_NOT_FOUND"`. Static, never NULL.
 */
const char *pagemate_status_name(pagemate_status status);

/**
 * What a status means in a few words: `"no process holds it"`. Static, never NULL. More is in
 * pagemate_last_error_message().
 */
const char *pagemate_status_describe(pagemate_status status);

/**
 * The release of the library that runs: PAGEMATE_VERSION is the one of this header.
 */
const char *pagemate_version(void);

/**
 * Makes the section `name`, which must not exist.
 *
 * A name is UTF-8, of at most 1,024 UTF-16 units. `x` and `Local\x` are the same object, this user's
 * (on Windows: this logon session's); `Global\x` is the machine's. Elsewhere it has no backslash.
 *
 * All memory is set aside here, so that no later touch ends the process for want of it; see
 * PAGEMATE_RESERVE.
 *
 * @param name     What it is called.
 * @param options  What to make. NULL has no length, and so is refused.
 * @param section  Gets the handle, to be closed by pagemate_section_close(); NULL on failure.
 * @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name. PAGEMATE_NO_SPACE: the
 *         memory is not to be had; the message has the numbers. PAGEMATE_INVALID_INPUT: no length, or
 *         options that make no sense. PAGEMATE_INVALID_NAME. PAGEMATE_WRONG_KIND: `Local`, `Global` or
 *         `Session` alone. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
 *         PAGEMATE_PERMISSION_DENIED: a file that is not open for what is asked, or no right to make
 *         the name. PAGEMATE_OUT_OF_RANGE: a section that is only read, longer than its file.
 */
pagemate_status pagemate_section_create_new(const char *name,
                                            const pagemate_section_options *options,
                                            pagemate_section **section);

/**
 * Opens the section `name` if some process holds it, and makes it otherwise;
 * pagemate_section_was_created() tells which. Of several processes that do this at once exactly one
 * makes it.
 *
 * @param name     What it is called.
 * @param options  What to make. A section that exists keeps its own length, protection and sharing.
 * @param section  Gets the handle; NULL on failure.
 * @return As pagemate_section_create_new() and pagemate_section_open(), except that it is missing or
 *         exists.
 */
pagemate_status pagemate_section_open_or_create(const char *name,
                                                const pagemate_section_options *options,
                                                pagemate_section **section);

/**
 * Opens the section `name`, which some process has to hold. It has the length it was created with.
 *
 * @param name     What it is called.
 * @param options  With which access. NULL is to read and write.
 * @param section  Gets the handle; NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: it is another user's.
 *         PAGEMATE_WRONG_KIND: the name belongs to something else. PAGEMATE_WRONG_VERSION,
 *         PAGEMATE_CORRUPTED: what stands there is not a whole object of this release, or the file
 *         that is its memory is not where and what it was. PAGEMATE_INVALID_NAME.
 *         PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
 */
pagemate_status pagemate_section_open(const char *name,
                                      const pagemate_section_options *options,
                                      pagemate_section **section);

/**
 * Makes a section without a name, to be handed to another process as a descriptor or a handle.
 *
 * @param options  What to make.
 * @param section  Gets the handle; NULL on failure.
 * @return As pagemate_section_create_new().
 */
pagemate_status pagemate_section_create_unnamed(const pagemate_section_options *options,
                                                pagemate_section **section);

/**
 * Makes another handle to the same memory. The section lives until both are closed.
 *
 * @param section  The handle there is.
 * @param clone    Gets the new one; NULL on failure.
 */
pagemate_status pagemate_section_clone(const pagemate_section *section, pagemate_section **clone);

/**
 * Closes a handle. Its views stay, and hold the name as well.
 *
 * It always succeeds. NULL is nothing to close, as for free().
 */
pagemate_status pagemate_section_close(pagemate_section *section);

/**
 * Tells the length in bytes: of memory, what was asked for rounded up to whole pages; of a file, just
 * what was asked for.
 */
pagemate_status pagemate_section_len(const pagemate_section *section,
                                     uint64_t *len);

/**
 * Tells whether this handle made the object, and did not find it.
 */
pagemate_status pagemate_section_was_created(const pagemate_section *section, bool *created);

/**
 * Tells the name, in its shortest spelling: valid until the handle is closed. NULL for memory without
 * one of pagemate's.
 */
pagemate_status pagemate_section_name(const pagemate_section *section,
                                      const char **name);

/**
 * Tells what this handle may do.
 */
pagemate_status pagemate_section_access(const pagemate_section *section, pagemate_access *access);

/**
 * Tells what views of the object may do. On Windows a read-only handle to what somebody else made
 * cannot tell, and says PAGEMATE_PROTECTION_READ_WRITE.
 */
pagemate_status pagemate_section_protection(const pagemate_section *section,
                                            pagemate_protection *protection);

/**
 * Maps a section, or a range of it.
 *
 * @param section  What to map.
 * @param options  Which range, and how. NULL is all of it, with the access of the handle.
 * @param view     Gets the view, to be given back by pagemate_view_unmap(); NULL on failure.
 * @return PAGEMATE_OUT_OF_RANGE: it ends past the end of the section. PAGEMATE_INVALID_INPUT: it is
 *         empty, or the options make no sense. PAGEMATE_PERMISSION_DENIED: the handle or the object's
 *         protection does not allow the access.
 */
pagemate_status pagemate_section_map(const pagemate_section *section,
                                     const pagemate_view_options *options,
                                     pagemate_view **view);

/**
 * Takes the memory out of the address space. What pointed into it points nowhere.
 *
 * It always succeeds. NULL is nothing to unmap, as for free().
 */
pagemate_status pagemate_view_unmap(pagemate_view *view);

/**
 * Tells where the view begins: valid until it is unmapped, for pagemate_view_len() bytes.
 *
 * Other processes may write any of them at any time, so an ordinary access through the pointer is a
 * data race: the compiler may read twice what it is told to read once, and two bytes need not belong
 * together. Use atomics of the language, of one size for one place and without locks of their own;
 * or pagemate_view_read_at() and pagemate_view_write_at(); or see to it that nobody writes meanwhile.
 * Where the view is not writable, writing ends the process.
 *
 * Each process has it at another address: store offsets in it, never pointers.
 *
 * ```c
 * #include <stdatomic.h>
 *
 * pagemate_section_options options = {.len = 4096};
 * pagemate_section *section = NULL;
 * pagemate_view *view = NULL;
 * void *memory = NULL;
 * if (pagemate_section_open_or_create("counter", &options, &section) == PAGEMATE_OK &&
 *     pagemate_section_map(section, NULL, &view) == PAGEMATE_OK &&
 *     pagemate_view_pointer(view, &memory) == PAGEMATE_OK) {
 *     _Atomic uint64_t *counter = memory;
 *     atomic_fetch_add(counter, 1);
 * }
 * pagemate_view_unmap(view);
 * pagemate_section_close(section);
 * ```
 */
pagemate_status pagemate_view_pointer(const pagemate_view *view,
                                      void **pointer);

/**
 * Tells the view's length in bytes.
 */
pagemate_status pagemate_view_len(const pagemate_view *view, size_t *len);

/**
 * Tells whether the view can be written to.
 */
pagemate_status pagemate_view_is_writable(const pagemate_view *view, bool *writable);

/**
 * Copies bytes out of the view: each as somebody wrote it, in no order, whoever writes meanwhile.
 *
 * @param view    Where from.
 * @param offset  Where in the view to begin, in bytes.
 * @param bytes   Where to: memory of yours that nobody else uses meanwhile. NULL only if `len` is 0.
 * @param len     How many bytes.
 * @return PAGEMATE_OUT_OF_RANGE: they do not all lie in the view; none was copied.
 */
pagemate_status pagemate_view_read_at(const pagemate_view *view,
                                      size_t offset,
                                      void *bytes,
                                      size_t len);

/**
 * Copies bytes into the view.
 *
 * @param view    Where to.
 * @param offset  Where in the view to begin, in bytes.
 * @param bytes   Where from: memory of yours that nobody writes to meanwhile. NULL only if `len` is 0.
 * @param len     How many bytes.
 * @return PAGEMATE_OUT_OF_RANGE: they do not all fit; none was copied. PAGEMATE_PERMISSION_DENIED: the
 *         view is read-only.
 */
pagemate_status pagemate_view_write_at(const pagemate_view *view,
                                       size_t offset,
                                       const void *bytes,
                                       size_t len);

/**
 * Writes what changed back to the file under the section, and waits until it is there. Views of the
 * same section need no flush to see each other's bytes.
 *
 * On Windows it waits only if this very handle made the section over its file; of one that was opened,
 * it starts the writing.
 *
 * @return PAGEMATE_OS: the file system's refusal.
 */
pagemate_status pagemate_view_flush(const pagemate_view *view);

/**
 * Makes the mutex `name`, which must not exist. Sections, mutexes, events and semaphores have one space
 * of names.
 *
 * @param name     What it is called: see pagemate_section_create_new().
 * @param options  What to make. NULL is a free one for the owner alone.
 * @param mutex    Gets the handle, to be closed by pagemate_mutex_close(); NULL on failure.
 * @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name, of whatever kind.
 *         PAGEMATE_INVALID_NAME. PAGEMATE_NO_SPACE. PAGEMATE_PERMISSION_DENIED: no right to make the
 *         name. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
 *         PAGEMATE_UNSUPPORTED: PAGEMATE_LOCKED on macOS.
 */
pagemate_status pagemate_mutex_create_new(const char *name,
                                          const pagemate_mutex_options *options,
                                          pagemate_mutex **mutex);

/**
 * Opens the mutex `name` if some process holds its name, and makes it otherwise;
 * pagemate_mutex_was_created() tells which.
 *
 * @param name     What it is called.
 * @param options  What to make. A mutex that exists stays as it is.
 * @param mutex    Gets the handle; NULL on failure.
 * @return As pagemate_mutex_create_new() and pagemate_mutex_open(), except that it is missing or exists.
 */
pagemate_status pagemate_mutex_open_or_create(const char *name,
                                              const pagemate_mutex_options *options,
                                              pagemate_mutex **mutex);

/**
 * Opens the mutex `name`, whose name some process has to hold.
 *
 * @param name   What it is called.
 * @param mutex  Gets the handle; NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: it is another user's.
 *         PAGEMATE_WRONG_KIND: the name belongs to something else. PAGEMATE_INVALID_NAME,
 *         PAGEMATE_WRONG_VERSION, PAGEMATE_CORRUPTED and PAGEMATE_TIMED_OUT as of pagemate_section_open().
 */
pagemate_status pagemate_mutex_open(const char *name,
                                    pagemate_mutex **mutex);

/**
 * Makes a mutex without a name, to be handed to another process as a descriptor or a handle.
 *
 * @param options  What to make.
 * @param mutex    Gets the handle; NULL on failure.
 * @return As pagemate_mutex_create_new().
 */
pagemate_status pagemate_mutex_create_unnamed(const pagemate_mutex_options *options,
                                              pagemate_mutex **mutex);

/**
 * Closes a handle, and lets go of the name. If the mutex is locked by this handle, it is abandoned.
 *
 * It always succeeds. NULL is nothing to close, as for free().
 */
pagemate_status pagemate_mutex_close(pagemate_mutex *mutex);

/**
 * Waits until nobody has the mutex, and locks it.
 *
 * @param mutex      What to lock.
 * @param abandoned  Gets whether the last who had it ended, as a thread or a process, without unlocking
 *                   it. It is locked by you all the same, and what it guards may be half changed. Once
 *                   you unlock it nobody is told any more.
 * @return PAGEMATE_INVALID_INPUT: this thread has it already, by this handle. PAGEMATE_OS: the system's
 *         refusal to let us wait.
 */
pagemate_status pagemate_mutex_lock(const pagemate_mutex *mutex,
                                    bool *abandoned);

/**
 * Locks the mutex if nobody has it.
 *
 * @param mutex      What to lock.
 * @param abandoned  As of pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: somebody has it. Otherwise as pagemate_mutex_lock().
 */
pagemate_status pagemate_mutex_try_lock(const pagemate_mutex *mutex, bool *abandoned);

/**
 * Waits for so long at most until nobody has the mutex, and locks it.
 *
 * @param mutex        What to lock.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param abandoned    As of pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: somebody had it all the time. Otherwise as pagemate_mutex_lock().
 */
pagemate_status pagemate_mutex_try_lock_for(const pagemate_mutex *mutex,
                                            uint64_t nanoseconds,
                                            bool *abandoned);

/**
 * Unlocks a mutex that this thread has by this handle.
 *
 * @return PAGEMATE_NOT_OWNER: it does not.
 */
pagemate_status pagemate_mutex_unlock(const pagemate_mutex *mutex);

/**
 * Tells whether this thread has it, by this handle.
 */
pagemate_status pagemate_mutex_is_mine(const pagemate_mutex *mutex, bool *mine);

/**
 * Tells whether this handle made the object, and did not find it.
 */
pagemate_status pagemate_mutex_was_created(const pagemate_mutex *mutex, bool *created);

/**
 * Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
 */
pagemate_status pagemate_mutex_name(const pagemate_mutex *mutex, const char **name);

/**
 * Makes the event `name`, which must not exist.
 *
 * @param name     What it is called: see pagemate_section_create_new().
 * @param options  What to make. NULL is one that resets by itself, has not happened, and is for the owner
 *                 alone.
 * @param event    Gets the handle, to be closed by pagemate_event_close(); NULL on failure.
 * @return As pagemate_mutex_create_new().
 */
pagemate_status pagemate_event_create_new(const char *name,
                                          const pagemate_event_options *options,
                                          pagemate_event **event);

/**
 * Opens the event `name` if some process holds it, and makes it otherwise; pagemate_event_was_created()
 * tells which.
 *
 * @param name     What it is called.
 * @param options  What to make. An event that exists stays as it is.
 * @param event    Gets the handle; NULL on failure.
 * @return As pagemate_mutex_open_or_create().
 */
pagemate_status pagemate_event_open_or_create(const char *name,
                                              const pagemate_event_options *options,
                                              pagemate_event **event);

/**
 * Opens the event `name`, which some process has to hold. It resets as its maker said.
 *
 * @param name   What it is called.
 * @param event  Gets the handle; NULL on failure.
 * @return As pagemate_mutex_open().
 */
pagemate_status pagemate_event_open(const char *name, pagemate_event **event);

/**
 * Makes an event without a name, to be handed to another process as a descriptor or a handle.
 *
 * @param options  What to make.
 * @param event    Gets the handle; NULL on failure.
 * @return As pagemate_mutex_create_new().
 */
pagemate_status pagemate_event_create_unnamed(const pagemate_event_options *options,
                                              pagemate_event **event);

/**
 * Closes a handle, and lets go of the name.
 *
 * It always succeeds. NULL is nothing to close, as for free().
 */
pagemate_status pagemate_event_close(pagemate_event *event);

/**
 * Says that it has happened.
 *
 * PAGEMATE_RESET_MANUAL: all who wait go on, and so does who waits later, until it is reset.
 * PAGEMATE_RESET_AUTO: each call lets one thread go on that waits at that moment; if none waits, the
 * next one that does goes on, and to set it again before that changes nothing.
 */
pagemate_status pagemate_event_set(const pagemate_event *event);

/**
 * Says that it has not happened.
 */
pagemate_status pagemate_event_reset(const pagemate_event *event);

/**
 * Lets those go on who wait at this moment, all or one, and leaves it not set. Who is about to wait, and
 * has not yet begun, may miss it: use it only where that is all right.
 */
pagemate_status pagemate_event_pulse(const pagemate_event *event);

/**
 * Waits until it has happened.
 *
 * @return PAGEMATE_OS: the system's refusal to let us wait.
 */
pagemate_status pagemate_event_wait(const pagemate_event *event);

/**
 * Waits for so long at most until it has happened.
 *
 * @param event        What to wait for.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
 * @return PAGEMATE_TIMED_OUT: it did not happen. Otherwise as pagemate_event_wait().
 */
pagemate_status pagemate_event_wait_for(const pagemate_event *event,
                                        uint64_t nanoseconds);

/**
 * Tells whether this handle made the object, and did not find it.
 */
pagemate_status pagemate_event_was_created(const pagemate_event *event, bool *created);

/**
 * Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
 */
pagemate_status pagemate_event_name(const pagemate_event *event, const char **name);

/**
 * Makes the semaphore `name`, which must not exist.
 *
 * @param name       What it is called: see pagemate_section_create_new().
 * @param options    What to make. NULL is one that begins with 0, can have 2,147,483,647, and is for the
 *                   owner alone.
 * @param semaphore  Gets the handle, to be closed by pagemate_semaphore_close(); NULL on failure.
 * @return As pagemate_mutex_create_new(), and PAGEMATE_INVALID_INPUT for counts that make no sense.
 */
pagemate_status pagemate_semaphore_create_new(const char *name,
                                              const pagemate_semaphore_options *options,
                                              pagemate_semaphore **semaphore);

/**
 * Opens the semaphore `name` if some process holds it, and makes it otherwise;
 * pagemate_semaphore_was_created() tells which.
 *
 * @param name       What it is called.
 * @param options    What to make. A semaphore that exists stays as it is.
 * @param semaphore  Gets the handle; NULL on failure.
 * @return As pagemate_mutex_open_or_create(), and PAGEMATE_INVALID_INPUT for counts that make no sense.
 */
pagemate_status pagemate_semaphore_open_or_create(const char *name,
                                                  const pagemate_semaphore_options *options,
                                                  pagemate_semaphore **semaphore);

/**
 * Opens the semaphore `name`, which some process has to hold, with the count that it has.
 *
 * @param name       What it is called.
 * @param semaphore  Gets the handle; NULL on failure.
 * @return As pagemate_mutex_open().
 */
pagemate_status pagemate_semaphore_open(const char *name, pagemate_semaphore **semaphore);

/**
 * Makes a semaphore without a name, to be handed to another process as a descriptor or a handle.
 *
 * @param options    What to make.
 * @param semaphore  Gets the handle; NULL on failure.
 * @return As pagemate_semaphore_create_new().
 */
pagemate_status pagemate_semaphore_create_unnamed(const pagemate_semaphore_options *options,
                                                  pagemate_semaphore **semaphore);

/**
 * Closes a handle, and lets go of the name.
 *
 * It always succeeds. NULL is nothing to close, as for free().
 */
pagemate_status pagemate_semaphore_close(pagemate_semaphore *semaphore);

/**
 * Waits until the count is more than zero, and takes one off.
 *
 * @return PAGEMATE_OS: the system's refusal to let us wait.
 */
pagemate_status pagemate_semaphore_acquire(const pagemate_semaphore *semaphore);

/**
 * Takes one off if the count is more than zero.
 *
 * @return PAGEMATE_TIMED_OUT: it is not. Otherwise as pagemate_semaphore_acquire().
 */
pagemate_status pagemate_semaphore_try_acquire(const pagemate_semaphore *semaphore);

/**
 * Waits for so long at most until the count is more than zero, and takes one off.
 *
 * @param semaphore    What to take from.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @return PAGEMATE_TIMED_OUT: there was nothing to take all the time. Otherwise as
 *         pagemate_semaphore_acquire().
 */
pagemate_status pagemate_semaphore_try_acquire_for(const pagemate_semaphore *semaphore,
                                                   uint64_t nanoseconds);

/**
 * Adds to the count.
 *
 * @param semaphore  What to add to.
 * @param by         How many.
 * @param before     Gets what the count was before. May be NULL.
 * @return PAGEMATE_OUT_OF_RANGE: it would be more than the highest, and nothing was added.
 *         PAGEMATE_INVALID_INPUT: nothing is to be added.
 */
pagemate_status pagemate_semaphore_release(const pagemate_semaphore *semaphore,
                                           uint32_t by,
                                           uint32_t *before);

/**
 * Tells whether this handle made the object, and did not find it.
 */
pagemate_status pagemate_semaphore_was_created(const pagemate_semaphore *semaphore, bool *created);

/**
 * Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
 */
pagemate_status pagemate_semaphore_name(const pagemate_semaphore *semaphore, const char **name);

/**
 * Waits until one of several can be had, and takes that one alone: of several, the first in the list.
 *
 * ```c
 * pagemate_event *quit = NULL;
 * pagemate_semaphore *jobs = NULL;
 * pagemate_semaphore_options one = {.count = 1};
 * size_t index = 0;
 * bool abandoned = false;
 * if (pagemate_event_create_unnamed(NULL, &quit) == PAGEMATE_OK &&
 *     pagemate_semaphore_create_unnamed(&one, &jobs) == PAGEMATE_OK) {
 *     pagemate_waitable list[] = {{.event = quit}, {.semaphore = jobs}};
 *     if (pagemate_wait_any(list, 2, &index, &abandoned) == PAGEMATE_OK && index == 1) {
 *         puts("there is a job");
 *     }
 * }
 * pagemate_semaphore_close(jobs);
 * pagemate_event_close(quit);
 * ```
 *
 * @param list       What to wait for.
 * @param count      How many there are: 1 to 64.
 * @param index      Gets which one was had, from 0 on.
 * @param abandoned  Gets whether that one is a mutex that was abandoned: see pagemate_mutex_lock().
 * @return PAGEMATE_INVALID_INPUT: something is in the list twice, or this thread has one of the mutexes
 *         already. PAGEMATE_OS: the system's refusal to let us wait.
 */
pagemate_status pagemate_wait_any(const pagemate_waitable *list,
                                  size_t count,
                                  size_t *index,
                                  bool *abandoned);

/**
 * Waits for so long at most until one of several can be had.
 *
 * @param list         What to wait for.
 * @param count        How many there are: 1 to 64.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
 * @param index        Gets which one was had, from 0 on.
 * @param abandoned    Gets whether that one is a mutex that was abandoned: see pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: none could be had all the time. Otherwise as pagemate_wait_any().
 */
pagemate_status pagemate_wait_any_for(const pagemate_waitable *list,
                                      size_t count,
                                      uint64_t nanoseconds,
                                      size_t *index,
                                      bool *abandoned);

/**
 * Waits until all of several can be had at once, and takes them all. Until then it takes none.
 *
 * On Unix some are taken for a moment and given back when the last turns out not to be there: whoever
 * only looks, and does not wait, may not find them in that moment.
 *
 * @param list       What to wait for.
 * @param count      How many there are: 1 to 64.
 * @param abandoned  Gets a bit for each mutex that was abandoned, the lowest for the first in the list; 0
 *                   if none was. See pagemate_mutex_lock().
 * @return As pagemate_wait_any().
 */
pagemate_status pagemate_wait_all(const pagemate_waitable *list,
                                  size_t count,
                                  uint64_t *abandoned);

/**
 * Waits for so long at most until all of several can be had at once.
 *
 * @param list         What to wait for.
 * @param count        How many there are: 1 to 64.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
 * @param abandoned    As of pagemate_wait_all().
 * @return PAGEMATE_TIMED_OUT: they were not all there in time, and none was taken. Otherwise as
 *         pagemate_wait_any().
 */
pagemate_status pagemate_wait_all_for(const pagemate_waitable *list,
                                      size_t count,
                                      uint64_t nanoseconds,
                                      uint64_t *abandoned);

/**
 * Opens the mutex that stands in a section, or makes it, of bytes that have to be zero. While another
 * process makes it, this one waits.
 *
 * @param section      Where it is.
 * @param offset       Where in the section it begins, in bytes: a multiple of eight.
 * @param fingerprint  What stands for the type of the value.
 * @param initial      What the value is at first.
 * @param len          How many bytes it has.
 * @param mutex        Gets the handle, to be closed by pagemate_shared_mutex_close(); NULL on failure.
 * @return PAGEMATE_OUT_OF_RANGE: it would reach past the end of the section. PAGEMATE_INVALID_INPUT: the
 *         offset is not a multiple of eight. PAGEMATE_PERMISSION_DENIED: the section is only to be read.
 *         PAGEMATE_WRONG_KIND: it guards a value of another length or fingerprint. PAGEMATE_CORRUPTED:
 *         something else stands there. PAGEMATE_UNSUPPORTED: on Unix, a section over a file that has no
 *         name; on macOS every section without a name.
 */
pagemate_status pagemate_shared_mutex_open_or_init(const pagemate_section *section,
                                                   uint64_t offset,
                                                   uint64_t fingerprint,
                                                   const void *initial,
                                                   size_t len,
                                                   pagemate_shared_mutex **mutex);

/**
 * Opens the mutex that stands in a section.
 *
 * @param section      Where it is.
 * @param offset       Where in the section it begins, in bytes: a multiple of eight.
 * @param fingerprint  What stands for the type of the value.
 * @param len          How many bytes the value has.
 * @param mutex        Gets the handle, to be closed by pagemate_shared_mutex_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: nobody has made it yet. Otherwise as pagemate_shared_mutex_open_or_init().
 */
pagemate_status pagemate_shared_mutex_open(const pagemate_section *section,
                                           uint64_t offset,
                                           uint64_t fingerprint,
                                           size_t len,
                                           pagemate_shared_mutex **mutex);

/**
 * Closes a handle. If the mutex is locked by it, it is abandoned.
 *
 * It always succeeds. NULL is nothing to close, as for free().
 */
pagemate_status pagemate_shared_mutex_close(pagemate_shared_mutex *mutex);

/**
 * Waits until nobody has the mutex, and locks it.
 *
 * @param mutex      What to lock.
 * @param abandoned  Gets whether the last who had it ended without unlocking it, so that the value may be
 *                   half changed: see pagemate_mutex_lock().
 * @return As pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_lock(const pagemate_shared_mutex *mutex,
                                           bool *abandoned);

/**
 * Locks the mutex if nobody has it.
 *
 * @param mutex      What to lock.
 * @param abandoned  As of pagemate_shared_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: somebody has it. Otherwise as pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_try_lock(const pagemate_shared_mutex *mutex, bool *abandoned);

/**
 * Waits for so long at most until nobody has the mutex, and locks it.
 *
 * @param mutex        What to lock.
 * @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param abandoned    As of pagemate_shared_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: somebody had it all the time. Otherwise as pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_try_lock_for(const pagemate_shared_mutex *mutex,
                                                   uint64_t nanoseconds,
                                                   bool *abandoned);

/**
 * Unlocks a mutex that this thread has by this handle.
 *
 * @return PAGEMATE_NOT_OWNER: it does not.
 */
pagemate_status pagemate_shared_mutex_unlock(const pagemate_shared_mutex *mutex);

/**
 * Tells whether this thread has it, by this handle.
 */
pagemate_status pagemate_shared_mutex_is_mine(const pagemate_shared_mutex *mutex, bool *mine);

/**
 * Copies bytes out of the value of a mutex that this thread has.
 *
 * @param mutex   Where from.
 * @param offset  Where in the value to begin, in bytes.
 * @param bytes   Where to: memory of yours that nobody else uses meanwhile. NULL only if `len` is 0.
 * @param len     How many bytes.
 * @return PAGEMATE_NOT_OWNER: it does not have it. PAGEMATE_OUT_OF_RANGE: they do not all lie in the value;
 *         none was copied.
 */
pagemate_status pagemate_shared_mutex_read_at(const pagemate_shared_mutex *mutex,
                                              size_t offset,
                                              void *bytes,
                                              size_t len);

/**
 * Copies bytes into the value of a mutex that this thread has. Who is killed in the middle of it leaves half
 * of it, and the next is told.
 *
 * @param mutex   Where to.
 * @param offset  Where in the value to begin, in bytes.
 * @param bytes   Where from: memory of yours that nobody writes to meanwhile. NULL only if `len` is 0.
 * @param len     How many bytes.
 * @return PAGEMATE_NOT_OWNER: it does not have it. PAGEMATE_OUT_OF_RANGE: they do not all fit; none was
 *         copied.
 */
pagemate_status pagemate_shared_mutex_write_at(const pagemate_shared_mutex *mutex,
                                               size_t offset,
                                               const void *bytes,
                                               size_t len);

#if !defined(_WIN32)
/**
 * Any mappable descriptor as a section: memory that somebody handed on, or a device of yours. It has
 * the access that it was opened with, and its present length. Not on Windows.
 *
 * Unless it is sealed, whoever else has it can cut it short, and touching what is gone ends the process
 * with SIGBUS; so does touching memory that was never set aside, when there is no more.
 *
 * @param descriptor  It is copied, and remains yours to close. A copy of a named section's holds the
 *                    name.
 * @param section     Gets the handle; NULL on failure.
 * @return PAGEMATE_INVALID_INPUT: what cannot be mapped, or has no length. PAGEMATE_OS: it is not open.
 */
pagemate_status pagemate_section_from_descriptor(int descriptor,
                                                 pagemate_section **section);
#endif

#if !defined(_WIN32)
/**
 * Tells a section's descriptor, to be handed to another process. It is lent: valid until the handle
 * is closed, and not yours to close. Not on Windows.
 *
 * Of a named section it takes part in the lock that keeps the name alive: a process that has it is a
 * holder. Over a file it is one of that file, and holds no name.
 */
pagemate_status pagemate_section_descriptor(const pagemate_section *section,
                                            int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * Opens memory that is not pagemate's: the POSIX object called `name`, as `shm_open(3)` takes it. Not
 * on Windows.
 *
 * It lives by POSIX' rules: its name stays until somebody unlinks it, and whoever may write to it can
 * cut it short, which ends a process that touches what is gone with SIGBUS.
 *
 * @param name     What it is called.
 * @param access   The default is PAGEMATE_ACCESS_READ_WRITE.
 * @param section  Gets the handle; NULL on failure.
 * @return PAGEMATE_NOT_FOUND, PAGEMATE_PERMISSION_DENIED, and PAGEMATE_INVALID_INPUT if it has no
 *         length yet.
 */
pagemate_status pagemate_section_open_posix(const char *name,
                                            pagemate_access access,
                                            pagemate_section **section);
#endif

#if defined(_WIN32)
/**
 * Any handle to a file mapping as a section, with the access and the length that it has. On Windows
 * only.
 *
 * @param handle   It is duplicated, and remains yours to close.
 * @param section  Gets the handle of pagemate's; NULL on failure.
 */
pagemate_status pagemate_section_from_handle(void *handle, pagemate_section **section);
#endif

#if defined(_WIN32)
/**
 * Tells a section's handle of Windows', to be duplicated into another process, which then is a holder.
 * It is lent: valid until the section is closed, and not yours to close. On Windows only.
 */
pagemate_status pagemate_section_handle(const pagemate_section *section,
                                        void **handle);
#endif

#if !defined(_WIN32)
/**
 * A descriptor that somebody handed on as a mutex. That it is one is the word of who did: without a name
 * there is no other. Not on Windows.
 *
 * @param descriptor  It is copied, and remains yours to close. A copy of a named one's holds the name.
 * @param mutex       Gets the handle; NULL on failure.
 * @return PAGEMATE_CORRUPTED: it is none. PAGEMATE_OS: it is not open.
 */
pagemate_status pagemate_mutex_from_descriptor(int descriptor,
                                               pagemate_mutex **mutex);
#endif

#if !defined(_WIN32)
/**
 * Tells a mutex's descriptor, to be handed to another process, which then is a holder of the name. It is
 * lent: valid until the handle is closed, and not yours to close. Not on Windows.
 */
pagemate_status pagemate_mutex_descriptor(const pagemate_mutex *mutex,
                                          int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * A descriptor that somebody handed on as an event: see pagemate_mutex_from_descriptor(). Not on Windows.
 */
pagemate_status pagemate_event_from_descriptor(int descriptor,
                                               pagemate_event **event);
#endif

#if !defined(_WIN32)
/**
 * Tells an event's descriptor, to be handed to another process, which then is a holder of the name. It is
 * lent: valid until the handle is closed, and not yours to close. Not on Windows.
 */
pagemate_status pagemate_event_descriptor(const pagemate_event *event,
                                          int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * A descriptor that somebody handed on as a semaphore: see pagemate_mutex_from_descriptor(). Not on Windows.
 */
pagemate_status pagemate_semaphore_from_descriptor(int descriptor,
                                                   pagemate_semaphore **semaphore);
#endif

#if !defined(_WIN32)
/**
 * Tells a semaphore's descriptor, to be handed to another process, which then is a holder of the name. It is
 * lent: valid until the handle is closed, and not yours to close. Not on Windows.
 */
pagemate_status pagemate_semaphore_descriptor(const pagemate_semaphore *semaphore,
                                              int *descriptor);
#endif

#if defined(_WIN32)
/**
 * A handle of Windows' to a mutex as one of pagemate's. On Windows only.
 *
 * @param handle     It is duplicated, and remains yours to close.
 * @param mutex      Gets the handle of pagemate's; NULL on failure.
 */
pagemate_status pagemate_mutex_from_handle(void *handle, pagemate_mutex **mutex);
#endif

#if defined(_WIN32)
/**
 * Tells a mutex's handle of Windows', to be duplicated into another process, which then is a holder. It is
 * lent: valid until the mutex is closed, and not yours to close. On Windows only.
 */
pagemate_status pagemate_mutex_handle(const pagemate_mutex *mutex,
                                      void **handle);
#endif

#if defined(_WIN32)
/**
 * A handle of Windows' to an event as one of pagemate's. On Windows only.
 *
 * @param handle     It is duplicated, and remains yours to close.
 * @param event      Gets the handle of pagemate's; NULL on failure.
 */
pagemate_status pagemate_event_from_handle(void *handle, pagemate_event **event);
#endif

#if defined(_WIN32)
/**
 * Tells an event's handle of Windows', to be duplicated into another process, which then is a holder. It is
 * lent: valid until the event is closed, and not yours to close. On Windows only.
 */
pagemate_status pagemate_event_handle(const pagemate_event *event,
                                      void **handle);
#endif

#if defined(_WIN32)
/**
 * A handle of Windows' to a semaphore as one of pagemate's. On Windows only.
 *
 * @param handle     It is duplicated, and remains yours to close.
 * @param semaphore  Gets the handle of pagemate's; NULL on failure.
 */
pagemate_status pagemate_semaphore_from_handle(void *handle, pagemate_semaphore **semaphore);
#endif

#if defined(_WIN32)
/**
 * Tells a semaphore's handle of Windows', to be duplicated into another process, which then is a holder. It is
 * lent: valid until the semaphore is closed, and not yours to close. On Windows only.
 */
pagemate_status pagemate_semaphore_handle(const pagemate_semaphore *semaphore,
                                          void **handle);
#endif

/**
 * Lists every live object that this user may look at, by name. The dead are swept on the way.
 *
 * On Windows these are the named file mappings of all programs, each of which is held for the moment in
 * which it is looked at.
 *
 * ```c
 * pagemate_inventory *inventory = NULL;
 * size_t count = 0;
 * if (pagemate_inventory_list(&inventory) == PAGEMATE_OK &&
 *     pagemate_inventory_count(inventory, &count) == PAGEMATE_OK) {
 *     for (size_t i = 0; i < count; i++) {
 *         const pagemate_entry *entry = NULL;
 *         if (pagemate_inventory_entry(inventory, i, &entry) == PAGEMATE_OK) {
 *             printf("%s has %llu bytes\n", entry->name, (unsigned long long)entry->len);
 *         }
 *     }
 * }
 * pagemate_inventory_free(inventory);
 * ```
 *
 * @param inventory  Gets the list, to be given back by pagemate_inventory_free(); NULL on failure.
 */
pagemate_status pagemate_inventory_list(pagemate_inventory **inventory);

/**
 * Finds the live object called `name`: a list of one.
 *
 * @param name       What it is called.
 * @param inventory  Gets the list, to be given back by pagemate_inventory_free(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_INVALID_NAME.
 */
pagemate_status pagemate_inventory_find(const char *name, pagemate_inventory **inventory);

/**
 * Tells how many objects there are in a list.
 */
pagemate_status pagemate_inventory_count(const pagemate_inventory *inventory, size_t *count);

/**
 * Tells of one object in a list. The entry and all it points to are valid until the list is given back.
 *
 * @param inventory  The list.
 * @param index      Which one, from 0 on.
 * @param entry      Gets the entry.
 * @return PAGEMATE_OUT_OF_RANGE: there are not so many.
 */
pagemate_status pagemate_inventory_entry(const pagemate_inventory *inventory,
                                         size_t index,
                                         const pagemate_entry **entry);

/**
 * Gives a list back. It always succeeds; NULL is nothing to give back, as for free().
 */
pagemate_status pagemate_inventory_free(pagemate_inventory *inventory);

/**
 * Gives back what dead processes left, which creating and listing also do in passing. On Windows there is
 * never anything: the kernel takes it back at once.
 *
 * @param objects  Gets how many dead objects there were. May be NULL.
 * @param bytes    Gets how many bytes they had. May be NULL.
 */
pagemate_status pagemate_prune(uint64_t *objects,
                               uint64_t *bytes);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PAGEMATE_H */
