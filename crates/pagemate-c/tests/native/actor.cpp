// Executes commands from standard input, one in each line, by calls of pagemate.hpp. Replies to
// each command with one line that begins with `@`. The commands are some of those that the actors
// in `crates/pagemate/tests/harness` execute.
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include <pagemate.hpp>

struct Held {
    pagemate::Section section;
    pagemate::View view;
};

static std::map<std::string, Held> held;

static void keep(const std::string &name, pagemate::Section section) {
    auto view = section.map();
    held.insert_or_assign(name, Held{std::move(section), std::move(view)});
}

static std::string play(const std::string &verb, const std::string &name, std::uint64_t number) {
    if (verb == "share") {
        auto section = pagemate::SectionOptions().len(number).open_or_create(name);
        const bool created = section.was_created();
        keep(name, std::move(section));
        return created ? "created" : "opened";
    }
    if (verb == "create") {
        keep(name, pagemate::SectionOptions().len(number).create_new(name));
    } else if (verb == "open") {
        keep(name, pagemate::Section::open(name));
    } else if (verb == "probe") {
        pagemate::Section::open(name);
    } else if (verb == "reach") {
        pagemate::inventory::unreachable();
    } else if (verb == "write") {
        held.at(name).view.write(0, number);
    } else if (verb == "read") {
        return std::to_string(held.at(name).view.read<std::uint64_t>(0));
    } else if (verb == "close") {
        held.erase(name);
    } else {
        std::abort();
    }
    return "ok";
}

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string verb, name;
        std::uint64_t number = 0;
        words >> verb >> name >> number;
        if (verb == "exit") {
            return 0;
        }
        std::string reply;
        try {
            reply = play(verb, name, number);
        } catch (const pagemate::Error &error) {
            reply = pagemate_status_name(error.status());
        }
        std::cout << '@' << reply << std::endl;
    }
    return 0;
}
