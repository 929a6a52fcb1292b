/**
 * @file pagemate_each.hpp
 *
 * A macro that applies another macro to each of its arguments, for PAGEMATE_SHAREABLE in
 * pagemate_fingerprint.hpp.
 */
#ifndef PAGEMATE_EACH_HPP
#define PAGEMATE_EACH_HPP

/** Expands to `apply(type, field)` for each of the fields, at most 64. */
#define PAGEMATE_EACH(apply, type, ...)                                                            \
    PAGEMATE_EXPAND(PAGEMATE_COUNT(__VA_ARGS__)(apply, type, __VA_ARGS__))

/** Expands its arguments once more, because the preprocessor of MSVC passes `__VA_ARGS__` on as one. */
#define PAGEMATE_EXPAND(expression) expression

/** Expands to the macro below that has as many fields. */
#define PAGEMATE_COUNT(...)                                                                        \
    PAGEMATE_EXPAND(PAGEMATE_PICK(__VA_ARGS__,                                                     \
        PAGEMATE_EACH_64, PAGEMATE_EACH_63, PAGEMATE_EACH_62, PAGEMATE_EACH_61,                    \
        PAGEMATE_EACH_60, PAGEMATE_EACH_59, PAGEMATE_EACH_58, PAGEMATE_EACH_57,                    \
        PAGEMATE_EACH_56, PAGEMATE_EACH_55, PAGEMATE_EACH_54, PAGEMATE_EACH_53,                    \
        PAGEMATE_EACH_52, PAGEMATE_EACH_51, PAGEMATE_EACH_50, PAGEMATE_EACH_49,                    \
        PAGEMATE_EACH_48, PAGEMATE_EACH_47, PAGEMATE_EACH_46, PAGEMATE_EACH_45,                    \
        PAGEMATE_EACH_44, PAGEMATE_EACH_43, PAGEMATE_EACH_42, PAGEMATE_EACH_41,                    \
        PAGEMATE_EACH_40, PAGEMATE_EACH_39, PAGEMATE_EACH_38, PAGEMATE_EACH_37,                    \
        PAGEMATE_EACH_36, PAGEMATE_EACH_35, PAGEMATE_EACH_34, PAGEMATE_EACH_33,                    \
        PAGEMATE_EACH_32, PAGEMATE_EACH_31, PAGEMATE_EACH_30, PAGEMATE_EACH_29,                    \
        PAGEMATE_EACH_28, PAGEMATE_EACH_27, PAGEMATE_EACH_26, PAGEMATE_EACH_25,                    \
        PAGEMATE_EACH_24, PAGEMATE_EACH_23, PAGEMATE_EACH_22, PAGEMATE_EACH_21,                    \
        PAGEMATE_EACH_20, PAGEMATE_EACH_19, PAGEMATE_EACH_18, PAGEMATE_EACH_17,                    \
        PAGEMATE_EACH_16, PAGEMATE_EACH_15, PAGEMATE_EACH_14, PAGEMATE_EACH_13,                    \
        PAGEMATE_EACH_12, PAGEMATE_EACH_11, PAGEMATE_EACH_10, PAGEMATE_EACH_9, PAGEMATE_EACH_8,    \
        PAGEMATE_EACH_7, PAGEMATE_EACH_6, PAGEMATE_EACH_5, PAGEMATE_EACH_4, PAGEMATE_EACH_3,       \
        PAGEMATE_EACH_2, PAGEMATE_EACH_1, 0))

#define PAGEMATE_PICK(                                                                             \
    f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19, f20,     \
    f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32, f33, f34, f35, f36, f37, f38,      \
    f39, f40, f41, f42, f43, f44, f45, f46, f47, f48, f49, f50, f51, f52, f53, f54, f55, f56,      \
    f57, f58, f59, f60, f61, f62, f63, f64,                                                        \
    macro, ...) macro

#define PAGEMATE_EACH_1(apply, type, field) apply(type, field)
#define PAGEMATE_EACH_2(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_1(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_3(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_2(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_4(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_3(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_5(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_4(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_6(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_5(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_7(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_6(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_8(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_7(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_9(apply, type, field, ...)                                                   \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_8(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_10(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_9(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_11(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_10(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_12(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_11(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_13(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_12(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_14(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_13(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_15(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_14(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_16(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_15(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_17(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_16(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_18(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_17(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_19(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_18(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_20(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_19(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_21(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_20(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_22(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_21(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_23(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_22(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_24(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_23(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_25(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_24(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_26(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_25(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_27(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_26(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_28(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_27(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_29(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_28(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_30(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_29(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_31(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_30(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_32(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_31(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_33(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_32(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_34(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_33(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_35(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_34(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_36(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_35(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_37(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_36(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_38(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_37(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_39(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_38(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_40(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_39(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_41(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_40(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_42(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_41(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_43(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_42(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_44(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_43(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_45(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_44(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_46(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_45(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_47(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_46(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_48(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_47(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_49(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_48(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_50(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_49(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_51(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_50(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_52(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_51(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_53(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_52(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_54(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_53(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_55(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_54(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_56(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_55(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_57(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_56(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_58(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_57(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_59(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_58(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_60(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_59(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_61(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_60(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_62(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_61(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_63(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_62(apply, type, __VA_ARGS__))
#define PAGEMATE_EACH_64(apply, type, field, ...)                                                  \
    apply(type, field) PAGEMATE_EXPAND(PAGEMATE_EACH_63(apply, type, __VA_ARGS__))

#endif
