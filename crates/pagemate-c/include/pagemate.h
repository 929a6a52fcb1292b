/**
 * @file pagemate.h
 *
 * Named shared memory that lives exactly as long as some process holds it.
 *
 * One process creates a section under a name, other processes open it by that name, and views map the
 * same physical pages into the address space of each. When the last holder closes it, exits, crashes or is
 * killed, the name ends: no process has to unlink it, there is no daemon, and the next section under the
 * name is new. The names of mutexes, events, semaphores and channels end in the same way. A mutex survives the
 * death of its owner: see pagemate_mutex. A channel passes messages between processes: see pagemate_sender. A
 * watch channel has the latest value: see pagemate_watch_writer.
 * Rust programs and the command `pagemate` use the same names.
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
 * **Results.** Every function returns a pagemate_status and stores its results through its last
 * arguments; only the functions about errors and versions return their result. A call that fails sets the
 * handle it would have created to NULL, leaves other results unchanged, and stores the system's error code
 * and a sentence with the cause for the calling thread: pagemate_last_os_error(),
 * pagemate_last_error_message(). Every function with arguments can return PAGEMATE_INVALID_INPUT, and every
 * function can return PAGEMATE_OS and PAGEMATE_INTERNAL.
 *
 * **Pointers and ownership.** NULL is PAGEMATE_INVALID_INPUT, except where the documentation gives it a
 * meaning. Every other pointer must point to a valid object of its type for the whole call, and strings are
 * UTF-8 and end in a NUL. A call does not keep pointers that it is passed. The caller owns each handle that
 * it receives, closes it once, and does not use it later. The library cannot check these rules.
 *
 * **Units.** Lengths and offsets are in bytes, timeouts in nanoseconds; PAGEMATE_FOREVER never expires. A
 * timeout that expires is PAGEMATE_TIMED_OUT.
 *
 * **Crashes.** A process may end at any time, by SIGKILL too: its handles are closed, and its mutexes are
 * abandoned. A call that is interrupted in this way leaves no name behind that other processes cannot use.
 *
 * **Threads.** Functions marked as thread-safe may be called by several threads at the same time, with the
 * same handles. Each thread has a last failure of its own.
 */

#ifndef PAGEMATE_H
#define PAGEMATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The version of this header; pagemate_version() returns that of the library. */
#define PAGEMATE_VERSION "0.1.0"
#define PAGEMATE_VERSION_MAJOR 0
#define PAGEMATE_VERSION_MINOR 1
#define PAGEMATE_VERSION_PATCH 0

/**
 * A flag for a new section: reserves no memory at creation; each page is allocated at its first
 * access.
 *
 * Use this for a large section of which only a part is used. If no memory is left, an access ends
 * the process with SIGBUS on Unix. On Windows memory is committed when a range is mapped, and
 * mapping fails. Excludes PAGEMATE_HUGE_PAGES.
 */
#define PAGEMATE_SPARSE 1

/**
 * A flag for a new section: allocates its memory in huge pages, as far as the system has them. A flag
 * for a view: moves the memory into huge pages, which copies it. A hint; ignored on Windows.
 */
#define PAGEMATE_HUGE_PAGES 2

/**
 * A flag for a new section: its memory is the content of the open file in the field `file`. The
 * file remains when the name ends, and the caller still owns the descriptor.
 */
#define PAGEMATE_OVER_FILE 4

/**
 * A flag for a view: maps all pages before the call returns, so that no later access causes a page
 * fault. A hint.
 */
#define PAGEMATE_PREFAULT 8

/**
 * A flag for a new mutex: the calling thread owns it from the start, before any other thread can. An
 * existing mutex stays as it is. Not supported on macOS.
 */
#define PAGEMATE_LOCKED 16

/**
 * A flag for a new event: it is set from the start.
 */
#define PAGEMATE_SIGNALED 32

/**
 * A timeout that never expires.
 */
#define PAGEMATE_FOREVER UINT64_MAX

/**
 * One millisecond in nanoseconds, the unit of all timeouts: `50 * PAGEMATE_MILLISECOND`.
 */
#define PAGEMATE_MILLISECOND (uint64_t)1000000

/**
 * The number of bytes that a pagemate_shared_mutex occupies in a section before its value.
 */
#define PAGEMATE_SHARED_MUTEX_LEN 64

/**
 * The number of bytes that a pagemate_shared occupies in a section before its value.
 */
#define PAGEMATE_SHARED_HEADER_LEN 64

/**
 * A flag for an endpoint: after its peer was closed or died, a call that blocks continues to wait until
 * another process opens a new peer. Without the flag it fails with PAGEMATE_DISCONNECTED.
 */
#define PAGEMATE_AWAIT_SUCCESSOR 64

/**
 * A flag for an endpoint: it opens channels with messages of every type. A message then consists of the bytes
 * of one value of the channel's type. Use this for tools that show or record messages.
 */
#define PAGEMATE_ANY_MESSAGE_TYPE 128

/**
 * A flag for a new channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST: the sender never waits, and overwrites the
 * oldest message if a receiver is behind. pagemate_receiver_missed() counts the messages that a receiver did not
 * get. Other kinds ignore it.
 */
#define PAGEMATE_LOSSY 256

/**
 * A flag for a receiver of a channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST: it takes the place of a receiver
 * whose process died, if there is one, and continues where the finished messages of that one end. Without the
 * flag the receiver begins with the next message. Other endpoints ignore it.
 */
#define PAGEMATE_TAKE_OVER 512

/**
 * The result of a call. Zero is success; later releases may add values.
 */
typedef enum {
    /**
     * The call succeeded.
     */
    PAGEMATE_OK = 0,
    /**
     * No process holds an object of this name.
     */
    PAGEMATE_NOT_FOUND = 1,
    /**
     * A process holds an object of this name already.
     */
    PAGEMATE_ALREADY_EXISTS = 2,
    /**
     * The system, the object's protection or the handle's access forbids it.
     */
    PAGEMATE_PERMISSION_DENIED = 3,
    /**
     * The name is not a valid name of an object, or is not UTF-8.
     */
    PAGEMATE_INVALID_NAME = 4,
    /**
     * An argument is not valid, independently of the state of the system.
     */
    PAGEMATE_INVALID_INPUT = 5,
    /**
     * A range extends past the end of the object or the view.
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
     * An incompatible release created the object.
     */
    PAGEMATE_WRONG_VERSION = 9,
    /**
     * The file of this name is not a complete object, or is damaged.
     */
    PAGEMATE_CORRUPTED = 10,
    /**
     * A timeout expired, or another process kept the object busy for too long.
     */
    PAGEMATE_TIMED_OUT = 11,
    /**
     * The calling thread does not own the mutex.
     */
    PAGEMATE_NOT_OWNER = 12,
    /**
     * This system does not support the operation.
     */
    PAGEMATE_UNSUPPORTED = 13,
    /**
     * Any other error of the system: see pagemate_last_os_error().
     */
    PAGEMATE_OS = 14,
    /**
     * A bug in pagemate. Please report it with the message.
     */
    PAGEMATE_INTERNAL = 15,
    /**
     * Another program removed the object's name, so other processes cannot find it. Close every handle to
     * the object and create it again.
     */
    PAGEMATE_ORPHANED = 16,
    /**
     * The endpoint of a channel has no live peer: every peer was closed or its process ended.
     */
    PAGEMATE_DISCONNECTED = 17,
    /**
     * This process was forked from the process that opened the endpoint. Open an endpoint in this process.
     */
    PAGEMATE_FORKED = 18,
    /**
     * Another thread is in a call with the endpoint, or a loan or a sample of it has not ended.
     */
    PAGEMATE_IN_USE = 19,
    /**
     * A message does not have a length that the channel admits, or is longer than the buffer.
     */
    PAGEMATE_WRONG_LENGTH = 20,
} pagemate_status;

/**
 * Access of a handle or a view to the memory.
 */
typedef enum {
    /**
     * The default of the field or argument, which its documentation names.
     */
    PAGEMATE_ACCESS_DEFAULT = 0,
    /**
     * Read only. The kernel enforces it.
     */
    PAGEMATE_ACCESS_READ = 1,
    /**
     * Read and write.
     */
    PAGEMATE_ACCESS_READ_WRITE = 2,
    /**
     * For views only: read and write. The first write to a page copies the page, and the copy
     * belongs to this view alone (`FILE_MAP_COPY`, `MAP_PRIVATE`). For pages that this view has
     * not written to, it is unspecified whether they show later writes of other views.
     */
    PAGEMATE_ACCESS_COPY_ON_WRITE = 3,
} pagemate_access;

/**
 * The upper limit for the access of views of an object, through any handle.
 */
typedef enum {
    /**
     * PAGEMATE_PROTECTION_READ_WRITE.
     */
    PAGEMATE_PROTECTION_DEFAULT = 0,
    /**
     * Views are read-only or copy-on-write (`PAGE_READONLY`). Use this over a file that has
     * contents; without a file the memory stays zero.
     */
    PAGEMATE_PROTECTION_READ_ONLY = 1,
    /**
     * Views may be writable (`PAGE_READWRITE`).
     */
    PAGEMATE_PROTECTION_READ_WRITE = 2,
} pagemate_protection;

/**
 * The kind of an object.
 */
typedef enum {
    /**
     * A kind that this release does not know.
     */
    PAGEMATE_KIND_OTHER = 0,
    /**
     * A section.
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
    /**
     * A channel.
     */
    PAGEMATE_KIND_CHANNEL = 5,
} pagemate_kind;

/**
 * The users who may open an object, in addition to the owner. The owner always has full access.
 *
 * A user with read access can also keep the name alive. A user with write access can change any
 * byte at any time. On Unix such a user can also truncate the memory under your views, and an
 * access to a truncated page ends your process with SIGBUS. The sharing is the mode of a file on
 * Unix, and a security descriptor on Windows.
 */
typedef enum {
    /**
     * No other users.
     */
    PAGEMATE_SHARING_OWNER = 0,
    /**
     * The members of the creator's group; on Windows, of its primary group.
     */
    PAGEMATE_SHARING_GROUP = 1,
    /**
     * All users of the machine.
     */
    PAGEMATE_SHARING_EVERYONE = 2,
} pagemate_sharing;

/**
 * The way an event is reset.
 */
typedef enum {
    /**
     * Each set wakes one waiter, which resets the event.
     */
    PAGEMATE_RESET_AUTO = 0,
    /**
     * The event stays set, and wakes all current and later waiters, until it is reset.
     */
    PAGEMATE_RESET_MANUAL = 1,
} pagemate_reset;

/**
 * The kind of a channel.
 */
typedef enum {
    /**
     * One sender and one receiver at a time.
     */
    PAGEMATE_CHANNEL_KIND_SPSC = 0,
    /**
     * Any number of senders and receivers. Each message goes to one receiver, as in a work queue.
     */
    PAGEMATE_CHANNEL_KIND_MPMC = 1,
    /**
     * One sender at a time, and several receivers, each of which gets every message that is sent after it was
     * opened.
     */
    PAGEMATE_CHANNEL_KIND_BROADCAST = 2,
} pagemate_channel_kind;

/**
 * The way in which an endpoint waits.
 */
typedef enum {
    /**
     * The endpoint polls the channel for a short time, and then sleeps. It sleeps at once if the last polls
     * were in vain.
     */
    PAGEMATE_WAITING_SPIN_THEN_SLEEP = 0,
    /**
     * The endpoint polls all the time and never sleeps. This has the lowest latency, and uses a whole
     * processor.
     */
    PAGEMATE_WAITING_SPIN = 1,
    /**
     * The endpoint sleeps at once.
     */
    PAGEMATE_WAITING_SLEEP = 2,
} pagemate_waiting;

/**
 * A handle to an event, which is set or not set, for all processes alike.
 *
 * Its name exists as long as that of a section. The death of a holder changes nothing else: the
 * event stays set or not set. Several threads may use one handle at the same time. No thread may
 * use it during or after a call that closes it.
 */
typedef struct pagemate_event pagemate_event;

/**
 * A list of live objects at the time of the call that created it.
 *
 * Several threads may read one list at the same time. No thread may use it during or after
 * pagemate_inventory_free().
 */
typedef struct pagemate_inventory pagemate_inventory;

/**
 * A handle to a mutex, which at most one thread of all processes owns at a time.
 *
 * Its name exists as long as that of a section. Several threads may use one handle at the same
 * time. No thread may use it during or after a call that closes it. A thread that owns the mutex
 * through a handle cannot lock it again through the same handle: the second lock returns
 * PAGEMATE_INVALID_INPUT.
 *
 * **If the owner dies**, because its process is killed or its thread ends, the mutex is abandoned.
 * The next waiter acquires it within a tenth of a second, and its lock call reports this in
 * `abandoned`, because the protected data may be inconsistent. A process that is merely stopped
 * keeps the mutex. A child made by `fork` owns none of its parent's mutexes.
 *
 * ```c
 * pagemate_mutex *mutex = NULL;
 * bool abandoned = false;
 * if (pagemate_mutex_open_or_create("ledger", NULL, &mutex) == PAGEMATE_OK &&
 *     pagemate_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
 *     if (abandoned) {
 *         puts("the last owner died: check the ledger and repair it");
 *     }
 *     pagemate_mutex_unlock(mutex);
 * }
 * pagemate_mutex_close(mutex);
 * ```
 */
typedef struct pagemate_mutex pagemate_mutex;

/**
 * The receiving endpoint of a channel: see pagemate_sender.
 *
 * A message is received when the call that copies it out returns, or when its sample is finished. If the
 * process is killed before, the next receiver gets the message.
 *
 * One thread at a time may use a receiver: a call while another thread is in a call with it is
 * PAGEMATE_IN_USE. A call after pagemate_receiver_close() is PAGEMATE_INVALID_INPUT, unless the library has
 * used the handle for a newer receiver. In a child of fork() all calls are PAGEMATE_FORKED.
 */
typedef struct pagemate_receiver pagemate_receiver;

/**
 * A handle to a section, which is shared memory.
 *
 * A named section exists as long as any process has a handle or a view of it. When the last holder
 * closes its handles and views, exits, crashes or is killed, the name is free at once, and a
 * section that is created under it later is zeroed. A child made by `fork` also holds the sections
 * that its parent held at that time, until the child exits or calls `exec`.
 *
 * Several threads may use one handle at the same time. No thread may use it during or after a call that
 * closes it.
 */
typedef struct pagemate_section pagemate_section;

/**
 * A handle to a semaphore, which is a count that all processes share.
 *
 * Its name exists as long as that of a section. If a process dies, the permits that it acquired
 * are lost, because a semaphore does not record its owners; use a mutex if this must not happen.
 * Several threads may use one handle at the same time. No thread may use it during or after a call
 * that closes it.
 */
typedef struct pagemate_semaphore pagemate_semaphore;

/**
 * The sending endpoint of a channel, which passes messages to other processes without a system call.
 *
 * The channel exists as long as some process has an endpoint of it, and either side can come first. A
 * message for which a call returned PAGEMATE_OK is delivered although the process is killed afterwards. If
 * the process is killed before, the message is sent whole or not at all, and another process can open the
 * sender and continue.
 *
 * One thread at a time may use a sender: a call while another thread is in a call with it is
 * PAGEMATE_IN_USE. A call after pagemate_sender_close() is PAGEMATE_INVALID_INPUT, unless the library has
 * used the handle for a newer sender. In a child of fork() all calls are PAGEMATE_FORKED.
 *
 * ```c
 * pagemate_channel_options options = {.capacity = 64};
 * pagemate_sender *sender = NULL;
 * pagemate_receiver *receiver = NULL;
 * char text[16];
 * size_t len = 0;
 * if (pagemate_sender_open_or_create("greetings", &options, &sender) == PAGEMATE_OK &&
 *     pagemate_receiver_open_or_create("greetings", &options, &receiver) == PAGEMATE_OK &&
 *     pagemate_sender_send(sender, "hello", 5) == PAGEMATE_OK &&
 *     pagemate_receiver_recv(receiver, text, sizeof text, &len) == PAGEMATE_OK) {
 *     printf("%.*s\n", (int)len, text);
 * }
 * pagemate_receiver_close(receiver);
 * pagemate_sender_close(sender);
 * ```
 */
