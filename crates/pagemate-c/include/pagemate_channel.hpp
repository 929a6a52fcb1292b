/**
 * @file pagemate_channel.hpp
 *
 * pagemate for C++17: channels, which pass messages between processes without a system call, and lose none when
 * a process dies. pagemate.h documents the behaviour, including crashes.
 *
 * ```cpp
 * auto sender = pagemate::spsc::Sender<double>::open_or_create("prices");
 * auto receiver = pagemate::spsc::Receiver<double>::open_or_create("prices");
 * sender.send(1.5);
 * std::cout << receiver.recv() << '\n';
 * ```
 *
 * `T` is a number, a struct that PAGEMATE_SHAREABLE describes, or an array of these (`std::array`). It is a
 * channel of a Rust program with the same type. With `pagemate::Bytes` messages have different lengths.
 *
 * One thread at a time may use an endpoint: a call while another thread is in a call with it throws Error with
 * PAGEMATE_IN_USE. Channels with bytes as text: `sender.send("hello")`.
 */
#ifndef PAGEMATE_CHANNEL_HPP
#define PAGEMATE_CHANNEL_HPP

#include "pagemate.hpp"
#include "pagemate_fingerprint.hpp"
#include "pagemate_sync.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pagemate {

/** The kind of a channel: see pagemate_channel_kind. */
enum class ChannelKind {
    Spsc = PAGEMATE_CHANNEL_KIND_SPSC,
    Mpmc = PAGEMATE_CHANNEL_KIND_MPMC,
    Broadcast = PAGEMATE_CHANNEL_KIND_BROADCAST,
};

/** The way in which an endpoint waits: see pagemate_waiting. */
enum class Waiting {
    SpinThenSleep = PAGEMATE_WAITING_SPIN_THEN_SLEEP,
    Spin = PAGEMATE_WAITING_SPIN,
    Sleep = PAGEMATE_WAITING_SLEEP,
};

/** The layout of the type of the messages of a channel, all zero for bytes. */
using MessageType = pagemate_layout;

/** Options to create or open an endpoint of a channel. */
class ChannelOptions {
public:
    /** Sets the least number of messages that a new channel has room for. The default is 1,024. */
    ChannelOptions &capacity(std::uint64_t messages) noexcept {
        options_.capacity = messages;
        return *this;
    }

    /** Sets the maximum length in bytes of the messages of a new channel of Bytes. The default is 4,096. */
    ChannelOptions &max_len(std::uint64_t bytes) noexcept {
        options_.max_len = bytes;
        return *this;
    }

    /** Sets the other users who may open a new channel. */
    ChannelOptions &sharing(Sharing others) noexcept {
        options_.sharing = static_cast<pagemate_sharing>(others);
        return *this;
    }

    /** Sets the way in which the endpoint waits. */
    ChannelOptions &waiting(Waiting waiting) noexcept {
        options_.waiting = static_cast<pagemate_waiting>(waiting);
        return *this;
    }

    /** Sets whether the endpoint waits for a new peer after its peer was closed or died. */
    ChannelOptions &await_successor(bool await = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_AWAIT_SUCCESSOR, await);
        return *this;
    }

    /** Sets whether an endpoint with messages of type Bytes opens channels with messages of every type. */
    ChannelOptions &any_message_type(bool any = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_ANY_MESSAGE_TYPE, any);
        return *this;
    }

    /** Sets whether the sender of a new broadcast channel overwrites the oldest message if a receiver is behind. */
    ChannelOptions &lossy(bool lossy = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_LOSSY, lossy);
        return *this;
    }

    /** Sets how many receivers a new broadcast channel can have at one time. The default is 16. */
    ChannelOptions &receivers(std::uint64_t receivers) noexcept {
        options_.receivers = receivers;
        return *this;
    }

    /** Sets whether a receiver of a broadcast channel takes the place of a receiver whose process died. */
    ChannelOptions &take_over(bool take_over = true) noexcept {
        detail::set_flag(options_.flags, PAGEMATE_TAKE_OVER, take_over);
        return *this;
    }

    /** Returns the struct for C. */
    pagemate_channel_options raw(ChannelKind kind, MessageType type) const noexcept {
        auto raw = options_;
        raw.kind = static_cast<pagemate_channel_kind>(kind);
        raw.message = type;
        return raw;
    }

private:
    pagemate_channel_options options_{};
};

