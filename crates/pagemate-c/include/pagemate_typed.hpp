/**
 * @file pagemate_typed.hpp
 *
 * pagemate for C++17: structs of atomics and cells in shared memory, which the first process initialises.
 * pagemate.h documents the behaviour, including crashes and the differences between systems.
 *
 * ```cpp
 * struct Pose {
 *     double x, y;
 * };
 * PAGEMATE_SHAREABLE(Pose, x, y);
 *
 * struct Robot {
 *     pagemate::SeqLock<Pose> pose;
 *     std::atomic<std::uint32_t> frame, errors;
 * };
 * PAGEMATE_SHAREABLE(Robot, pose, frame, errors);
 *
 * auto robot = pagemate::Shared<Robot>::open_or_create("robot");
 * robot->pose.writer(robot).write({1.0, 2.0});
 * robot->frame++;
 * pagemate::wake_all(robot->frame);
 *
 * const auto reader = pagemate::Shared<Robot>::open_read_only("robot");
 * pagemate::wait_while(reader->frame, 0);
 * std::cout << reader->pose.read().y << '\n';
 * ```
 *
 * | Type of a field | Use |
 * |---|---|
 * | `std::atomic` of a number | a number that is read and written as one |
 * | SeqLock | a value that is never read half-written; readers take no lock |
 * | Racy | a value whose accesses something else orders, such as an atomic position |
 * | arrays, and structs that PAGEMATE_SHAREABLE describes, of these | |
 */
#ifndef PAGEMATE_TYPED_HPP
#define PAGEMATE_TYPED_HPP

#include "pagemate.hpp"
#include "pagemate_sync.hpp"

#include "pagemate_fingerprint.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace pagemate {

/** A word in shared memory that threads of all processes wait for. It may be mapped for reading. */
using Word = std::atomic<std::uint32_t>;

static_assert(sizeof(Word) == 4 && Word::is_always_lock_free, "the C interface waits for it");

namespace detail {

/** A function of C++ that C calls. Exceptions cannot leave it, so it keeps them. */
template <class Function> struct Callback {
    Function &function;
    std::exception_ptr thrown;

    /** Runs a body that calls the function. */
    template <class Body> pagemate_status run(Body body) noexcept {
        try {
            body();
            return PAGEMATE_OK;
        } catch (...) {
            thrown = std::current_exception();
            return PAGEMATE_OS;
        }
    }

    /** Throws the exception of the function, or that of the call of C. */
    void check(pagemate_status status) const {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        detail::check(status);
    }
};

inline std::optional<std::uint32_t> wait_while(const Word &word, std::uint32_t value, std::uint64_t left) {
    std::uint32_t seen = 0;
    if (!in_time(pagemate_word_wait_while_for(&word, value, left, &seen))) {
        return std::nullopt;
    }
    return seen;
}

} // namespace detail

/** Blocks while the word has this value, and returns the first other value: see pagemate_word_wait_while(). */
inline std::uint32_t wait_while(const Word &word, std::uint32_t value) {
    std::uint32_t seen = 0;
    detail::check(pagemate_word_wait_while(&word, value, &seen));
    return seen;
}

/** As wait_while(), but returns nothing if the timeout expires. */
template <class Rep, class Period>
std::optional<std::uint32_t> wait_while_for(const Word &word, std::uint32_t value,
                                            const std::chrono::duration<Rep, Period> &time) {
    return detail::wait_while(word, value, detail::nanoseconds(time));
}

/** As wait_while(), but returns nothing if `end` is reached. */
template <class Clock, class Duration>
std::optional<std::uint32_t> wait_while_until(const Word &word, std::uint32_t value,
                                              const std::chrono::time_point<Clock, Duration> &end) {
    return wait_while_for(word, value, end - Clock::now());
}

/** Wakes at least one thread of any process that waits for the word, if there is one. Change it first. */
inline void wake_one(Word &word) { detail::check(pagemate_word_wake_one(&word)); }

