// Checks of every function of pagemate_typed.hpp.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <pagemate_typed.hpp>

using pagemate::Access;
using pagemate::SectionOptions;
using pagemate::ViewOptions;
using pagemate::Word;
using namespace std::chrono_literals;

struct Pose {
    double x, y;
};
PAGEMATE_SHAREABLE(Pose, x, y);

struct Robot {
    pagemate::SeqLock<Pose> pose;
    std::atomic<std::uint32_t> frame;
    std::atomic<std::uint32_t> errors;
    pagemate::Racy<std::array<char, 8>> label;
};
PAGEMATE_SHAREABLE(Robot, pose, frame, errors, label);

using Shared = pagemate::Shared<Robot>;

static_assert(sizeof(pagemate::SeqLock<Pose>) == 96 && Shared::len == 64 + 96 + 16);
static_assert(!std::is_copy_constructible_v<Shared> && !std::is_copy_assignable_v<Shared>);
static_assert(std::is_nothrow_move_constructible_v<Shared> && std::is_nothrow_move_assignable_v<Shared>);
static_assert(std::is_same_v<decltype(*std::declval<pagemate::SharedReader<Robot>>()), const Robot &>);

#define CHECK(fact) check((fact), __LINE__, #fact)

static void check(bool fact, int line, const char *text) {
    if (!fact) {
        std::cout << "line " << line << ": " << text << std::endl;
        std::exit(1);
    }
}

/** Returns the status of the exception that `call` throws. */
template <class Call> static pagemate_status thrown(Call call) {
    try {
        call();
    } catch (const pagemate::Error &error) {
        return error.status();
    }
    return PAGEMATE_OK;
}

static void words_are_waited_for() {
    auto section = SectionOptions().len(4096).create_unnamed();
    auto view = section.map();
    const auto look = section.map(ViewOptions().access(Access::Read));
    auto &word = *static_cast<Word *>(view.pointer());
    const auto &same = *static_cast<const Word *>(look.pointer());
    CHECK(!pagemate::wait_while_for(same, 0, 1ms));
    CHECK(!pagemate::wait_while_until(same, 0, std::chrono::steady_clock::now() + 1ms));
    std::thread answer([&] {
        CHECK(pagemate::wait_while(word, 0) == 1);
        word.store(2);
        pagemate::wake_one(word);
    });
    word.store(1);
    pagemate::wake_all(word);
    CHECK(pagemate::wait_while_for(same, 1, 30s) == 2U);
    CHECK(pagemate::wait_while_until(same, 1, std::chrono::system_clock::now()) == 2U);
    answer.join();
}

static void the_first_initialises() {
    struct Own : std::runtime_error {
        using std::runtime_error::runtime_error;
    };
    int calls = 0;
    const auto fails = [&](Shared &robot) {
        calls++;
        robot->errors = 1;
        throw Own("an exception of the program");
    };
    const auto starts = [&](Shared &robot) {
        calls++;
        CHECK(robot->errors == 0);
        robot->pose.writer(robot).write({1, 2});
    };
    auto section = SectionOptions().len(4096).create_new("typed");
    CHECK(thrown([] { Shared::open("typed"); }) == PAGEMATE_NOT_FOUND);
    bool caught = false;
    try {
        Shared::open_or_create("typed", fails);
    } catch (const Own &) {
        caught = true;
    }
    CHECK(caught);
    auto first = Shared::open_or_create("typed", starts);
    auto second = Shared::open_or_create("typed", starts);
    CHECK(calls == 2 && first.was_initialised() && !second.was_initialised());
    CHECK(!Shared::open_or_create("typed").was_initialised());
    second->frame = 8;
    CHECK(first->frame == 8 && (*first).pose.read().y == 2 && first.get()->errors == 0);
    const auto reader = Shared::open_read_only("typed");
    CHECK(reader->frame == 8 && Shared::open_read_only_within("typed", 30s).clone()->pose.read().x == 1);
    CHECK(Shared::open_within("typed", 30s)->frame == 8);
    CHECK(thrown([] { pagemate::Shared<Word>::open("typed"); }) == PAGEMATE_WRONG_KIND);
    CHECK(thrown([] { Shared::open_within("nowhere", 1ms); }) == PAGEMATE_NOT_FOUND);
    CHECK(thrown([] { Shared::open_read_only_within("nowhere", 1ms); }) == PAGEMATE_NOT_FOUND);
    first.flush();

    auto clone = first.clone();
    first = std::move(second);
    CHECK(second.get() == nullptr && first->frame == 8 && clone->frame == 8);
    CHECK(thrown([&] { second.was_initialised(); }) == PAGEMATE_INVALID_INPUT);
}

static void values_lie_in_sections() {
    auto section = SectionOptions().len(4096).create_unnamed();
    CHECK(thrown([&] { Shared::open_in(section, 8); }) == PAGEMATE_NOT_FOUND);
    CHECK(thrown([&] { Shared::open_or_init(section, 4); }) == PAGEMATE_INVALID_INPUT);
    CHECK(thrown([&] { Shared::open_or_init(section, 4088); }) == PAGEMATE_OUT_OF_RANGE);
    auto robot = Shared::open_or_init(section, 8, [](Shared &fresh) { fresh->frame = 3; });
    CHECK(robot.was_initialised() && !Shared::open_or_init(section, 8).was_initialised());
    CHECK(Shared::open_in(section, 8)->frame == 3 && Shared::open_read_only_in(section, 8)->frame == 3);
    CHECK(Shared::open_or_init(section, 8 + Shared::len).was_initialised());
    // Section::map() sees the value after its header.
    CHECK(section.map().read<std::uint32_t>(8 + 64 + 96) == 3);
}

static void cells_are_copied() {
    auto robot = Shared::open_or_create("cells");
    auto other = Shared::open_or_create("others");
    auto writer = robot->pose.writer(robot);
    CHECK(thrown([&] { robot->pose.writer(other); }) == PAGEMATE_OUT_OF_RANGE);
    writer.write({1, 2});
    CHECK(thrown([&] {
              writer.update([](Pose &pose) {
                  pose.x = 7;
                  throw pagemate::Error(PAGEMATE_OUT_OF_RANGE, 0, "out of the room");
              });
          }) == PAGEMATE_OUT_OF_RANGE);
    CHECK(robot->pose.read().x == 1);
    robot->label.set({'l', 'a', 'b', 'e', 'l'});
    CHECK(robot->label.get()[4] == 'l' && robot->label.get()[5] == 0);

    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++) {
        threads.emplace_back([&] {
            auto mine = robot->pose.writer(robot);
            for (int round = 0; round < 1000; round++) {
                mine.update([](Pose &pose) {
                    pose.x += 1;
                    pose.y += 1;
                });
            }
        });
    }
    const auto reader = Shared::open_read_only("cells");
    for (double last = 0; last < 2001;) {
        const auto pose = reader->pose.read();
        CHECK(pose.y == pose.x + 1 && pose.x >= last);
        last = pose.x;
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

int main() {
    words_are_waited_for();
    the_first_initialises();
    values_lie_in_sections();
    cells_are_copied();
    return 0;
}
