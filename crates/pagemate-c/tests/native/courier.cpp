// Sends or receives numbered letters on a channel, as courier.rs documents.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <pagemate.hpp>

using pagemate::ChannelKind;
using pagemate::ChannelOptions;

struct Letter {
    std::uint64_t number, check;
};
PAGEMATE_SHAREABLE(Letter, number, check);

static Letter letter_of(std::uint64_t number) { return {number, number * 0x9E3779B97F4A7C15U}; }

static void reply(const char *text) { std::cout << '@' << text << std::endl; }

static ChannelOptions options() { return ChannelOptions().capacity(16).await_successor().take_over(); }

template <ChannelKind kind>
static void send(const std::string &name, std::uint64_t first, std::uint64_t last, bool hangs) {
    auto sender = pagemate::Sender<Letter, kind>::open_or_create(name, options());
    for (auto number = first; number <= last; number++) {
        if (number % 3 == 0) {
            auto loan = sender.loan();
            *loan = letter_of(number);
            loan.send();
        } else {
            sender.send(letter_of(number));
        }
    }
    if (!hangs) {
        reply(sender.wait_until_received(std::chrono::seconds(30)) ? "sent" : "late");
        return;
    }
    auto loan = sender.loan();
    loan->number = 0x5555555555555555;
    reply("lent");
    std::cin.get();
}

template <ChannelKind kind>
static void receive(const std::string &name, std::uint64_t first, std::uint64_t last, bool hangs) {
    auto receiver = pagemate::Receiver<Letter, kind>::open_or_create(name, options());
    reply("ready");
    for (auto number = first; number <= last; number++) {
        const Letter found = number % 2 == 0 ? *receiver.sample() : receiver.recv();
        if (found.number != number || found.check != letter_of(number).check) {
            std::cout << "@" << found.number << " after " << number - 1 << std::endl;
            std::exit(1);
        }
    }
    if (!hangs) {
        reply("received");
        return;
    }
    const auto sample = receiver.sample();
    reply("held");
    std::cin.get();
}

template <ChannelKind kind> static void run(char **arguments) {
    const auto first = std::stoull(arguments[4]), last = std::stoull(arguments[5]);
    const bool hangs = std::string(arguments[6]) == "hang";
    if (std::string(arguments[3]) == "send") {
        send<kind>(arguments[1], first, last, hangs);
    } else {
        receive<kind>(arguments[1], first, last, hangs);
    }
}

int main(int count, char **arguments) {
    if (count != 7) {
        return 1;
    }
    switch (static_cast<ChannelKind>(std::stoi(arguments[2]))) {
    case ChannelKind::Spsc:
        run<ChannelKind::Spsc>(arguments);
        break;
    case ChannelKind::Mpmc:
        run<ChannelKind::Mpmc>(arguments);
        break;
    case ChannelKind::Broadcast:
        run<ChannelKind::Broadcast>(arguments);
        break;
    }
    return 0;
}
