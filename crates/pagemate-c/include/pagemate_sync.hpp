/**
 * @file pagemate_sync.hpp
 *
 * pagemate for C++17: mutexes, events and semaphores that processes share, and that survive who holds
 * them. What the calls do, and what differs between systems, is told in pagemate.h.
 *
 * ```cpp
 * auto quit = pagemate::EventOptions(pagemate::Reset::Manual).open_or_create("quit");
 * auto jobs = pagemate::SemaphoreOptions(1).open_or_create("jobs");
 * if (pagemate::wait_any({quit, jobs}).index == 1) {
 *     std::cout << "there is a job\n";
 * }
 * ```
 */
#ifndef PAGEMATE_SYNC_HPP
#define PAGEMATE_SYNC_HPP

#include "pagemate.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pagemate {

namespace detail {

/** Whether what a call waited for came in time. */
inline bool came(pagemate_status status) {
    if (status == PAGEMATE_TIMED_OUT) {
        return false;
    }
    check(status);
    return true;
}

/** How long to wait: what is left of a nanosecond is waited for too, and what is too long to count is for
 *  ever. */
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

/**
 * What mutexes have in common, by the names that `std::lock_guard` and `std::unique_lock` use.
 *
 * If a process is killed while it has one, or a thread ends, the next who waits has it within a tenth of a
 * second, and was_abandoned() says so: ask it whenever you have locked, and mend what the dead left.
 */
template <class Handle, auto lock_, auto try_lock_, auto try_lock_for_, auto unlock_, auto is_mine_>
class Lock {
public:
    /** Waits until nobody has it, and locks it. */
    void lock() { abandoned_ = told<bool>(lock_, handle_.get()); }

    /** Locks it if nobody has it. */
    bool try_lock() { return had(try_lock_); }

    /** Waits for so long at most until nobody has it, and locks it. */
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period> &time) {
        return had(try_lock_for_, nanoseconds(time));
    }

    /** The same, for as long as there is until then by its clock. */
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration> &end) {
        return try_lock_for(end - Clock::now());
    }

    /**
     * Unlocks it. Where this thread does not have it, that is Error with PAGEMATE_NOT_OWNER: also at the end
     * of a guard in a child made by `fork`, which has none of its parent's mutexes.
     */
    void unlock() { check(unlock_(handle_.get())); }

    /** For who has it: whether the last who had it ended without unlocking it. */
    bool was_abandoned() const noexcept { return abandoned_; }

    /** Whether this thread has it, by this handle. */
    bool is_mine() const { return told<bool>(is_mine_, handle_.get()); }

protected:
    explicit Lock(Handle *handle) : handle_(handle) {}

    Owner<Handle> handle_;
    /** Changed only by who has the mutex. */
    bool abandoned_ = false;

private:
    template <class Verb, class... Given> bool had(Verb verb, Given... given) {
        bool abandoned = false;
        if (!came(verb(handle_.get(), given..., &abandoned))) {
            return false;
        }
        abandoned_ = abandoned;
        return true;
    }
};

} // namespace detail

/**
 * A lock that one thread of all processes has at a time; closed at the end, and abandoned if it is locked
 * then. Its name lives as a section's does.
 *
 * ```cpp
 * auto ledger = pagemate::MutexOptions().open_or_create("ledger");
 * const std::lock_guard guard(ledger);
 * if (ledger.was_abandoned()) {
 *     std::cout << "whoever had it died: look at what it left, and mend it\n";
 * }
 * ```
 */