typedef struct pagemate_sender pagemate_sender;

/**
 * A handle that writes a sequence-locked value. It keeps the memory of the value mapped.
 *
 * Several threads may use one writer at the same time. No thread may use it during or after a call that
 * closes it.
 */
typedef struct pagemate_seqlock_writer pagemate_seqlock_writer;

/**
 * A handle to a value in shared memory, whose layout all programs agree on. It is a `Shared<T>` of Rust and
 * C++.
 *
 * The value begins as zeros. The first process initialises it, while others wait. If that process dies or
 * fails before it has finished, the next one begins again, from zeros, so that no process sees a partial
 * value. Opening it with another layout fails with PAGEMATE_WRONG_KIND.
 *
 * Other processes access the value at any time. So it must consist of lock-free atomics (see
 * pagemate_word_wait_while() for waits), of sequence-locked values (pagemate_seqlock_read()), and of values
 * that a lock or a signal of the program protects (pagemate_racy_read()). The handle holds the name of its
 * section.
 *
 * Several threads may use one handle at the same time. No thread may use it during or after a call that
 * closes it.
 *
 * ```c
 * #include <stdatomic.h>
 *
 * pagemate_layout number, layout;
 * pagemate_shared *visitors = NULL;
 * void *value = NULL;
 * if (pagemate_layout_number("u64", &number) == PAGEMATE_OK &&
 *     pagemate_layout_atomic(&number, &layout) == PAGEMATE_OK &&
 *     pagemate_shared_open_or_create("visitors", &layout, NULL, NULL, &visitors) == PAGEMATE_OK &&
 *     pagemate_shared_value(visitors, &value) == PAGEMATE_OK) {
 *     atomic_fetch_add((_Atomic uint64_t *)value, 1);
 * }
 * pagemate_shared_close(visitors);
 * ```
 */
typedef struct pagemate_shared pagemate_shared;

/**
 * A handle to a mutex that is stored in a section, together with the value that it protects.
 *
 * It occupies PAGEMATE_SHARED_MUTEX_LEN bytes, followed by the bytes of the value, at an offset
 * that is a multiple of 8. The first process that opens it initialises the value. If that process
 * dies before it has finished, the next one initialises the value again, so that no process sees a
 * partial value. Opening it with another length or fingerprint fails. The value is copied in and
 * out, because other processes map the same bytes.
 *
 * **The fingerprint** is a number that identifies the type of the value. All programs that use the value
 * pass the same number. For a `SharedMutex<T>` of a Rust program it is `T`'s `Shareable::FINGERPRINT`.
 *
 * Locking, unlocking, abandonment and the use by several threads are as for pagemate_mutex. The
 * handle holds the name of its section, even after the section's handle was closed.
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
 * A section, or a range of it, mapped into the address space of this process.
 *
 * It holds the name of its section, even after the section's handle was closed.
 *
 * Several threads may use one view at the same time. No thread may use it during or after a call that
 * unmaps it.
 */
typedef struct pagemate_view pagemate_view;

/**
 * A reading endpoint of a watch channel: see pagemate_watch_writer. A channel can have any number of readers.
 *
 * A reader neither delays the writer nor waits for it, and its death has no effect on others. It remembers the
 * version that it read last: the values are numbered from 1 in the order in which they were written.
 *
 * One thread at a time may use a reader: a call while another thread is in a call with it is
 * PAGEMATE_IN_USE. A call after pagemate_watch_reader_close() is PAGEMATE_INVALID_INPUT, unless the library has
 * used the handle for a newer reader. A reader works in a child of fork() too.
 */
typedef struct pagemate_watch_reader pagemate_watch_reader;

/**
 * The writing endpoint of a watch channel, which has the latest value only. Any number of processes read it
 * by pagemate_watch_reader.
 *
 * One process at a time has the writer. A write never waits, and a process that is killed while it writes leaves
 * the previous value. The channel and its value exist as long as some process has an endpoint, and either side can
 * come first. It is the channel of `pagemate::channel::watch` in Rust, and `pagemate recv NAME` prints its value.
 *
 * One thread at a time may use a writer: a call while another thread is in a call with it is
 * PAGEMATE_IN_USE. A call after pagemate_watch_writer_close() is PAGEMATE_INVALID_INPUT, unless the library has
 * used the handle for a newer writer. In a child of fork() all calls are PAGEMATE_FORKED.
 *
 * ```c
 * pagemate_watch_writer *writer = NULL;
 * pagemate_watch_reader *reader = NULL;
 * char text[4096];
 * size_t len = 0;
 * if (pagemate_watch_writer_open_or_create("weather", NULL, &writer) == PAGEMATE_OK &&
 *     pagemate_watch_reader_open_or_create("weather", NULL, &reader) == PAGEMATE_OK &&
 *     pagemate_watch_writer_write(writer, "sunny", 5) == PAGEMATE_OK &&
 *     pagemate_watch_reader_wait_for_change(reader, PAGEMATE_FOREVER) == PAGEMATE_OK &&
 *     pagemate_watch_reader_read(reader, text, sizeof text, &len) == PAGEMATE_OK) {
 *     printf("%.*s\n", (int)len, text);
 * }
 * pagemate_watch_reader_close(reader);
 * pagemate_watch_writer_close(writer);
 * ```
 */
typedef struct pagemate_watch_writer pagemate_watch_writer;

/**
 * Options to create or open a section. NULL and a zeroed struct, `{0}`, stand for the defaults.
 *
 * Later releases use bytes of `reserved` for new fields, for which zero is the default. If a field
 * that this release does not know is not zero, the call fails with PAGEMATE_INVALID_INPUT.
 */
