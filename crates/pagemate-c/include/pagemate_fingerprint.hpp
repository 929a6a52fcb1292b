/**
 * @file pagemate_fingerprint.hpp
 *
 * Fingerprints of C++ types: numbers that identify the layout of a type, so that a program with another
 * version of the type gets an error. A Rust type of the same layout, with the same names of fields, has the
 * same fingerprint (`Shareable::FINGERPRINT`). `docs/layout.md` defines them.
 *
 * ```cpp
 * struct Sample {
 *     double values[3];
 *     std::uint32_t channel;
 *     std::uint32_t time;
 * };
 * PAGEMATE_SHAREABLE(Sample, values, channel, time);
 *
 * static_assert(pagemate::fingerprint<Sample> != pagemate::fingerprint<double[4]>);
 * ```
 *
 * Shareable types are numbers, enums with a fixed underlying type, `std::atomic` numbers, Racy and SeqLock
 * cells (pagemate_typed.hpp), arrays of these, and structs of these that PAGEMATE_SHAREABLE describes.
 */
#ifndef PAGEMATE_FINGERPRINT_HPP
#define PAGEMATE_FINGERPRINT_HPP

#include "pagemate_each.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

/**
 * Describes the fields of a struct, all of them and in their order.
 *
 * Write it after the struct, in the same namespace. Inside a class, also a template or one with private
 * fields, write `friend` before it: `friend PAGEMATE_SHAREABLE(Robot, pose, arms);`. It has 64 fields at most.
 *
 * It does not compile if a field is missing or out of order, or if the struct has padding, whose bytes would
 * have no value: sort the fields by falling alignment, or fill the gap with a field. Underscores around the
 * name of a field are ignored: `class_` is `class` in Rust, and `_0` is the first field of a tuple struct.
 */
