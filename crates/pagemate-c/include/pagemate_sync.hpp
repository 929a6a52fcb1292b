/**
 * @file pagemate_sync.hpp
 *
 * pagemate for C++17: mutexes, events and semaphores that processes share, and that survive the death of
 * their holders. pagemate.h documents the behaviour, including the differences between systems.
 *
 * ```cpp
 * auto quit = pagemate::EventOptions(pagemate::Reset::Manual).open_or_create("quit");
 * auto jobs = pagemate::SemaphoreOptions(1).open_or_create("jobs");
 * if (pagemate::wait_any({quit, jobs}).index == 1) {
 *     std::cout << "a job is ready\n";
 * }
 * ```
 */
#ifndef PAGEMATE_SYNC_HPP
#define PAGEMATE_SYNC_HPP

#include "pagemate.hpp"
#include "pagemate_fingerprint.hpp"

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

/** Returns `false` if a timeout expired, and throws if a call failed otherwise. */
inline bool in_time(pagemate_status status) {
    if (status == PAGEMATE_TIMED_OUT) {
        return false;
    }
    check(status);
    return true;
}

/**
 * The functions of all mutexes, with the names that `std::lock_guard` and `std::unique_lock` require.
 *
 * If the owner dies, that is, its process is killed or its thread ends, the next waiter acquires the mutex
 * within a tenth of a second. was_abandoned() then returns `true`: check it after each lock, and repair the
 * protected data.
 *
 * An exception that leaves the scope of a `std::lock_guard` or `std::unique_lock` unlocks the mutex, as it
 * unlocks a `std::mutex`, and does not abandon it: catch it there if it can leave the data inconsistent.
 */
template <class Handle, auto lock_, auto try_lock_, auto try_lock_for_, auto unlock_, auto is_mine_>
class Lock {
public:
    /** Blocks until the calling thread acquires the mutex. */
    void lock() { abandoned_ = result_of<bool>(lock_, handle_.get()); }

    /** Acquires the mutex if no thread owns it, without blocking. Returns whether it did. */
    bool try_lock() { return acquire(try_lock_); }

    /** Blocks until the calling thread acquires the mutex or the timeout expires. Returns whether it did. */
    template <class Rep, class Period>
    bool try_lock_for(const std::chrono::duration<Rep, Period> &time) {
        return acquire(try_lock_for_, nanoseconds(time));
    }

    /** Blocks until the calling thread acquires the mutex or `end` is reached. Returns whether it did. */
    template <class Clock, class Duration>
    bool try_lock_until(const std::chrono::time_point<Clock, Duration> &end) {
        return try_lock_for(end - Clock::now());
    }

    /**
     * Releases the mutex. Throws Error with PAGEMATE_NOT_OWNER if the calling thread does not own it, also in
     * the destructor of a guard in a child made by `fork`, which owns none of its parent's mutexes.
     */
    void unlock() { check(unlock_(handle_.get())); }

    /** Returns whether the previous owner ended without unlocking the mutex. Only the owner may call this. */
    bool was_abandoned() const noexcept { return abandoned_; }

    /** Returns whether the calling thread owns the mutex through this handle. */
    bool is_mine() const { return result_of<bool>(is_mine_, handle_.get()); }

protected:
    explicit Lock(Handle *handle) : handle_(handle) {}

    Owner<Handle> handle_;
    /** Only the owner of the mutex writes to it. */
    bool abandoned_ = false;

private:
    template <class Function, class... Arguments>
    bool acquire(Function function, Arguments... arguments) {
        bool abandoned = false;
        if (!in_time(function(handle_.get(), arguments..., &abandoned))) {
            return false;
        }
        abandoned_ = abandoned;
        return true;
    }
};

} // namespace detail

/**
 * A mutex, which at most one thread of all processes owns at a time. Its handle is closed when destroyed; if
 * a thread owns the mutex through it, the mutex is abandoned. Its name exists as a section's does.
 *
 * ```cpp
 * auto ledger = pagemate::MutexOptions().open_or_create("ledger");
 * const std::lock_guard guard(ledger);
 * if (ledger.was_abandoned()) {
 *     std::cout << "the last owner died: check the ledger and repair it\n";
 * }
 * ```
 */
