/**
 * @file pagemate.hpp
 *
 * pagemate for C++17: the functions of pagemate.h as classes that close their handles when destroyed,
 * return values, and throw exceptions. pagemate.h documents the behaviour, including crashes and the
 * differences between systems.
 *
 * ```cpp
 * auto section = pagemate::SectionOptions().len(4096).open_or_create("ShareMemory");
 * auto view = section.map();
 * if (section.was_created()) {
 *     view.write(0, 42);
 * }
 * std::cout << view.read<int>(0) << '\n';
 * ```
 *
 * This includes pagemate_sync.hpp with mutexes, events and semaphores, pagemate_typed.hpp with typed memory, and
 * pagemate_channel.hpp with channels.
 *
 * Sections, views, sync objects and endpoints of channels can be moved, not copied. An object that was moved from
 * holds nothing, and every call on it throws Error with PAGEMATE_INVALID_INPUT. Several threads may use one object
 * at the same time, except for endpoints of channels, but not while it is moved from or destroyed. Lengths and offsets are in bytes. Every call that
 * can fail throws Error.
 */
#ifndef PAGEMATE_HPP
#define PAGEMATE_HPP

#include "pagemate.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace pagemate {

/** The exception of a failed call: what() is pagemate_last_error_message(), a whole sentence. */
class Error : public std::runtime_error {
public:
    Error(pagemate_status status, std::int32_t os_error, const std::string &message)
        : std::runtime_error(message), status_(status), os_error_(os_error) {}

    /** Returns the status, to branch on. */
    pagemate_status status() const noexcept { return status_; }

    /** Returns the system's error code; 0 if the failure did not come from the system. */
    std::int32_t os_error() const noexcept { return os_error_; }

private:
    pagemate_status status_;
    std::int32_t os_error_;
};

/** Access of a handle or a view to the memory: see pagemate_access. */
enum class Access {
    Default = PAGEMATE_ACCESS_DEFAULT,
    Read = PAGEMATE_ACCESS_READ,
    ReadWrite = PAGEMATE_ACCESS_READ_WRITE,
    CopyOnWrite = PAGEMATE_ACCESS_COPY_ON_WRITE,
};

/** The upper limit for the access of views of an object: see pagemate_protection. */
enum class Protection {
    Default = PAGEMATE_PROTECTION_DEFAULT,
    ReadOnly = PAGEMATE_PROTECTION_READ_ONLY,
    ReadWrite = PAGEMATE_PROTECTION_READ_WRITE,
};

/** The users who may open an object, in addition to the owner: see pagemate_sharing. */
enum class Sharing {
    Owner = PAGEMATE_SHARING_OWNER,
    Group = PAGEMATE_SHARING_GROUP,
    Everyone = PAGEMATE_SHARING_EVERYONE,
};

/** The way an event is reset: see pagemate_reset. */
enum class Reset {
    Auto = PAGEMATE_RESET_AUTO,
    Manual = PAGEMATE_RESET_MANUAL,
};