/** The bytes of a message. It refers to memory that other code owns. */
class Bytes {
public:
    /** Refers to `size` bytes at `data`. */
    constexpr Bytes(const void *data, std::size_t size) noexcept : data_(data), size_(size) {}

    /** Refers to the characters of a text. */
    constexpr Bytes(std::string_view text) noexcept : Bytes(text.data(), text.size()) {}
    constexpr Bytes(const char *text) noexcept : Bytes(std::string_view(text)) {}
    Bytes(const std::string &text) noexcept : Bytes(std::string_view(text)) {}

    /** Refers to the bytes of a container, such as a `std::vector<std::uint8_t>` or a `std::span<std::byte>`. */
    template <class Container, class Element = std::remove_pointer_t<decltype(std::declval<Container &>().data())>,
              class = std::enable_if_t<sizeof(Element) == 1>>
    constexpr Bytes(const Container &bytes) noexcept : Bytes(bytes.data(), bytes.size()) {}

    constexpr const void *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }

    /** Returns the bytes as a text. */
    std::string_view text() const noexcept { return {static_cast<const char *>(data_), size_}; }

private:
    const void *data_;
    std::size_t size_;
};

namespace detail {

/** Returns the type of the messages of a channel with messages of type `T`. */
template <class T> constexpr MessageType message_type() noexcept {
    if constexpr (std::is_same_v<T, Bytes>) {
        return MessageType{};
    } else {
        check_plain<T>();
        return MessageType{fingerprint<T>, sizeof(T), alignof(T)};
    }
}

/** Returns the bytes of a message. */
template <class T> Bytes bytes_of(const T &message) noexcept {
    if constexpr (std::is_same_v<T, Bytes>) {
        return message;
    } else {
        return Bytes(&message, sizeof message);
    }
}

/** Ends the loan of a sender. */
struct Discard {
    void operator()(pagemate_sender *sender) const noexcept { pagemate_sender_discard(sender); }
};

/** Ends the sample of a receiver. */
struct Finish {
    void operator()(pagemate_receiver *receiver) const noexcept { pagemate_receiver_finish(receiver); }
};

/** Returns the message of the sample of a receiver to the channel. */
struct PutBack {
    void operator()(pagemate_receiver *receiver) const noexcept { pagemate_receiver_put_back(receiver); }
};

/** The functions that all endpoints have in common. */
template <class T, ChannelKind kind, class Self, class Handle, auto create_new_, auto open_or_create_, auto open_,
          auto open_within_, auto was_created_, auto name_, auto max_len_, auto message_type_>
class Endpoint {
public:
    /** Creates the channel `name`. Throws if a process holds an object of this name. */
    static Self create_new(const std::string &name, const ChannelOptions &options = {}) {
        return make(create_new_, name, options);
    }

    /** Opens the channel `name` if a process holds it, and creates it otherwise. */
    static Self open_or_create(const std::string &name, const ChannelOptions &options = {}) {
        return make(open_or_create_, name, options);
    }

    /** Opens the channel `name`. Throws if no process holds it. */
    static Self open(const std::string &name, const ChannelOptions &options = {}) {
        return make(open_, name, options);
    }

    /** Opens the channel `name`, and blocks until a process creates it. Throws if none does within `time`. */
    template <class Rep, class Period>
    static Self open_within(const std::string &name, const std::chrono::duration<Rep, Period> &time,
                            const ChannelOptions &options = {}) {
        return make(open_within_, name, options, nanoseconds(time));
    }

    /** Returns whether this call created the channel rather than opened it. */
    bool was_created() const { return result_of<bool>(was_created_, handle_.get()); }

    /** Returns the name of the channel in its shortest spelling. */
    std::string name() const { return result_of<const char *>(name_, handle_.get()); }

    /** Returns the length in bytes of the longest message. */
    std::size_t max_len() const { return result_of<std::size_t>(max_len_, handle_.get()); }

    /** Returns the type of the messages, all zero for bytes. */
    MessageType message_type() const { return result_of<MessageType>(message_type_, handle_.get()); }

protected:
    explicit Endpoint(Handle *handle) : handle_(handle) {}

