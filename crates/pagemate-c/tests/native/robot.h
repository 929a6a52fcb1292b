/* The typed memory that `robot.rs`, `robot.c` and `robot.cpp` share, as C sees it. */
#ifndef ROBOT_H
#define ROBOT_H

#include <stdatomic.h>
#include <stddef.h>

#include <pagemate.h>

typedef struct {
    double x, y;
} pose;

typedef struct {
    _Alignas(8) unsigned char pose[64 + 2 * sizeof(pose)];
    _Atomic uint32_t frame;
    _Atomic uint32_t errors;
    char label[8];
    _Atomic uint64_t limit;
} robot;

/* Computes the layout of a robot. Returns the first failure. */
static inline pagemate_status robot_layout(pagemate_layout *layout) {
    pagemate_layout f64, u8, u32, u64, point, cell, count, text, label, limit;
    pagemate_status status[10];
    status[0] = pagemate_layout_number("f64", &f64);
    const pagemate_field point_fields[] = {{"x", offsetof(pose, x), f64}, {"y", offsetof(pose, y), f64}};
    status[1] = pagemate_layout_struct(point_fields, 2, sizeof(pose), _Alignof(pose), &point);
    status[2] = pagemate_layout_seqlock(&point, &cell);
    status[3] = pagemate_layout_number("u32", &u32);
    status[4] = pagemate_layout_atomic(&u32, &count);
    status[5] = pagemate_layout_number("u8", &u8);
    status[6] = pagemate_layout_array(&u8, 8, &text);
    status[7] = pagemate_layout_racy(&text, &label);
    status[8] = pagemate_layout_number("u64", &u64);
    status[9] = pagemate_layout_atomic(&u64, &limit);
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        if (status[i] != PAGEMATE_OK) {
            return status[i];
        }
    }
    const pagemate_field fields[] = {
        {"pose", offsetof(robot, pose), cell},
        {"frame", offsetof(robot, frame), count},
        {"errors", offsetof(robot, errors), count},
        {"label", offsetof(robot, label), label},
        {"limit", offsetof(robot, limit), limit},
    };
    return pagemate_layout_struct(fields, 5, sizeof(robot), _Alignof(robot), layout);
}

#endif