class Mutex : public detail::Lock<pagemate_mutex, pagemate_mutex_lock, pagemate_mutex_try_lock,
                                  pagemate_mutex_try_lock_for, pagemate_mutex_unlock,
                                  pagemate_mutex_is_mine> {
public:
    /** Opens the mutex `name`. Throws if no process holds it. */
    static Mutex open(const std::string &name) {
        return make(pagemate_mutex_open, detail::text(name));
    }

    /** Opens the mutex `name`, and blocks until a process creates it. Throws if none does within `time`. */
    template <class Rep, class Period>
    static Mutex open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) {
        return make(pagemate_mutex_open_within, detail::text(name), detail::nanoseconds(time));
    }

#ifdef _WIN32
    /** Creates an object for a Windows handle. It is duplicated; the caller still owns it. */
    static Mutex from_handle(void *handle) {
        return make(pagemate_mutex_from_handle, handle);
    }

    /** Returns the Windows handle, which belongs to this object. */
    void *handle() const { return detail::result_of<void *>(pagemate_mutex_handle, handle_.get()); }
#else
    /** Creates an object for a descriptor received from another process. It is duplicated; the caller still
     *  owns it. */
    static Mutex from_descriptor(int descriptor) {
        return make(pagemate_mutex_from_descriptor, descriptor);
    }

    /** Returns the descriptor, which belongs to this object. */
    int descriptor() const {
        return detail::result_of<int>(pagemate_mutex_descriptor, handle_.get());
    }
#endif

    /** Throws PAGEMATE_ORPHANED if another program removed the name. */
    void check_name() const { detail::check(pagemate_mutex_check_name(handle_.get())); }

    /** Returns whether this handle created the object rather than opened it. */
    bool was_created() const {
        return detail::result_of<bool>(pagemate_mutex_was_created, handle_.get());
    }

    /** Returns the name in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::result_of<const char *>(pagemate_mutex_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class MutexOptions;
    friend class Waitable;
    explicit Mutex(pagemate_mutex *mutex) : Lock(mutex) {}

    template <class... Parameters, class... Arguments>
    static Mutex make(pagemate_status (*function)(Parameters...), Arguments... arguments) {
        return Mutex(detail::result_of<pagemate_mutex *>(function, arguments...));
    }

    /** Returns the lock of a mutex that wait_any() or wait_all() acquired. */
    std::unique_lock<Mutex> adopt(bool abandoned) {
        abandoned_ = abandoned;
        return {*this, std::adopt_lock};
    }
};

/** Options to create a mutex. Set options, then call one of the last three functions. */
class MutexOptions {
public:
    /** Sets whether the calling thread owns a new mutex before any other thread can acquire it. */
    MutexOptions &locked(bool locked = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_LOCKED, locked);
        return *this;
    }

    /** Sets the other users who may open a new mutex. */
    MutexOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Creates the mutex `name`. Throws if a process holds an object of this name. */
    Mutex create_new(const std::string &name) const {
        return Mutex::make(pagemate_mutex_create_new, detail::text(name), &options_);
    }

    /** Opens the mutex `name` unchanged if a process holds it, and creates it otherwise. */
    Mutex open_or_create(const std::string &name) const {
        return Mutex::make(pagemate_mutex_open_or_create, detail::text(name), &options_);
    }

    /** Creates a mutex without a name. */
    Mutex create_unnamed() const {
        return Mutex::make(pagemate_mutex_create_unnamed, &options_);
    }

private:
    pagemate_mutex_options options_{};
};

/** An event, which is set or not set, for all processes alike. Its name exists as a section's does. */
class Event {
public:
    /** Opens the event `name`. Throws if no process holds it. */
    static Event open(const std::string &name) {
        return make(pagemate_event_open, detail::text(name));
    }

    /** Opens the event `name`, and blocks until a process creates it. Throws if none does within `time`. */
    template <class Rep, class Period>
    static Event open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) {
        return make(pagemate_event_open_within, detail::text(name), detail::nanoseconds(time));
    }

    /** Sets the event, which wakes all waiters; with Reset::Auto, one. */
    void set() { detail::check(pagemate_event_set(handle_.get())); }

    /** Resets the event: later waiters block. */
    void reset() { detail::check(pagemate_event_reset(handle_.get())); }

    /** Wakes the current waiters, all or with Reset::Auto one, and leaves the event not set. */
    void pulse() { detail::check(pagemate_event_pulse(handle_.get())); }

    /** Blocks until the event is set. */
    void wait() { detail::check(pagemate_event_wait(handle_.get())); }

    /** Blocks until the event is set or the timeout expires. Returns whether it was set. */
    template <class Rep, class Period>
    bool wait_for(const std::chrono::duration<Rep, Period> &time) {
        return detail::in_time(pagemate_event_wait_for(handle_.get(), detail::nanoseconds(time)));
    }