    Owner<Handle> handle_;

private:
    template <class Function, class... Arguments>
    static Self make(Function function, const std::string &name, const ChannelOptions &options,
                     Arguments... arguments) {
        const auto raw = options.raw(kind, detail::message_type<T>());
        return Self(result_of<Handle *>(function, text(name), &raw, arguments...));
    }
};

template <class T, ChannelKind kind, class Self>
using SendingEndpoint =
    Endpoint<T, kind, Self, pagemate_sender, pagemate_sender_create_new, pagemate_sender_open_or_create,
             pagemate_sender_open, pagemate_sender_open_within, pagemate_sender_was_created, pagemate_sender_name,
             pagemate_sender_max_len, pagemate_sender_message_type>;

template <class T, ChannelKind kind, class Self>
using ReceivingEndpoint =
    Endpoint<T, kind, Self, pagemate_receiver, pagemate_receiver_create_new, pagemate_receiver_open_or_create,
             pagemate_receiver_open, pagemate_receiver_open_within, pagemate_receiver_was_created,
             pagemate_receiver_name, pagemate_receiver_max_len, pagemate_receiver_message_type>;

} // namespace detail

/**
 * A free slot of a channel, in which a message is written in place. Destroying it sends nothing.
 *
 * The sender must outlive it, and has no other call meanwhile. The slot has the bytes of an older message at
 * first.
 */
template <class T> class Loan {
public:
    /** Returns the address of the message. */
    T *get() const noexcept { return static_cast<T *>(memory_); }
    T &operator*() const noexcept { return *get(); }
    T *operator->() const noexcept { return get(); }

    /** Sends the message. */
    void send() {
        detail::check(pagemate_sender_commit(sender_.get(), sizeof(T)));
        sender_.release();
    }

private:
    template <class, ChannelKind> friend class Sender;
    Loan(pagemate_sender *sender, void *memory, std::size_t) : sender_(sender), memory_(memory) {}

    std::unique_ptr<pagemate_sender, detail::Discard> sender_;
    void *memory_;
};

/** A free slot of a channel of bytes. */
template <> class Loan<Bytes> {
public:
    /** Returns the address of the slot. */
    void *data() const noexcept { return memory_; }

    /** Returns the length of the slot in bytes. */
    std::size_t max_len() const noexcept { return max_len_; }

    /** Sends the first `len` bytes. */
    void send(std::size_t len) {
        detail::check(pagemate_sender_commit(sender_.get(), len));
        sender_.release();
    }

private:
    template <class, ChannelKind> friend class Sender;
    Loan(pagemate_sender *sender, void *memory, std::size_t max_len)
        : sender_(sender), memory_(memory), max_len_(max_len) {}

    std::unique_ptr<pagemate_sender, detail::Discard> sender_;
    void *memory_;
    std::size_t max_len_;
};

/** The sending endpoint of a channel, closed when destroyed: see pagemate_sender. */
template <class T, ChannelKind kind>
class Sender : public detail::SendingEndpoint<T, kind, Sender<T, kind>> {
public:
    /** Sends a message, and blocks while there is no room. Throws PAGEMATE_DISCONNECTED if there is no receiver
     *  either. */
    void send(const T &message) {
        const Bytes bytes = detail::bytes_of(message);
        detail::check(pagemate_sender_send(raw(), bytes.data(), bytes.size()));
    }

    /** Sends a message, without blocking. Returns whether there was room. */
    bool try_send(const T &message) {
        const Bytes bytes = detail::bytes_of(message);
        return detail::in_time(pagemate_sender_try_send(raw(), bytes.data(), bytes.size()));
    }

    /** Sends a message, and blocks while there is no room, for at most `time`. Returns whether it was sent. */
    template <class Rep, class Period>
    bool send_timeout(const T &message, const std::chrono::duration<Rep, Period> &time) {
        const Bytes bytes = detail::bytes_of(message);
        const auto left = detail::nanoseconds(time);
        return detail::in_time(pagemate_sender_send_timeout(raw(), bytes.data(), bytes.size(), left));
    }

    /** Sends as many of the messages as there is room for, without blocking. Returns how many. Receivers find
     *  them together. */
    std::size_t try_send_many(const T *messages, std::size_t count) {
        only_values();
        std::size_t sent = 0;
        detail::in_time(pagemate_sender_try_send_many(raw(), messages, sizeof(T), count, &sent));
        return sent;
    }

    /** Sends all messages, and blocks while there is no room. */
    void send_all(const T *messages, std::size_t count) {
        only_values();
        detail::check(pagemate_sender_send_all(raw(), messages, sizeof(T), count, nullptr));
    }

    /** Lends a free slot, and blocks while there is none. */
    Loan<T> loan() {
        return std::move(*lent([&](void **at, std::size_t *len) { return pagemate_sender_loan(raw(), at, len); }));
    }