#define PAGEMATE_SHAREABLE(Type, ...)                                                              \
    constexpr ::pagemate::detail::Fields pagemate_fields(const Type *) noexcept {                  \
        static_assert(std::is_standard_layout_v<Type>,                                             \
                      #Type " needs a standard layout: fields of one access, no virtual functions"); \
        constexpr auto described = ::pagemate::detail::Fields::of<Type>() PAGEMATE_EACH(           \
            PAGEMATE_FIELD, Type, __VA_ARGS__);                                                    \
        PAGEMATE_EACH(PAGEMATE_CHECK_FIELD, Type, __VA_ARGS__)                                     \
        static_assert(described.end == sizeof(Type),                                               \
                      #Type " has padding, or a field that is not listed, after the last one");    \
        return described;                                                                          \
    }                                                                                              \
    static_assert(true, "the macro needs a semicolon")

/**
 * Gives a struct this fingerprint, which was computed elsewhere: for a struct that PAGEMATE_SHAREABLE cannot
 * describe, because it has more than 64 fields, bit-fields or a base with fields. A Rust program prints the
 * number by `println!("{:#x}", T::FINGERPRINT)`. Only the size of the struct is checked with it.
 */
#define PAGEMATE_SHAREABLE_AS(Type, number)                                                        \
    constexpr ::pagemate::detail::Fields pagemate_fields(const Type *) noexcept {                  \
        static_assert(std::is_trivially_copyable_v<Type>, "copying its bytes must copy the value"); \
        return ::pagemate::detail::Fields::known(number);                                          \
    }                                                                                              \
    static_assert(true, "the macro needs a semicolon")

/** Adds a field to a description. */
#define PAGEMATE_FIELD(Type, field)                                                                \
    .template with<decltype(Type::field)>(#field, offsetof(Type, field))

/** Checks that a field begins at the end of the one before it. */
#define PAGEMATE_CHECK_FIELD(Type, field)                                                          \
    static_assert(described.gap != offsetof(Type, field),                                          \
                  #Type " has padding, or a field that is not listed here, before its field " #field);

namespace pagemate {
namespace detail {

constexpr std::uint64_t hash_byte(std::uint64_t print, unsigned char byte) noexcept {
    return (print ^ byte) * 0x100000001b3U;
}

constexpr std::uint64_t hash_number(std::uint64_t print, std::uint64_t number) noexcept {
    for (int byte = 0; byte < 8; byte++) {
        print = hash_byte(print, static_cast<unsigned char>(number >> (8 * byte)));
    }
    return print;
}

/** Hashes a text up to `end`, and the byte that ends it. */
constexpr std::uint64_t hash_text(std::uint64_t print, const char *text, const char *end) noexcept {
    for (; text != end; text++) {
        print = hash_byte(print, static_cast<unsigned char>(*text));
    }
    return hash_byte(print, 0xff);
}

constexpr const char *end_of(const char *text) noexcept {
    while (*text != '\0') {
        text++;
    }
    return text;
}

/** Hashes the name of a field, without underscores at its beginning and its end. */
constexpr std::uint64_t hash_name(std::uint64_t print, const char *name) noexcept {
    const char *end = end_of(name);
    while (*name == '_') {
        name++;
    }
    while (end > name && end[-1] == '_') {
        end--;
    }
    return hash_text(print, name, end);
}

/** Returns the beginning of a fingerprint: the hash of the size and the alignment. */
template <class T> constexpr std::uint64_t begin_hash() noexcept {
    return hash_number(hash_number(0xcbf29ce484222325U, sizeof(T)), alignof(T));
}

/** Returns the fingerprint of a container, such as an array or a cell. */
template <class T> constexpr std::uint64_t hash_around(const char *name, std::uint64_t content) noexcept {
    return hash_number(hash_text(begin_hash<T>(), name, end_of(name)), content);
}

/** The layout of a type. */
struct Layout {
    std::uint64_t fingerprint;
    /** Whether values are copied in and out of shared memory: numbers, and arrays and structs of them. */
    bool plain;
    /** Whether shared memory can be used as this type: atomics and cells, arrays and structs of them. */
    bool in_place;
};

/** For each shareable type a specialisation, whose function `layout()` returns the layout of the type. */
template <class T, class = void> struct Describe;

/** The description of a struct. */
struct Fields {
    /** A number that is not the offset of any field. */
    static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

    Layout layout;
    /** The end of the last field. */
    std::size_t end;
    /** The offset of the first field that does not begin at the end of the one before it. */
    std::size_t gap;

    template <class T> static constexpr Fields of() noexcept {
        return {{begin_hash<T>(), true, true}, 0, none};
    }

    static constexpr Fields known(std::uint64_t fingerprint) noexcept {
        return {{fingerprint, true, false}, 0, none};
    }

    template <class Field> constexpr Fields with(const char *name, std::size_t offset) const noexcept {
        constexpr Layout field = Describe<std::remove_cv_t<Field>>::layout();
        auto print = hash_number(hash_name(layout.fingerprint, name), offset);
        print = hash_number(print, field.fingerprint);
        const auto first_gap = gap == none && offset != end ? offset : gap;
        return {{print, layout.plain && field.plain, layout.in_place && field.in_place},
                offset + sizeof(Field),
                first_gap};
    }
};

#ifdef __SIZEOF_INT128__
__extension__ typedef __int128 Signed128;
__extension__ typedef unsigned __int128 Unsigned128;
#else
struct Signed128;
struct Unsigned128;
#endif

template <class T> inline constexpr bool is_128 = std::is_same_v<T, Signed128> || std::is_same_v<T, Unsigned128>;

template <class T>
inline constexpr bool is_number = is_128<T> || (std::is_arithmetic_v<T> && !std::is_same_v<T, bool> &&
                                               !std::is_same_v<T, long double>);

/** Returns the name that Rust has for a number. */
template <class T> constexpr const char *number_name() noexcept {
    if constexpr (std::is_floating_point_v<T>) {
        static_assert(std::numeric_limits<T>::is_iec559, "Rust has no such number");
        return sizeof(T) == 4 ? "f32" : "f64";
    } else if constexpr (is_128<T>) {
        return std::is_same_v<T, Signed128> ? "i128" : "u128";
    } else {
        // A `char` is a byte of a text, which is a `u8`, also where it is signed.
        constexpr bool is_signed = std::is_signed_v<T> && !std::is_same_v<T, char>;
        constexpr const char *names[] = {"u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64"};
        constexpr int width = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 2 : sizeof(T) == 4 ? 4 : 6;
        return names[width + (is_signed ? 1 : 0)];
    }
}

template <class T> struct Describe<T, std::enable_if_t<is_number<T>>> {
    static constexpr Layout layout() noexcept {
        constexpr const char *name = number_name<T>();
        return {hash_text(begin_hash<T>(), name, end_of(name)), true, false};
    }
};

/** Whether every value of the underlying type is a value of the enum. */
template <class T, class = void> struct HasFixedType : std::false_type {};
template <class T>
struct HasFixedType<T, std::void_t<decltype(T{std::underlying_type_t<T>{}})>> : std::true_type {};

template <class T> struct Describe<T, std::enable_if_t<std::is_enum_v<T>>> {
    static_assert(HasFixedType<T>::value, "give the enum a type: `enum Mode : std::uint32_t`");

    static constexpr Layout layout() noexcept { return Describe<std::underlying_type_t<T>>::layout(); }
};

template <class T, std::size_t count> struct Describe<T[count], void> {
    static constexpr Layout layout() noexcept {
        constexpr Layout element = Describe<std::remove_cv_t<T>>::layout();
        return {hash_around<T[count]>("[]", element.fingerprint), element.plain, element.in_place};
    }
};

template <class T, std::size_t count> struct Describe<std::array<T, count>, void> {
    static_assert(count > 0 && sizeof(std::array<T, count>) == sizeof(T[count]), "it has other bytes");

    static constexpr Layout layout() noexcept { return Describe<T[count]>::layout(); }
};

template <class T> struct Describe<std::atomic<T>, void> {
    static_assert(std::atomic<T>::is_always_lock_free, "the lock of such an atomic is private to the process");
    static_assert(sizeof(std::atomic<T>) == sizeof(T), "it has other bytes");

    static constexpr Layout layout() noexcept {
        constexpr Layout value = Describe<T>::layout();
        static_assert(value.plain, "an atomic has a number");
        return {hash_around<std::atomic<T>>("atomic", value.fingerprint), false, true};
    }
};

/** Whether PAGEMATE_SHAREABLE describes a struct. */
template <class T, class = void> struct IsDescribed : std::false_type {};
template <class T>
struct IsDescribed<T, std::void_t<decltype(pagemate_fields(static_cast<const T *>(nullptr)))>>
    : std::true_type {};

/** A struct, or a type that cannot lie in shared memory. */
template <class T, class> struct Describe {
    static_assert(!std::is_pointer_v<T> && !std::is_member_pointer_v<T> && !std::is_reference_v<T>,
                  "an address is valid in one process only: store an offset");
    static_assert(!std::is_same_v<T, bool>, "not every byte is a bool: store a std::uint8_t");
    static_assert(!std::is_same_v<T, long double>, "Rust has no such number: store a double");
    static_assert(!std::is_class_v<T> || IsDescribed<T>::value,
                  "describe the fields of the struct: PAGEMATE_SHAREABLE(Type, first, second);");

    static constexpr Layout layout() noexcept {
        return pagemate_fields(static_cast<const T *>(nullptr)).layout;
    }
};

/** Checks that values of this type are copied in and out of shared memory. */
template <class T> constexpr void check_plain() noexcept {
    static_assert(!std::is_array_v<T>, "functions return no arrays: use std::array");
    static_assert(std::is_trivially_copyable_v<T>, "copying its bytes must copy the value");
    static_assert(Describe<T>::layout().plain, "it has numbers only: atomics and cells are not copied");
}

} // namespace detail

/** The fingerprint of a type. It does not compile for a type that cannot lie in shared memory. */
template <class T>
inline constexpr std::uint64_t fingerprint = detail::Describe<std::remove_cv_t<T>>::layout().fingerprint;

} // namespace pagemate

#endif
