/**
 * @file pagemate.hpp
 *
 * pagemate for C++17: what pagemate.h has, with owners that let go by themselves, values, and
 * exceptions. What the calls do, and what differs between systems, is told there.
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
 * Mutexes, events and semaphores are in pagemate_sync.hpp, which this includes.
 *
 * Sections, views and sync objects can be moved, not copied. One that was moved from holds nothing, and
 * every call on it throws Error with PAGEMATE_INVALID_INPUT.
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

/** Why a call failed: what() is pagemate_last_error_message(), a whole sentence. */
class Error : public std::runtime_error {
public:
    Error(pagemate_status status, std::int32_t os_error, const std::string &message)
        : std::runtime_error(message), status_(status), os_error_(os_error) {}

    /** What sort of thing went wrong, to branch on. */
    pagemate_status status() const noexcept { return status_; }

    /** The system's own code; 0 if it was not the system that refused. */
    std::int32_t os_error() const noexcept { return os_error_; }

private:
    pagemate_status status_;
    std::int32_t os_error_;
};

/** What a handle or a view may do with the memory: pagemate_access. */
enum class Access {
    Default = PAGEMATE_ACCESS_DEFAULT,
    Read = PAGEMATE_ACCESS_READ,
    ReadWrite = PAGEMATE_ACCESS_READ_WRITE,
    CopyOnWrite = PAGEMATE_ACCESS_COPY_ON_WRITE,
};

/** What views of an object may ever do, whoever opens it: pagemate_protection. */
enum class Protection {
    Default = PAGEMATE_PROTECTION_DEFAULT,
    ReadOnly = PAGEMATE_PROTECTION_READ_ONLY,
    ReadWrite = PAGEMATE_PROTECTION_READ_WRITE,
};

/** Which other users may open an object: pagemate_sharing. */
enum class Sharing {
    Owner = PAGEMATE_SHARING_OWNER,
    Group = PAGEMATE_SHARING_GROUP,
    Everyone = PAGEMATE_SHARING_EVERYONE,
};

/** How an event that has happened comes to be one that has not: pagemate_reset. */
enum class Reset {
    Auto = PAGEMATE_RESET_AUTO,
    Manual = PAGEMATE_RESET_MANUAL,
};

namespace detail {

inline void check(pagemate_status status) {
    if (status != PAGEMATE_OK) {
        throw Error(status, pagemate_last_os_error(), pagemate_last_error_message());
    }
}

/** C would take a name with a NUL in it for a shorter one. */
inline const char *text(const std::string &name) {
    if (name.find('\0') != std::string::npos) {
        throw Error(PAGEMATE_INVALID_NAME, 0, "use name: a name has no NUL character");
    }
    return name.c_str();
}

/** What C tells through its last argument. */
template <class T, class... Arguments, class... Given>
T told(pagemate_status (*ask)(Arguments...), Given... given) {
    T result{};
    check(ask(given..., &result));
    return result;
}

struct Release {
    void operator()(pagemate_section *section) const noexcept { pagemate_section_close(section); }
    void operator()(pagemate_view *view) const noexcept { pagemate_view_unmap(view); }
    void operator()(pagemate_inventory *all) const noexcept { pagemate_inventory_free(all); }
    void operator()(pagemate_mutex *mutex) const noexcept { pagemate_mutex_close(mutex); }
    void operator()(pagemate_event *event) const noexcept { pagemate_event_close(event); }
    void operator()(pagemate_semaphore *all) const noexcept { pagemate_semaphore_close(all); }
    void operator()(pagemate_shared_mutex *mutex) const noexcept {
        pagemate_shared_mutex_close(mutex);
    }
};

template <class T> using Owner = std::unique_ptr<T, Release>;

} // namespace detail

/** How to map a section. One that nothing was said to maps all of it, with the access of the handle. */
class ViewOptions {
public:
    /** Only `len` bytes from `offset` on, or with 0 all from there up to the end. Any offset will do. */
    ViewOptions &range(std::uint64_t offset, std::uint64_t len = 0) noexcept {
        options_.offset = offset;
        options_.len = len;
        return *this;
    }

    /** What the view may do. */
    ViewOptions &access(Access access) noexcept {
        options_.access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** Writes stay in this view. */
    ViewOptions &copy_on_write() noexcept { return access(Access::CopyOnWrite); }

    /** Brings all pages in now. A wish. */
    ViewOptions &prefault() noexcept {
        options_.flags |= PAGEMATE_PREFAULT;
        return *this;
    }

    /** Gathers the memory into huge pages. A wish. */
    ViewOptions &huge_pages() noexcept {
        options_.flags |= PAGEMATE_HUGE_PAGES;
        return *this;
    }

private:
    friend class Section;
    pagemate_view_options options_{};
};

/**
 * Shared memory in this process' address space, unmapped at the end. It keeps its section alive.
 *
 * Other processes may write any byte of it at any time. Copies take each byte as somebody wrote it, in no
 * order; atomics order the rest.
 */
class View {
public:
    /** Where it begins; what may be done there, pagemate_view_pointer() says. */
    void *pointer() const { return detail::told<void *>(pagemate_view_pointer, view_.get()); }