class Mutex : public detail::Lock<pagemate_mutex, pagemate_mutex_lock, pagemate_mutex_try_lock,
                                  pagemate_mutex_try_lock_for, pagemate_mutex_unlock,
                                  pagemate_mutex_is_mine> {
public:
    /** Opens the mutex `name`, whose name some process has to hold. */
    static Mutex open(const std::string &name) {
        return make(pagemate_mutex_open, detail::text(name));
    }

#ifdef _WIN32
    /** A handle of Windows' to one. It is duplicated, and remains yours to close. */
    static Mutex from_handle(void *handle) {
        return make(pagemate_mutex_from_handle, handle);
    }

    /** Its handle of Windows', lent while it is there. */
    void *handle() const { return detail::told<void *>(pagemate_mutex_handle, handle_.get()); }
#else
    /** A descriptor that somebody handed on as one. It is copied, and remains yours to close. */
    static Mutex from_descriptor(int descriptor) {
        return make(pagemate_mutex_from_descriptor, descriptor);
    }

    /** Its descriptor, lent while it is there. */
    int descriptor() const {
        return detail::told<int>(pagemate_mutex_descriptor, handle_.get());
    }
#endif

    /** Whether this handle made the object, and did not find it. */
    bool was_created() const {
        return detail::told<bool>(pagemate_mutex_was_created, handle_.get());
    }

    /** The name it was made or opened by, in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::told<const char *>(pagemate_mutex_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class MutexOptions;
    friend class Waitable;
    explicit Mutex(pagemate_mutex *mutex) : Lock(mutex) {}

    template <class... Arguments, class... Given>
    static Mutex make(pagemate_status (*verb)(Arguments...), Given... given) {
        return Mutex(detail::told<pagemate_mutex *>(verb, given...));
    }

    /** Locked as one of several. */
    std::unique_lock<Mutex> adopt(bool abandoned) {
        abandoned_ = abandoned;
        return {*this, std::adopt_lock};
    }
};

/** How to make a mutex: set what matters, then call one of the verbs. */
class MutexOptions {
public:
    /** Locks a new mutex before anybody else can, as if this thread had. */
    MutexOptions &locked() noexcept {
        options_.flags |= PAGEMATE_LOCKED;
        return *this;
    }

    /** Which other users may use a new mutex. */
    MutexOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Makes the mutex `name`, which must not exist. */
    Mutex create_new(const std::string &name) const {
        return Mutex::make(pagemate_mutex_create_new, detail::text(name), &options_);
    }

    /** Opens the mutex `name` if some process holds it, as it is, and makes it otherwise. */
    Mutex open_or_create(const std::string &name) const {
        return Mutex::make(pagemate_mutex_open_or_create, detail::text(name), &options_);
    }

    /** Makes a mutex without a name. */
    Mutex create_unnamed() const {
        return Mutex::make(pagemate_mutex_create_unnamed, &options_);
    }

private:
    pagemate_mutex_options options_{};
};

/** Something that has happened, or not yet, for all processes. Its name lives as a section's does. */
class Event {
public:
    /** Opens the event `name`, which some process has to hold. It resets as its maker said. */
    static Event open(const std::string &name) {
        return make(pagemate_event_open, detail::text(name));
    }

    /** Says that it has happened: all who wait go on, or with Reset::Auto one does. */
    void set() { detail::check(pagemate_event_set(handle_.get())); }

    /** Says that it has not happened. */
    void reset() { detail::check(pagemate_event_reset(handle_.get())); }

    /** Lets those go on who wait at this moment, all or one, and leaves it not set. */
    void pulse() { detail::check(pagemate_event_pulse(handle_.get())); }

    /** Waits until it has happened. */
    void wait() { detail::check(pagemate_event_wait(handle_.get())); }

    /** Waits for so long at most; false if it did not happen. */
    template <class Rep, class Period>
    bool wait_for(const std::chrono::duration<Rep, Period> &time) {
        return detail::came(pagemate_event_wait_for(handle_.get(), detail::nanoseconds(time)));
    }

#ifdef _WIN32
    /** A handle of Windows' to one. It is duplicated, and remains yours to close. */
    static Event from_handle(void *handle) {
        return make(pagemate_event_from_handle, handle);
    }

    /** Its handle of Windows', lent while it is there. */
    void *handle() const { return detail::told<void *>(pagemate_event_handle, handle_.get()); }
#else
    /** A descriptor that somebody handed on as one. It is copied, and remains yours to close. */
    static Event from_descriptor(int descriptor) {
        return make(pagemate_event_from_descriptor, descriptor);
    }