/** Wakes all threads of all processes that wait for the word. Change it first. */
inline void wake_all(Word &word) { detail::check(pagemate_word_wake_all(&word)); }

/**
 * A cell for a value that is copied in and out, and that may be read half-written: see pagemate_racy_read().
 *
 * `T` is a number, an `std::array` or a struct of numbers.
 */
template <class T> class Racy {
    static_assert((detail::check_plain<T>(), true));

public:
    Racy() noexcept = default;
    Racy(const Racy &) = delete;
    Racy &operator=(const Racy &) = delete;

    /** Returns a copy of the value, which may be half-written. */
    T get() const {
        T value{};
        detail::check(pagemate_racy_read(&value_, &value, sizeof value));
        return value;
    }

    /** Replaces the value. */
    void set(const T &value) { detail::check(pagemate_racy_write(&value_, &value, sizeof value)); }

private:
    T value_{};
};

template <class T> class Shared;
template <class T> class SeqWriter;

/**
 * A cell for a value that is never read half-written: see pagemate_seqlock_read(). Readers take no lock and do
 * not delay the writer. If a writer is killed, the previous value stays.
 *
 * `T` is a number, an `std::array` or a struct of numbers.
 */
template <class T> class SeqLock {
    static_assert((detail::check_plain<T>(), true));
    static_assert(alignof(T) <= 64, "the slots begin at byte 64");

public:
    SeqLock() noexcept = default;
    SeqLock(const SeqLock &) = delete;
    SeqLock &operator=(const SeqLock &) = delete;

    /** Returns the current value. */
    T read() const {
        T value{};
        detail::check(pagemate_seqlock_read(this, &value, sizeof value));
        return value;
    }

    /** Opens a writer of this cell, which lies in `memory`. A program that writes often keeps its writer. */
    template <class Memory> SeqWriter<T> writer(const Shared<Memory> &memory) const {
        return SeqWriter<T>(detail::result_of<pagemate_seqlock_writer *>(
            pagemate_seqlock_writer_open, static_cast<const pagemate_shared *>(memory.handle_.get()),
            static_cast<const void *>(this), sizeof(T)));
    }

private:
    /** The lock of the writers and the sequence number, which the library accesses. */
    alignas(8) unsigned char head_[64] = {};
    T slots_[2] = {};
};

/** A writer of a SeqLock, closed when destroyed. It keeps the memory mapped. */
template <class T> class SeqWriter {
public:
    /** Replaces the value, as soon as no other writer writes. */
    void write(const T &value) {
        detail::check(pagemate_seqlock_writer_write(writer_.get(), &value, sizeof value));
    }

    /**
     * Calls `change` with a copy of the value, and stores it, as soon as no other writer writes, so that no
     * change is lost. If `change` throws, nothing is stored. It must not write this value by a writer.
     */
    template <class Change> void update(Change change) {
        detail::Callback<Change> callback{change, nullptr};
        const auto status = pagemate_seqlock_writer_update(writer_.get(), call<Change>, &callback);
        callback.check(status);
    }

private:
    template <class> friend class SeqLock;
    explicit SeqWriter(pagemate_seqlock_writer *writer) : writer_(writer) {}

    template <class Change> static pagemate_status call(void *value, void *context) noexcept {
        auto &callback = *static_cast<detail::Callback<Change> *>(context);
        return callback.run([&] { callback.function(*static_cast<T *>(value)); });
    }

    detail::Owner<pagemate_seqlock_writer> writer_;
};