namespace detail {

/** Throws if a call failed. */
inline void check(pagemate_status status) {
    if (status != PAGEMATE_OK) {
        throw Error(status, pagemate_last_os_error(), pagemate_last_error_message());
    }
}

/** Returns a name as a C string. Throws if it contains a NUL, which would end the C string. */
inline const char *text(const std::string &name) {
    if (name.find('\0') != std::string::npos) {
        throw Error(PAGEMATE_INVALID_NAME, 0, "use name: a name must not contain a NUL character");
    }
    return name.c_str();
}

/** Converts a timeout. Rounds up to whole nanoseconds; a timeout that is too long to represent never
 *  expires. */
template <class Rep, class Period>
std::uint64_t nanoseconds(const std::chrono::duration<Rep, Period> &time) {
    using Seconds = std::chrono::duration<long double>;
    const long double seconds = std::chrono::duration_cast<Seconds>(time).count();
    if (!(seconds > 0)) {
        return 0;
    }
    if (seconds > 9e9L) {
        return PAGEMATE_FOREVER;
    }
    const auto count = std::chrono::ceil<std::chrono::nanoseconds>(time).count();
    return static_cast<std::uint64_t>(count);
}

/** Sets or clears a flag of options. */
inline void set_flag(std::uint32_t &flags, std::uint32_t flag, bool on) noexcept {
    flags = on ? flags | flag : flags & ~flag;
}

/** Calls a C function and returns the result that it stores through its last argument. */
template <class T, class... Parameters, class... Arguments>
T result_of(pagemate_status (*function)(Parameters...), Arguments... arguments) {
    T result{};
    check(function(arguments..., &result));
    return result;
}

/** Closes handles. */
struct Close {
    void operator()(pagemate_section *section) const noexcept { pagemate_section_close(section); }
    void operator()(pagemate_view *view) const noexcept { pagemate_view_unmap(view); }
    void operator()(pagemate_inventory *all) const noexcept { pagemate_inventory_free(all); }
    void operator()(pagemate_mutex *mutex) const noexcept { pagemate_mutex_close(mutex); }
    void operator()(pagemate_event *event) const noexcept { pagemate_event_close(event); }
    void operator()(pagemate_semaphore *all) const noexcept { pagemate_semaphore_close(all); }
    void operator()(pagemate_shared *shared) const noexcept { pagemate_shared_close(shared); }
    void operator()(pagemate_sender *sender) const noexcept { pagemate_sender_close(sender); }
    void operator()(pagemate_receiver *receiver) const noexcept { pagemate_receiver_close(receiver); }
    void operator()(pagemate_watch_writer *writer) const noexcept { pagemate_watch_writer_close(writer); }
    void operator()(pagemate_watch_reader *reader) const noexcept { pagemate_watch_reader_close(reader); }
    void operator()(pagemate_shared_mutex *mutex) const noexcept {
        pagemate_shared_mutex_close(mutex);
    }
    void operator()(pagemate_seqlock_writer *writer) const noexcept {
        pagemate_seqlock_writer_close(writer);
    }
};

template <class T> using Owner = std::unique_ptr<T, Close>;

} // namespace detail

/** Options to map a section. The default maps the whole section with the access of the handle. */
class ViewOptions {
public:
    /** Maps `len` bytes from `offset`; if `len` is 0, all up to the end. `offset` need not be aligned. */
    ViewOptions &range(std::uint64_t offset, std::uint64_t len = 0) noexcept {
        options_.offset = offset;
        options_.len = len;
        return *this;
    }

    /** Sets the access of the view. With Access::CopyOnWrite, the view writes to copies of its own. */
    ViewOptions &access(Access access) noexcept {
        options_.access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** Sets whether all pages are mapped at once, so that no later access causes a page fault. A hint. */
    ViewOptions &prefault(bool prefault = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_PREFAULT, prefault);
        return *this;
    }

    /** Sets whether the memory is moved into huge pages. A hint. */
    ViewOptions &huge_pages(bool huge_pages = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_HUGE_PAGES, huge_pages);
        return *this;
    }

private:
    friend class Section;
    pagemate_view_options options_{};
};

/**
 * A section, or a range of it, mapped into the address space; unmapped when destroyed. It holds the
 * name of its section.
 *
 * Other processes may write any byte at any time. The bytes of a copy may come from different writes; use
 * atomics or a mutex to order accesses.
 */
class View {
public:
    /** Returns the address; pagemate_view_pointer() states the rules for its use. */
    void *pointer() const { return detail::result_of<void *>(pagemate_view_pointer, view_.get()); }

    /** Returns the length in bytes. */
    std::size_t len() const { return detail::result_of<std::size_t>(pagemate_view_len, view_.get()); }

    /** Returns whether the view is writable. */
    bool is_writable() const { return detail::result_of<bool>(pagemate_view_is_writable, view_.get()); }

    /** Copies `len` bytes at `offset` out of the view. */
    void read_at(std::size_t offset, void *bytes, std::size_t len) const {
        detail::check(pagemate_view_read_at(view_.get(), offset, bytes, len));
    }

    /** Copies `len` bytes into the view at `offset`. */
    void write_at(std::size_t offset, const void *bytes, std::size_t len) {
        detail::check(pagemate_view_write_at(view_.get(), offset, bytes, len));
    }

    /**
     * Reads a value by copy. `offset` need not be aligned. Every pattern of bytes must be a valid `T`, as it
     * is for numbers and structs of numbers, but not for `bool` and enums.
     */
    template <class T> T read(std::size_t offset) const {
        plain<T>();
        T value{};
        read_at(offset, &value, sizeof value);
        return value;
    }