    /** Its descriptor, lent while it is there. */
    int descriptor() const {
        return detail::told<int>(pagemate_event_descriptor, handle_.get());
    }
#endif

    /** Whether this handle made the object, and did not find it. */
    bool was_created() const {
        return detail::told<bool>(pagemate_event_was_created, handle_.get());
    }

    /** The name it was made or opened by, in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::told<const char *>(pagemate_event_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class EventOptions;
    friend class Waitable;
    explicit Event(pagemate_event *event) : handle_(event) {}

    template <class... Arguments, class... Given>
    static Event make(pagemate_status (*verb)(Arguments...), Given... given) {
        return Event(detail::told<pagemate_event *>(verb, given...));
    }

    detail::Owner<pagemate_event> handle_;
};

/** How to make an event: set what matters, then call one of the verbs. */
class EventOptions {
public:
    /** An event that resets so, and has not happened yet. */
    explicit EventOptions(Reset reset) noexcept {
        options_.reset = static_cast<pagemate_reset>(reset);
    }

    /** A new event has happened already. */
    EventOptions &signaled() noexcept {
        options_.flags |= PAGEMATE_SIGNALED;
        return *this;
    }

    /** Which other users may use a new event. */
    EventOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Makes the event `name`, which must not exist. */
    Event create_new(const std::string &name) const {
        return Event::make(pagemate_event_create_new, detail::text(name), &options_);
    }

    /** Opens the event `name` if some process holds it, as it is, and makes it otherwise. */
    Event open_or_create(const std::string &name) const {
        return Event::make(pagemate_event_open_or_create, detail::text(name), &options_);
    }

    /** Makes an event without a name. */
    Event create_unnamed() const {
        return Event::make(pagemate_event_create_unnamed, &options_);
    }

private:
    pagemate_event_options options_{};
};

/** A count that all processes share, and that is never less than zero. Its name lives as a section's
 *  does. */
class Semaphore {
public:
    /** Opens the semaphore `name`, which some process has to hold, with the count that it has. */
    static Semaphore open(const std::string &name) {
        return make(pagemate_semaphore_open, detail::text(name));
    }

    /** Waits until the count is more than zero, and takes one off. */
    void acquire() { detail::check(pagemate_semaphore_acquire(handle_.get())); }

    /** Takes one off if the count is more than zero; false if it is not. */
    bool try_acquire() { return detail::came(pagemate_semaphore_try_acquire(handle_.get())); }

    /** Waits for so long at most; false if there was nothing to take all the time. */
    template <class Rep, class Period>
    bool try_acquire_for(const std::chrono::duration<Rep, Period> &time) {
        const auto left = detail::nanoseconds(time);
        return detail::came(pagemate_semaphore_try_acquire_for(handle_.get(), left));
    }

    /** Adds `by` to the count, and tells what it was before. */
    std::uint32_t release(std::uint32_t by = 1) {
        return detail::told<std::uint32_t>(pagemate_semaphore_release, handle_.get(), by);
    }

#ifdef _WIN32
    /** A handle of Windows' to one. It is duplicated, and remains yours to close. */
    static Semaphore from_handle(void *handle) {
        return make(pagemate_semaphore_from_handle, handle);
    }

    /** Its handle of Windows', lent while it is there. */
    void *handle() const { return detail::told<void *>(pagemate_semaphore_handle, handle_.get()); }
#else
    /** A descriptor that somebody handed on as one. It is copied, and remains yours to close. */
    static Semaphore from_descriptor(int descriptor) {
        return make(pagemate_semaphore_from_descriptor, descriptor);
    }

    /** Its descriptor, lent while it is there. */
    int descriptor() const {
        return detail::told<int>(pagemate_semaphore_descriptor, handle_.get());
    }
#endif

    /** Whether this handle made the object, and did not find it. */
    bool was_created() const {
        return detail::told<bool>(pagemate_semaphore_was_created, handle_.get());
    }

