/**
 * @file pagemate_watch.hpp
 *
 * pagemate for C++17: channels that have the latest value. pagemate.h documents the behaviour, including crashes.
 *
 * ```cpp
 * auto writer = pagemate::watch::Writer<double>::open_or_create("temperature");
 * auto reader = pagemate::watch::Reader<double>::open_or_create("temperature");
 * writer.write(20.5);
 * writer.write(21.5);
 * std::cout << reader.changed() << '\n';
 * ```
 *
 * `T` is a type of messages, as for the other channels, or pagemate::Bytes for values of different lengths.
 */
#ifndef PAGEMATE_WATCH_HPP
#define PAGEMATE_WATCH_HPP

#include "pagemate_channel.hpp"

namespace pagemate {

namespace detail {

/** Ends the loan of a writer. */
struct DiscardValue {
    void operator()(pagemate_watch_writer *writer) const noexcept { pagemate_watch_writer_discard(writer); }
};

/** The functions of watch channels ignore the kind in the options. */
constexpr ChannelKind any_kind = ChannelKind::Spsc;

template <class T, class Self>
using WritingEndpoint =
    Endpoint<T, any_kind, Self, pagemate_watch_writer, pagemate_watch_writer_create_new,
             pagemate_watch_writer_open_or_create, pagemate_watch_writer_open, pagemate_watch_writer_open_within,
             pagemate_watch_writer_was_created, pagemate_watch_writer_name, pagemate_watch_writer_max_len,
             pagemate_watch_writer_message_type>;

template <class T, class Self>
using ReadingEndpoint =
    Endpoint<T, any_kind, Self, pagemate_watch_reader, pagemate_watch_reader_create_new,
             pagemate_watch_reader_open_or_create, pagemate_watch_reader_open, pagemate_watch_reader_open_within,
             pagemate_watch_reader_was_created, pagemate_watch_reader_name, pagemate_watch_reader_max_len,
             pagemate_watch_reader_message_type>;

} // namespace detail

/** Channels that have the latest value: one writer, any number of readers. */
namespace watch {

template <class T> class Writer;

/**
 * The buffer of the next value, in which the value is written in place. Destroying it changes nothing.
 *
 * The writer must outlive it, and has no other call meanwhile. The buffer has the bytes of an older value at first.
 */
template <class T> class Loan {
public:
    /** Returns the address of the value. */
    T *get() const noexcept { return static_cast<T *>(memory_); }
    T &operator*() const noexcept { return *get(); }
    T *operator->() const noexcept { return get(); }

    /** Replaces the value by the one in the buffer. */
    void publish() {
        detail::check(pagemate_watch_writer_publish(writer_.get(), sizeof(T)));
        writer_.release();
    }

private:
    friend class Writer<T>;
    Loan(pagemate_watch_writer *writer, void *memory, std::size_t) : writer_(writer), memory_(memory) {}

    std::unique_ptr<pagemate_watch_writer, detail::DiscardValue> writer_;
    void *memory_;
};

/** The buffer of the next value of a channel of bytes. */
template <> class Loan<Bytes> {
public:
    /** Returns the address of the buffer. */
    void *data() const noexcept { return memory_; }

    /** Returns the length of the buffer in bytes. */
    std::size_t max_len() const noexcept { return max_len_; }

    /** Replaces the value by the first `len` bytes. */
    void publish(std::size_t len) {
        detail::check(pagemate_watch_writer_publish(writer_.get(), len));
        writer_.release();
    }

private:
    friend class Writer<Bytes>;
    Loan(pagemate_watch_writer *writer, void *memory, std::size_t max_len)
        : writer_(writer), memory_(memory), max_len_(max_len) {}

    std::unique_ptr<pagemate_watch_writer, detail::DiscardValue> writer_;
    void *memory_;
    std::size_t max_len_;
};

/** The writing endpoint, closed when destroyed: see pagemate_watch_writer. */
template <class T> class Writer : public detail::WritingEndpoint<T, Writer<T>> {
public:
    /** Replaces the value. Never blocks. */
    void write(const T &value) {
        const Bytes bytes = detail::bytes_of(value);
        detail::check(pagemate_watch_writer_write(raw(), bytes.data(), bytes.size()));
    }

    /** Lends the buffer of the next value. Never blocks. */
    Loan<T> loan() {
        void *memory = nullptr;
        std::size_t max_len = 0;
        detail::check(pagemate_watch_writer_loan(raw(), &memory, &max_len));
        return Loan<T>(raw(), memory, max_len);
    }

    /** Returns the version of the latest value: how many values were written since the channel was created. */
    std::uint64_t version() const {
        return detail::result_of<std::uint64_t>(pagemate_watch_writer_version, raw());
    }

private:
    using Base = detail::WritingEndpoint<T, Writer>;
    friend Base;
    explicit Writer(pagemate_watch_writer *writer) : Base(writer) {}

    pagemate_watch_writer *raw() const noexcept { return this->handle_.get(); }
};

/**
 * A reading endpoint, closed when destroyed: see pagemate_watch_reader. A value that it reads is a `T`, and for Bytes
 * a `std::vector<std::uint8_t>`.
 */
template <class T> class Reader : public detail::ReadingEndpoint<T, Reader<T>> {
public:
    /** The type of a value that was read. */
    using Value = std::conditional_t<std::is_same_v<T, Bytes>, std::vector<std::uint8_t>, T>;

    /** Returns a copy of the latest value, or nothing if none was written yet. Never blocks. */
    std::optional<Value> read() {
        if constexpr (std::is_same_v<T, Bytes>) {
            std::vector<std::uint8_t> value(this->max_len());
            std::size_t len = 0;
            if (!detail::in_time(pagemate_watch_reader_read(raw(), value.data(), value.size(), &len))) {
                return std::nullopt;
            }
            value.resize(len);
            return value;
        } else {
            T value{};
            std::size_t len = 0;
            if (!detail::in_time(pagemate_watch_reader_read(raw(), &value, sizeof value, &len))) {
                return std::nullopt;
            }
            return value;
        }
    }

    /** Copies the latest value into a buffer, and returns its length in bytes. Throws PAGEMATE_WRONG_LENGTH if the
     *  buffer is too short, and PAGEMATE_TIMED_OUT if no value was written yet. */
    std::size_t read_into(void *bytes, std::size_t size) {
        std::size_t len = 0;
        detail::check(pagemate_watch_reader_read(raw(), bytes, size, &len));
        return len;
    }

    /** Blocks until there is a value that is newer than the one that this reader read last. Throws
     *  PAGEMATE_DISCONNECTED if there is no writer either. */
    void wait_for_change() { detail::check(pagemate_watch_reader_wait_for_change(raw(), PAGEMATE_FOREVER)); }

    /** As wait_for_change(), for at most `time`. Returns whether there is a newer value. */
    template <class Rep, class Period>
    bool wait_for_change_timeout(const std::chrono::duration<Rep, Period> &time) {
        return detail::in_time(pagemate_watch_reader_wait_for_change(raw(), detail::nanoseconds(time)));
    }

    /** Blocks until there is a newer value, and returns a copy of it. Values between the two are skipped. */
    Value changed() {
        wait_for_change();
        return std::move(*read());
    }

    /** Returns the version of the value that this reader read last, 0 before the first one. */
    std::uint64_t version() const {
        return detail::result_of<std::uint64_t>(pagemate_watch_reader_version, raw());
    }

    /** Returns the version of the latest value, 0 if no value was written yet. */
    std::uint64_t latest_version() const {
        return detail::result_of<std::uint64_t>(pagemate_watch_reader_latest_version, raw());
    }

    /** Returns whether there is a value that is newer than the one that this reader read last. */
    bool has_changed() const { return latest_version() != version(); }

    /** Returns whether a live process has the writer. */
    bool has_writer() const { return detail::result_of<bool>(pagemate_watch_reader_has_writer, raw()); }

    /** Blocks until a live process has the writer, for at most `time`. Returns whether one has. */
    template <class Rep, class Period>
    bool wait_for_writer(const std::chrono::duration<Rep, Period> &time) const {
        return detail::in_time(pagemate_watch_reader_wait_for_writer(raw(), detail::nanoseconds(time)));
    }

    /** Waits until there is a newer value: for wait_any() only. */
    operator Waitable() const noexcept {
        pagemate_waitable one{};
        one.watch_reader = raw();
        return Waitable(one);
    }

private:
    using Base = detail::ReadingEndpoint<T, Reader>;
    friend Base;
    explicit Reader(pagemate_watch_reader *reader) : Base(reader) {}

    pagemate_watch_reader *raw() const noexcept { return this->handle_.get(); }
};

} // namespace watch
} // namespace pagemate

#endif