    /** Writes a value by copy. `offset` need not be aligned. */
    template <class T> void write(std::size_t offset, const T &value) {
        plain<T>();
        write_at(offset, &value, sizeof value);
    }

#ifdef __cpp_lib_atomic_ref
    /**
     * Returns a reference to an atomic in the view, valid until the view is destroyed; since C++20. `offset`
     * must be aligned for `T`. All accesses to the same bytes must have the same size.
     */
    template <class T> std::atomic_ref<T> atomic(std::size_t offset) {
        using Atomic = std::atomic_ref<T>;
        static_assert(Atomic::is_always_lock_free, "the lock of such an atomic is private to the process");
        const std::size_t total = len();
        if (sizeof(T) > total || offset > total - sizeof(T)) {
            throw Error(PAGEMATE_OUT_OF_RANGE, 0, "borrow atomic: it extends past the end of the view");
        }
        auto *at = static_cast<unsigned char *>(pointer()) + offset;
        if (reinterpret_cast<std::uintptr_t>(at) % Atomic::required_alignment != 0) {
            throw Error(PAGEMATE_INVALID_INPUT, 0, "borrow atomic: the offset is not aligned");
        }
        if (!is_writable()) {
            throw Error(PAGEMATE_PERMISSION_DENIED, 0, "borrow atomic: the view is read-only");
        }
        return Atomic(*reinterpret_cast<T *>(at));
    }
#endif

    /** Writes changed pages back to the file of the section: see pagemate_view_flush(). */
    void flush() { detail::check(pagemate_view_flush(view_.get())); }

private:
    friend class Section;
    explicit View(pagemate_view *view) : view_(view) {}

    template <class T> static constexpr void plain() {
        static_assert(std::is_trivially_copyable_v<T>, "copying its bytes must copy the value");
        static_assert(!std::is_pointer_v<T>, "an address is valid in one process only");
    }

    detail::Owner<pagemate_view> view_;
};

/** A handle to a section, closed when destroyed. A named section exists as long as any process has a handle
 *  or a view of it. */
class Section {
public:
    /** Opens the section `name` for reading and writing. Throws if no process holds it. */
    static Section open(const std::string &name) {
        return make(pagemate_section_open, detail::text(name), nullptr);
    }

    /** Opens the section `name`, and blocks until a process creates it. Throws if none does within `time`. */
    template <class Rep, class Period>
    static Section open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) {
        return make(pagemate_section_open_within, detail::text(name), nullptr, detail::nanoseconds(time));
    }

#ifdef _WIN32
    /** Creates a section handle for a handle to a file mapping. It is duplicated; the caller still owns it. */
    static Section from_handle(void *handle) { return make(pagemate_section_from_handle, handle); }

    /** Returns the Windows handle, which belongs to this object. */
    void *handle() const { return detail::result_of<void *>(pagemate_section_handle, section_.get()); }
#else
    /** Creates a section handle for a mappable descriptor. It is duplicated; the caller still owns it. */
    static Section from_descriptor(int descriptor) {
        return make(pagemate_section_from_descriptor, descriptor);
    }

    /** Returns the descriptor, which belongs to this object. */
    int descriptor() const {
        return detail::result_of<int>(pagemate_section_descriptor, section_.get());
    }

    /** Opens the POSIX shared memory object `name`, as `shm_open(3)` does. */
    static Section open_posix(const std::string &name, Access access = Access::Default) {
        const auto word = static_cast<pagemate_access>(access);
        return make(pagemate_section_open_posix, detail::text(name), word);
    }
#endif

    /** Creates another handle to the same section. */
    Section clone() const { return make(pagemate_section_clone, section_.get()); }

    /** Maps the section or a range of it. */
    View map(const ViewOptions &options = {}) const {
        return View(
            detail::result_of<pagemate_view *>(pagemate_section_map, section_.get(), &options.options_));
    }

    /** Returns the length in bytes. */
    std::uint64_t len() const {
        return detail::result_of<std::uint64_t>(pagemate_section_len, section_.get());
    }

    /** Returns the length that the creator requested, in bytes: len() before it was rounded up. */
    std::uint64_t requested_len() const {
        return detail::result_of<std::uint64_t>(pagemate_section_requested_len, section_.get());
    }

    /** Throws PAGEMATE_ORPHANED if another program removed the name. Mapping it checks that too. */
    void check_name() const { detail::check(pagemate_section_check_name(section_.get())); }

    /** Returns whether this handle created the section rather than opened it. */
    bool was_created() const {
        return detail::result_of<bool>(pagemate_section_was_created, section_.get());
    }

    /** Returns the name in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::result_of<const char *>(pagemate_section_name, section_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

    /** Returns the access of this handle. */
    Access access() const {
        return static_cast<Access>(
            detail::result_of<pagemate_access>(pagemate_section_access, section_.get()));
    }

    /** Returns the upper limit for the access of views of the section. */
    Protection protection() const {
        return static_cast<Protection>(
            detail::result_of<pagemate_protection>(pagemate_section_protection, section_.get()));
    }