    /** The name it was made or opened by, in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::told<const char *>(pagemate_semaphore_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class SemaphoreOptions;
    friend class Waitable;
    explicit Semaphore(pagemate_semaphore *semaphore) : handle_(semaphore) {}

    template <class... Arguments, class... Given>
    static Semaphore make(pagemate_status (*verb)(Arguments...), Given... given) {
        return Semaphore(detail::told<pagemate_semaphore *>(verb, given...));
    }

    detail::Owner<pagemate_semaphore> handle_;
};

/** How to make a semaphore: set what matters, then call one of the verbs. */
class SemaphoreOptions {
public:
    /** A semaphore of this count, which can be no more than `max`; with 0, than 2,147,483,647. */
    explicit SemaphoreOptions(std::uint32_t count = 0, std::uint32_t max = 0) noexcept {
        options_.count = count;
        options_.max = max;
    }

    /** Which other users may use a new semaphore. */
    SemaphoreOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Makes the semaphore `name`, which must not exist. */
    Semaphore create_new(const std::string &name) const {
        return Semaphore::make(pagemate_semaphore_create_new, detail::text(name), &options_);
    }

    /** Opens the semaphore `name` if some process holds it, as it is, and makes it otherwise. */
    Semaphore open_or_create(const std::string &name) const {
        return Semaphore::make(pagemate_semaphore_open_or_create, detail::text(name), &options_);
    }

    /** Makes a semaphore without a name. */
    Semaphore create_unnamed() const {
        return Semaphore::make(pagemate_semaphore_create_unnamed, &options_);
    }

private:
    pagemate_semaphore_options options_{};
};

/** One of several to wait for, lent while the wait goes on. */
class Waitable {
public:
    /** Until nobody has it; then it is locked. */
    Waitable(Mutex &mutex) : mutex_(&mutex) { one_.mutex = mutex.handle_.get(); }
    /** Until it has happened. */
    Waitable(Event &event) { one_.event = event.handle_.get(); }
    /** Until its count is more than zero; then one is taken off. */
    Waitable(Semaphore &semaphore) { one_.semaphore = semaphore.handle_.get(); }

    /** As C has it. */
    const pagemate_waitable &raw() const noexcept { return one_; }