typedef struct {
    /**
     * The length in bytes, rounded up to whole pages except over a file. An existing object keeps its
     * length. To create memory, the length must not be 0. Over a file, 0 stands for the length of the
     * file, and a greater length extends the file.
     */
    uint64_t len;
    /**
     * The least length in bytes of the section, created or opened. A shorter one is PAGEMATE_OUT_OF_RANGE.
     */
    uint64_t min_len;
    /**
     * Access of the new handle. The default is PAGEMATE_ACCESS_READ_WRITE. When an existing object is
     * opened, all fields other than this and `min_len` are ignored.
     */
    pagemate_access access;
    /**
     * The upper limit for the access of views of a new object.
     */
    pagemate_protection protection;
    /**
     * The users who may open a new object. For users other than the owner it needs a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * The access of those other users. The default is PAGEMATE_ACCESS_READ.
     */
    pagemate_access sharing_access;
    /**
     * 0, or any of PAGEMATE_SPARSE, PAGEMATE_HUGE_PAGES and PAGEMATE_OVER_FILE.
     */
    uint32_t flags;
    /**
     * With PAGEMATE_OVER_FILE, an open file: a descriptor, on Windows a `HANDLE`. Otherwise 0.
     */
    intptr_t file;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_section_options;

/**
 * Options to map a section. NULL and a zeroed struct, `{0}`, map the whole section with the access of
 * the handle. Later releases add fields as for pagemate_section_options.
 */
typedef struct {
    /**
     * The offset of the view in the section, in bytes. It need not be aligned.
     */
    uint64_t offset;
    /**
     * The length of the view in bytes; 0 stands for all bytes up to the section's end.
     */
    uint64_t len;
    /**
     * Access of the view. The default is the access of the handle, as far as the protection of the
     * object allows.
     */
    pagemate_access access;
    /**
     * 0, or any of PAGEMATE_PREFAULT and PAGEMATE_HUGE_PAGES.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_view_options;

/**
 * Options to create a mutex. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases add
 * fields as for pagemate_section_options.
 */
typedef struct {
    /**
     * The users who may open a new mutex. For users other than the owner it needs a `Global\` name. Each
     * of them can hold the mutex for any length of time.
     */
    pagemate_sharing sharing;
    /**
     * 0 or PAGEMATE_LOCKED.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_mutex_options;

/**
 * Options to create an event. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases add
 * fields as for pagemate_section_options.
 */
typedef struct {
    /**
     * The users who may open a new event. For users other than the owner it needs a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * The way a new event is reset.
     */
    pagemate_reset reset;
    /**
     * 0 or PAGEMATE_SIGNALED.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_event_options;

/**
 * Options to create a semaphore. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases
 * add fields as for pagemate_section_options.
 */
typedef struct {
    /**
     * The users who may open a new semaphore. For users other than the owner it needs a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * The initial count.
     */
    uint32_t count;
    /**
     * The maximum count: at most 2,147,483,647. 0 means 2,147,483,647.
     */
    uint32_t max;
    /**
     * Must be 0.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_semaphore_options;

/**
 * An object or an endpoint of a channel to wait for. Exactly one of the pointers is set; all other fields are
 * NULL. Later releases use `reserved` for new fields.
 */
typedef struct {
    /**
     * A mutex: waits until no thread owns it, and locks it.
     */
    const pagemate_mutex *mutex;
    /**
     * An event: waits until it is set, and resets it if it is reset automatically.
     */
    const pagemate_event *event;
    /**
     * A semaphore: waits until its count is greater than 0, and decrements it.
     */
    const pagemate_semaphore *semaphore;
    /**
     * A receiver, for pagemate_wait_any() only: waits until there is a message, and takes none. Another receiver may
     * take the message before pagemate_receiver_try_recv().
     */
    const pagemate_receiver *receiver;
    /**
     * A sender, for pagemate_wait_any() only: waits until there is room for a message.
     */
    const pagemate_sender *sender;
    /**
     * A reader of a watch channel, for pagemate_wait_any() only: waits until there is a newer value.
     */
    const pagemate_watch_reader *watch_reader;
    /**
     * Must be NULL.
     */
    const void *reserved;
} pagemate_waitable;

/**
 * The layout of a type, on which all programs that share a value have to agree.
 *
 * The functions below compute it as Rust's `#[derive(Shareable)]` and the PAGEMATE_SHAREABLE of
 * pagemate.hpp do, so that programs in these languages can open the value. Programs in C alone may
 * choose any number as the fingerprint.
 *
 * ```c
 * #include <stddef.h>
 *
 * typedef struct {
 *     double position[3];
 *     uint32_t frame, spare;
 * } pose;
 *
 * pagemate_layout number, position, frame, layout;
 * pagemate_layout_number("f64", &number);
 * pagemate_layout_array(&number, 3, &position);
 * pagemate_layout_number("u32", &frame);
 * const pagemate_field fields[] = {
 *     {"position", offsetof(pose, position), position},
 *     {"frame", offsetof(pose, frame), frame},
 *     {"spare", offsetof(pose, spare), frame},
 * };
 * if (pagemate_layout_struct(fields, 3, sizeof(pose), sizeof(double), &layout) == PAGEMATE_OK) {
 *     printf("%zu bytes\n", layout.len);
 * }
 * ```
 */
typedef struct {
    /**
     * The fingerprint, as `docs/layout.md` defines it.
     */
    uint64_t fingerprint;
    /**
     * The length in bytes: `sizeof`.
     */
    size_t len;
    /**
     * The alignment in bytes: a power of two, at most 64.
     */
    size_t align;
} pagemate_layout;

/**
 * A field of a struct, for pagemate_layout_struct().
 */
typedef struct {
    /**
     * The name, UTF-8. Underscores at its beginning and its end do not count.
     */
    const char *name;
    /**
     * The offset in the struct, in bytes: `offsetof`.
     */
    size_t offset;
    /**
     * The layout of the type.
     */
    pagemate_layout layout;
} pagemate_field;

/**
 * A function that stores the initial values. It gets the memory as zeros, by a handle that is valid until it
 * returns, and the `context` of the call that opens the memory. If it returns another status than
 * PAGEMATE_OK, that call fails with it. It must return: no exception and no longjmp() may leave it.
 */
typedef pagemate_status (*pagemate_initialise)(const pagemate_shared *shared, void *context);

/**
 * A function that changes a copy of a value, and gets the `context` of the call that writes it. If it returns
 * another status than PAGEMATE_OK, nothing is written, and that call fails with it. It must return: no
 * exception and no longjmp() may leave it.
 */
typedef pagemate_status (*pagemate_change)(void *value, void *context);

/**
 * Options to create or open an endpoint of a channel. NULL and a zeroed struct, `{0}`, stand for the
 * defaults. Later releases add fields as for pagemate_section_options.
 */
typedef struct {
    /**
     * The kind of the channel. To open a channel of another kind is PAGEMATE_WRONG_KIND.
     */
    pagemate_channel_kind kind;
    /**
     * The users who may open a new channel. For users other than the owner it needs a `Global\` name.
     */
    pagemate_sharing sharing;
    /**
     * The way in which this endpoint waits.
     */
    pagemate_waiting waiting;
    /**
     * 0, or any of PAGEMATE_AWAIT_SUCCESSOR, PAGEMATE_ANY_MESSAGE_TYPE, PAGEMATE_LOSSY and PAGEMATE_TAKE_OVER.
     */
    uint32_t flags;
    /**
     * The least number of messages that a new channel has room for. It is rounded up to a power of two. 0
     * stands for 1,024. An existing channel keeps its capacity.
     */
    uint64_t capacity;
    /**
     * The maximum length in bytes of the messages of a new channel of bytes. 0 stands for 4,096. Each
     * slot has this length, and the creation of the channel reserves the memory of all slots.
     */
    uint64_t max_len;
    /**
     * The number of receivers that a new channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST can have at one time:
     * 1 to 64. 0 stands for 16. Other kinds ignore it.
     */
    uint64_t receivers;
    /**
     * The layout of the type of the messages. All zero stands for bytes: messages of different lengths, up to the
     * maximum length. Otherwise each message is one value of the type, as in a channel with messages of that type
     * in Rust and C++. To open a channel with another type is PAGEMATE_WRONG_KIND.
     */
    pagemate_layout message;
    /**
     * Must be 0.
     */
    uint64_t reserved[4];
} pagemate_channel_options;

/**
 * The state of a sync object at the time of the listing. Fields that do not apply to its kind are 0.
 *
 * Later releases may add fields at the end, so do not copy the struct or rely on its size.
 */
typedef struct {
    /**
     * Of a mutex: the pid of the owner, in the owner's pid namespace; 0 if no thread owns it.
     */
    uint32_t owner;
    /**
     * Of a mutex: whether the next lock will report that it was abandoned.
     */
    bool abandoned;
    /**
     * Of an event: whether it is set.
     */
    bool signaled;
    /**
     * Of an event: the way it is reset.
     */
    pagemate_reset reset;
    /**
     * Of a semaphore: the count.
     */
    uint32_t count;
    /**
     * Of a semaphore: the maximum count.
     */
    uint32_t max;
    /**
     * The approximate number of waiting threads, which may include killed ones; -1 if it is not known, as
     * on Windows.
     */
    int64_t waiting;
} pagemate_state;

/**
 * A live object.
 *
 * Later releases may add fields at the end, so do not copy the struct or rely on its size. Everything that
 * it points to belongs to the inventory.
 */
typedef struct {
    /**
     * The name, UTF-8.
     */
    const char *name;
    /**
     * The length in bytes.
     */
    uint64_t len;
    /**
     * The kind.
     */
    pagemate_kind kind;
    /**
     * The upper limit for the access of views. On Windows only a user who may write to the section
     * can query it; for other users it is PAGEMATE_PROTECTION_READ_WRITE.
     */
    pagemate_protection protection;
    /**
     * The other users who may open the object.
     */
    pagemate_sharing sharing;
    /**
     * The access of those users; PAGEMATE_ACCESS_DEFAULT if there are none.
     */
    pagemate_access sharing_access;
    /**
     * The time of creation, in nanoseconds since 1970; 0 if it is not known, as on Windows.
     */
    uint64_t created;
    /**
     * The pid of the creator, in the creator's pid namespace; 0 if it is not known, as on Windows.
     */
    uint32_t creator;
    /**
     * The uid of the owner; -1 on Windows, which has no uids.
     */
    int64_t owner;
    /**
     * The pids of the holders that this user may inspect: without privilege only holders of the
     * same user, and on macOS and Windows none.
     */
    const uint32_t *holders;
    /**
     * The number of holders.
     */
    size_t holder_count;
    /**
     * The path of the file whose bytes the section shares, as its creator recorded it; NULL if there is
     * none, and on Windows.
     */
    const char *file;
    /**
     * The state of a sync object; NULL for a section, and if it is not known.
     */
    const pagemate_state *state;
} pagemate_entry;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Returns the system's error code (errno, on Windows GetLastError()) of the last call that failed in the
 * calling thread; 0 if the failure did not come from the system. Thread-safe.
 */
int32_t pagemate_last_os_error(void);

/**
 * Returns the reason why the last failed call of the calling thread failed. It is a sentence that
 * names the object: `open section "frames": no process holds it`. Thread-safe.
 *
 * The text is UTF-8, never NULL, and empty before the first failure. It belongs to the thread and is valid
 * until the next failure in this thread or the end of the thread.
 */
const char *pagemate_last_error_message(void);

/**
 * Returns the name of a status: `"PAGEMATE_NOT_FOUND"`. The text is static and never NULL. Thread-safe.
 */
const char *pagemate_status_name(pagemate_status status);

/**
 * Returns the meaning of a status in a few words: `"no process holds it"`. The text is static and never
 * NULL. Thread-safe. pagemate_last_error_message() has the details.
 */
const char *pagemate_status_describe(pagemate_status status);

/**
 * Returns the version of the loaded library; PAGEMATE_VERSION is the version of this header. The text is
 * static and never NULL. Thread-safe.
 */
const char *pagemate_version(void);

/**
 * Creates the section `name`. Fails if a process holds an object of this name.
 *
 * All memory is reserved during this call, so that no later access fails for lack of memory,
 * except with PAGEMATE_SPARSE. If the process is killed during the call, the name is free again.
 * Thread-safe.
 *
 * @param name     The name, UTF-8, at most 1,024 UTF-16 units. `x` and `Local\x` are the same object,
 *                 which is this user's; on Windows, this logon session's. `Global\x` is the machine's.
 *                 No other backslash is valid.
 * @param options  The section to create. NULL fails, because it has no length.
 * @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                 failure.
 * @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name. PAGEMATE_NO_SPACE: there is
 *         not enough memory; pagemate_last_error_message() has the numbers. PAGEMATE_INVALID_INPUT: the length is 0, or the
 *         options contradict each other. PAGEMATE_INVALID_NAME. PAGEMATE_WRONG_KIND: the name is `Local`,
 *         `Global` or `Session`, which are reserved. PAGEMATE_TIMED_OUT: another process kept the name
 *         busy for two seconds. PAGEMATE_PERMISSION_DENIED: the descriptor in `options->file` is not
 *         open for the requested access, or the user may not create the name. PAGEMATE_OUT_OF_RANGE: a
 *         read-only section is longer than the file in `options->file`.
 */
pagemate_status pagemate_section_create_new(const char *name,
                                            const pagemate_section_options *options,
                                            pagemate_section **section);

/**
 * Opens the section `name` if a process holds it, and creates it otherwise.
 *
 * pagemate_section_was_created() returns whether this call created it. Of several processes that call this
 * at the same time, exactly one creates the section. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The section to create. An existing section keeps its length, protection and sharing.
 * @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                 failure.
 * @return As for pagemate_section_create_new() and pagemate_section_open(), except
 *         PAGEMATE_ALREADY_EXISTS and PAGEMATE_NOT_FOUND.
 */
pagemate_status pagemate_section_open_or_create(const char *name,
                                                const pagemate_section_options *options,
                                                pagemate_section **section);

/**
 * Opens the section `name`. Fails if no process holds it.
 *
 * The handle has the length that the section was created with. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The access of the handle. NULL stands for reading and writing.
 * @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                 failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: another user owns it and
 *         does not share it. PAGEMATE_WRONG_KIND: the name belongs to an object of another kind.
 *         PAGEMATE_WRONG_VERSION: an incompatible release created it. PAGEMATE_CORRUPTED: its file is
 *         damaged, or the file whose bytes it shares was moved or replaced. PAGEMATE_INVALID_NAME.
 *         PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
 */
pagemate_status pagemate_section_open(const char *name,
                                      const pagemate_section_options *options,
                                      pagemate_section **section);

/**
 * Opens the section `name` like pagemate_section_open(), and blocks until a process creates it or the
 * timeout expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param options      As for pagemate_section_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param section      Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_section_open().
 */
pagemate_status pagemate_section_open_within(const char *name,
                                             const pagemate_section_options *options,
                                             uint64_t nanoseconds,
                                             pagemate_section **section);

/**
 * Creates a section without a name, which other processes receive as a descriptor or a handle.
 *
 * The memory is freed with the last handle, descriptor or view of any process. Thread-safe.
 *
 * @param options  The section to create. NULL fails, because it has no length.
 * @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                 failure.
 * @return As for pagemate_section_create_new(), except those about names.
 */
pagemate_status pagemate_section_create_unnamed(const pagemate_section_options *options,
                                                pagemate_section **section);

/**
 * Creates another handle to the same section, which exists until both are closed. Thread-safe.
 *
 * @param section  The existing handle.
 * @param clone    Receives the new handle, which the caller closes by pagemate_section_close(); NULL on
 *                 failure.
 * @return PAGEMATE_OS: the process has no descriptor left.
 */
pagemate_status pagemate_section_clone(const pagemate_section *section,
                                       pagemate_section **clone);

/**
 * Closes a handle. Its views stay valid, and hold the name as well.
 *
 * No thread may use the handle during or after the call. The call always succeeds. NULL is
 * ignored, as by free().
 */
pagemate_status pagemate_section_close(pagemate_section *section);

/**
 * Returns the length in bytes. For memory it is the requested length, rounded up to whole pages;
 * over a file it is the requested length. Thread-safe.
 */
pagemate_status pagemate_section_len(const pagemate_section *section, uint64_t *len);

/**
 * Checks that the section still has its name. Mapping it checks that too. Thread-safe.
 *
 * @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
 *         section. On Windows no program can do that.
 */
pagemate_status pagemate_section_check_name(const pagemate_section *section);

/**
 * Returns the length that the creator requested, in bytes, before it was rounded up to whole
 * pages. Thread-safe.
 *
 * On Windows only the handle that created the section stores it; other handles return
 * pagemate_section_len().
 */
pagemate_status pagemate_section_requested_len(const pagemate_section *section, uint64_t *len);

/**
 * Returns whether this handle created the section rather than opened it. Thread-safe.
 */
pagemate_status pagemate_section_was_created(const pagemate_section *section, bool *created);

/**
 * Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
 *
 * The text belongs to the handle and is valid until the handle is closed.
 */
pagemate_status pagemate_section_name(const pagemate_section *section, const char **name);

/**
 * Returns the access of this handle. Thread-safe.
 */
pagemate_status pagemate_section_access(const pagemate_section *section, pagemate_access *access);

/**
 * Returns the upper limit for the access of views of the section. Thread-safe.
 *
 * On Windows a read-only handle that opened the section cannot query it; the result is then
 * PAGEMATE_PROTECTION_READ_WRITE.
 */
pagemate_status pagemate_section_protection(const pagemate_section *section,
                                            pagemate_protection *protection);

/**
 * Maps a section or a range of it. Thread-safe.
 *
 * @param section  The section.
 * @param options  The range and the access. NULL maps the whole section with the access of the handle.
 * @param view     Receives the view, which the caller unmaps by pagemate_view_unmap(); NULL on failure.
 * @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the section. PAGEMATE_INVALID_INPUT:
 *         the range is empty, or an option is not valid. PAGEMATE_PERMISSION_DENIED: the handle or the
 *         section's protection does not allow the access. PAGEMATE_OS: the address space is full.
 *         PAGEMATE_ORPHANED: another program removed the section's name.
 */
pagemate_status pagemate_section_map(const pagemate_section *section,
                                     const pagemate_view_options *options,
                                     pagemate_view **view);

/**
 * Unmaps a view. Pointers into it are no longer valid.
 *
 * No thread may use the view during or after the call. The call always succeeds. NULL is ignored,
 * as by free().
 */
pagemate_status pagemate_view_unmap(pagemate_view *view);

/**
 * Returns the address of the view: pagemate_view_len() bytes, valid until the view is unmapped.
 * Thread-safe.
 *
 * Other processes may write any of the bytes at any time, so an ordinary access through the
 * pointer is a data race: the compiler may read a value twice, and two bytes may come from
 * different writes. Use lock-free atomics of the language, always with the same size for the same
 * bytes; or pagemate_view_read_at() and pagemate_view_write_at(); or make sure, for example by a
 * mutex, that no process writes at the same time. Writing to a view that is not writable ends the
 * process with SIGSEGV.
 *
 * The address differs from process to process: store offsets in shared memory, never pointers.
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
pagemate_status pagemate_view_pointer(const pagemate_view *view, void **pointer);

/**
 * Returns the length of the view in bytes. Thread-safe.
 */
pagemate_status pagemate_view_len(const pagemate_view *view, size_t *len);

/**
 * Returns whether the view is writable. Thread-safe.
 */
pagemate_status pagemate_view_is_writable(const pagemate_view *view, bool *writable);

/**
 * Copies bytes out of the view. Thread-safe.
 *
 * If other threads or processes write at the same time, each byte is one that was written, but the bytes
 * may come from different writes.
 *
 * @param view    The source.
 * @param offset  The first byte to copy: an offset in the view, in bytes.
 * @param bytes   The destination, which nothing else accesses during the call. NULL only if `len` is 0.
 * @param len     The number of bytes.
 * @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the view; nothing was copied.
 */
pagemate_status pagemate_view_read_at(const pagemate_view *view,
                                      size_t offset,
                                      void *bytes,
                                      size_t len);

/**
 * Copies bytes into the view. Thread-safe.
 *
 * If the process is killed during the call, some of the bytes may have been written.
 *
 * @param view    The destination.
 * @param offset  The first byte to write: an offset in the view, in bytes.
 * @param bytes   The source, which nothing writes to during the call. NULL only if `len` is 0.
 * @param len     The number of bytes.
 * @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the view; nothing was copied.
 *         PAGEMATE_PERMISSION_DENIED: the view is read-only.
 */
pagemate_status pagemate_view_write_at(const pagemate_view *view,
                                       size_t offset,
                                       const void *bytes,
                                       size_t len);

/**
 * Writes changed pages back to the file of the section, and waits until they are stored. Thread-safe.
 *
 * Views of the same section need no flush to see each other's bytes. On Windows the call waits
 * only if this handle created the section over its file; for a section that was opened, it only
 * starts the writing.
 *
 * @return PAGEMATE_OS: the file system reported an error.
 */
pagemate_status pagemate_view_flush(const pagemate_view *view);

/**
 * Creates the mutex `name`. Fails if a process holds an object of this name.
 *
 * Sections, mutexes, events and semaphores share one space of names. If the process is killed during the
 * call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The mutex to create. NULL stands for an unlocked one of the owner alone.
 * @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name, of any kind.
 *         PAGEMATE_INVALID_NAME. PAGEMATE_NO_SPACE. PAGEMATE_PERMISSION_DENIED: the user may not create the
 *         name. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
 *         PAGEMATE_UNSUPPORTED: PAGEMATE_LOCKED on macOS.
 */
pagemate_status pagemate_mutex_create_new(const char *name,
                                          const pagemate_mutex_options *options,
                                          pagemate_mutex **mutex);

/**
 * Opens the mutex `name` if a process holds it, and creates it otherwise.
 *
 * pagemate_mutex_was_created() returns whether this call created it. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The mutex to create. An existing mutex stays as it is.
 * @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return As for pagemate_mutex_create_new() and pagemate_mutex_open(), except PAGEMATE_ALREADY_EXISTS and
 *         PAGEMATE_NOT_FOUND.
 */
pagemate_status pagemate_mutex_open_or_create(const char *name,
                                              const pagemate_mutex_options *options,
                                              pagemate_mutex **mutex);

/**
 * Opens the mutex `name`. Fails if no process holds a handle to it. Thread-safe.
 *
 * @param name   The name: see pagemate_section_create_new().
 * @param mutex  Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: another user owns it and
 *         does not share it. PAGEMATE_WRONG_KIND: the name belongs to an object of another kind.
 *         PAGEMATE_INVALID_NAME, PAGEMATE_WRONG_VERSION, PAGEMATE_CORRUPTED and PAGEMATE_TIMED_OUT as for
 *         pagemate_section_open().
 */
pagemate_status pagemate_mutex_open(const char *name,
                                    pagemate_mutex **mutex);

/**
 * Opens the mutex `name` like pagemate_mutex_open(), and blocks until a process creates it or the timeout
 * expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param mutex        Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_mutex_open().
 */
pagemate_status pagemate_mutex_open_within(const char *name,
                                           uint64_t nanoseconds,
                                           pagemate_mutex **mutex);

/**
 * Creates a mutex without a name, which other processes receive as a descriptor or a handle. Thread-safe.
 *
 * @param options  The mutex to create. NULL stands for an unlocked one.
 * @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return As for pagemate_mutex_create_new(), except those about names.
 */
pagemate_status pagemate_mutex_create_unnamed(const pagemate_mutex_options *options,
                                              pagemate_mutex **mutex);

/**
 * Closes a handle. If a thread owns the mutex through this handle, the mutex is abandoned.
 *
 * No thread may use the handle during or after the call. The call always succeeds. NULL is
 * ignored, as by free().
 */
pagemate_status pagemate_mutex_close(pagemate_mutex *mutex);

/**
 * Blocks until the calling thread acquires the mutex. Thread-safe.
 *
 * @param mutex      The mutex.
 * @param abandoned  Receives whether the last owner, a thread or its process, ended without unlocking the
 *                   mutex. The caller owns the mutex in this case too, and the protected data may be
 *                   inconsistent. Unlocking the mutex clears this state.
 * @return PAGEMATE_INVALID_INPUT: the calling thread owns it already, through this handle.
 *         PAGEMATE_ORPHANED: another program removed the mutex's name; the first lock of a handle and each
 *         lock that has to wait check this. PAGEMATE_OS: the system refused to wait.
 */
pagemate_status pagemate_mutex_lock(const pagemate_mutex *mutex,
                                    bool *abandoned);

/**
 * Acquires the mutex if no thread owns it, without blocking. Thread-safe.
 *
 * @param mutex      The mutex.
 * @param abandoned  As for pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: another thread owns it. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_mutex_try_lock(const pagemate_mutex *mutex, bool *abandoned);

/**
 * Blocks until the calling thread acquires the mutex or the timeout expires. Thread-safe.
 *
 * @param mutex        The mutex.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param abandoned    As for pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_mutex_try_lock_for(const pagemate_mutex *mutex,
                                            uint64_t nanoseconds,
                                            bool *abandoned);

/**
 * Releases a mutex that the calling thread owns through this handle. Thread-safe.
 *
 * @return PAGEMATE_NOT_OWNER: the thread does not own it through this handle.
 */
pagemate_status pagemate_mutex_unlock(const pagemate_mutex *mutex);

/**
 * Returns whether the calling thread owns the mutex through this handle. Thread-safe.
 */
pagemate_status pagemate_mutex_is_mine(const pagemate_mutex *mutex, bool *mine);

/**
 * Checks that the mutex still has its name. The first lock by a handle, and every lock that
 * has to wait, checks that too. Thread-safe.
 *
 * @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
 *         mutex. On Windows no program can do that.
 */
pagemate_status pagemate_mutex_check_name(const pagemate_mutex *mutex);

/**
 * Returns whether this handle created the mutex rather than opened it. Thread-safe.
 */
pagemate_status pagemate_mutex_was_created(const pagemate_mutex *mutex, bool *created);

/**
 * Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
 *
 * The text belongs to the handle and is valid until the handle is closed.
 */
pagemate_status pagemate_mutex_name(const pagemate_mutex *mutex, const char **name);

/**
 * Creates the event `name`. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The event to create. NULL stands for one of the owner alone that is reset automatically
 *                 and is not set.
 * @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
 * @return As for pagemate_mutex_create_new().
 */
pagemate_status pagemate_event_create_new(const char *name,
                                          const pagemate_event_options *options,
                                          pagemate_event **event);

/**
 * Opens the event `name` if a process holds it, and creates it otherwise.
 *
 * pagemate_event_was_created() returns whether this call created it. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The event to create. An existing event stays as it is.
 * @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
 * @return As for pagemate_mutex_open_or_create().
 */
pagemate_status pagemate_event_open_or_create(const char *name,
                                              const pagemate_event_options *options,
                                              pagemate_event **event);

/**
 * Opens the event `name`. Fails if no process holds it. Thread-safe.
 *
 * @param name   The name: see pagemate_section_create_new().
 * @param event  Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
 * @return As for pagemate_mutex_open().
 */
pagemate_status pagemate_event_open(const char *name,
                                    pagemate_event **event);

/**
 * Opens the event `name` like pagemate_event_open(), and blocks until a process creates it or the timeout
 * expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param event        Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_event_open().
 */
pagemate_status pagemate_event_open_within(const char *name,
                                           uint64_t nanoseconds,
                                           pagemate_event **event);

/**
 * Creates an event without a name, which other processes receive as a descriptor or a handle. Thread-safe.
 *
 * @param options  The event to create. NULL stands for one that is reset automatically and is not set.
 * @param event    Receives the handle, which the caller closes by pagemate_event_close(); NULL on failure.
 * @return As for pagemate_mutex_create_new(), except those about names.
 */
pagemate_status pagemate_event_create_unnamed(const pagemate_event_options *options,
                                              pagemate_event **event);

/**
 * Closes a handle. If it is the last one of all processes, the name ends.
 *
 * No thread may use the handle during or after the call. The call always succeeds. NULL is
 * ignored, as by free().
 */
pagemate_status pagemate_event_close(pagemate_event *event);

/**
 * Sets the event. Thread-safe.
 *
 * With PAGEMATE_RESET_MANUAL all waiters continue, and later ones do not block, until the event is reset.
 * With PAGEMATE_RESET_AUTO each call releases one thread that waits at that moment. If no thread waits, the
 * event stays set until the next one does, and setting it again before that has no effect.
 */
pagemate_status pagemate_event_set(const pagemate_event *event);

/**
 * Resets the event: later waiters block. Thread-safe.
 */
pagemate_status pagemate_event_reset(const pagemate_event *event);

/**
 * Wakes the current waiters, all of them or one as for pagemate_event_set(), and leaves the event not set.
 * Thread-safe.
 *
 * A thread that is about to wait, but has not begun, misses the pulse. Use it only where that is harmless.
 */
pagemate_status pagemate_event_pulse(const pagemate_event *event);

/**
 * Blocks until the event is set. Thread-safe.
 *
 * @return PAGEMATE_ORPHANED: another program removed the event's name; a wait that has to sleep checks this.
 *         PAGEMATE_OS: the system refused to wait.
 */
pagemate_status pagemate_event_wait(const pagemate_event *event);

/**
 * Blocks until the event is set or the timeout expires. Thread-safe.
 *
 * @param event        The event.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_event_wait().
 */
pagemate_status pagemate_event_wait_for(const pagemate_event *event,
                                        uint64_t nanoseconds);

/**
 * Checks that the event still has its name. A wait that has to sleep checks that too. Thread-safe.
 *
 * @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
 *         event. On Windows no program can do that.
 */
pagemate_status pagemate_event_check_name(const pagemate_event *event);

/**
 * Returns whether this handle created the object rather than opened it. Thread-safe.
 */
pagemate_status pagemate_event_was_created(const pagemate_event *event, bool *created);

/**
 * Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
 *
 * The text belongs to the handle and is valid until the handle is closed.
 */
pagemate_status pagemate_event_name(const pagemate_event *event, const char **name);

/**
 * Creates the semaphore `name`. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name       The name: see pagemate_section_create_new().
 * @param options    The semaphore to create. NULL stands for one of the owner alone with the count 0 and
 *                   the maximum 2,147,483,647.
 * @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
 *                   failure.
 * @return As for pagemate_mutex_create_new(), and PAGEMATE_INVALID_INPUT if the count or the maximum is not
 *         valid.
 */
pagemate_status pagemate_semaphore_create_new(const char *name,
                                              const pagemate_semaphore_options *options,
                                              pagemate_semaphore **semaphore);

/**
 * Opens the semaphore `name` if a process holds it, and creates it otherwise.
 *
 * pagemate_semaphore_was_created() returns whether this call created it. Thread-safe.
 *
 * @param name       The name: see pagemate_section_create_new().
 * @param options    The semaphore to create. An existing semaphore stays as it is.
 * @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
 *                   failure.
 * @return As for pagemate_mutex_open_or_create(), and PAGEMATE_INVALID_INPUT if the count or the maximum is
 *         not valid.
 */
pagemate_status pagemate_semaphore_open_or_create(const char *name,
                                                  const pagemate_semaphore_options *options,
                                                  pagemate_semaphore **semaphore);

/**
 * Opens the semaphore `name`. Fails if no process holds it. Thread-safe.
 *
 * @param name       The name: see pagemate_section_create_new().
 * @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
 *                   failure.
 * @return As for pagemate_mutex_open().
 */
pagemate_status pagemate_semaphore_open(const char *name,
                                        pagemate_semaphore **semaphore);

/**
 * Opens the semaphore `name` like pagemate_semaphore_open(), and blocks until a process creates it or the timeout
 * expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param semaphore    Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_semaphore_open().
 */
pagemate_status pagemate_semaphore_open_within(const char *name,
                                               uint64_t nanoseconds,
                                               pagemate_semaphore **semaphore);

/**
 * Creates a semaphore without a name, which other processes receive as a descriptor or a handle.
 * Thread-safe.
 *
 * @param options    The semaphore to create.
 * @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
 *                   failure.
 * @return As for pagemate_semaphore_create_new(), except those about names.
 */
pagemate_status pagemate_semaphore_create_unnamed(const pagemate_semaphore_options *options,
                                                  pagemate_semaphore **semaphore);

/**
 * Closes a handle. If it is the last one of all processes, the name ends.
 *
 * No thread may use the handle during or after the call. The call always succeeds. NULL is
 * ignored, as by free().
 */
pagemate_status pagemate_semaphore_close(pagemate_semaphore *semaphore);

/**
 * Blocks until the count is greater than 0, and decrements it. Thread-safe.
 *
 * If the process dies afterwards, the count is not restored.
 *
 * @return PAGEMATE_ORPHANED: another program removed the semaphore's name; a wait that has to sleep checks
 *         this. PAGEMATE_OS: the system refused to wait.
 */
pagemate_status pagemate_semaphore_acquire(const pagemate_semaphore *semaphore);

/**
 * Decrements the count if it is greater than 0, without blocking. Thread-safe.
 *
 * @return PAGEMATE_TIMED_OUT: the count is 0. Otherwise as for pagemate_semaphore_acquire().
 */
pagemate_status pagemate_semaphore_try_acquire(const pagemate_semaphore *semaphore);

/**
 * Blocks until the count is greater than 0, and decrements it, or until the timeout expires.
 * Thread-safe.
 *
 * @param semaphore    The semaphore.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as
 *         pagemate_semaphore_acquire().
 */
pagemate_status pagemate_semaphore_try_acquire_for(const pagemate_semaphore *semaphore,
                                                   uint64_t nanoseconds);

/**
 * Adds to the count. Thread-safe.
 *
 * @param semaphore  The semaphore.
 * @param by         The number to add, at least 1.
 * @param before     Receives the count before the call. May be NULL.
 * @return PAGEMATE_OUT_OF_RANGE: the count would exceed the maximum; it did not change.
 *         PAGEMATE_INVALID_INPUT: `by` is 0.
 */
pagemate_status pagemate_semaphore_release(const pagemate_semaphore *semaphore,
                                           uint32_t by,
                                           uint32_t *before);

/**
 * Checks that the semaphore still has its name. A wait that has to sleep checks that too. Thread-safe.
 *
 * @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
 *         semaphore. On Windows no program can do that.
 */
pagemate_status pagemate_semaphore_check_name(const pagemate_semaphore *semaphore);

/**
 * Returns whether this handle created the object rather than opened it. Thread-safe.
 */
pagemate_status pagemate_semaphore_was_created(const pagemate_semaphore *semaphore, bool *created);

/**
 * Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
 *
 * The text belongs to the handle and is valid until the handle is closed.
 */
pagemate_status pagemate_semaphore_name(const pagemate_semaphore *semaphore, const char **name);

/**
 * Blocks until one of several objects is available, and acquires only that one. If several are
 * available, it acquires the first one in the list. Thread-safe.
 *
 * An endpoint of a channel is available too when a call with it would fail, for example because its peers have
 * ended. No other call with the endpoint is possible during the wait.
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
 *         puts("a job is ready");
 *     }
 * }
 * pagemate_semaphore_close(jobs);
 * pagemate_event_close(quit);
 * ```
 *
 * @param list       The objects.
 * @param count      The number of objects: 1 to 64.
 * @param index      Receives the index of the acquired object, from 0.
 * @param abandoned  Receives whether that object is a mutex that was abandoned: see pagemate_mutex_lock().
 * @return PAGEMATE_INVALID_INPUT: an object is in the list twice, or the calling thread owns one of the
 *         mutexes already. PAGEMATE_IN_USE: another thread is in a call with an endpoint, the endpoint has a loan
 *         or a sample, or it is in the list twice. PAGEMATE_ORPHANED: another program removed the name of one of the
 *         objects; a wait that has to sleep checks this.
 *         PAGEMATE_OS: the system refused to wait.
 */
pagemate_status pagemate_wait_any(const pagemate_waitable *list,
                                  size_t count,
                                  size_t *index,
                                  bool *abandoned);

/**
 * Blocks until one of several objects is available, and acquires it, or until the timeout expires.
 * Thread-safe.
 *
 * @param list         The objects.
 * @param count        The number of objects: 1 to 64.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @param index        Receives the index of the acquired object, from 0.
 * @param abandoned    Receives whether that object is a mutex that was abandoned: see
 *                     pagemate_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: the timeout expired; nothing was acquired. Otherwise as for pagemate_wait_any().
 */
pagemate_status pagemate_wait_any_for(const pagemate_waitable *list,
                                      size_t count,
                                      uint64_t nanoseconds,
                                      size_t *index,
                                      bool *abandoned);

/**
 * Blocks until all of several objects are available at the same time, and acquires all of them.
 * Thread-safe.
 *
 * On Unix the call may acquire some of the objects and release them again while another one is not
 * available. In that moment a call of another thread that does not block, such as
 * pagemate_mutex_try_lock(), may find them unavailable. If the process is killed in that moment,
 * the mutexes that it acquired are abandoned, and the signals and permits that it acquired are
 * lost.
 *
 * @param list       The objects.
 * @param count      The number of objects: 1 to 64.
 * @param abandoned  Receives a bit for each mutex that was abandoned, the lowest for the first object in
 *                   the list. See pagemate_mutex_lock().
 * @return As for pagemate_wait_any().
 */
pagemate_status pagemate_wait_all(const pagemate_waitable *list,
                                  size_t count,
                                  uint64_t *abandoned);

/**
 * Blocks until all of several objects are available at the same time, and acquires all of them, or until
 * the timeout expires. Thread-safe.
 *
 * @param list         The objects.
 * @param count        The number of objects: 1 to 64.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @param abandoned    As for pagemate_wait_all().
 * @return PAGEMATE_TIMED_OUT: the timeout expired; nothing was acquired. Otherwise as
 *         pagemate_wait_any().
 */
pagemate_status pagemate_wait_all_for(const pagemate_waitable *list,
                                      size_t count,
                                      uint64_t nanoseconds,
                                      uint64_t *abandoned);

/**
 * Opens a mutex in a section, or creates it in bytes that are all zero.
 *
 * The call blocks while another process creates the mutex. If that process dies, this call creates
 * the mutex. Thread-safe.
 *
 * @param section      The section.
 * @param offset       The offset of the mutex in the section, in bytes: a multiple of 8.
 * @param fingerprint  The number that identifies the type of the value.
 * @param initial      The initial value, which nothing writes to during the call.
 * @param len          The length of the value in bytes.
 * @param mutex        Receives the handle, which the caller closes by pagemate_shared_mutex_close(); NULL
 *                     on failure.
 * @return PAGEMATE_OUT_OF_RANGE: the mutex would extend past the end of the section.
 *         PAGEMATE_INVALID_INPUT: the offset is not a multiple of 8. PAGEMATE_PERMISSION_DENIED: the
 *         section is read-only. PAGEMATE_WRONG_KIND: the mutex protects a value of another length or
 *         fingerprint. PAGEMATE_CORRUPTED: the bytes are neither zero nor a mutex. PAGEMATE_UNSUPPORTED: on
 *         Unix, a section without a name over a file; on macOS, any section without a name.
 */
pagemate_status pagemate_shared_mutex_open_or_init(const pagemate_section *section,
                                                   uint64_t offset,
                                                   uint64_t fingerprint,
                                                   const void *initial,
                                                   size_t len,
                                                   pagemate_shared_mutex **mutex);

/**
 * Opens a mutex in a section. Thread-safe.
 *
 * @param section      The section.
 * @param offset       The offset of the mutex in the section, in bytes: a multiple of 8.
 * @param fingerprint  The number that identifies the type of the value.
 * @param len          The length of the value in bytes.
 * @param mutex        Receives the handle, which the caller closes by pagemate_shared_mutex_close(); NULL
 *                     on failure.
 * @return PAGEMATE_NOT_FOUND: no process has created it yet. Otherwise as for
 *         pagemate_shared_mutex_open_or_init().
 */
pagemate_status pagemate_shared_mutex_open(const pagemate_section *section,
                                           uint64_t offset,
                                           uint64_t fingerprint,
                                           size_t len,
                                           pagemate_shared_mutex **mutex);

/**
 * Closes a handle. If a thread owns the mutex through this handle, the mutex is abandoned.
 *
 * No thread may use the handle during or after the call. The call always succeeds. NULL is
 * ignored, as by free().
 */
pagemate_status pagemate_shared_mutex_close(pagemate_shared_mutex *mutex);

/**
 * Blocks until the calling thread acquires the mutex. Thread-safe.
 *
 * @param mutex      The mutex.
 * @param abandoned  Receives whether the last owner ended without unlocking the mutex, so that the value
 *                   may be inconsistent: see pagemate_mutex_lock().
 * @return As for pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_lock(const pagemate_shared_mutex *mutex,
                                           bool *abandoned);

/**
 * Acquires the mutex if no thread owns it, without blocking. Thread-safe.
 *
 * @param mutex      The mutex.
 * @param abandoned  As for pagemate_shared_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: another thread owns it. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_try_lock(const pagemate_shared_mutex *mutex, bool *abandoned);

/**
 * Blocks until the calling thread acquires the mutex or the timeout expires. Thread-safe.
 *
 * @param mutex        The mutex.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param abandoned    As for pagemate_shared_mutex_lock().
 * @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_shared_mutex_try_lock_for(const pagemate_shared_mutex *mutex,
                                                   uint64_t nanoseconds,
                                                   bool *abandoned);

/**
 * Releases a mutex that the calling thread owns through this handle. Thread-safe.
 *
 * @return PAGEMATE_NOT_OWNER: the thread does not own it through this handle.
 */
pagemate_status pagemate_shared_mutex_unlock(const pagemate_shared_mutex *mutex);

/**
 * Returns whether the calling thread owns the mutex through this handle. Thread-safe.
 */
pagemate_status pagemate_shared_mutex_is_mine(const pagemate_shared_mutex *mutex, bool *mine);

/**
 * Copies bytes out of the value of a mutex that the calling thread owns.
 *
 * @param mutex   The mutex.
 * @param offset  The first byte to copy: an offset in the value, in bytes.
 * @param bytes   The destination, which nothing else accesses during the call. NULL only if `len` is 0.
 * @param len     The number of bytes.
 * @return PAGEMATE_NOT_OWNER: the thread does not own the mutex through this handle.
 *         PAGEMATE_OUT_OF_RANGE: the range extends past the end of the value; nothing was copied.
 */
pagemate_status pagemate_shared_mutex_read_at(const pagemate_shared_mutex *mutex,
                                              size_t offset,
                                              void *bytes,
                                              size_t len);

/**
 * Copies bytes into the value of a mutex that the calling thread owns.
 *
 * If the process is killed during the call, only some of the bytes may be written, and the next lock reports
 * that the mutex was abandoned.
 *
 * @param mutex   The mutex.
 * @param offset  The first byte to write: an offset in the value, in bytes.
 * @param bytes   The source, which nothing writes to during the call. NULL only if `len` is 0.
 * @param len     The number of bytes.
 * @return PAGEMATE_NOT_OWNER: the thread does not own the mutex through this handle.
 *         PAGEMATE_OUT_OF_RANGE: the range extends past the end of the value; nothing was copied.
 */
pagemate_status pagemate_shared_mutex_write_at(const pagemate_shared_mutex *mutex,
                                               size_t offset,
                                               const void *bytes,
                                               size_t len);

/**
 * Computes the layout of a number. Thread-safe.
 *
 * @param name    The name in Rust: `u8`, `u16`, `u32`, `u64`, `u128`, `i8` and so on, `usize`, `isize`, `f32`
 *                or `f64`. An enum with a fixed type and a `char` are `u32` and `u8`, for example.
 * @param layout  Receives the layout.
 * @return PAGEMATE_INVALID_INPUT: no number has this name.
 */
pagemate_status pagemate_layout_number(const char *name,
                                       pagemate_layout *layout);

/**
 * Computes the layout of an array. Thread-safe.
 *
 * @param element  The layout of an element.
 * @param count    The number of elements.
 * @param layout   Receives the layout.
 */
pagemate_status pagemate_layout_array(const pagemate_layout *element,
                                      size_t count,
                                      pagemate_layout *layout);

/**
 * Computes the layout of an atomic number: `_Atomic uint32_t` is the AtomicU32 of Rust. Thread-safe.
 *
 * @param number  The layout of the number, of at most 64 bits.
 * @param layout  Receives the layout.
 * @return PAGEMATE_INVALID_INPUT: it is not a number of at most 64 bits.
 */
pagemate_status pagemate_layout_atomic(const pagemate_layout *number,
                                       pagemate_layout *layout);

/**
 * Computes the layout of a `Racy<T>` of Rust and C++: a value that may be read half-written, by
 * pagemate_racy_read(). Thread-safe.
 *
 * @param value   The layout of the value.
 * @param layout  Receives the layout.
 */
pagemate_status pagemate_layout_racy(const pagemate_layout *value, pagemate_layout *layout);

/**
 * Computes the layout of a `SeqLock<T>` of Rust and C++: a value that is never read half-written, by
 * pagemate_seqlock_read(). In C it is an array of `layout->len` bytes, aligned to `layout->align`.
 * Thread-safe.
 *
 * @param value   The layout of the value.
 * @param layout  Receives the layout.
 */
pagemate_status pagemate_layout_seqlock(const pagemate_layout *value,
                                        pagemate_layout *layout);

/**
 * Computes the layout of a struct. Thread-safe.
 *
 * @param fields  The fields, in the order of their offsets.
 * @param count   The number of fields.
 * @param len     The length of the struct in bytes: `sizeof`.
 * @param align   The alignment of the struct in bytes: `_Alignof`.
 * @param layout  Receives the layout.
 * @return PAGEMATE_INVALID_INPUT: a field does not begin where the one before it ends, or the last one does
 *         not end at the end of the struct: a field is missing, or the struct has padding, which has no
 *         value. The message names the field.
 */
pagemate_status pagemate_layout_struct(const pagemate_field *fields,
                                       size_t count,
                                       size_t len,
                                       size_t align,
                                       pagemate_layout *layout);

/**
 * Opens the typed memory `name` for reading and writing, and creates and initialises it if no process holds
 * it.
 *
 * New memory is private to the user, and has the length of the value and its header, rounded up to whole
 * pages. For other options create a section, and use pagemate_shared_open_or_init(). Blocks while another
 * process initialises the value. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param layout   The layout of the value.
 * @param init     Stores the initial values. NULL leaves zeros.
 * @param context  An argument for `init`.
 * @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
 * @return PAGEMATE_WRONG_KIND: it has a value of another layout; the message has both. PAGEMATE_OUT_OF_RANGE:
 *         the section exists and is too short. PAGEMATE_CORRUPTED: the section exists, and its bytes are
 *         something else. Otherwise as for pagemate_section_open_or_create(), and the status of `init`.
 */
pagemate_status pagemate_shared_open_or_create(const char *name,
                                               const pagemate_layout *layout,
                                               pagemate_initialise init,
                                               void *context,
                                               pagemate_shared **shared);

/**
 * Opens the typed memory `name`. Thread-safe.
 *
 * @param name    The name: see pagemate_section_create_new().
 * @param layout  The layout of the value.
 * @param access  The access. The default is PAGEMATE_ACCESS_READ_WRITE. With PAGEMATE_ACCESS_READ the kernel
 *                refuses writes.
 * @param shared  Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it, or the value is not initialised yet. Otherwise as for
 *         pagemate_section_open() and pagemate_shared_open_or_create().
 */
pagemate_status pagemate_shared_open(const char *name,
                                     const pagemate_layout *layout,
                                     pagemate_access access,
                                     pagemate_shared **shared);

/**
 * Opens the typed memory `name` like pagemate_shared_open(), and blocks until a process has created and
 * initialised it or the timeout expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param layout       The layout of the value.
 * @param access       As for pagemate_shared_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param shared       Receives the handle, which the caller closes by pagemate_shared_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created and initialised it in time. Otherwise as for
 *         pagemate_shared_open().
 */
pagemate_status pagemate_shared_open_within(const char *name,
                                            const pagemate_layout *layout,
                                            pagemate_access access,
                                            uint64_t nanoseconds,
                                            pagemate_shared **shared);

/**
 * Opens a value in a section, and initialises it if no process has. It occupies PAGEMATE_SHARED_HEADER_LEN
 * bytes and those of the value, which have to be zero at first. Thread-safe.
 *
 * @param section  The section.
 * @param offset   The offset in the section, in bytes: a multiple of 8 and of the alignment of the value.
 * @param layout   The layout of the value.
 * @param init     Stores the initial values. NULL leaves zeros.
 * @param context  An argument for `init`.
 * @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
 * @return PAGEMATE_OUT_OF_RANGE: the value would extend past the end of the section. PAGEMATE_INVALID_INPUT:
 *         the offset is not aligned. PAGEMATE_PERMISSION_DENIED: the section is read-only.
 *         PAGEMATE_WRONG_KIND and PAGEMATE_CORRUPTED: as for pagemate_shared_open_or_create().
 *         PAGEMATE_UNSUPPORTED: on Unix, a section without a name over a file; on macOS, any section without
 *         a name. The status of `init`.
 */
pagemate_status pagemate_shared_open_or_init(const pagemate_section *section,
                                             uint64_t offset,
                                             const pagemate_layout *layout,
                                             pagemate_initialise init,
                                             void *context,
                                             pagemate_shared **shared);

/**
 * Opens a value in a section. Thread-safe.
 *
 * @param section  The section.
 * @param offset   The offset in the section, in bytes, as for pagemate_shared_open_or_init().
 * @param layout   The layout of the value.
 * @param access   As for pagemate_shared_open().
 * @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: the value is not initialised yet. Otherwise as for
 *         pagemate_shared_open_or_init().
 */
pagemate_status pagemate_shared_open_in(const pagemate_section *section,
                                        uint64_t offset,
                                        const pagemate_layout *layout,
                                        pagemate_access access,
                                        pagemate_shared **shared);

/**
 * Creates another handle to the same value. Both share one view of it. Thread-safe.
 *
 * @param shared  The existing handle.
 * @param clone   Receives the new handle, which the caller closes by pagemate_shared_close(); NULL on failure.
 */
pagemate_status pagemate_shared_clone(const pagemate_shared *shared,
                                      pagemate_shared **clone);

/**
 * Closes a handle. Unless a clone or a writer of it exists, pointers to the value are no longer valid.
 *
 * No other thread may use the handle during the call, and nothing may use it later. It always succeeds.
 * NULL is ignored, as by free().
 */
pagemate_status pagemate_shared_close(pagemate_shared *shared);

/**
 * Returns the address of the value, valid until the handle is closed. The rules of pagemate_view_pointer()
 * apply. Thread-safe.
 */
pagemate_status pagemate_shared_value(const pagemate_shared *shared,
                                      void **value);

/**
 * Returns whether the value is mapped for writing. Thread-safe.
 */
pagemate_status pagemate_shared_is_writable(const pagemate_shared *shared, bool *writable);

/**
 * Returns whether the call that opened this handle initialised the value. Thread-safe.
 */
pagemate_status pagemate_shared_was_initialised(const pagemate_shared *shared, bool *initialised);

/**
 * Writes changes back to the file of the section: see pagemate_view_flush(). Thread-safe.
 *
 * @return PAGEMATE_OS: the file system reported an error.
 */
pagemate_status pagemate_shared_flush(const pagemate_shared *shared);

/**
 * Copies the current value out of a sequence-locked cell, a `SeqLock<T>` of Rust and C++. The copy is never
 * half-written. Readers take no lock and do not delay the writer. Thread-safe.
 *
 * The cell lies in a pagemate_shared or in another view, which may be mapped for reading, at a multiple of 8.
 * It has 64 bytes and two slots with the length of the value: pagemate_layout_seqlock(). It begins as zeros.
 *
 * @param cell   The cell.
 * @param value  The destination, which nothing else accesses during the call. NULL only if `len` is 0.
 * @param len    The length of the value in bytes, with which all programs use the cell.
 * @return PAGEMATE_INVALID_INPUT: the cell is not at a multiple of 8.
 */
pagemate_status pagemate_seqlock_read(const void *cell,
                                      void *value,
                                      size_t len);

/**
 * Opens a writer of a sequence-locked cell in typed memory. A program that writes often keeps its writer.
 * Thread-safe.
 *
 * Writers take turns. If a writer is killed at any step, the previous value stays, whole and readable, and
 * the next writer continues.
 *
 * @param shared  The memory that has the cell.
 * @param cell    The cell, in the value of `shared`: see pagemate_seqlock_read().
 * @param len     The length of the value in bytes.
 * @param writer  Receives the handle, which the caller closes by pagemate_seqlock_writer_close(); NULL on
 *                failure.
 * @return PAGEMATE_OUT_OF_RANGE: the cell does not lie in the memory. PAGEMATE_INVALID_INPUT: it is not at a
 *         multiple of 8. PAGEMATE_PERMISSION_DENIED: the memory is mapped for reading. PAGEMATE_UNSUPPORTED:
 *         as for pagemate_shared_open_or_init().
 */
pagemate_status pagemate_seqlock_writer_open(const pagemate_shared *shared,
                                             const void *cell,
                                             size_t len,
                                             pagemate_seqlock_writer **writer);

/**
 * Closes a handle.
 *
 * No other thread may use the handle during the call, and nothing may use it later. It always succeeds.
 * NULL is ignored, as by free().
 */
pagemate_status pagemate_seqlock_writer_close(pagemate_seqlock_writer *writer);

/**
 * Replaces a sequence-locked value, as soon as no other writer writes. Thread-safe.
 *
 * @param writer  The writer.
 * @param value   The new value, which nothing writes to during the call. NULL only if `len` is 0.
 * @param len     The length of the value in bytes, with which the writer was opened.
 * @return PAGEMATE_INVALID_INPUT: the length is another one. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_seqlock_writer_write(const pagemate_seqlock_writer *writer,
                                              const void *value,
                                              size_t len);

/**
 * Changes a sequence-locked value, as soon as no other writer writes, so that no change is lost. Thread-safe.
 *
 * @param writer   The writer.
 * @param change   Gets a copy of the value, and changes it. It must not write this value by a writer.
 * @param context  An argument for `change`.
 * @return The status of `change`. Otherwise as for pagemate_mutex_lock().
 */
pagemate_status pagemate_seqlock_writer_update(const pagemate_seqlock_writer *writer,
                                               pagemate_change change,
                                               void *context);

/**
 * Copies the value out of a cell that may be written at the same time: a `Racy<T>` of Rust and C++.
 * Thread-safe.
 *
 * Each byte of the copy is the old or the new one, in any combination, so something else orders the accesses,
 * such as an atomic position.
 *
 * @param cell   The cell, in a view that may be mapped for reading.
 * @param value  The destination, which nothing else accesses during the call. NULL only if `len` is 0.
 * @param len    The length of the value in bytes.
 */
pagemate_status pagemate_racy_read(const void *cell,
                                   void *value,
                                   size_t len);

/**
 * Copies a value into a cell that may be read at the same time: see pagemate_racy_read(). Thread-safe.
 *
 * A process that is killed during the call leaves a part of the value.
 *
 * @param cell   The cell, in a view that is mapped for writing.
 * @param value  The new value, which nothing writes to during the call. NULL only if `len` is 0.
 * @param len    The length of the value in bytes.
 */
pagemate_status pagemate_racy_write(void *cell,
                                    const void *value,
                                    size_t len);

/**
 * Blocks while a word of shared memory has this value. Thread-safe.
 *
 * A thread of any process that changes the word calls pagemate_word_wake_one() or
 * pagemate_word_wake_all() afterwards. If it is killed before that, the waiters notice the change within
 * half a second. The word may lie in a view that is mapped for reading.
 *
 * On Linux a waiter sleeps in futex(2), on macOS in os_sync_wait_on_address(3). On Windows it polls, with
 * pauses of up to 16 milliseconds; use a pagemate_event where that is too slow.
 *
 * ```c
 * #include <stdatomic.h>
 *
 * pagemate_section_options options = {.len = 4096};
 * pagemate_section *section = NULL;
 * pagemate_view *view = NULL;
 * void *memory = NULL;
 * if (pagemate_section_open_or_create("frames", &options, &section) == PAGEMATE_OK &&
 *     pagemate_section_map(section, NULL, &view) == PAGEMATE_OK &&
 *     pagemate_view_pointer(view, &memory) == PAGEMATE_OK) {
 *     _Atomic uint32_t *frame = memory;
 *     atomic_fetch_add(frame, 1);
 *     pagemate_word_wake_all(frame);
 *     uint32_t seen = 0;
 *     pagemate_word_wait_while(frame, 0, &seen);
 *     printf("frame %u\n", (unsigned)seen);
 * }
 * pagemate_view_unmap(view);
 * pagemate_section_close(section);
 * ```
 *
 * @param word   An atomic number of 32 bits in shared memory, at a multiple of 4: `_Atomic uint32_t *`. The
 *               program and all others access it only by atomics of 32 bits.
 * @param value  The value during which the call blocks.
 * @param seen   Receives the first other value, which the call loaded with acquire order. NULL if it is not
 *               needed.
 * @return PAGEMATE_INVALID_INPUT: `word` is not at a multiple of 4.
 */
pagemate_status pagemate_word_wait_while(const void *word,
                                         uint32_t value,
                                         uint32_t *seen);

/**
 * Blocks while a word of shared memory has this value, or until the timeout expires. Thread-safe.
 *
 * @param word         As for pagemate_word_wait_while().
 * @param value        As for pagemate_word_wait_while().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @param seen         As for pagemate_word_wait_while().
 * @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_word_wait_while().
 */
pagemate_status pagemate_word_wait_while_for(const void *word,
                                             uint32_t value,
                                             uint64_t nanoseconds,
                                             uint32_t *seen);

/**
 * Wakes at least one thread of any process that waits for the word, if there is one. Change the word
 * first. Thread-safe.
 *
 * @param word  As for pagemate_word_wait_while(), in memory that is mapped for writing.
 */
pagemate_status pagemate_word_wake_one(const void *word);

/**
 * Wakes all threads of all processes that wait for the word. Change the word first. Thread-safe.
 *
 * @param word  As for pagemate_word_wait_while(), in memory that is mapped for writing.
 */
pagemate_status pagemate_word_wake_all(const void *word);

/**
 * Creates the channel `name`, and returns a sender. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create, and the way in which the sender waits. NULL stands for a channel of
 *                 the owner alone, with one sender and one receiver, for 1,024 messages of at most 4,096
 *                 bytes.
 * @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
 * @return PAGEMATE_ALREADY_EXISTS. PAGEMATE_INVALID_NAME. PAGEMATE_INVALID_INPUT: the options are not valid,
 *         or the channel does not fit into the address space. PAGEMATE_NO_SPACE: there is not enough memory.
 *         PAGEMATE_PERMISSION_DENIED: the system forbids it.
 */
pagemate_status pagemate_sender_create_new(const char *name,
                                           const pagemate_channel_options *options,
                                           pagemate_sender **sender);

/**
 * Opens the channel `name` if a process holds it, and creates it otherwise. Returns a sender.
 *
 * pagemate_sender_was_created() returns whether this call created the channel. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create, the kind and the message type to open, and the way in which the
 *                 sender waits.
 * @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
 * @return As for pagemate_sender_create_new() and pagemate_sender_open(). PAGEMATE_ALREADY_EXISTS: a live
 *         process has the sender, and the kind of channel has only one.
 */
pagemate_status pagemate_sender_open_or_create(const char *name,
                                               const pagemate_channel_options *options,
                                               pagemate_sender **sender);

/**
 * Opens the channel `name`, and returns a sender. Fails if no process holds the channel. Thread-safe.
 *
 * If the process of the last sender was killed, the new sender continues after the last message that was
 * sent.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The kind and the message type to open, and the way in which the sender waits.
 * @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the sender,
 *         and the kind of channel has only one. PAGEMATE_WRONG_KIND: the name belongs to another kind of
 *         object or of channel, or the messages have another type. PAGEMATE_CORRUPTED: another program
 *         changed the channel.
 */
pagemate_status pagemate_sender_open(const char *name,
                                     const pagemate_channel_options *options,
                                     pagemate_sender **sender);

/**
 * Opens the channel `name` like pagemate_sender_open(), and blocks until a process creates it or the timeout
 * expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param options      As for pagemate_sender_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param sender       Receives the handle, which the caller closes by pagemate_sender_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_sender_open().
 */
pagemate_status pagemate_sender_open_within(const char *name,
                                            const pagemate_channel_options *options,
                                            uint64_t nanoseconds,
                                            pagemate_sender **sender);

/**
 * Closes a sender. Receivers get all messages that were sent, and then PAGEMATE_DISCONNECTED.
 *
 * A loan is discarded. If it is the last endpoint of the channel, the name ends. In a child of fork() the
 * call frees the handle of the child, and the parent keeps its sender. NULL is ignored, as by free().
 *
 * @return PAGEMATE_IN_USE: another thread is in a call with the sender, which stays open.
 *         PAGEMATE_INVALID_INPUT: it was closed before.
 */
pagemate_status pagemate_sender_close(const pagemate_sender *sender);

/**
 * Sends a message, and blocks while the channel has no room.
 *
 * After PAGEMATE_OK the message is delivered although the process is killed. After a failure it was not
 * sent.
 *
 * @param sender  The sender.
 * @param bytes   The message, which no thread writes to during the call. NULL only if `len` is 0.
 * @param len     Its length in bytes, at most pagemate_sender_max_len(), and exactly that if the channel has
 *                messages of a type.
 * @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length. PAGEMATE_DISCONNECTED: there is no
 *         room, and every receiver was closed or its process ended. PAGEMATE_CORRUPTED: another program
 *         changed the bytes of the channel. PAGEMATE_ORPHANED: there is no room and no receiver, and none
 *         can come, because another program removed the channel's name. PAGEMATE_IN_USE: another thread uses
 *         the sender, or the sender has a loan. PAGEMATE_FORKED: the process was forked from the one that
 *         opened the sender.
 */
pagemate_status pagemate_sender_send(const pagemate_sender *sender,
                                     const void *bytes,
                                     size_t len);

/**
 * Sends a message, without blocking.
 *
 * @param sender  The sender.
 * @param bytes   As for pagemate_sender_send().
 * @param len     As for pagemate_sender_send().
 * @return PAGEMATE_TIMED_OUT: there is no room. Otherwise as for pagemate_sender_send().
 */
pagemate_status pagemate_sender_try_send(const pagemate_sender *sender,
                                         const void *bytes,
                                         size_t len);

/**
 * Sends a message, and blocks while the channel has no room, until the timeout expires.
 *
 * @param sender       The sender.
 * @param bytes        As for pagemate_sender_send().
 * @param len          As for pagemate_sender_send().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @return PAGEMATE_TIMED_OUT: there was no room until then. Otherwise as for pagemate_sender_send().
 */
pagemate_status pagemate_sender_send_timeout(const pagemate_sender *sender,
                                             const void *bytes,
                                             size_t len,
                                             uint64_t nanoseconds);

/**
 * Sends as many messages of a batch as the channel has room for, in order, without blocking.
 *
 * Receivers find these messages together: if the process is killed during the call, they find all or none.
 *
 * @param sender  The sender.
 * @param bytes   The messages, one directly after the other, which no thread writes to during the call.
 * @param len     The length of each message in bytes: see pagemate_sender_send().
 * @param count   The number of messages.
 * @param sent    Receives the number of messages that were sent.
 * @return PAGEMATE_TIMED_OUT: there is no room for the first message. Otherwise as for
 *         pagemate_sender_send(). After a failure no message was sent.
 */
pagemate_status pagemate_sender_try_send_many(const pagemate_sender *sender,
                                              const void *bytes,
                                              size_t len,
                                              size_t count,
                                              size_t *sent);

/**
 * Sends all messages of a batch, in order, and blocks while the channel has no room.
 *
 * @param sender  The sender.
 * @param bytes   As for pagemate_sender_try_send_many().
 * @param len     As for pagemate_sender_try_send_many().
 * @param count   The number of messages.
 * @param sent    Receives the number of messages that were sent, also after a failure. May be NULL.
 * @return As for pagemate_sender_send().
 */
pagemate_status pagemate_sender_send_all(const pagemate_sender *sender,
                                         const void *bytes,
                                         size_t len,
                                         size_t count,
                                         size_t *sent);

/**
 * Lends a free slot of the channel, so that the program writes a message in place, and blocks while there is
 * no room.
 *
 * A sender has one loan at a time. pagemate_sender_commit() sends it, and pagemate_sender_discard() ends it
 * without a message. All other calls except pagemate_sender_close() are PAGEMATE_IN_USE meanwhile. If the
 * process is killed, nothing is sent, and the slot is free again.
 *
 * @param sender   The sender.
 * @param memory   Receives the address of the slot, whose bytes are those of older messages at first. It is
 *                 valid until the loan ends. It is aligned for the type of the messages, and to 8 bytes if
 *                 the channel has bytes.
 * @param max_len  Receives the number of bytes at that address. May be NULL.
 * @return As for pagemate_sender_send().
 */
pagemate_status pagemate_sender_loan(const pagemate_sender *sender,
                                     void **memory,
                                     size_t *max_len);

/**
 * Lends a free slot of the channel, without blocking.
 *
 * @param sender   The sender.
 * @param memory   As for pagemate_sender_loan().
 * @param max_len  As for pagemate_sender_loan().
 * @return PAGEMATE_TIMED_OUT: there is no room. Otherwise as for pagemate_sender_send().
 */
pagemate_status pagemate_sender_try_loan(const pagemate_sender *sender,
                                         void **memory,
                                         size_t *max_len);

/**
 * Lends a free slot of the channel, and blocks while there is no room, until the timeout expires.
 *
 * @param sender       The sender.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param memory       As for pagemate_sender_loan().
 * @param max_len      As for pagemate_sender_loan().
 * @return PAGEMATE_TIMED_OUT: there was no room until then. Otherwise as for pagemate_sender_send().
 */
pagemate_status pagemate_sender_loan_timeout(const pagemate_sender *sender,
                                             uint64_t nanoseconds,
                                             void **memory,
                                             size_t *max_len);

/**
 * Sends the message in the loan, and ends the loan. Does not block.
 *
 * @param sender  The sender.
 * @param len     The length of the message in bytes: see pagemate_sender_send().
 * @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length; the loan continues.
 *         PAGEMATE_INVALID_INPUT: the sender has no loan. PAGEMATE_FORKED: the process was forked from the
 *         one that opened the sender; the message was not sent, and the loan of the parent continues.
 */
pagemate_status pagemate_sender_commit(const pagemate_sender *sender,
                                       size_t len);

/**
 * Ends the loan without a message.
 *
 * @return PAGEMATE_INVALID_INPUT: the sender has no loan.
 */
pagemate_status pagemate_sender_discard(const pagemate_sender *sender);

/**
 * Blocks until all messages of the channel were received, or until the timeout expires.
 *
 * @param sender       The sender.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: messages are left. PAGEMATE_DISCONNECTED: messages are left, and every
 *         receiver was closed or its process ended. Otherwise as for pagemate_sender_send().
 */
pagemate_status pagemate_sender_wait_until_received(const pagemate_sender *sender,
                                                    uint64_t nanoseconds);

/**
 * Returns whether a live process has a receiver. This asks the kernel.
 */
pagemate_status pagemate_sender_has_receiver(const pagemate_sender *sender, bool *found);

/**
 * Blocks until a live process has a receiver, or until the timeout expires.
 *
 * @param sender       The sender.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: there is no receiver. PAGEMATE_ORPHANED: none can come, because another program
 *         removed the name.
 */
pagemate_status pagemate_sender_wait_for_receiver(const pagemate_sender *sender,
                                                  uint64_t nanoseconds);

/**
 * Returns how many messages were sent and not yet received.
 */
pagemate_status pagemate_sender_pending(const pagemate_sender *sender, size_t *count);

/**
 * Returns whether this call created the channel rather than opened it.
 */
pagemate_status pagemate_sender_was_created(const pagemate_sender *sender, bool *created);

/**
 * Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
 * the handle is closed.
 */
pagemate_status pagemate_sender_name(const pagemate_sender *sender,
                                     const char **name);

/**
 * Returns how many messages the channel has room for.
 */
pagemate_status pagemate_sender_capacity(const pagemate_sender *sender, size_t *capacity);

/**
 * Returns the length in bytes of the longest message. If the channel has messages of a type, it is the length
 * of each message.
 */
pagemate_status pagemate_sender_max_len(const pagemate_sender *sender,
                                        size_t *len);

/**
 * Returns the layout of the type of the messages, all zero for bytes.
 */
pagemate_status pagemate_sender_message_type(const pagemate_sender *sender,
                                             pagemate_layout *message);

/**
 * Creates the channel `name`, and returns a receiver. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create, and the way in which the receiver waits. NULL stands for a channel of
 *                 the owner alone, with one sender and one receiver, for 1,024 messages of at most 4,096
 *                 bytes.
 * @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
 * @return PAGEMATE_ALREADY_EXISTS. PAGEMATE_INVALID_NAME. PAGEMATE_INVALID_INPUT: the options are not valid,
 *         or the channel does not fit into the address space. PAGEMATE_NO_SPACE: there is not enough memory.
 *         PAGEMATE_PERMISSION_DENIED: the system forbids it.
 */
pagemate_status pagemate_receiver_create_new(const char *name,
                                             const pagemate_channel_options *options,
                                             pagemate_receiver **receiver);

/**
 * Opens the channel `name` if a process holds it, and creates it otherwise. Returns a receiver.
 *
 * pagemate_receiver_was_created() returns whether this call created the channel. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create, the kind and the message type to open, and the way in which the
 *                 receiver waits.
 * @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
 * @return As for pagemate_receiver_create_new() and pagemate_receiver_open(). PAGEMATE_ALREADY_EXISTS: a live
 *         process has the receiver, and the kind of channel has only one.
 */
pagemate_status pagemate_receiver_open_or_create(const char *name,
                                                 const pagemate_channel_options *options,
                                                 pagemate_receiver **receiver);

/**
 * Opens the channel `name`, and returns a receiver. Fails if no process holds the channel. Thread-safe.
 *
 * If the process of the last receiver was killed, the new receiver continues with the first message that was
 * not received.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The kind and the message type to open, and the way in which the receiver waits.
 * @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the receiver,
 *         and the kind of channel has only one. PAGEMATE_WRONG_KIND: the name belongs to another kind of
 *         object or of channel, or the messages have another type. PAGEMATE_CORRUPTED: another program
 *         changed the channel.
 */
pagemate_status pagemate_receiver_open(const char *name,
                                       const pagemate_channel_options *options,
                                       pagemate_receiver **receiver);

/**
 * Opens the channel `name` like pagemate_receiver_open(), and blocks until a process creates it or the timeout
 * expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param options      As for pagemate_receiver_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param receiver       Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_receiver_open().
 */
pagemate_status pagemate_receiver_open_within(const char *name,
                                              const pagemate_channel_options *options,
                                              uint64_t nanoseconds,
                                              pagemate_receiver **receiver);

/**
 * Closes a receiver. The next receiver gets the messages that this one has not received, and the message of its
 * sample.
 *
 * If it is the last endpoint of the channel, the name and the messages end. In a child of fork() the call
 * frees the handle of the child, and the parent keeps its receiver. NULL is ignored, as by free().
 *
 * @return PAGEMATE_IN_USE: another thread is in a call with the receiver, which stays open.
 *         PAGEMATE_INVALID_INPUT: it was closed before.
 */
pagemate_status pagemate_receiver_close(const pagemate_receiver *receiver);

/**
 * Receives a message into a buffer, and blocks while there is none.
 *
 * @param receiver  The receiver.
 * @param bytes     The buffer, which nothing else accesses during the call. NULL only if `size` is 0.
 * @param size      Its length in bytes. pagemate_receiver_max_len() bytes are enough for every message.
 * @param len       Receives the length of the message in bytes, also if the buffer is too small.
 * @return PAGEMATE_WRONG_LENGTH: the message is longer than the buffer. It stays in the channel, and the next
 *         call gets it, unless the sender of a lossy channel overwrites it before. PAGEMATE_DISCONNECTED: there
 *         is no message, and every sender was closed or its process ended; a receiver that comes before the first sender waits for it. PAGEMATE_CORRUPTED: another
 *         program changed the bytes of the channel. PAGEMATE_ORPHANED: there is no message and no sender, and
 *         none can come, because another program removed the channel's name. PAGEMATE_IN_USE: another thread
 *         uses the receiver, or the receiver has a sample. PAGEMATE_FORKED: the process was forked from the
 *         one that opened the receiver.
 */
pagemate_status pagemate_receiver_recv(const pagemate_receiver *receiver,
                                       void *bytes,
                                       size_t size,
                                       size_t *len);

/**
 * Receives a message into a buffer, without blocking.
 *
 * @param receiver  The receiver.
 * @param bytes     As for pagemate_receiver_recv().
 * @param size      As for pagemate_receiver_recv().
 * @param len       As for pagemate_receiver_recv().
 * @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_recv().
 */
pagemate_status pagemate_receiver_try_recv(const pagemate_receiver *receiver,
                                           void *bytes,
                                           size_t size,
                                           size_t *len);

/**
 * Receives a message into a buffer, and blocks while there is none, until the timeout expires.
 *
 * @param receiver     The receiver.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param bytes        As for pagemate_receiver_recv().
 * @param size         As for pagemate_receiver_recv().
 * @param len          As for pagemate_receiver_recv().
 * @return PAGEMATE_TIMED_OUT: no message arrived. Otherwise as for pagemate_receiver_recv().
 */
pagemate_status pagemate_receiver_recv_timeout(const pagemate_receiver *receiver,
                                               uint64_t nanoseconds,
                                               void *bytes,
                                               size_t size,
                                               size_t *len);

/**
 * Receives the messages that are there, at least one and at most `max` of them, and blocks while there is
 * none.
 *
 * @param receiver  The receiver.
 * @param bytes     `max` buffers of `size` bytes, one directly after the other, which nothing else accesses
 *                  during the call.
 * @param size      The length of each buffer in bytes.
 * @param lens      Receives the length of each message in bytes. NULL if the messages have a type.
 * @param max       The number of buffers.
 * @param count     Receives the number of messages.
 * @return PAGEMATE_WRONG_LENGTH: the first message is longer than a buffer. It stays in the channel. A later
 *         message that is too long ends the batch before it. Otherwise as for pagemate_receiver_recv().
 */
pagemate_status pagemate_receiver_recv_many(const pagemate_receiver *receiver,
                                            void *bytes,
                                            size_t size,
                                            size_t *lens,
                                            size_t max,
                                            size_t *count);

/**
 * Receives the messages that are there, at most `max` of them, without blocking.
 *
 * @param receiver  The receiver.
 * @param bytes     As for pagemate_receiver_recv_many().
 * @param size      As for pagemate_receiver_recv_many().
 * @param lens      As for pagemate_receiver_recv_many().
 * @param max       As for pagemate_receiver_recv_many().
 * @param count     Receives the number of messages.
 * @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_recv_many().
 */
pagemate_status pagemate_receiver_try_recv_many(const pagemate_receiver *receiver,
                                                void *bytes,
                                                size_t size,
                                                size_t *lens,
                                                size_t max,
                                                size_t *count);

/**
 * Lends the next message in place, and blocks while there is none.
 *
 * A receiver has one sample at a time. pagemate_receiver_finish() ends it, so that a sender can use the slot
 * again; the message is received then. pagemate_receiver_put_back() returns the message to the channel. All
 * other calls except pagemate_receiver_close() are PAGEMATE_IN_USE meanwhile. If the process is killed, the
 * next receiver gets the message.
 *
 * @param receiver  The receiver.
 * @param memory    Receives the address of the message, which is valid until the sample ends. It is aligned
 *                  for the type of the messages, and to 8 bytes if the channel has bytes. No correct program
 *                  changes the message meanwhile, but another user of the channel is able to.
 * @param len       Receives the length of the message in bytes.
 * @return As for pagemate_receiver_recv(), except those about the buffer.
 */
pagemate_status pagemate_receiver_sample(const pagemate_receiver *receiver,
                                         const void **memory,
                                         size_t *len);

/**
 * Lends the next message in place, without blocking.
 *
 * @param receiver  The receiver.
 * @param memory    As for pagemate_receiver_sample().
 * @param len       As for pagemate_receiver_sample().
 * @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_sample().
 */
pagemate_status pagemate_receiver_try_sample(const pagemate_receiver *receiver,
                                             const void **memory,
                                             size_t *len);

/**
 * Lends the next message in place, and blocks while there is none, until the timeout expires.
 *
 * @param receiver     The receiver.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param memory       As for pagemate_receiver_sample().
 * @param len          As for pagemate_receiver_sample().
 * @return PAGEMATE_TIMED_OUT: no message arrived. Otherwise as for pagemate_receiver_sample().
 */
pagemate_status pagemate_receiver_sample_timeout(const pagemate_receiver *receiver,
                                                 uint64_t nanoseconds,
                                                 const void **memory,
                                                 size_t *len);

/**
 * Ends the sample. Its message is received, and a sender can use its slot again.
 *
 * @return PAGEMATE_INVALID_INPUT: the receiver has no sample. PAGEMATE_FORKED: the process was forked from
 *         the one that opened the receiver; the sample of the parent continues.
 */
pagemate_status pagemate_receiver_finish(const pagemate_receiver *receiver);

/**
 * Ends the sample and returns its message to the channel. The next call receives the message again.
 *
 * In a process that was forked from the one that has the sample, the call has no effect on the channel.
 *
 * @return PAGEMATE_INVALID_INPUT: the receiver has no sample.
 */
pagemate_status pagemate_receiver_put_back(const pagemate_receiver *receiver);

/**
 * Returns whether a live process has a sender. This asks the kernel.
 */
pagemate_status pagemate_receiver_has_sender(const pagemate_receiver *receiver, bool *found);

/**
 * Blocks until a live process has a sender, or until the timeout expires.
 *
 * @param receiver       The receiver.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: there is no sender. PAGEMATE_ORPHANED: none can come, because another program
 *         removed the name.
 */
pagemate_status pagemate_receiver_wait_for_sender(const pagemate_receiver *receiver,
                                                  uint64_t nanoseconds);

/**
 * Returns how many messages this receiver has missed since it was opened, because the sender of a lossy channel
 * overwrote them before it received them: see PAGEMATE_LOSSY. They all precede the next message. All other
 * channels lose none.
 */
pagemate_status pagemate_receiver_missed(const pagemate_receiver *receiver,
                                         uint64_t *count);

/**
 * Returns whether another receiver of a channel of kind PAGEMATE_CHANNEL_KIND_MPMC had this message, and was
 * killed before it finished the message. That receiver may have acted on it.
 *
 * @param receiver     The receiver.
 * @param redelivered  Receives the answer for the message of the sample. Without a sample it is the answer for the
 *                     last received message. For other kinds of channels it is false.
 */
pagemate_status pagemate_receiver_redelivered(const pagemate_receiver *receiver,
                                              bool *redelivered);

/**
 * Returns whether this call created the channel rather than opened it.
 */
pagemate_status pagemate_receiver_was_created(const pagemate_receiver *receiver, bool *created);

/**
 * Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
 * the handle is closed.
 */
pagemate_status pagemate_receiver_name(const pagemate_receiver *receiver,
                                       const char **name);

/**
 * Returns how many messages the channel has room for.
 */
pagemate_status pagemate_receiver_capacity(const pagemate_receiver *receiver, size_t *capacity);

/**
 * Returns the length in bytes of the longest message. If the channel has messages of a type, it is the length
 * of each message.
 */
pagemate_status pagemate_receiver_max_len(const pagemate_receiver *receiver,
                                          size_t *len);

/**
 * Returns the layout of the type of the messages, all zero for bytes.
 */
pagemate_status pagemate_receiver_message_type(const pagemate_receiver *receiver,
                                               pagemate_layout *message);

/**
 * Creates the watch channel `name`, and returns its writer. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create: the sharing, the type of the value or its maximum length. The other
 *                 options have no effect. NULL stands for a channel of the owner alone, with a value of at most
 *                 4,096 bytes.
 * @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
 * @return As for pagemate_sender_create_new().
 */
pagemate_status pagemate_watch_writer_create_new(const char *name,
                                                 const pagemate_channel_options *options,
                                                 pagemate_watch_writer **writer);

/**
 * Opens the watch channel `name` if a process holds it, and creates it otherwise. Returns its writer.
 * Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  As for pagemate_watch_writer_create_new(), and the type of the value to open.
 * @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
 * @return As for pagemate_sender_create_new() and pagemate_watch_writer_open().
 */
pagemate_status pagemate_watch_writer_open_or_create(const char *name,
                                                     const pagemate_channel_options *options,
                                                     pagemate_watch_writer **writer);

/**
 * Opens the watch channel `name`, and returns its writer. Fails if no process holds the channel. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The type of the value to open.
 * @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the writer.
 *         PAGEMATE_WRONG_KIND: the name belongs to another kind of object or of channel, or the value has another
 *         type. PAGEMATE_CORRUPTED: another program changed the channel.
 */
pagemate_status pagemate_watch_writer_open(const char *name,
                                           const pagemate_channel_options *options,
                                           pagemate_watch_writer **writer);

/**
 * Opens the watch channel `name` like pagemate_watch_writer_open(), and blocks until a process creates it or the
 * timeout expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param options      As for pagemate_watch_writer_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param writer       Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_watch_writer_open().
 */
pagemate_status pagemate_watch_writer_open_within(const char *name,
                                                  const pagemate_channel_options *options,
                                                  uint64_t nanoseconds,
                                                  pagemate_watch_writer **writer);

/**
 * Closes a writer. The latest value stays as long as another process has the channel open.
 *
 * A loan is discarded. In a child of fork() the call frees the handle of the child, and the parent keeps its
 * writer. NULL is ignored, as by free().
 *
 * @return PAGEMATE_IN_USE: another thread is in a call with the writer, which stays open.
 *         PAGEMATE_INVALID_INPUT: it was closed before.
 */
pagemate_status pagemate_watch_writer_close(const pagemate_watch_writer *writer);

/**
 * Replaces the value. Never blocks.
 *
 * Readers find the new value or the previous one, and never a mixture. If the process is killed during the
 * call, they find either.
 *
 * @param writer  The writer.
 * @param bytes   The value, which no thread writes to during the call. NULL only if `len` is 0.
 * @param len     Its length in bytes, at most pagemate_watch_writer_max_len(), and exactly that if the channel has
 *                a value of a type.
 * @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length. PAGEMATE_IN_USE: another thread uses
 *         the writer, or the writer has a loan. PAGEMATE_FORKED: the process was forked from the one that
 *         opened the writer.
 */
pagemate_status pagemate_watch_writer_write(const pagemate_watch_writer *writer,
                                            const void *bytes,
                                            size_t len);

/**
 * Lends the buffer of the next value, so that the program writes the value in place. Never blocks.
 *
 * A writer has one loan at a time. pagemate_watch_writer_publish() replaces the value by it, and
 * pagemate_watch_writer_discard() ends it and changes nothing. All other calls except pagemate_watch_writer_close()
 * and those that return properties are PAGEMATE_IN_USE meanwhile.
 *
 * @param writer   The writer.
 * @param memory   Receives the address of the buffer, whose bytes are those of an older value at first. It is valid
 *                 until the loan ends. It is aligned for the type of the value, and to 8 bytes if the channel
 *                 has bytes.
 * @param max_len  Receives the number of bytes at that address. May be NULL.
 * @return PAGEMATE_IN_USE and PAGEMATE_FORKED: as for pagemate_watch_writer_write().
 */
pagemate_status pagemate_watch_writer_loan(const pagemate_watch_writer *writer,
                                           void **memory,
                                           size_t *max_len);

/**
 * Replaces the value by the one in the loan, and ends the loan.
 *
 * @param writer  The writer.
 * @param len     The length of the value in bytes: see pagemate_watch_writer_write().
 * @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length; the loan continues.
 *         PAGEMATE_INVALID_INPUT: the writer has no loan.
 *         PAGEMATE_FORKED: the process was forked from the one that opened the writer; the loan of the parent
 *         continues.
 */
pagemate_status pagemate_watch_writer_publish(const pagemate_watch_writer *writer,
                                              size_t len);

/**
 * Ends the loan. The value does not change.
 *
 * @return PAGEMATE_INVALID_INPUT: the writer has no loan.
 */
pagemate_status pagemate_watch_writer_discard(const pagemate_watch_writer *writer);

/**
 * Creates the watch channel `name`, and returns a reader. Fails if a process holds an object of this name.
 *
 * If the process is killed during the call, the name is free again. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The channel to create: the sharing, the type of the value or its maximum length, and the way
 *                 in which the reader waits. The other options have no effect. NULL stands for a channel of the owner alone, with a value of at most
 *                 4,096 bytes.
 * @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
 * @return As for pagemate_sender_create_new().
 */
pagemate_status pagemate_watch_reader_create_new(const char *name,
                                                 const pagemate_channel_options *options,
                                                 pagemate_watch_reader **reader);

/**
 * Opens the watch channel `name` if a process holds it, and creates it otherwise. Returns a reader.
 * Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  As for pagemate_watch_reader_create_new(), and the type of the value to open.
 * @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
 * @return As for pagemate_sender_create_new() and pagemate_watch_reader_open().
 */
pagemate_status pagemate_watch_reader_open_or_create(const char *name,
                                                     const pagemate_channel_options *options,
                                                     pagemate_watch_reader **reader);

/**
 * Opens the watch channel `name`, and returns a reader. Fails if no process holds the channel. Thread-safe.
 *
 * @param name     The name: see pagemate_section_create_new().
 * @param options  The type of the value to open, and the way in which the reader waits.
 * @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_WRONG_KIND: the name belongs to another kind of object or of channel, or the value has another
 *         type. PAGEMATE_CORRUPTED: another program changed the channel.
 */
pagemate_status pagemate_watch_reader_open(const char *name,
                                           const pagemate_channel_options *options,
                                           pagemate_watch_reader **reader);

/**
 * Opens the watch channel `name` like pagemate_watch_reader_open(), and blocks until a process creates it or the
 * timeout expires. Thread-safe.
 *
 * @param name         The name: see pagemate_section_create_new().
 * @param options      As for pagemate_watch_reader_open().
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
 * @param reader       Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on
 *                     failure.
 * @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_watch_reader_open().
 */
pagemate_status pagemate_watch_reader_open_within(const char *name,
                                                  const pagemate_channel_options *options,
                                                  uint64_t nanoseconds,
                                                  pagemate_watch_reader **reader);

/**
 * Closes a reader. NULL is ignored, as by free().
 *
 * @return PAGEMATE_IN_USE: another thread is in a call with the reader, which stays open.
 *         PAGEMATE_INVALID_INPUT: it was closed before.
 */
pagemate_status pagemate_watch_reader_close(const pagemate_watch_reader *reader);

/**
 * Copies the latest value into a buffer. Never blocks.
 *
 * The value is that of one call of the writer, never a mixture. It stays readable after the writer was closed
 * or its process ended.
 *
 * @param reader  The reader.
 * @param bytes   The buffer, which nothing else accesses during the call. NULL only if `size` is 0.
 * @param size    Its length in bytes. pagemate_watch_reader_max_len() bytes are enough for every value.
 * @param len     Receives the length of the value in bytes, also if the buffer is too small.
 * @return PAGEMATE_TIMED_OUT: no value was written yet; or, for two seconds, the writer replaced the value at
 *         least three times during each copy. PAGEMATE_WRONG_LENGTH: the value is longer than the buffer, and
 *         counts as not read. PAGEMATE_CORRUPTED: another program changed the bytes of the channel.
 *         PAGEMATE_IN_USE: another thread uses the reader.
 */
pagemate_status pagemate_watch_reader_read(const pagemate_watch_reader *reader,
                                           void *bytes,
                                           size_t size,
                                           size_t *len);

/**
 * Blocks until there is a value that is newer than the one that this reader read last, or until the timeout
 * expires. Before the first pagemate_watch_reader_read() any value is newer. The call reads no value.
 *
 * @param reader       The reader.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: there is no newer value. PAGEMATE_DISCONNECTED: there is no newer value, and the
 *         writer was closed or its process ended; a reader that comes before the first writer waits for it.
 *         PAGEMATE_ORPHANED: there is no newer value and no writer, and none can come, because another program
 *         removed the channel's name. PAGEMATE_IN_USE: another thread uses the reader.
 */
pagemate_status pagemate_watch_reader_wait_for_change(const pagemate_watch_reader *reader,
                                                      uint64_t nanoseconds);

/**
 * Returns how many values were written since the channel was created, which is the version of the latest one. A new writer continues the count.
 */
pagemate_status pagemate_watch_writer_version(const pagemate_watch_writer *writer,
                                              uint64_t *version);

/**
 * Returns the version of the value that this reader read last, 0 before the first one. Versions that are not
 * consecutive tell how many values this reader skipped.
 */
pagemate_status pagemate_watch_reader_version(const pagemate_watch_reader *reader,
                                              uint64_t *version);

/**
 * Returns the version of the latest value, 0 if no value was written yet. It differs from pagemate_watch_reader_version()
 * if there is a newer value than the one that this reader read last.
 */
pagemate_status pagemate_watch_reader_latest_version(const pagemate_watch_reader *reader,
                                                     uint64_t *version);

/**
 * Returns whether a live process has the writer. This asks the kernel.
 */
pagemate_status pagemate_watch_reader_has_writer(const pagemate_watch_reader *reader, bool *found);

/**
 * Blocks until a live process has the writer, or until the timeout expires.
 *
 * @param reader       The reader.
 * @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
 * @return PAGEMATE_TIMED_OUT: there is no writer. PAGEMATE_ORPHANED: none can come, because another program
 *         removed the name.
 */
pagemate_status pagemate_watch_reader_wait_for_writer(const pagemate_watch_reader *reader,
                                                      uint64_t nanoseconds);

/**
 * Returns whether this call created the channel rather than opened it.
 */
pagemate_status pagemate_watch_writer_was_created(const pagemate_watch_writer *writer,
                                                  bool *created);

/**
 * Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
 * the handle is closed.
 */
pagemate_status pagemate_watch_writer_name(const pagemate_watch_writer *writer,
                                           const char **name);

/**
 * Returns the length in bytes of the longest value. If the channel has a value of a type, it is the length of each
 * value.
 */
pagemate_status pagemate_watch_writer_max_len(const pagemate_watch_writer *writer,
                                              size_t *len);

/**
 * Returns the layout of the type of the value, all zero for bytes.
 */
pagemate_status pagemate_watch_writer_message_type(const pagemate_watch_writer *writer,
                                                   pagemate_layout *message);

/**
 * Returns whether this call created the channel rather than opened it.
 */
pagemate_status pagemate_watch_reader_was_created(const pagemate_watch_reader *reader,
                                                  bool *created);

/**
 * Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
 * the handle is closed.
 */
pagemate_status pagemate_watch_reader_name(const pagemate_watch_reader *reader,
                                           const char **name);

/**
 * Returns the length in bytes of the longest value. If the channel has a value of a type, it is the length of each
 * value.
 */
pagemate_status pagemate_watch_reader_max_len(const pagemate_watch_reader *reader,
                                              size_t *len);

/**
 * Returns the layout of the type of the value, all zero for bytes.
 */
pagemate_status pagemate_watch_reader_message_type(const pagemate_watch_reader *reader,
                                                   pagemate_layout *message);

#if !defined(_WIN32)
/**
 * Creates a section handle for a mappable descriptor: a section received from another process, or a device.
 * Not on Windows.
 *
 * The handle has the access with which the descriptor was opened, and the current length of the
 * memory. Unless the memory is sealed, a process with write access can truncate it, and an access
 * to a truncated page ends this process with SIGBUS. If the memory was not reserved, an access to
 * it when no memory is left also ends the process with SIGBUS. Thread-safe.
 *
 * @param descriptor  An open descriptor. It is duplicated, and the caller still owns it. The duplicate of a
 *                    named section's descriptor holds the name.
 * @param section     Receives the handle, which the caller closes by pagemate_section_close(); NULL on
 *                    failure.
 * @return PAGEMATE_INVALID_INPUT: the descriptor cannot be mapped or has no length. PAGEMATE_OS: it is not
 *         open.
 */
pagemate_status pagemate_section_from_descriptor(int descriptor,
                                                 pagemate_section **section);
#endif

#if !defined(_WIN32)
/**
 * Returns the descriptor of a section, which other processes can receive. Not on Windows.
 *
 * The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
 * close it. For a named section it shares the lock that keeps the name alive, so a process that receives
 * it is a holder. Over a file it is a descriptor of that file and does not hold the name. Thread-safe.
 */
pagemate_status pagemate_section_descriptor(const pagemate_section *section,
                                            int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * Opens the POSIX shared memory object `name`, as `shm_open(3)` does. Not on Windows.
 *
 * The object follows the rules of POSIX: its name remains until a process unlinks it. A process
 * with write access can truncate it, and an access to a truncated page then ends this process with
 * SIGBUS. Thread-safe.
 *
 * @param name     The name.
 * @param access   The access. The default is PAGEMATE_ACCESS_READ_WRITE.
 * @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND. PAGEMATE_PERMISSION_DENIED. PAGEMATE_INVALID_INPUT: the object has no length
 *         yet.
 */
pagemate_status pagemate_section_open_posix(const char *name,
                                            pagemate_access access,
                                            pagemate_section **section);
#endif

#if defined(_WIN32)
/**
 * Creates a section handle for a handle to a file mapping, with its access and length. On Windows only.
 * Thread-safe.
 *
 * @param handle   An open handle to a file mapping. It is duplicated, and the caller still owns it.
 * @param section  Receives the handle of pagemate, which the caller closes by pagemate_section_close(); NULL
 *                 on failure.
 * @return PAGEMATE_OS: the handle is not open.
 */
pagemate_status pagemate_section_from_handle(void *handle,
                                             pagemate_section **section);
#endif

#if defined(_WIN32)
/**
 * Returns the Windows handle of a section, which can be duplicated into another process. On Windows only.
 *
 * The handle belongs to the section: it is valid until the section handle is closed, and the
 * caller must not close it. A process with a duplicate is a holder. Thread-safe.
 */
pagemate_status pagemate_section_handle(const pagemate_section *section,
                                        void **handle);
#endif

#if !defined(_WIN32)
/**
 * Creates a mutex handle for a descriptor received from another process. Not on Windows. Thread-safe.
 *
 * @param descriptor  An open descriptor of a mutex. It is duplicated, and the caller still owns it. The
 *                    duplicate of a named mutex's descriptor holds the name. A mutex without a name has no
 *                    kind recorded, so the sender and the receiver must agree on it.
 * @param mutex       Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
 * @return PAGEMATE_CORRUPTED: it is not a descriptor of a mutex. PAGEMATE_OS: it is not open.
 */
pagemate_status pagemate_mutex_from_descriptor(int descriptor,
                                               pagemate_mutex **mutex);
#endif

#if !defined(_WIN32)
/**
 * Returns the descriptor of a mutex, which other processes can receive. Not on Windows.
 *
 * The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
 * close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
 */
pagemate_status pagemate_mutex_descriptor(const pagemate_mutex *mutex,
                                          int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * Creates an event handle for a descriptor received from another process: see
 * pagemate_mutex_from_descriptor(). Not on Windows. Thread-safe.
 */
pagemate_status pagemate_event_from_descriptor(int descriptor, pagemate_event **event);
#endif

#if !defined(_WIN32)
/**
 * Returns the descriptor of an event, which other processes can receive. Not on Windows.
 *
 * The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
 * close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
 */
pagemate_status pagemate_event_descriptor(const pagemate_event *event,
                                          int *descriptor);
#endif

#if !defined(_WIN32)
/**
 * Creates a semaphore handle for a descriptor received from another process: see
 * pagemate_mutex_from_descriptor(). Not on Windows. Thread-safe.
 */
pagemate_status pagemate_semaphore_from_descriptor(int descriptor, pagemate_semaphore **semaphore);
#endif

#if !defined(_WIN32)
/**
 * Returns the descriptor of a semaphore, which other processes can receive. Not on Windows.
 *
 * The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
 * close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
 */
pagemate_status pagemate_semaphore_descriptor(const pagemate_semaphore *semaphore,
                                              int *descriptor);
#endif

#if defined(_WIN32)
/**
 * Creates a mutex handle for a Windows handle. On Windows only. Thread-safe.
 *
 * @param handle     An open handle to a mutex. It is duplicated, and the caller still owns it.
 * @param mutex      Receives the handle of pagemate, which the caller closes by pagemate_mutex_close();
 *                   NULL on failure.
 * @return PAGEMATE_OS: the handle is not open.
 */
pagemate_status pagemate_mutex_from_handle(void *handle,
                                           pagemate_mutex **mutex);
#endif

#if defined(_WIN32)
/**
 * Returns the Windows handle of a mutex, which can be duplicated into another process. On Windows only.
 *
 * The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
 * caller must not close it. A process with a duplicate is a holder. Thread-safe.
 */
pagemate_status pagemate_mutex_handle(const pagemate_mutex *mutex,
                                      void **handle);
#endif

#if defined(_WIN32)
/**
 * Creates an event handle for a Windows handle. On Windows only. Thread-safe.
 *
 * @param handle     An open handle to an event. It is duplicated, and the caller still owns it.
 * @param event      Receives the handle of pagemate, which the caller closes by pagemate_event_close();
 *                   NULL on failure.
 * @return PAGEMATE_OS: the handle is not open.
 */
pagemate_status pagemate_event_from_handle(void *handle,
                                           pagemate_event **event);
#endif

#if defined(_WIN32)
/**
 * Returns the Windows handle of an event, which can be duplicated into another process. On Windows only.
 *
 * The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
 * caller must not close it. A process with a duplicate is a holder. Thread-safe.
 */
pagemate_status pagemate_event_handle(const pagemate_event *event,
                                      void **handle);
#endif

#if defined(_WIN32)
/**
 * Creates a semaphore handle for a Windows handle. On Windows only. Thread-safe.
 *
 * @param handle     An open handle to a semaphore. It is duplicated, and the caller still owns it.
 * @param semaphore  Receives the handle of pagemate, which the caller closes by pagemate_semaphore_close();
 *                   NULL on failure.
 * @return PAGEMATE_OS: the handle is not open.
 */
pagemate_status pagemate_semaphore_from_handle(void *handle,
                                               pagemate_semaphore **semaphore);
#endif

#if defined(_WIN32)
/**
 * Returns the Windows handle of a semaphore, which can be duplicated into another process. On Windows only.
 *
 * The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
 * caller must not close it. A process with a duplicate is a holder. Thread-safe.
 */
pagemate_status pagemate_semaphore_handle(const pagemate_semaphore *semaphore,
                                          void **handle);
#endif

/**
 * Lists all live objects that this user may open, sorted by name, and removes the files of dead ones.
 * Thread-safe. pagemate_inventory_unreachable() reports a namespace that is left out.
 *
 * On Windows these are the named file mappings of all programs, and the call holds each of them for a
 * moment while it reads the properties.
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
 * @param inventory  Receives the list, which the caller frees by pagemate_inventory_free(); NULL on failure.
 * @return PAGEMATE_PERMISSION_DENIED or PAGEMATE_OS: a directory of objects cannot be read.
 */
pagemate_status pagemate_inventory_list(pagemate_inventory **inventory);

/**
 * Checks that pagemate_inventory_list() reaches the objects of every namespace. Thread-safe.
 *
 * If the directory of one namespace cannot be used, the list has the objects of the other one alone.
 *
 * @return PAGEMATE_OK: the list is complete. Otherwise the status of the first directory that is left out;
 *         pagemate_last_error_message() names the directory and the remedy. Always PAGEMATE_OK on Windows.
 */
pagemate_status pagemate_inventory_unreachable(void);

/**
 * Finds the live object `name`, and returns a list of one object. Thread-safe.
 *
 * @param name       The name: see pagemate_section_create_new().
 * @param inventory  Receives the list, which the caller frees by pagemate_inventory_free(); NULL on failure.
 * @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_INVALID_NAME.
 */
pagemate_status pagemate_inventory_find(const char *name,
                                        pagemate_inventory **inventory);

/**
 * Returns the number of objects in a list. Thread-safe.
 */
pagemate_status pagemate_inventory_count(const pagemate_inventory *inventory, size_t *count);

/**
 * Returns one object of a list. Thread-safe.
 *
 * @param inventory  The list.
 * @param index      The index of the object, from 0.
 * @param entry      Receives the entry, which is valid, as all that it points to, until the list is freed.
 * @return PAGEMATE_OUT_OF_RANGE: the list has fewer objects.
 */
pagemate_status pagemate_inventory_entry(const pagemate_inventory *inventory,
                                         size_t index,
                                         const pagemate_entry **entry);

/**
 * Frees a list and all its entries.
 *
 * No thread may use the list during or after the call. The call always succeeds. NULL is ignored,
 * as by free().
 */
pagemate_status pagemate_inventory_free(pagemate_inventory *inventory);

/**
 * Removes the files of dead objects, which killed processes left behind. Thread-safe.
 *
 * Calls that create or list objects do the same in passing. On Windows there are no such files.
 *
 * @param objects  Receives the number of dead objects removed. May be NULL.
 * @param bytes    Receives the number of bytes freed. May be NULL.
 * @return PAGEMATE_PERMISSION_DENIED or PAGEMATE_OS: a directory of objects cannot be read.
 */
pagemate_status pagemate_prune(uint64_t *objects, uint64_t *bytes);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PAGEMATE_H */