private:
    friend class SectionOptions;
    template <class T> friend class Shared;
    template <class T> friend class SharedMutex;
    explicit Section(pagemate_section *section) : section_(section) {}

    template <class... Parameters, class... Arguments>
    static Section make(pagemate_status (*function)(Parameters...), Arguments... arguments) {
        return Section(detail::result_of<pagemate_section *>(function, arguments...));
    }

    detail::Owner<pagemate_section> section_;
};

/** Options to create or open a section. Set options, then call one of the last four functions. */
class SectionOptions {
public:
    /** Sets the length in bytes. An existing section keeps its length. */
    SectionOptions &len(std::uint64_t bytes) noexcept {
        options_.len = bytes;
        return *this;
    }

    /** Sets the least length in bytes of the section, created or opened. */
    SectionOptions &min_len(std::uint64_t bytes) noexcept {
        options_.min_len = bytes;
        return *this;
    }

    /** Shares the bytes of an open file, a descriptor or a `HANDLE`. The caller still owns it. */
    SectionOptions &file(std::intptr_t file) noexcept {
        options_.file = file;
        options_.flags |= PAGEMATE_OVER_FILE;
        return *this;
    }

    /** Sets the access of the new handle. */
    SectionOptions &access(Access access) noexcept {
        options_.access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** Sets the upper limit for the access of views of a new section. */
    SectionOptions &protection(Protection protection) noexcept {
        options_.protection = static_cast<pagemate_protection>(protection);
        return *this;
    }

    /** Sets the other users who may open a new section, and their access. */
    SectionOptions &sharing(Sharing others, Access access = Access::Default) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        options_.sharing_access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** Sets whether a new section reserves no memory at creation: see PAGEMATE_SPARSE. */
    SectionOptions &sparse(bool sparse = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_SPARSE, sparse);
        return *this;
    }

    /** Sets whether a new section is in huge pages, as far as the system has them. Excludes sparse(). */
    SectionOptions &huge_pages(bool huge_pages = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_HUGE_PAGES, huge_pages);
        return *this;
    }

    /** Creates the section `name`. Throws if a process holds an object of this name. */
    Section create_new(const std::string &name) const {
        return Section::make(pagemate_section_create_new, detail::text(name), &options_);
    }

    /** Opens the section `name` if a process holds it, and creates it otherwise. */
    Section open_or_create(const std::string &name) const {
        return Section::make(pagemate_section_open_or_create, detail::text(name), &options_);
    }

    /** Opens the section `name` with the access set here. Throws if no process holds it. */
    Section open(const std::string &name) const {
        return Section::make(pagemate_section_open, detail::text(name), &options_);
    }

    /** Opens the section `name` like open(), and blocks until a process creates it. Throws if none does
     *  within `time`. */
    template <class Rep, class Period>
    Section open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) const {
        const auto left = detail::nanoseconds(time);
        return Section::make(pagemate_section_open_within, detail::text(name), &options_, left);
    }

    /** Creates a section without a name. */
    Section create_unnamed() const {
        return Section::make(pagemate_section_create_unnamed, &options_);
    }

private:
    pagemate_section_options options_{};
};