    /** Its length in bytes. */
    std::size_t len() const { return detail::told<std::size_t>(pagemate_view_len, view_.get()); }

    /** Whether it can be written to. */
    bool is_writable() const { return detail::told<bool>(pagemate_view_is_writable, view_.get()); }

    /** Copies `len` bytes from `offset` on out of the view. */
    void read_at(std::size_t offset, void *bytes, std::size_t len) const {
        detail::check(pagemate_view_read_at(view_.get(), offset, bytes, len));
    }

    /** Copies `len` bytes into the view from `offset` on. */
    void write_at(std::size_t offset, const void *bytes, std::size_t len) {
        detail::check(pagemate_view_write_at(view_.get(), offset, bytes, len));
    }

    /**
     * Reads a plain value by copy. `offset` need not be aligned. Any bytes have to make a `T`, as they
     * make numbers and structs of numbers, but no `bool` and no enum.
     */
    template <class T> T read(std::size_t offset) const {
        plain<T>();
        T value{};
        read_at(offset, &value, sizeof value);
        return value;
    }

    /** Writes a plain value by copy. `offset` need not be aligned. */
    template <class T> void write(std::size_t offset, const T &value) {
        plain<T>();
        write_at(offset, &value, sizeof value);
    }

#ifdef __cpp_lib_atomic_ref
    /**
     * An atomic in place, while the view is there; from C++20 on. `offset` must be aligned for it, and
     * one place wants one size.
     */
    template <class T> std::atomic_ref<T> atomic(std::size_t offset) {
        using Atomic = std::atomic_ref<T>;
        static_assert(Atomic::is_always_lock_free, "a lock would be this process' own");
        const std::size_t have = len();
        if (sizeof(T) > have || offset > have - sizeof(T)) {
            throw Error(PAGEMATE_OUT_OF_RANGE, 0, "borrow atomic: it reaches past the view");
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

    /** Writes what changed back to the file under the section, and waits until it is there. */
    void flush() { detail::check(pagemate_view_flush(view_.get())); }

private:
    friend class Section;
    explicit View(pagemate_view *view) : view_(view) {}

    template <class T> static constexpr void plain() {
        static_assert(std::is_trivially_copyable_v<T>, "its bytes are not all of it");
        static_assert(!std::is_pointer_v<T>, "each process has the memory at another address");
    }

    detail::Owner<pagemate_view> view_;
};

/** A handle to shared memory, closed at the end. A named section lives as long as any process has a
 *  handle or a view of it. */
class Section {
public:
    /** Opens the section `name`, which some process has to hold, for reading and writing. */
    static Section open(const std::string &name) {
        return make(pagemate_section_open, detail::text(name), nullptr);
    }

#ifdef _WIN32
    /** Any handle to a file mapping. It is duplicated, and remains yours to close. */
    static Section from_handle(void *handle) { return make(pagemate_section_from_handle, handle); }

    /** The section's handle, lent while it is there. */
    void *handle() const { return detail::told<void *>(pagemate_section_handle, section_.get()); }
#else
    /** Any mappable descriptor. It is copied, and remains yours to close. */
    static Section from_descriptor(int descriptor) {
        return make(pagemate_section_from_descriptor, descriptor);
    }

    /** The section's descriptor, lent while it is there. */
    int descriptor() const {
        return detail::told<int>(pagemate_section_descriptor, section_.get());
    }

    /** Opens memory that is not pagemate's: the POSIX object `name`, as `shm_open(3)` takes it. */
    static Section open_posix(const std::string &name, Access access = Access::Default) {
        const auto word = static_cast<pagemate_access>(access);
        return make(pagemate_section_open_posix, detail::text(name), word);
    }
#endif

    /** Another handle to the same memory. */
    Section clone() const { return make(pagemate_section_clone, section_.get()); }

    /** Maps it. */
    View map(const ViewOptions &options = {}) const {
        return View(
            detail::told<pagemate_view *>(pagemate_section_map, section_.get(), &options.options_));
    }

    /** Its length in bytes. */
    std::uint64_t len() const {
        return detail::told<std::uint64_t>(pagemate_section_len, section_.get());
    }

    /** Whether this handle made the object, and did not find it. */
    bool was_created() const {
        return detail::told<bool>(pagemate_section_was_created, section_.get());
    }

    /** The name it was made or opened by, in its shortest spelling, if it has one of pagemate's. */
    std::optional<std::string> name() const {
        const auto *name = detail::told<const char *>(pagemate_section_name, section_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

    /** What this handle may do. */
    Access access() const {
        return static_cast<Access>(
            detail::told<pagemate_access>(pagemate_section_access, section_.get()));
    }

    /** What views of the object may do. */
    Protection protection() const {
        return static_cast<Protection>(
            detail::told<pagemate_protection>(pagemate_section_protection, section_.get()));
    }

private:
    friend class SectionOptions;
    template <class T> friend class SharedMutex;
    explicit Section(pagemate_section *section) : section_(section) {}

    template <class... Arguments, class... Given>
    static Section make(pagemate_status (*verb)(Arguments...), Given... given) {
        return Section(detail::told<pagemate_section *>(verb, given...));
    }

    detail::Owner<pagemate_section> section_;
};

/** How to make or open a section: set what matters, then call one of the verbs. */
class SectionOptions {
public:
    /** The length in bytes. An object that exists keeps its own. */
    SectionOptions &len(std::uint64_t bytes) noexcept {
        options_.len = bytes;
        return *this;
    }

    /** Makes the section over this open file, a descriptor or a `HANDLE`, which remains yours to close. */
    SectionOptions &file(std::intptr_t file) noexcept {
        options_.file = file;
        options_.flags |= PAGEMATE_OVER_FILE;
        return *this;
    }

    /** What the new handle may do. */
    SectionOptions &access(Access access) noexcept {
        options_.access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** What views of a new object may do, whoever opens it. */
    SectionOptions &protection(Protection protection) noexcept {
        options_.protection = static_cast<pagemate_protection>(protection);
        return *this;
    }

    /** Which other users may open a new object, and for what. */
    SectionOptions &sharing(Sharing others, Access access = Access::Default) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        options_.sharing_access = static_cast<pagemate_access>(access);
        return *this;
    }

    /** Sets nothing aside at creation. Undoes huge_pages(). */
    SectionOptions &reserve() noexcept {
        options_.flags = (options_.flags & ~std::uint32_t{PAGEMATE_HUGE_PAGES}) | PAGEMATE_RESERVE;
        return *this;
    }

    /** Sets the memory aside in huge pages, as far as the system has them. Undoes reserve(). */
    SectionOptions &huge_pages() noexcept {
        options_.flags = (options_.flags & ~std::uint32_t{PAGEMATE_RESERVE}) | PAGEMATE_HUGE_PAGES;
        return *this;
    }

    /** Makes the section `name`, which must not exist. */
    Section create_new(const std::string &name) const {
        return Section::make(pagemate_section_create_new, detail::text(name), &options_);
    }

    /** Opens the section `name` if some process holds it, and makes it otherwise. */
    Section open_or_create(const std::string &name) const {
        return Section::make(pagemate_section_open_or_create, detail::text(name), &options_);
    }

    /** Opens the section `name` with the access set here. */
    Section open(const std::string &name) const {
        return Section::make(pagemate_section_open, detail::text(name), &options_);
    }

    /** Makes a section without a name. */
    Section create_unnamed() const {
        return Section::make(pagemate_section_create_unnamed, &options_);
    }

private:
    pagemate_section_options options_{};
};

/** What is alive, who holds it, and what the dead left behind. */
namespace inventory {

/** A mutex when somebody looked. */
struct MutexState {
    /** The pid that has it, in its own pid namespace, if any has. */
    std::optional<std::uint32_t> owner;
    /** Whether the next who takes it will be told that it was abandoned. */
    bool abandoned;
};

/** An event when somebody looked. */
struct EventState {
    Reset reset;
    bool signaled;
};

/** A semaphore when somebody looked. */
struct SemaphoreState {
    std::uint32_t count;
    std::uint32_t max;
};

/** A live object: pagemate_entry as a value, with nothing where that says that it is not known. */
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
    /** Nothing for a section, and where it is not known. */
    std::variant<std::monostate, MutexState, EventState, SemaphoreState> state;
    /** About how many threads sleep until they can have it. */
    std::optional<std::uint32_t> waiting;
};

/** What prune() gave back. */
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
    const auto count = pagemate::detail::told<std::size_t>(pagemate_inventory_count, inventory);
    for (std::size_t i = 0; i < count; i++) {
        entries.push_back(copy(*pagemate::detail::told<const pagemate_entry *>(
            pagemate_inventory_entry, inventory, i)));
    }
    return entries;
}

} // namespace detail

/** Every live object that this user may look at, by name. */
inline std::vector<Entry> list() {
    return detail::copy_all(pagemate::detail::told<pagemate_inventory *>(pagemate_inventory_list));
}

/** The live object called `name`. */
inline Entry find(const std::string &name) {
    const char *text = pagemate::detail::text(name);
    auto found = pagemate::detail::told<pagemate_inventory *>(pagemate_inventory_find, text);
    return detail::copy_all(found).at(0);
}

/** Gives back what dead processes left. */
inline Pruned prune() {
    Pruned pruned{};
    pagemate::detail::check(pagemate_prune(&pruned.objects, &pruned.bytes));
    return pruned;
}

} // namespace inventory
} // namespace pagemate

#include "pagemate_sync.hpp"

#endif
