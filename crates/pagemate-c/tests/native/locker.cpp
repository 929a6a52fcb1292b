// Executes commands from standard input, one per line, by calls of pagemate_sync.hpp. Replies to each with one
// line that begins with `@`. `locker.rs` documents the commands.
#include <cstdlib>
#include <iostream>
#include <string>

#include <pagemate_sync.hpp>

// The longest wait, after which the test fails.
static constexpr std::chrono::seconds LONG(30);

struct Locker {
    pagemate::Mutex mutex;
    pagemate::Event event;
    pagemate::Semaphore semaphore;
    pagemate::SharedMutex<std::uint64_t> value;

    template <class Lock> static std::string reply(bool had, const Lock &lock) {
        return !had ? "busy" : lock.was_abandoned() ? "abandoned" : "had";
    }

    std::string play(const std::string &verb) {
        if (verb == "lock") {
            return reply(mutex.try_lock_for(LONG), mutex);
        }
        if (verb == "try") {
            return reply(mutex.try_lock(), mutex);
        }
        if (verb == "any") {
            auto had = pagemate::wait_any_for({event, semaphore, mutex}, LONG);
            const bool abandoned = had->lock && mutex.was_abandoned();
            had->lock.release();
            return std::to_string(had->index) + (abandoned ? " abandoned" : "");
        }
        if (verb == "all") {
            auto had = pagemate::wait_all_for({event, semaphore, mutex}, LONG);
            had->at(2).lock.release();
            return reply(true, mutex);
        }
        if (verb == "add") {
            const std::lock_guard guard(value);
            const auto number = value.update([](std::uint64_t &count) { count++; });
            return std::to_string(number) + (value.was_abandoned() ? " abandoned" : "");
        }
        if (verb == "hold") {
            return reply(value.try_lock(), value);
        }
        if (verb == "unlock") {
            mutex.unlock();
        } else if (verb == "set") {
            event.set();
        } else if (verb == "reset") {
            event.reset();
        } else if (verb == "release") {
            semaphore.release();
        } else {
            std::abort();
        }
        return "ok";
    }
};

int main(int count, char **arguments) {
    if (count != 2) {
        std::abort();
    }
    const std::string name = arguments[1];
    auto section = pagemate::SectionOptions().len(4096).open_or_create(name + "-value");
    Locker locker{
        pagemate::MutexOptions().open_or_create(name),
        pagemate::EventOptions(pagemate::Reset::Manual).open_or_create(name + "-event"),
        pagemate::SemaphoreOptions().open_or_create(name + "-semaphore"),
        pagemate::SharedMutex<std::uint64_t>::open_or_init(section, 0, 0),
    };
    std::cout << '@' << (locker.mutex.was_created() ? "created" : "opened") << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "exit") {
            std::exit(0);
        }
        std::string reply;
        try {
            reply = locker.play(line);
        } catch (const pagemate::Error &error) {
            reply = pagemate_status_name(error.status());
        }
        std::cout << '@' << reply << std::endl;
    }
    return 0;
}