namespace detail {

template <class T> struct Describe<Racy<T>, void> {
    static constexpr Layout layout() noexcept {
        return {hash_around<Racy<T>>("racy", Describe<T>::layout().fingerprint), false, true};
    }
};

template <class T> struct Describe<SeqLock<T>, void> {
    static constexpr Layout layout() noexcept {
        return {hash_around<SeqLock<T>>("seqlock", Describe<T>::layout().fingerprint), false, true};
    }
};

/** A handle to typed memory, with the address of the value: of a `T`, or of a `const T`. */
template <class T, class Value> class TypedHandle {
    static_assert(Describe<T>::layout().in_place,
                  "other processes may write to it at any time: put numbers into std::atomic, SeqLock or Racy");

public:
    TypedHandle(TypedHandle &&other) noexcept
        : handle_(std::move(other.handle_)), value_(std::exchange(other.value_, nullptr)) {}
    TypedHandle &operator=(TypedHandle &&other) noexcept {
        handle_ = std::move(other.handle_);
        value_ = std::exchange(other.value_, nullptr);
        return *this;
    }

    /** Returns the address of the value, valid as long as this object or a clone of it exists. */
    Value *get() const noexcept { return value_; }
    Value &operator*() const noexcept { return *value_; }
    Value *operator->() const noexcept { return value_; }

protected:
    template <class> friend class pagemate::SeqLock;

    static constexpr pagemate_layout layout_ = {fingerprint<T>, sizeof(T), alignof(T)};

    explicit TypedHandle(pagemate_shared *handle)
        : handle_(handle), value_(static_cast<Value *>(result_of<void *>(pagemate_shared_value, handle))) {}

    Owner<pagemate_shared> handle_;

private:
    Value *value_;
};

} // namespace detail

/**
 * A value in shared memory that is mapped for reading: `reader->field` is `const`. Writing to it by a cast ends
 * the process. See Shared::open_read_only().
 */
template <class T> class SharedReader : public detail::TypedHandle<T, const T> {
public:
    /** Creates another handle to the same value. Both share one view of it. */
    SharedReader clone() const {
        return SharedReader(detail::result_of<pagemate_shared *>(pagemate_shared_clone, this->handle_.get()));
    }

private:
    template <class> friend class Shared;
    explicit SharedReader(pagemate_shared *handle) : SharedReader::TypedHandle(handle) {}
};

/**
 * A value in shared memory, with a handle that is closed when destroyed: see pagemate_shared. `T` consists of
 * atomics and cells: see the top of this file. It is a `Shared<T>` of a Rust program with the same type.
 *
 * The first process initialises the value, while others wait. If that process dies or fails before it has
 * finished, the next one begins again, from zeros. Opening it with another type throws Error with
 * PAGEMATE_WRONG_KIND.
 *
 * An object that was moved from has no value: `get()` returns NULL.
 */