#ifdef _WIN32
    /** Creates an object for a Windows handle. It is duplicated; the caller still owns it. */
    static Event from_handle(void *handle) {
        return make(pagemate_event_from_handle, handle);
    }

    /** Returns the Windows handle, which belongs to this object. */
    void *handle() const { return detail::result_of<void *>(pagemate_event_handle, handle_.get()); }
#else
    /** Creates an object for a descriptor received from another process. It is duplicated; the caller still
     *  owns it. */
    static Event from_descriptor(int descriptor) {
        return make(pagemate_event_from_descriptor, descriptor);
    }

    /** Returns the descriptor, which belongs to this object. */
    int descriptor() const {
        return detail::result_of<int>(pagemate_event_descriptor, handle_.get());
    }
#endif

    /** Throws PAGEMATE_ORPHANED if another program removed the name. */
    void check_name() const { detail::check(pagemate_event_check_name(handle_.get())); }

    /** Returns whether this handle created the object rather than opened it. */
    bool was_created() const {
        return detail::result_of<bool>(pagemate_event_was_created, handle_.get());
    }

    /** Returns the name in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::result_of<const char *>(pagemate_event_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class EventOptions;
    friend class Waitable;
    explicit Event(pagemate_event *event) : handle_(event) {}

    template <class... Parameters, class... Arguments>
    static Event make(pagemate_status (*function)(Parameters...), Arguments... arguments) {
        return Event(detail::result_of<pagemate_event *>(function, arguments...));
    }

    detail::Owner<pagemate_event> handle_;
};

/** Options to create an event. Set options, then call one of the last three functions. */
class EventOptions {
public:
    /** Describes an event that is reset in this way and is not set. */
    explicit EventOptions(Reset reset) noexcept {
        options_.reset = static_cast<pagemate_reset>(reset);
    }

    /** Sets whether a new event is set from the start. */
    EventOptions &signaled(bool signaled = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_SIGNALED, signaled);
        return *this;
    }

    /** Sets the other users who may open a new event. */
    EventOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Creates the event `name`. Throws if a process holds an object of this name. */
    Event create_new(const std::string &name) const {
        return Event::make(pagemate_event_create_new, detail::text(name), &options_);
    }

    /** Opens the event `name` unchanged if a process holds it, and creates it otherwise. */
    Event open_or_create(const std::string &name) const {
        return Event::make(pagemate_event_open_or_create, detail::text(name), &options_);
    }

    /** Creates an event without a name. */
    Event create_unnamed() const {
        return Event::make(pagemate_event_create_unnamed, &options_);
    }

private:
    pagemate_event_options options_{};
};

/** A semaphore, which is a count that all processes share. Its name exists as a section's does. If a
 *  process dies, the permits that it acquired are lost. */
class Semaphore {
public:
    /** Opens the semaphore `name`. Throws if no process holds it. */
    static Semaphore open(const std::string &name) {
        return make(pagemate_semaphore_open, detail::text(name));
    }

    /** Opens the semaphore `name`, and blocks until a process creates it. Throws if none does within `time`. */
    template <class Rep, class Period>
    static Semaphore open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) {
        return make(pagemate_semaphore_open_within, detail::text(name), detail::nanoseconds(time));
    }

    /** Blocks until the count is greater than 0, and decrements it. */
    void acquire() { detail::check(pagemate_semaphore_acquire(handle_.get())); }

    /** Decrements the count if it is greater than 0, without blocking. Returns whether it did. */
    bool try_acquire() { return detail::in_time(pagemate_semaphore_try_acquire(handle_.get())); }

    /** Blocks until it has decremented the count or the timeout expires. Returns whether it did. */
    template <class Rep, class Period>
    bool try_acquire_for(const std::chrono::duration<Rep, Period> &time) {
        const auto left = detail::nanoseconds(time);
        return detail::in_time(pagemate_semaphore_try_acquire_for(handle_.get(), left));
    }

    /** Adds `by` to the count, and returns the count before that. */
    std::uint32_t release(std::uint32_t by = 1) {
        return detail::result_of<std::uint32_t>(pagemate_semaphore_release, handle_.get(), by);
    }

#ifdef _WIN32
    /** Creates an object for a Windows handle. It is duplicated; the caller still owns it. */
    static Semaphore from_handle(void *handle) {
        return make(pagemate_semaphore_from_handle, handle);
    }

    /** Returns the Windows handle, which belongs to this object. */
    void *handle() const { return detail::result_of<void *>(pagemate_semaphore_handle, handle_.get()); }
