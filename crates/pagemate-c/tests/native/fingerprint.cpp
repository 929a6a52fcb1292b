// Prints the fingerprints of types, one a line after its name. `fingerprint.rs` has the same types in Rust.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include <pagemate.hpp>

namespace robots {

struct Pose {
    float position[3];
    std::uint32_t frame;
};
PAGEMATE_SHAREABLE(Pose, position, frame);

enum class Mode : std::uint32_t { Off, On };
enum Side : std::int16_t { Left, Right };

struct Settings {
    double gain;
    Mode mode;
    Side sides[2];
};
PAGEMATE_SHAREABLE(Settings, gain, mode, sides);

// A class template with private fields.
template <class A, class B> class Pair {
    A _0;
    B _1;
    friend PAGEMATE_SHAREABLE(Pair, _0, _1);
};

} // namespace robots

struct Nested {
    robots::Pose poses[2][3];
    robots::Pair<robots::Pose, std::array<std::uint64_t, 2>> pair;
    robots::Settings settings;
};
PAGEMATE_SHAREABLE(Nested, poses, pair, settings);

struct Label {
    std::uint8_t len;
    char text[6];
    std::byte end;
};
PAGEMATE_SHAREABLE(Label, len, text, end);

struct Counters {
    std::atomic<std::uint64_t> steps;
    std::atomic<std::int32_t> errors[2];
    std::array<std::atomic<std::uint8_t>, 4> flags;
    std::atomic<std::uint16_t> words[2];
};
PAGEMATE_SHAREABLE(Counters, steps, errors, flags, words);

struct Sizes {
    std::size_t len;
    std::ptrdiff_t offset;
    long long wide;
    std::atomic<std::size_t> used;
};
PAGEMATE_SHAREABLE(Sizes, len, offset, wide, used);

struct alignas(64) Line {
    std::uint64_t words[8];
};
PAGEMATE_SHAREABLE(Line, words);

struct Keywords {
    std::int8_t class_;
    std::int8_t new_;
    std::int16_t _reserved;
};
PAGEMATE_SHAREABLE(Keywords, class_, new_, _reserved);

struct Cells {
    pagemate::SeqLock<robots::Pose> pose;
    pagemate::SeqLock<std::array<std::uint8_t, 3>> odd[2];
    pagemate::Racy<std::array<char, 8>> text;
};
PAGEMATE_SHAREABLE(Cells, pose, odd, text);

struct alignas(16) Wide {
    std::uint64_t low, high;
};
PAGEMATE_SHAREABLE(Wide, low, high);

struct Many {
    std::uint8_t a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3,
        c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6, e7, e8, e9,
        f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3;
};
PAGEMATE_SHAREABLE(Many, a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1,
                   c2, c3, c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5,
                   e6, e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3);

struct Known {
    std::uint32_t low : 16, high : 16;
};
PAGEMATE_SHAREABLE_AS(Known, 0x1234);
static_assert(pagemate::fingerprint<Known> == 0x1234);

template <class T> static void print(const std::string &name) {
    constexpr std::uint64_t fingerprint = pagemate::fingerprint<T>;
    std::cout << name << ' ' << fingerprint << '\n';
}

int main() {
    print<std::uint8_t>("u8");
    print<std::int64_t>("i64");
    print<float>("f32");
#ifdef __SIZEOF_INT128__
    print<pagemate::detail::Unsigned128>("u128");
#endif
    print<std::atomic<std::uint32_t>>("atomic");
    print<const std::uint16_t[5]>("array");
    print<robots::Pose>("Pose");
    print<robots::Settings>("Settings");
    print<robots::Pair<std::uint64_t, robots::Pose>>("Pair");
    print<Nested>("Nested");
    print<Label>("Label");
    print<Counters>("Counters");
    print<Sizes>("Sizes");
    print<Line>("Line");
    print<Keywords>("Keywords");
    print<Cells>("Cells");
    print<pagemate::SeqLock<Wide>>("WideCell");
    print<Many>("Many");
    return 0;
}
