// A sensor that publishes its samples, and any number of programs that read them without locks: typed memory.
// Start `sensor publish`, and `sensor watch 10` in other terminals. A watcher waits for the publisher.
//
//     c++ -std=c++17 sensor.cpp $(pkg-config --cflags --libs pagemate) -o sensor
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include <pagemate.hpp>

using namespace std::chrono_literals;

// A Rust program opens the same memory as a `Shared<Sensor>` if its structs have these fields.
struct Sample {
    double temperature;
    double pressure;
};
PAGEMATE_SHAREABLE(Sample, temperature, pressure);

struct Sensor {
    pagemate::SeqLock<Sample> sample;
    std::atomic<std::uint32_t> count;
    std::atomic<std::uint32_t> restarts;
};
PAGEMATE_SHAREABLE(Sensor, sample, count, restarts);

using Memory = pagemate::Shared<Sensor>;

[[noreturn]] static void publish(const std::string &name) {
    // The first publisher stores a first sample, before any watcher sees the memory.
    auto memory = Memory::open_or_create(name, [](Memory &fresh) {
        fresh->sample.writer(fresh).write({20.0, 1013.0});
    });
    memory->restarts++;
    auto writer = memory->sample.writer(memory);
    for (;;) {
        writer.update([](Sample &sample) { sample.temperature += 0.5; });
        memory->count++;
        pagemate::wake_all(memory->count);
        std::this_thread::sleep_for(100ms);
    }
}

static void watch(const std::string &name, unsigned samples) {
    // The kernel refuses writes through this memory. A publisher that is killed leaves a whole sample.
    const auto memory = Memory::open_read_only_within(name, 30s);
    std::uint32_t seen = memory->count;
    for (unsigned i = 0; i < samples; i++) {
        const auto next = pagemate::wait_while_for(memory->count, seen, 30s);
        if (!next) {
            throw std::runtime_error("the publisher is silent");
        }
        seen = *next;
        const auto sample = memory->sample.read();
        std::cout << seen << ": " << sample.temperature << " °C, " << sample.pressure << " hPa" << std::endl;
    }
}

int main(int count, char **arguments) {
    const std::string verb = count > 1 ? arguments[1] : "";
    try {
        if (verb == "publish") {
            publish("sensor");
        } else if (verb == "watch" && count > 2) {
            watch("sensor", static_cast<unsigned>(std::stoul(arguments[2])));
        } else {
            std::cerr << "usage: sensor publish | watch SAMPLES\n";
            return 2;
        }
    } catch (const std::exception &error) {
        std::cerr << "sensor: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
