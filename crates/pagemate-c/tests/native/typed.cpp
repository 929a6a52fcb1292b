// Checks of every function of pagemate_typed.hpp.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <pagemate_typed.hpp>

using pagemate::Access;
using pagemate::SectionOptions;
using pagemate::ViewOptions;
using pagemate::Word;
using namespace std::chrono_literals;

#define CHECK(fact) check((fact), __LINE__, #fact)

static void check(bool fact, int line, const char *text) {
    if (!fact) {
        std::cout << "line " << line << ": " << text << std::endl;
        std::exit(1);
    }
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

int main() {
    words_are_waited_for();
    return 0;
}