/** Live objects, their holders, and the files of dead objects. */
namespace inventory {

/** The state of a mutex at the time of the listing. */
struct MutexState {
    /** The pid of the owner, in the owner's pid namespace, if a thread owns it. */
    std::optional<std::uint32_t> owner;
    /** Whether the next lock will report that it was abandoned. */
    bool abandoned;
};

/** The state of an event at the time of the listing. */
struct EventState {
    Reset reset;
    bool signaled;
};

/** The state of a semaphore at the time of the listing. */
struct SemaphoreState {
    std::uint32_t count;
    std::uint32_t max;
};

/** A live object: pagemate_entry as a value. A property that is not known is empty. */
struct Entry {
    std::string name;
    std::uint64_t len;
    pagemate_kind kind;
    Protection protection;
    Sharing sharing;
    Access sharing_access;
    std::optional<std::chrono::system_clock::time_point> created;
    std::optional<std::uint32_t> creator;
    std::optional<std::uint32_t> owner;
    std::vector<std::uint32_t> holders;
    std::optional<std::string> file;
    /** Empty for a section, and if it is not known. */
    std::variant<std::monostate, MutexState, EventState, SemaphoreState> state;
    /** The approximate number of waiting threads. */
    std::optional<std::uint32_t> waiting;
};

/** The number of objects that prune() removed, and of bytes that it freed. */
struct Pruned {
    std::uint64_t objects;
    std::uint64_t bytes;
};

namespace detail {

inline void copy_state(const pagemate_state &from, Entry &entry) {
    if (entry.kind == PAGEMATE_KIND_MUTEX) {
        const auto owner = from.owner == 0 ? std::nullopt : std::optional(from.owner);
        entry.state = MutexState{owner, from.abandoned};
    } else if (entry.kind == PAGEMATE_KIND_EVENT) {
        entry.state = EventState{static_cast<Reset>(from.reset), from.signaled};
    } else if (entry.kind == PAGEMATE_KIND_SEMAPHORE) {
        entry.state = SemaphoreState{from.count, from.max};
    }
    if (from.waiting >= 0) {
        entry.waiting = static_cast<std::uint32_t>(from.waiting);
    }
}

inline Entry copy(const pagemate_entry &from) {
    using Clock = std::chrono::system_clock;
    Entry entry{};
    entry.name = from.name;
    entry.len = from.len;
    entry.kind = from.kind;
    entry.protection = static_cast<Protection>(from.protection);
    entry.sharing = static_cast<Sharing>(from.sharing);
    entry.sharing_access = static_cast<Access>(from.sharing_access);
    if (from.created != 0) {
        const std::chrono::nanoseconds since(from.created);
        entry.created = Clock::time_point(std::chrono::duration_cast<Clock::duration>(since));
    }
    if (from.creator != 0) {
        entry.creator = from.creator;
    }
    if (from.owner >= 0) {
        entry.owner = static_cast<std::uint32_t>(from.owner);
    }
    entry.holders.assign(from.holders, from.holders + from.holder_count);
    if (from.file != nullptr) {
        entry.file = from.file;
    }
    if (from.state != nullptr) {
        copy_state(*from.state, entry);
    }
    return entry;
}

inline std::vector<Entry> copy_all(pagemate_inventory *inventory) {
    const pagemate::detail::Owner<pagemate_inventory> owner(inventory);
    std::vector<Entry> entries;
    const auto count = pagemate::detail::result_of<std::size_t>(pagemate_inventory_count, inventory);
    for (std::size_t i = 0; i < count; i++) {
        entries.push_back(copy(*pagemate::detail::result_of<const pagemate_entry *>(
            pagemate_inventory_entry, inventory, i)));
    }
    return entries;
}

} // namespace detail

/** Lists all live objects that this user may open, sorted by name. */
inline std::vector<Entry> list() {
    return detail::copy_all(pagemate::detail::result_of<pagemate_inventory *>(pagemate_inventory_list));
}

/** Throws if list() leaves out a namespace because its directory cannot be used. */
inline void unreachable() { pagemate::detail::check(pagemate_inventory_unreachable()); }

/** Finds the live object `name`. Throws if no process holds it. */
inline Entry find(const std::string &name) {
    const char *text = pagemate::detail::text(name);
    auto found = pagemate::detail::result_of<pagemate_inventory *>(pagemate_inventory_find, text);
    return detail::copy_all(found).at(0);
}

/** Removes the files of dead objects, which killed processes left behind. */
inline Pruned prune() {
    Pruned pruned{};
    pagemate::detail::check(pagemate_prune(&pruned.objects, &pruned.bytes));
    return pruned;
}

} // namespace inventory
} // namespace pagemate

#include "pagemate_sync.hpp"

#endif