    /** Lends a free slot, without blocking. Returns nothing if there is none. */
    std::optional<Loan<T>> try_loan() {
        return lent([&](void **at, std::size_t *len) { return pagemate_sender_try_loan(raw(), at, len); });
    }

    /** Lends a free slot, and blocks while there is none, for at most `time`. */
    template <class Rep, class Period>
    std::optional<Loan<T>> loan_timeout(const std::chrono::duration<Rep, Period> &time) {
        const auto left = detail::nanoseconds(time);
        return lent([&](void **at, std::size_t *len) {
            return pagemate_sender_loan_timeout(raw(), left, at, len);
        });
    }

    /** Blocks until all messages were received, for at most `time`. Returns whether they were. */
    template <class Rep, class Period>
    bool wait_until_received(const std::chrono::duration<Rep, Period> &time) {
        return detail::in_time(pagemate_sender_wait_until_received(raw(), detail::nanoseconds(time)));
    }

    /** Returns whether a live process has a receiver. */
    bool has_receiver() const { return detail::result_of<bool>(pagemate_sender_has_receiver, raw()); }

    /** Blocks until a live process has a receiver, for at most `time`. Returns whether one has. */
    template <class Rep, class Period>
    bool wait_for_receiver(const std::chrono::duration<Rep, Period> &time) const {
        return detail::in_time(pagemate_sender_wait_for_receiver(raw(), detail::nanoseconds(time)));
    }

    /** Returns how many messages the channel has room for. */
    std::size_t capacity() const { return detail::result_of<std::size_t>(pagemate_sender_capacity, raw()); }

    /** Waits until there is room for a message: for wait_any() only. */
    operator Waitable() const noexcept {
        pagemate_waitable one{};
        one.sender = raw();
        return Waitable(one);
    }

    /** Returns how many messages were sent and not yet received. */
    std::size_t pending() const { return detail::result_of<std::size_t>(pagemate_sender_pending, raw()); }

private:
    using Base = detail::SendingEndpoint<T, kind, Sender>;
    friend Base;
    explicit Sender(pagemate_sender *sender) : Base(sender) {}

    pagemate_sender *raw() const noexcept { return this->handle_.get(); }

    static constexpr void only_values() noexcept {
        static_assert(!std::is_same_v<T, Bytes>, "the messages of a batch have one length: use a type");
    }

    template <class Lend> std::optional<Loan<T>> lent(Lend lend) {
        void *memory = nullptr;
        std::size_t max_len = 0;
        if (!detail::in_time(lend(&memory, &max_len))) {
            return std::nullopt;
        }
        return Loan<T>(raw(), memory, max_len);
    }
};

/**
 * A message in its slot. Destroying it finishes the message, so that a sender can use the slot again.
 *
 * The receiver must outlive it, and has no other call meanwhile.
 */
template <class T> class Sample {
public:
    /** Returns the address of the message. */
    const T *get() const noexcept { return static_cast<const T *>(memory_); }
    const T &operator*() const noexcept { return *get(); }
    const T *operator->() const noexcept { return get(); }

    /** Finishes the message. Throws PAGEMATE_FORKED in a process that was forked from the one that has it. */
    void finish() { detail::check(pagemate_receiver_finish(receiver_.release())); }

    /** Returns the message to the channel: the next call receives it again. */
    void put_back() { detail::check(pagemate_receiver_put_back(receiver_.release())); }

private:
    template <class, ChannelKind> friend class Receiver;
    Sample(pagemate_receiver *receiver, const void *memory, std::size_t)
        : receiver_(receiver), memory_(memory) {}

    std::unique_ptr<pagemate_receiver, detail::Finish> receiver_;
    const void *memory_;
};

/** A message of bytes in its slot. */
template <> class Sample<Bytes> {
public:
    /** Returns the message, which is valid until it is finished. */
    Bytes operator*() const noexcept { return bytes_; }
    const Bytes *operator->() const noexcept { return &bytes_; }

    /** Finishes the message. Throws PAGEMATE_FORKED in a process that was forked from the one that has it. */
    void finish() { detail::check(pagemate_receiver_finish(receiver_.release())); }

    /** Returns the message to the channel: the next call receives it again. */
    void put_back() { detail::check(pagemate_receiver_put_back(receiver_.release())); }

private:
    template <class, ChannelKind> friend class Receiver;
    Sample(pagemate_receiver *receiver, const void *memory, std::size_t len)
        : receiver_(receiver), bytes_(memory, len) {}

    std::unique_ptr<pagemate_receiver, detail::Finish> receiver_;
    Bytes bytes_;
};

