// Code that must not compile: one case for each number, with the error in `fingerprint.rs`.
#include <atomic>
#include <cstdint>
#include <string>

#include <pagemate.hpp>

struct Pair {
    std::uint32_t first, second;
};
struct Flag {
    bool on;
};
struct Link {
    Link *next;
};
struct Gap {
    std::uint32_t channel;
    double value;
};
struct Counter {
    std::atomic<std::uint32_t> count;
};
enum Loose { One, Two };
struct Mode {
    Loose mode;
};
struct Virtual {
    virtual ~Virtual() = default;
    std::uint64_t value;
};

#if CASE == 0
PAGEMATE_SHAREABLE(Pair, first, second);
constexpr auto used = pagemate::fingerprint<Pair>;
#elif CASE == 1
PAGEMATE_SHAREABLE(Pair, first);
#elif CASE == 2
PAGEMATE_SHAREABLE(Pair, second);
#elif CASE == 3
PAGEMATE_SHAREABLE(Pair, second, first);
#elif CASE == 4
PAGEMATE_SHAREABLE(Flag, on);
#elif CASE == 5
PAGEMATE_SHAREABLE(Link, next);
#elif CASE == 6
PAGEMATE_SHAREABLE(Gap, channel, value);
#elif CASE == 7
constexpr auto used = pagemate::fingerprint<Pair>;
#elif CASE == 8
PAGEMATE_SHAREABLE(Mode, mode);
#elif CASE == 9
PAGEMATE_SHAREABLE(Virtual, value);
#elif CASE == 10
PAGEMATE_SHAREABLE(Counter, count);
using Locked = decltype(pagemate::SharedMutex<Counter>::len);
#elif CASE == 11
constexpr auto used = pagemate::fingerprint<std::string>;
#elif CASE == 12
constexpr auto used = pagemate::fingerprint<long double>;
#elif CASE == 13
PAGEMATE_SHAREABLE(Pair, first, second);
const auto used = pagemate::Shared<Pair>::open("x");
#elif CASE == 14
PAGEMATE_SHAREABLE(Counter, count);
pagemate::SeqLock<Counter> used;
#endif