#else
    /** Creates an object for a descriptor received from another process. It is duplicated; the caller still
     *  owns it. */
    static Semaphore from_descriptor(int descriptor) {
        return make(pagemate_semaphore_from_descriptor, descriptor);
    }

    /** Returns the descriptor, which belongs to this object. */
    int descriptor() const {
        return detail::result_of<int>(pagemate_semaphore_descriptor, handle_.get());
    }
#endif

    /** Throws PAGEMATE_ORPHANED if another program removed the name. */
    void check_name() const { detail::check(pagemate_semaphore_check_name(handle_.get())); }

    /** Returns whether this handle created the object rather than opened it. */
    bool was_created() const {
        return detail::result_of<bool>(pagemate_semaphore_was_created, handle_.get());
    }

    /** Returns the name in its shortest spelling, if it has one. */
    std::optional<std::string> name() const {
        const auto *name = detail::result_of<const char *>(pagemate_semaphore_name, handle_.get());
        return name == nullptr ? std::nullopt : std::optional<std::string>(name);
    }

private:
    friend class SemaphoreOptions;
    friend class Waitable;
    explicit Semaphore(pagemate_semaphore *semaphore) : handle_(semaphore) {}

    template <class... Parameters, class... Arguments>
    static Semaphore make(pagemate_status (*function)(Parameters...), Arguments... arguments) {
        return Semaphore(detail::result_of<pagemate_semaphore *>(function, arguments...));
    }

    detail::Owner<pagemate_semaphore> handle_;
};

/** Options to create a semaphore. Set options, then call one of the last three functions. */
class SemaphoreOptions {
public:
    /** Describes a semaphore with this initial count. A `max` of 0 stands for 2,147,483,647. */
    explicit SemaphoreOptions(std::uint32_t count = 0, std::uint32_t max = 0) noexcept {
        options_.count = count;
        options_.max = max;
    }

    /** Sets the other users who may open a new semaphore. */
    SemaphoreOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Creates the semaphore `name`. Throws if a process holds an object of this name. */
    Semaphore create_new(const std::string &name) const {
        return Semaphore::make(pagemate_semaphore_create_new, detail::text(name), &options_);
    }

    /** Opens the semaphore `name` unchanged if a process holds it, and creates it otherwise. */
    Semaphore open_or_create(const std::string &name) const {
        return Semaphore::make(pagemate_semaphore_open_or_create, detail::text(name), &options_);
    }

    /** Creates a semaphore without a name. */
    Semaphore create_unnamed() const {
        return Semaphore::make(pagemate_semaphore_create_unnamed, &options_);
    }

private:
    pagemate_semaphore_options options_{};
};

/** An object, or an endpoint of a channel, to wait for. It refers to the object, which must outlive it. */
class Waitable {
public:
    /** Waits for the object in the struct for C. */
    explicit Waitable(const pagemate_waitable &one) noexcept : one_(one) {}
    /** Waits until no thread owns the mutex, and locks it. */
    Waitable(Mutex &mutex) : mutex_(&mutex) { one_.mutex = mutex.handle_.get(); }
    /** Waits until the event is set, and resets it if it is reset automatically. */
    Waitable(Event &event) { one_.event = event.handle_.get(); }
    /** Waits until the count is greater than 0, and decrements it. */
    Waitable(Semaphore &semaphore) { one_.semaphore = semaphore.handle_.get(); }

    /** Returns the struct for C. */
    const pagemate_waitable &raw() const noexcept { return one_; }

    /** Returns the lock of a mutex that a wait acquired. For other objects the lock has no mutex. */
    std::unique_lock<Mutex> adopt(bool abandoned) const {
        return mutex_ == nullptr ? std::unique_lock<Mutex>() : mutex_->adopt(abandoned);
    }

private:
    pagemate_waitable one_{};
    Mutex *mutex_ = nullptr;
};

/** An object that a wait acquired. */
struct Had {
    /** The index in the list, from 0. */
    std::size_t index;
    /** If the object is a mutex: owns it, and releases it when destroyed. */
    std::unique_lock<Mutex> lock;
};