/**
 * The receiving endpoint of a channel, closed when destroyed: see pagemate_receiver.
 *
 * A received message is a `T`, and for Bytes a `std::vector<std::uint8_t>`. `for (auto message : receiver)`
 * receives messages until there is none and every sender was closed or its process ended.
 */
template <class T, ChannelKind kind>
class Receiver : public detail::ReceivingEndpoint<T, kind, Receiver<T, kind>> {
public:
    /** The type of a received message. */
    using Message = std::conditional_t<std::is_same_v<T, Bytes>, std::vector<std::uint8_t>, T>;

    /** Receives a message, and blocks while there is none. Throws PAGEMATE_DISCONNECTED if there is no sender
     *  either. */
    Message recv() { return std::move(*received(PAGEMATE_FOREVER)); }

    /** Receives a message, without blocking. Returns nothing if there is none. */
    std::optional<Message> try_recv() { return received(0); }

    /** Receives a message, and blocks while there is none, for at most `time`. */
    template <class Rep, class Period>
    std::optional<Message> recv_timeout(const std::chrono::duration<Rep, Period> &time) {
        return received(detail::nanoseconds(time));
    }

    /** Receives a message into a buffer, and returns its length in bytes. Throws PAGEMATE_WRONG_LENGTH if the
     *  buffer is too short; the message stays in the channel. */
    std::size_t recv_into(void *bytes, std::size_t size) {
        std::size_t len = 0;
        detail::check(pagemate_receiver_recv(raw(), bytes, size, &len));
        return len;
    }

    /** Receives the messages that are there, at least one and at most `max` of them. Blocks while there is
     *  none. */
    std::vector<T> recv_many(std::size_t max) {
        return many(pagemate_receiver_recv_many, max);
    }

    /** Receives the messages that are there, at most `max` of them, without blocking. */
    std::vector<T> try_recv_many(std::size_t max) { return many(pagemate_receiver_try_recv_many, max); }

    /** Lends the next message in place, and blocks while there is none. */
    Sample<T> sample() { return std::move(*lent(PAGEMATE_FOREVER)); }

    /** Lends the next message in place, without blocking. Returns nothing if there is none. */
    std::optional<Sample<T>> try_sample() { return lent(0); }

    /** Lends the next message in place, and blocks while there is none, for at most `time`. */
    template <class Rep, class Period>
    std::optional<Sample<T>> sample_timeout(const std::chrono::duration<Rep, Period> &time) {
        return lent(detail::nanoseconds(time));
    }

    /** Returns how many messages the channel has room for. */
    std::size_t capacity() const { return detail::result_of<std::size_t>(pagemate_receiver_capacity, raw()); }

    /** Waits until there is a message, and takes none: for wait_any() only. */
    operator Waitable() const noexcept {
        pagemate_waitable one{};
        one.receiver = raw();
        return Waitable(one);
    }

    /** Returns how many messages this receiver has missed: see pagemate_receiver_missed(). */
    std::uint64_t missed() const { return detail::result_of<std::uint64_t>(pagemate_receiver_missed, raw()); }

    /** Returns whether a receiver that was killed had the last received message, or that of the sample: see
     *  pagemate_receiver_redelivered(). */
    bool redelivered() const { return detail::result_of<bool>(pagemate_receiver_redelivered, raw()); }

    /** Returns whether a live process has a sender. */
    bool has_sender() const { return detail::result_of<bool>(pagemate_receiver_has_sender, raw()); }

    /** Blocks until a live process has a sender, for at most `time`. Returns whether one has. */
    template <class Rep, class Period>
    bool wait_for_sender(const std::chrono::duration<Rep, Period> &time) const {
        return detail::in_time(pagemate_receiver_wait_for_sender(raw(), detail::nanoseconds(time)));
    }

    /** An iterator over the messages. It ends when the receiver is disconnected. */
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = Message;
        using difference_type = std::ptrdiff_t;
        using pointer = Message *;
        using reference = Message &;

        Iterator() = default;
        explicit Iterator(Receiver *receiver) : receiver_(receiver) { next(); }

