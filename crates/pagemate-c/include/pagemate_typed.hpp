/**
 * @file pagemate_typed.hpp
 *
 * pagemate for C++17: typed memory. pagemate.h documents the behaviour, including the differences between
 * systems.
 */
#ifndef PAGEMATE_TYPED_HPP
#define PAGEMATE_TYPED_HPP

#include "pagemate.hpp"
#include "pagemate_sync.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace pagemate {

/** A word in shared memory that threads of all processes wait for. It may be mapped for reading. */
using Word = std::atomic<std::uint32_t>;

static_assert(sizeof(Word) == 4 && Word::is_always_lock_free, "the C interface waits for it");

namespace detail {

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

} // namespace pagemate

#endif