template <class T> class Shared : public detail::TypedHandle<T, T> {
public:
    /** The number of bytes that the value occupies in a section, with its header. */
    static constexpr std::uint64_t len = PAGEMATE_SHARED_HEADER_LEN + sizeof(T);

    /** Opens the typed memory `name`, and creates it, as zeros, if no process holds it. */
    static Shared open_or_create(const std::string &name) {
        return make(pagemate_shared_open_or_create, detail::text(name), &Shared::layout_, nullptr, nullptr);
    }

    /**
     * Opens the typed memory `name`, and creates it if no process holds it. `init` gets it as a `Shared<T> &`,
     * and stores the initial values. If it throws, so does this call, and the next process initialises it.
     */
    template <class Init> static Shared open_or_create(const std::string &name, Init init) {
        return initialise(init, [&](pagemate_initialise call, void *context, pagemate_shared **handle) {
            return pagemate_shared_open_or_create(detail::text(name), &Shared::layout_, call, context, handle);
        });
    }

    /** Opens the typed memory `name`. Throws if no process holds it, or none has initialised it yet. */
    static Shared open(const std::string &name) {
        return make(pagemate_shared_open, detail::text(name), &Shared::layout_, PAGEMATE_ACCESS_READ_WRITE);
    }

    /** Opens the typed memory `name`, and blocks until a process has created and initialised it. Throws if
     *  none does within `time`. */
    template <class Rep, class Period>
    static Shared open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time) {
        return make(pagemate_shared_open_within, detail::text(name), &Shared::layout_,
                    PAGEMATE_ACCESS_READ_WRITE, detail::nanoseconds(time));
    }

    /** Opens the typed memory `name` for reading: see open(). */
    static SharedReader<T> open_read_only(const std::string &name) {
        return look(pagemate_shared_open, detail::text(name), &Shared::layout_, PAGEMATE_ACCESS_READ);
    }

    /** Opens the typed memory `name` for reading: see open_within(). */
    template <class Rep, class Period>
    static SharedReader<T> open_read_only_within(const std::string &name,
                                                 const std::chrono::duration<Rep, Period> &time) {
        return look(pagemate_shared_open_within, detail::text(name), &Shared::layout_, PAGEMATE_ACCESS_READ,
                    detail::nanoseconds(time));
    }

    /** Opens the value at `offset` in the section, or creates it in bytes that are all zero. */
    static Shared open_or_init(const Section &section, std::uint64_t offset) {
        return make(pagemate_shared_open_or_init, section.section_.get(), offset, &Shared::layout_, nullptr,
                    nullptr);
    }

    /** As above. `init` gets the value as a `Shared<T> &`, and stores the initial values. */
    template <class Init>
    static Shared open_or_init(const Section &section, std::uint64_t offset, Init init) {
        return initialise(init, [&](pagemate_initialise call, void *context, pagemate_shared **handle) {
            return pagemate_shared_open_or_init(section.section_.get(), offset, &Shared::layout_, call, context,
                                                handle);
        });
    }

    /** Opens the value at `offset` in the section. Throws if no process has initialised it. */
    static Shared open_in(const Section &section, std::uint64_t offset) {
        return make(pagemate_shared_open_in, section.section_.get(), offset, &Shared::layout_,
                    PAGEMATE_ACCESS_READ_WRITE);
    }

    /** Opens the value at `offset` in the section for reading. Throws if no process has initialised it. */
    static SharedReader<T> open_read_only_in(const Section &section, std::uint64_t offset) {
        return look(pagemate_shared_open_in, section.section_.get(), offset, &Shared::layout_,
                    PAGEMATE_ACCESS_READ);
    }

    /** Creates another handle to the same value. Both share one view of it. */
    Shared clone() const { return make(pagemate_shared_clone, this->handle_.get()); }

    /** Returns whether the call that returned this object initialised the value. */
    bool was_initialised() const {
        return detail::result_of<bool>(pagemate_shared_was_initialised, this->handle_.get());
    }

    /** Writes changes back to the file of the section: see pagemate_view_flush(). */
    void flush() { detail::check(pagemate_shared_flush(this->handle_.get())); }

private:
    explicit Shared(pagemate_shared *handle) : Shared::TypedHandle(handle) {}

    template <class Function, class... Arguments>
    static Shared make(Function function, Arguments... arguments) {
        return Shared(detail::result_of<pagemate_shared *>(function, arguments...));
    }

    template <class Function, class... Arguments>
    static SharedReader<T> look(Function function, Arguments... arguments) {
        return SharedReader<T>(detail::result_of<pagemate_shared *>(function, arguments...));
    }

    /** Opens a handle by `open`, which it gives the function of C that calls `init`. */
    template <class Init, class Open> static Shared initialise(Init &init, Open open) {
        detail::Callback<Init> callback{init, nullptr};
        pagemate_shared *handle = nullptr;
        callback.check(open(call<Init>, &callback, &handle));
        return Shared(handle);
    }

    template <class Init>
    static pagemate_status call(const pagemate_shared *handle, void *context) noexcept {
        auto &callback = *static_cast<detail::Callback<Init> *>(context);
        return callback.run([&] {
            auto shared = make(pagemate_shared_clone, handle);
            callback.function(shared);
        });
    }
};

} // namespace pagemate

#endif
