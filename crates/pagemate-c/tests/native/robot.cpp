// Executes commands from standard input, one per line, on typed memory by calls of pagemate_typed.hpp. Replies to
// each with one line that begins with `@`. `robot.rs` documents the commands.
#include <array>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <unistd.h>

#include <pagemate_typed.hpp>

// The longest wait, after which the test fails.
static constexpr std::chrono::seconds LONG(30);

struct Pose {
    double x, y;
};
PAGEMATE_SHAREABLE(Pose, x, y);

struct Robot {
    pagemate::SeqLock<Pose> pose;
    std::atomic<std::uint32_t> frame;
    std::atomic<std::uint32_t> errors;
    pagemate::Racy<std::array<char, 8>> label;
    std::atomic<std::uint64_t> limit;
};
PAGEMATE_SHAREABLE(Robot, pose, frame, errors, label, limit);

using Shared = pagemate::Shared<Robot>;

/** Stores initial values. */
static void initialise(Shared &robot, bool hang) {
    if (robot->errors != 0) {
        std::abort();
    }
    robot->errors = 1;
    if (hang) {
        std::cout << "@begun" << std::endl;
        for (;;) {
            pause();
        }
    }
    robot->pose.writer(robot).write({1, 2});
    robot->label.set({'i', 'n', ' ', 'C', '+', '+'});
    robot->limit = 1000;
}

static std::string play(Shared &robot, const Robot &look, const std::string &verb, std::uint32_t number) {
    std::ostringstream reply;
    if (verb == "pose") {
        const auto pose = look.pose.read();
        reply << pose.x << ' ' << pose.y;
    } else if (verb == "label") {
        reply << look.label.get().data() << ' ' << look.limit;
    } else if (verb == "wait") {
        reply << pagemate::wait_while_for(look.frame, number, LONG).value();
    } else if (verb == "move") {
        robot->pose.writer(robot).update([&](Pose &pose) {
            pose.x += number;
            pose.y += number;
        });
        reply << "ok";
    } else if (verb == "step") {
        robot->frame++;
        pagemate::wake_all(robot->frame);
        reply << "ok";
    } else {
        std::abort();
    }
    return reply.str();
}

int main(int count, char **arguments) {
    if (count != 3) {
        std::abort();
    }
    const std::string name = arguments[1];
    const bool hang = std::string(arguments[2]) == "hang";
    auto robot = Shared::open_or_create(name, [&](Shared &fresh) { initialise(fresh, hang); });
    const auto reader = Shared::open_read_only_within(name, LONG);
    std::cout << (robot.was_initialised() ? "@initialised" : "@opened") << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string verb;
        std::uint32_t number = 0;
        words >> verb >> number;
        if (verb == "exit") {
            return 0;
        }
        std::cout << '@' << play(robot, *reader, verb, number) << std::endl;
    }
    return 0;
}