    /** What is to be unlocked, after a wait that had this one. */
    std::unique_lock<Mutex> adopt(bool abandoned) const {
        return mutex_ == nullptr ? std::unique_lock<Mutex>() : mutex_->adopt(abandoned);
    }

private:
    pagemate_waitable one_{};
    Mutex *mutex_ = nullptr;
};

/** What was waited for and is had. */
struct Had {
    /** Which one, counted from zero. */
    std::size_t index;
    /** If that one is a mutex: it is unlocked at the end of this. */
    std::unique_lock<Mutex> lock;
};

namespace detail {

inline std::vector<pagemate_waitable> raw(const std::vector<Waitable> &list) {
    std::vector<pagemate_waitable> all;
    for (const auto &one : list) {
        all.push_back(one.raw());
    }
    // So that C has somewhere to look even if there is nothing.
    all.reserve(1);
    return all;
}

inline std::optional<Had> wait_any(const std::vector<Waitable> &list, std::uint64_t left) {
    const auto all = raw(list);
    std::size_t index = 0;
    bool abandoned = false;
    if (!came(pagemate_wait_any_for(all.data(), all.size(), left, &index, &abandoned))) {
        return std::nullopt;
    }
    return Had{index, list[index].adopt(abandoned)};
}

inline std::optional<std::vector<Had>> wait_all(const std::vector<Waitable> &list,
                                                std::uint64_t left) {
    const auto all = raw(list);
    std::vector<Had> had;
    had.reserve(list.size());
    std::uint64_t abandoned = 0;
    if (!came(pagemate_wait_all_for(all.data(), all.size(), left, &abandoned))) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < list.size(); i++) {
        had.push_back(Had{i, list[i].adopt((abandoned >> i & 1) != 0)});
    }
    return had;
}

} // namespace detail

/** Waits until one of them can be had, and takes that one alone: of several, the first in the list. */
inline Had wait_any(const std::vector<Waitable> &list) {
    return std::move(*detail::wait_any(list, PAGEMATE_FOREVER));
}

/** The same, for so long at most; nothing if there was nothing to be had all the time. */
template <class Rep, class Period>
std::optional<Had> wait_any_for(const std::vector<Waitable> &list,
                                const std::chrono::duration<Rep, Period> &time) {
    return detail::wait_any(list, detail::nanoseconds(time));
}

/** Waits until all of them can be had at once, and takes them all. Until then it takes none. */
inline std::vector<Had> wait_all(const std::vector<Waitable> &list) {
    return std::move(*detail::wait_all(list, PAGEMATE_FOREVER));
}

/** The same, for so long at most; nothing if they were not all there in time. */
template <class Rep, class Period>
std::optional<std::vector<Had>> wait_all_for(const std::vector<Waitable> &list,
                                             const std::chrono::duration<Rep, Period> &time) {
    return detail::wait_all(list, detail::nanoseconds(time));
}

/**
 * A mutex beside the value that it guards, at a place in a section. It keeps the section alive. The value is
 * copied in and out; who does not have the mutex cannot get at it.
 *
 * A fingerprint stands for `T`: any number that all programs use which mean the same by these bytes. See
 * pagemate_shared_mutex.
 *
 * ```cpp
 * auto section = pagemate::SectionOptions().len(4096).open_or_create("tally");
 * auto tally = pagemate::SharedMutex<std::uint64_t>::open_or_init(section, 0, 2026, 41);
 * const std::lock_guard guard(tally);
 * std::cout << tally.update([](std::uint64_t &count) { count++; }) << '\n';
 * ```
 */
template <class T>
class SharedMutex
    : public detail::Lock<pagemate_shared_mutex, pagemate_shared_mutex_lock,
                          pagemate_shared_mutex_try_lock, pagemate_shared_mutex_try_lock_for,
                          pagemate_shared_mutex_unlock, pagemate_shared_mutex_is_mine> {
    static_assert(std::is_trivially_copyable_v<T>, "its bytes are not all of it");
    static_assert(!std::is_pointer_v<T>, "each process has the memory at another address");

public:
    /** How many bytes it takes. */
    static constexpr std::uint64_t len = PAGEMATE_SHARED_MUTEX_LEN + sizeof(T);

    /** Opens the mutex that stands at `offset` in the section, or makes it, of bytes that have to be zero. */
    static SharedMutex open_or_init(const Section &section, std::uint64_t offset,
                                    std::uint64_t fingerprint, const T &initial) {
        return SharedMutex(detail::told<pagemate_shared_mutex *>(
            pagemate_shared_mutex_open_or_init, section.section_.get(), offset, fingerprint, &initial,
            sizeof(T)));
    }

    /** Opens the mutex that stands at `offset` in the section. */
    static SharedMutex open(const Section &section, std::uint64_t offset, std::uint64_t fingerprint) {
        return SharedMutex(detail::told<pagemate_shared_mutex *>(
            pagemate_shared_mutex_open, section.section_.get(), offset, fingerprint, sizeof(T)));
    }

    /** A copy of the value, for who has the mutex. */
    T get() const {
        T value{};
        detail::check(
            pagemate_shared_mutex_read_at(this->handle_.get(), 0, &value, sizeof value));
        return value;
    }

    /** Replaces the value, for who has the mutex. */
    void set(const T &value) {
        detail::check(
            pagemate_shared_mutex_write_at(this->handle_.get(), 0, &value, sizeof value));
    }

    /** Changes the value, for who has the mutex, and gives what it became. */
    template <class Change> T update(Change change) {
        T value = get();
        change(value);
        set(value);
        return value;
    }

private:
    explicit SharedMutex(pagemate_shared_mutex *mutex) : SharedMutex::Lock(mutex) {}
};

} // namespace pagemate

#endif
