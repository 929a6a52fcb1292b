// Checks of every function of pagemate_sync.hpp.
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include <pagemate_sync.hpp>

using pagemate::Event;
using pagemate::EventOptions;
using pagemate::Mutex;
using pagemate::MutexOptions;
using pagemate::Reset;
using pagemate::SectionOptions;
using pagemate::Semaphore;
using pagemate::SemaphoreOptions;
using pagemate::SharedMutex;
using namespace std::chrono_literals;

static_assert(!std::is_copy_constructible_v<Mutex> && !std::is_copy_assignable_v<Event>);
static_assert(std::is_nothrow_move_constructible_v<Semaphore>);
static_assert(std::is_nothrow_move_assignable_v<SharedMutex<int>>);
static_assert(SharedMutex<std::uint64_t>::len == 72);

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

static void guards_of_the_language_lock() {
    auto mutex = MutexOptions().create_new("guards");
    CHECK(mutex.was_created() && mutex.name() == "guards");
    mutex.check_name();
    {
        const std::lock_guard guard(mutex);
        CHECK(mutex.is_mine() && !mutex.was_abandoned());
        CHECK(thrown([&] { mutex.lock(); }) == PAGEMATE_INVALID_INPUT);
        std::thread([&] {
            CHECK(thrown([&] { mutex.unlock(); }) == PAGEMATE_NOT_OWNER);
            CHECK(!mutex.try_lock() && !mutex.try_lock_for(1ms) && !mutex.is_mine());
            CHECK(!mutex.try_lock_until(std::chrono::steady_clock::now() + 1ms));
            const std::unique_lock late(mutex, 1us);
            CHECK(!late);
        }).join();
    }
    CHECK(!mutex.is_mine());
    CHECK(thrown([&] { mutex.unlock(); }) == PAGEMATE_NOT_OWNER);

    // `try_lock_for` takes durations of any unit. A negative duration does not block.
    const auto had = [&](auto time) {
        const std::unique_lock lock(mutex, time);
        return lock.owns_lock();
    };
    CHECK(had(std::chrono::hours::max()) && had(-1s) && had(std::chrono::duration<double>(0.5)));
    CHECK(had(std::chrono::system_clock::now() + 30s));
}

static void the_dead_abandon() {
    auto mutex = MutexOptions().locked().create_new("dead");
    CHECK(mutex.is_mine() && !Mutex::open("dead").try_lock());
    mutex.unlock();
    std::thread([&] { mutex.lock(); }).join();
    {
        const std::unique_lock lock(mutex, 30s);
        CHECK(lock && mutex.was_abandoned());
    }
    const std::unique_lock lock(mutex);
    CHECK(!mutex.was_abandoned());
    {
        auto other = std::move(mutex);
        CHECK(other.is_mine() && thrown([&] { mutex.try_lock(); }) == PAGEMATE_INVALID_INPUT);
        mutex = std::move(other);
    }
    CHECK(mutex.is_mine());
}

static void events_happen() {
    auto event = EventOptions(Reset::Manual).signaled().create_new("happens");
    auto same = Event::open("happens");
    same.wait();
    CHECK(same.wait_for(0s) && event.was_created() && !same.was_created() && same.name() == "happens");
    event.reset();
    CHECK(!same.wait_for(1ms));
    event.pulse();
    CHECK(!same.wait_for(0s));
    event.set();
    CHECK(same.wait_for(30s));
    auto once = EventOptions(Reset::Auto).create_unnamed();
    once.set();
    CHECK(once.wait_for(0s) && !once.wait_for(0s) && !once.name());
    CHECK(thrown([] { Event::open("missing"); }) == PAGEMATE_NOT_FOUND);
}

static void semaphores_count() {
    auto semaphore = SemaphoreOptions(2, 3).create_new("counts");
    auto same = SemaphoreOptions().open_or_create("counts");
    CHECK(semaphore.was_created() && !same.was_created() && same.name() == "counts");
    same.acquire();
    CHECK(semaphore.try_acquire() && !semaphore.try_acquire() && !semaphore.try_acquire_for(1ms));
    CHECK(same.release() == 0 && same.release(2) == 1);
    CHECK(thrown([&] { same.release(); }) == PAGEMATE_OUT_OF_RANGE);
    CHECK(semaphore.try_acquire_for(30s));
    CHECK(thrown([] { SemaphoreOptions(2, 1).create_unnamed(); }) == PAGEMATE_INVALID_INPUT);
    CHECK(thrown([] { Mutex::open("counts"); }) == PAGEMATE_WRONG_KIND);
    CHECK(thrown([] { Semaphore::open("missing"); }) == PAGEMATE_NOT_FOUND);
}