        Message &operator*() noexcept { return *message_; }
        Iterator &operator++() {
            next();
            return *this;
        }
        bool operator==(const Iterator &other) const noexcept { return receiver_ == other.receiver_; }
        bool operator!=(const Iterator &other) const noexcept { return receiver_ != other.receiver_; }

    private:
        void next() {
            try {
                message_ = receiver_->recv();
            } catch (const Error &error) {
                if (error.status() != PAGEMATE_DISCONNECTED) {
                    throw;
                }
                receiver_ = nullptr;
            }
        }

        Receiver *receiver_ = nullptr;
        std::optional<Message> message_;
    };

    Iterator begin() { return Iterator(this); }
    Iterator end() { return Iterator(); }

private:
    using Base = detail::ReceivingEndpoint<T, kind, Receiver>;
    friend Base;
    explicit Receiver(pagemate_receiver *receiver) : Base(receiver) {}

    pagemate_receiver *raw() const noexcept { return this->handle_.get(); }

    /** Lends a message by the function for this timeout. Returns whether there was one. */
    bool lend(std::uint64_t left, const void **memory, std::size_t *len) {
        switch (left) {
        case 0:
            return detail::in_time(pagemate_receiver_try_sample(raw(), memory, len));
        case PAGEMATE_FOREVER:
            return detail::in_time(pagemate_receiver_sample(raw(), memory, len));
        default:
            return detail::in_time(pagemate_receiver_sample_timeout(raw(), left, memory, len));
        }
    }

    std::optional<Sample<T>> lent(std::uint64_t left) {
        const void *memory = nullptr;
        std::size_t len = 0;
        if (!lend(left, &memory, &len)) {
            return std::nullopt;
        }
        return Sample<T>(raw(), memory, len);
    }

    std::optional<Message> received(std::uint64_t left) {
        if constexpr (std::is_same_v<T, Bytes>) {
            return copied(left);
        } else {
            T message{};
            if (!detail::in_time(receive(left, &message))) {
                return std::nullopt;
            }
            return message;
        }
    }

    /** Receives a value by the function for this timeout. */
    pagemate_status receive(std::uint64_t left, T *message) {
        std::size_t len = 0;
        switch (left) {
        case 0:
            return pagemate_receiver_try_recv(raw(), message, sizeof(T), &len);
        case PAGEMATE_FOREVER:
            return pagemate_receiver_recv(raw(), message, sizeof(T), &len);
        default:
            return pagemate_receiver_recv_timeout(raw(), left, message, sizeof(T), &len);
        }
    }

    /** Receives bytes. If there is no memory for the copy, the message stays in the channel. */
    std::optional<std::vector<std::uint8_t>> copied(std::uint64_t left) {
        const void *memory = nullptr;
        std::size_t len = 0;
        if (!lend(left, &memory, &len)) {
            return std::nullopt;
        }
        std::unique_ptr<pagemate_receiver, detail::PutBack> sample(raw());
        const auto *bytes = static_cast<const std::uint8_t *>(memory);
        std::vector<std::uint8_t> message(bytes, bytes + len);
        detail::check(pagemate_receiver_finish(sample.release()));
        return message;
    }

    template <class Function> std::vector<T> many(Function function, std::size_t max) {
        static_assert(!std::is_same_v<T, Bytes>, "the messages of a batch have one length: use a type");
        std::vector<T> messages(max);
        std::size_t count = 0;
        detail::in_time(function(raw(), messages.data(), sizeof(T), nullptr, max, &count));
        messages.resize(count);
        return messages;
    }
};

/** Channels with one sender and one receiver at a time. */
namespace spsc {
template <class T> using Sender = pagemate::Sender<T, ChannelKind::Spsc>;
template <class T> using Receiver = pagemate::Receiver<T, ChannelKind::Spsc>;
} // namespace spsc

/** Channels with any number of senders and receivers. Each message goes to one receiver. */
namespace mpmc {
template <class T> using Sender = pagemate::Sender<T, ChannelKind::Mpmc>;
template <class T> using Receiver = pagemate::Receiver<T, ChannelKind::Mpmc>;
} // namespace mpmc

/** Channels with one sender, and several receivers, each of which gets every message. */
namespace broadcast {
template <class T> using Sender = pagemate::Sender<T, ChannelKind::Broadcast>;
template <class T> using Receiver = pagemate::Receiver<T, ChannelKind::Broadcast>;
} // namespace broadcast

} // namespace pagemate

#include "pagemate_watch.hpp"

#endif