namespace detail {

inline std::vector<pagemate_waitable> raw(const std::vector<Waitable> &list) {
    std::vector<pagemate_waitable> all;
    for (const auto &one : list) {
        all.push_back(one.raw());
    }
    // data() of an empty list may be NULL, which C would report as a missing list, so pass another pointer.
    all.reserve(1);
    return all;
}

inline std::optional<Had> wait_any(const std::vector<Waitable> &list, std::uint64_t left) {
    const auto all = raw(list);
    std::size_t index = 0;
    bool abandoned = false;
    if (!in_time(pagemate_wait_any_for(all.data(), all.size(), left, &index, &abandoned))) {
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
    if (!in_time(pagemate_wait_all_for(all.data(), all.size(), left, &abandoned))) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < list.size(); i++) {
        had.push_back(Had{i, list[i].adopt((abandoned >> i & 1) != 0)});
    }
    return had;
}

} // namespace detail

/** Blocks until one of the objects is available, and acquires only that one. If several are available, it
 *  acquires the first one in the list. */
inline Had wait_any(const std::vector<Waitable> &list) {
    return std::move(*detail::wait_any(list, PAGEMATE_FOREVER));
}

/** As wait_any(), but returns nothing if the timeout expires. */
template <class Rep, class Period>
std::optional<Had> wait_any_for(const std::vector<Waitable> &list,
                                const std::chrono::duration<Rep, Period> &time) {
    return detail::wait_any(list, detail::nanoseconds(time));
}

/** Blocks until all of the objects are available at the same time, and acquires all of them: see
 *  pagemate_wait_all(). */
inline std::vector<Had> wait_all(const std::vector<Waitable> &list) {
    return std::move(*detail::wait_all(list, PAGEMATE_FOREVER));
}

/** As wait_all(), but returns nothing, and acquires nothing, if the timeout expires. */
template <class Rep, class Period>
std::optional<std::vector<Had>> wait_all_for(const std::vector<Waitable> &list,
                                             const std::chrono::duration<Rep, Period> &time) {
    return detail::wait_all(list, detail::nanoseconds(time));
}

/**
 * A mutex that is stored in a section, together with the value that it protects. It holds the name of the
 * section. Only the owner of the mutex can copy the value in and out.
 *
 * `T` is a number, a struct that PAGEMATE_SHAREABLE describes, or an array of these. It is a `SharedMutex<T>`
 * of a Rust program with the same type. Opening it with another type throws Error with PAGEMATE_WRONG_KIND.
 *
 * ```cpp
 * auto section = pagemate::SectionOptions().len(4096).open_or_create("tally");
 * auto tally = pagemate::SharedMutex<std::uint64_t>::open_or_init(section, 0, 41);
 * const std::lock_guard guard(tally);
 * std::cout << tally.update([](std::uint64_t &count) { count++; }) << '\n';
 * ```
 */
template <class T>
class SharedMutex
    : public detail::Lock<pagemate_shared_mutex, pagemate_shared_mutex_lock,
                          pagemate_shared_mutex_try_lock, pagemate_shared_mutex_try_lock_for,
                          pagemate_shared_mutex_unlock, pagemate_shared_mutex_is_mine> {
    static_assert((detail::check_plain<T>(), true));

public:
    /** The number of bytes that the mutex and its value occupy. */
    static constexpr std::uint64_t len = PAGEMATE_SHARED_MUTEX_LEN + sizeof(T);

    /** Opens the mutex at `offset` in the section, or creates it in bytes that are all zero. */
    static SharedMutex open_or_init(const Section &section, std::uint64_t offset, const T &initial) {
        return SharedMutex(detail::result_of<pagemate_shared_mutex *>(
            pagemate_shared_mutex_open_or_init, section.section_.get(), offset, fingerprint<T>, &initial,
            sizeof(T)));
    }

    /** Opens the mutex at `offset` in the section. Throws if no process has created it. */
    static SharedMutex open(const Section &section, std::uint64_t offset) {
        return SharedMutex(detail::result_of<pagemate_shared_mutex *>(
            pagemate_shared_mutex_open, section.section_.get(), offset, fingerprint<T>, sizeof(T)));
    }

    /** Returns a copy of the value. Throws if the calling thread does not own the mutex. */
    T get() const {
        T value{};
        detail::check(
            pagemate_shared_mutex_read_at(this->handle_.get(), 0, &value, sizeof value));
        return value;
    }

    /** Replaces the value. Throws if the calling thread does not own the mutex. */
    void set(const T &value) {
        detail::check(
            pagemate_shared_mutex_write_at(this->handle_.get(), 0, &value, sizeof value));
    }

    /** Changes the value by `change`, and returns the new one. Throws if the calling thread does not own the
     *  mutex. */
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

#include "pagemate_typed.hpp"

#include "pagemate_channel.hpp"

#endif