static void several_are_waited_for() {
    auto quit = EventOptions(Reset::Manual).create_unnamed();
    auto jobs = SemaphoreOptions().create_unnamed();
    auto mutex = MutexOptions().create_unnamed();
    auto second = MutexOptions().create_unnamed();
    {
        auto had = pagemate::wait_any({quit, jobs, mutex});
        CHECK(had.index == 2 && had.lock && mutex.is_mine() && !mutex.was_abandoned());
    }
    CHECK(!mutex.is_mine());
    CHECK(!pagemate::wait_any_for({quit, jobs}, 1ms));
    CHECK(!pagemate::wait_all_for({quit, mutex}, 1ms) && !mutex.is_mine());
    jobs.release();
    auto job = pagemate::wait_any_for({quit, jobs}, 30s);
    CHECK(job && job->index == 1 && !job->lock);
    quit.set();
    std::thread([&] {
        for (auto &had : pagemate::wait_all({mutex, quit, second})) {
            had.lock.release();
        }
    }).join();
    {
        auto all = pagemate::wait_all_for({quit, mutex, second}, 30s);
        CHECK(all && all->size() == 3 && !all->at(0).lock && all->at(1).lock && all->at(2).lock);
        CHECK(mutex.was_abandoned() && second.was_abandoned());
    }
    auto had = pagemate::wait_all({mutex, second});
    CHECK(!mutex.was_abandoned() && had.size() == 2 && second.is_mine());
    CHECK(thrown([] { pagemate::wait_any({}); }) == PAGEMATE_INVALID_INPUT);
    CHECK(thrown([&] { pagemate::wait_all({quit, quit}); }) == PAGEMATE_INVALID_INPUT);
}

struct Pose {
    double x, y;
    std::uint64_t frame;
};
PAGEMATE_SHAREABLE(Pose, x, y, frame);

static void values_are_locked() {
    auto section = SectionOptions().len(4096).create_new("values");
    CHECK(thrown([&] { SharedMutex<Pose>::open(section, 8); }) == PAGEMATE_NOT_FOUND);
    auto pose = SharedMutex<Pose>::open_or_init(section, 8, {1.0, 2.0, 7});
    auto same = SharedMutex<Pose>::open_or_init(section, 8, {3.0, 4.0, 9});
    CHECK(thrown([&] { same.get(); }) == PAGEMATE_NOT_OWNER);
    CHECK(thrown([&] { same.set({}); }) == PAGEMATE_NOT_OWNER);
    {
        const std::lock_guard guard(same);
        CHECK(same.get().y == 2.0 && same.update([](Pose &p) { p.frame++; }).frame == 8);
        CHECK(!pose.try_lock() && !pose.try_lock_for(1ms) && same.is_mine());
    }
    std::thread([&] { same.lock(); }).join();
    const std::unique_lock lock(pose, 30s);
    CHECK(lock && pose.was_abandoned() && pose.get().frame == 8);
    CHECK(thrown([&] { SharedMutex<std::array<double, 3>>::open(section, 8); }) == PAGEMATE_WRONG_KIND);
    CHECK(thrown([&] { SharedMutex<int>::open(section, 8); }) == PAGEMATE_WRONG_KIND);
}

static void names_are_waited_for() {
    auto mutex = MutexOptions().create_new("within-mutex");
    auto event = EventOptions(Reset::Auto).create_new("within-event");
    auto semaphore = SemaphoreOptions(1).create_new("within-semaphore");
    CHECK(Mutex::open_within("within-mutex", 30s).name() == mutex.name());
    CHECK(Event::open_within("within-event", 30s).name() == event.name());
    CHECK(Semaphore::open_within("within-semaphore", 30s).name() == semaphore.name());
    CHECK(thrown([] { Mutex::open_within("nowhere", 1ms); }) == PAGEMATE_NOT_FOUND);
    CHECK(thrown([] { Event::open_within("nowhere", 1ms); }) == PAGEMATE_NOT_FOUND);
    CHECK(thrown([] { Semaphore::open_within("nowhere", 1ms); }) == PAGEMATE_NOT_FOUND);
}

static void descriptors_are_handed_on() {
    auto mutex = MutexOptions().locked().create_unnamed();
    auto event = EventOptions(Reset::Auto).create_unnamed();
    auto semaphore = SemaphoreOptions(1).create_unnamed();
    CHECK(!Mutex::from_descriptor(mutex.descriptor()).try_lock());
    Event::from_descriptor(event.descriptor()).set();
    Semaphore::from_descriptor(semaphore.descriptor()).acquire();
    CHECK(event.wait_for(0s) && !semaphore.try_acquire());
    CHECK(thrown([] { Mutex::from_descriptor(1 << 20); }) == PAGEMATE_OS);
}

static void inventories_tell_of_states() {
    using namespace pagemate::inventory;
    auto mutex = MutexOptions().sharing(pagemate::Sharing::Group).create_new("told");
    auto entry = find("told");
    CHECK(entry.sharing == pagemate::Sharing::Group && entry.waiting == 0U);
    CHECK(!std::get<MutexState>(entry.state).owner);
    const std::lock_guard guard(mutex);
    CHECK(std::get<MutexState>(find("told").state).owner == entry.creator);
    auto event = EventOptions(Reset::Manual).signaled().create_new("told-event");
    auto semaphore = SemaphoreOptions(3, 4).create_new("told-semaphore");
    auto section = SectionOptions().len(1).create_new("told-section");
    const auto happened = std::get<EventState>(find("told-event").state);
    CHECK(happened.signaled && happened.reset == Reset::Manual);
    const auto count = std::get<SemaphoreState>(find("told-semaphore").state);
    CHECK(count.count == 3 && count.max == 4);
    entry = find("told-section");
    CHECK(std::holds_alternative<std::monostate>(entry.state) && !entry.waiting);
}

int main() {
    guards_of_the_language_lock();
    the_dead_abandon();
    events_happen();
    semaphores_count();
    several_are_waited_for();
    values_are_locked();
    names_are_waited_for();
    descriptors_are_handed_on();
    inventories_tell_of_states();
    return 0;
}
