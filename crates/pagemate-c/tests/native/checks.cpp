// Checks of every function of pagemate.hpp.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <sys/mman.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include <pagemate.hpp>

using pagemate::Access;
using pagemate::Protection;
using pagemate::Section;
using pagemate::SectionOptions;
using pagemate::Sharing;
using pagemate::View;
using pagemate::ViewOptions;

static_assert(!std::is_copy_constructible_v<Section> && !std::is_copy_assignable_v<View>);
static_assert(std::is_nothrow_move_constructible_v<Section>);
static_assert(std::is_nothrow_move_assignable_v<View>);

#define CHECK(fact) check((fact), __LINE__, #fact)

static void check(bool fact, int line, const char *text) {
    if (!fact) {
        std::cout << "line " << line << ": " << text << std::endl;
        std::exit(1);
    }
}

/** Returns the exception that `call` throws. */
template <class Call> static pagemate::Error thrown(Call call) {
    try {
        call();
    } catch (const pagemate::Error &error) {
        return error;
    }
    return {PAGEMATE_OK, 0, "nothing was thrown"};
}

static bool is_gone(const std::string &name) {
    return thrown([&] { Section::open(name); }).status() == PAGEMATE_NOT_FOUND;
}

static void errors_are_exceptions() {
    const auto error = thrown([] { Section::open("missing"); });
    CHECK(error.status() == PAGEMATE_NOT_FOUND && error.os_error() == 0);
    CHECK(error.what() == std::string("open section \"missing\": no process holds it"));
    const auto closed = thrown([] { Section::from_descriptor(1 << 20); });
    CHECK(closed.status() == PAGEMATE_OS && closed.os_error() == EBADF);
    const std::string two("a\0b", 3);
    CHECK(thrown([&] { Section::open(two); }).status() == PAGEMATE_INVALID_NAME);
    CHECK(thrown([&] { pagemate::inventory::find(two); }).status() == PAGEMATE_INVALID_NAME);
}

static void owners_let_go() {
    {
        auto made = SectionOptions().len(1).create_new("life");
        CHECK(made.was_created() && made.len() == 4096 && made.name() == "life");
        CHECK(made.access() == Access::ReadWrite && made.protection() == Protection::ReadWrite);
        auto found = SectionOptions().len(1).open_or_create("Local\\life");
        CHECK(!found.was_created());
        auto clone = found.clone();
        auto view = clone.map();
        found = std::move(made);
        auto taken = std::move(view);
        CHECK(thrown([&] { made.len(); }).status() == PAGEMATE_INVALID_INPUT);
        CHECK(thrown([&] { view.len(); }).status() == PAGEMATE_INVALID_INPUT);
        CHECK(taken.len() == 4096);
    }
    CHECK(is_gone("life"));
    auto view = SectionOptions().len(1).create_new("life").map();
    CHECK(!is_gone("life"));
    view = SectionOptions().len(1).create_unnamed().map();
    CHECK(is_gone("life"));
}

static void options_mean_what_they_say() {
    CHECK(thrown([] { SectionOptions().create_new("none"); }).status() == PAGEMATE_INVALID_INPUT);
    auto sparse = SectionOptions().len(1 << 30).huge_pages().huge_pages(false).sparse().create_unnamed();
    auto huge = SectionOptions().len(4 << 20).sparse().sparse(false).huge_pages().create_unnamed();
    CHECK(sparse.len() == 1 << 30 && huge.len() == 4 << 20 && !huge.name());

    auto shared = SectionOptions().len(1).sharing(Sharing::Group, Access::ReadWrite).create_new("granted");
    auto entry = pagemate::inventory::find("granted");
    CHECK(entry.sharing == Sharing::Group && entry.sharing_access == Access::ReadWrite);
    auto reader = SectionOptions().access(Access::Read).open("granted");
    auto found = SectionOptions().min_len(1).open_within("granted", std::chrono::seconds(30));
    CHECK(found.len() == shared.len() && shared.requested_len() == 1);
    auto missing = [] { pagemate::Section::open_within("nowhere", std::chrono::milliseconds(1)); };
    CHECK(thrown(missing).status() == PAGEMATE_NOT_FOUND);
    auto longer = [] { SectionOptions().min_len(1 << 30).open("granted"); };
    CHECK(thrown(longer).status() == PAGEMATE_OUT_OF_RANGE);
    CHECK(reader.access() == Access::Read && !reader.map().is_writable());
}

static void views_copy_values() {
    struct Pose {
        double x, y;
        std::uint32_t frame;
    };
    auto section = SectionOptions().len(3 * 4096).create_unnamed();
    auto view = section.map(ViewOptions().range(5000, 100).prefault().huge_pages());
    CHECK(view.len() == 100 && view.is_writable());
    view.write(3, Pose{1.0, 2.0, 7});
    CHECK(view.read<Pose>(3).frame == 7 && view.read<Pose>(3).y == 2.0);
    char seen[8];
    view.write_at(92, "in order", 8);
    view.read_at(92, seen, 8);
    CHECK(std::memcmp(seen, "in order", 8) == 0);
    CHECK(std::memcmp(static_cast<char *>(view.pointer()) + 92, "in order", 8) == 0);
    CHECK(thrown([&] { view.read<Pose>(90); }).status() == PAGEMATE_OUT_OF_RANGE);
    CHECK(section.map(ViewOptions().range(4096)).len() == 2 * 4096);

    auto mine = section.map(ViewOptions().range(5000, 100).access(Access::CopyOnWrite));
    mine.write(92, 0);
    CHECK(view.read<char>(92) == 'i');
    auto look = section.map(ViewOptions().access(Access::Read));
    CHECK(thrown([&] { look.write(0, 1); }).status() == PAGEMATE_PERMISSION_DENIED);
}

static void atomics_are_in_place() {
#ifdef __cpp_lib_atomic_ref
    auto section = SectionOptions().len(4096).create_unnamed();
    auto view = section.map();
    view.atomic<std::uint64_t>(8).fetch_add(5);
    CHECK(view.read<std::uint64_t>(8) == 5);
    CHECK(thrown([&] { view.atomic<std::uint64_t>(4); }).status() == PAGEMATE_INVALID_INPUT);
    CHECK(thrown([&] { view.atomic<std::uint64_t>(4092); }).status() == PAGEMATE_OUT_OF_RANGE);
    auto look = section.map(ViewOptions().access(Access::Read));
    CHECK(thrown([&] { look.atomic<int>(0); }).status() == PAGEMATE_PERMISSION_DENIED);
#endif
}

static void memory_can_be_somebody_elses() {
    std::string path = std::string(std::getenv("PAGEMATE_DIR")) + "/file-XXXXXX";
    const int file = mkstemp(path.data());
    CHECK(file >= 0);
    {
        auto over = SectionOptions().len(100).file(file).create_new("over");
        CHECK(over.len() == 100);
        auto view = over.map();
        view.write(0, 'x');
        view.flush();
        CHECK(pagemate::inventory::find("over").file == path);
        auto only_read = SectionOptions().file(file).protection(Protection::ReadOnly).create_unnamed();
        CHECK(only_read.protection() == Protection::ReadOnly);
    }
    CHECK(close(file) == 0 && unlink(path.c_str()) == 0);

    auto section = SectionOptions().len(1).create_unnamed();
    auto copy = Section::from_descriptor(section.descriptor());
    section.map().write(0, 7);
    CHECK(copy.map().read<int>(0) == 7);

    const std::string name = "/pagemate-native-cpp-" + std::to_string(getpid());
    const int object = shm_open(name.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
    CHECK(object >= 0 && ftruncate(object, 4096) == 0);
    const auto opened = thrown([&] { Section::open_posix(name).map().write(0, 7); });
    const auto reading = thrown([&] { Section::open_posix(name, Access::Read); });
    CHECK(shm_unlink(name.c_str()) == 0 && close(object) == 0);
    CHECK(opened.status() == PAGEMATE_OK && reading.status() == PAGEMATE_OK);
}

static void inventories_list() {
    auto section = SectionOptions().len(1).create_new("listed");
    const auto all = pagemate::inventory::list();
    CHECK(all.size() == 1);
    CHECK(all[0].name == "listed" && all[0].len == 4096 && all[0].kind == PAGEMATE_KIND_SECTION);
    CHECK(all[0].protection == Protection::ReadWrite && all[0].sharing == Sharing::Owner);
    CHECK(all[0].creator == static_cast<std::uint32_t>(getpid()) && all[0].owner == geteuid());
    CHECK(all[0].holders.size() == 1 && !all[0].file);
    CHECK(all[0].created < std::chrono::system_clock::now());
    CHECK(pagemate::inventory::prune().objects == 0);
    const auto missing = thrown([] { pagemate::inventory::find("missing"); });
    CHECK(missing.status() == PAGEMATE_NOT_FOUND);
}

static void removed_names_are_noticed() {
    const auto section = SectionOptions().len(1).create_new("gone");
    section.check_name();
    pagemate::inventory::unreachable();
    const auto path = std::string(std::getenv("PAGEMATE_DIR")) + "/pagemate-" + std::to_string(geteuid());
    CHECK(unlink((path + "/gone").c_str()) == 0);
    CHECK(thrown([&] { section.check_name(); }).status() == PAGEMATE_ORPHANED);
}

int main() {
    errors_are_exceptions();
    owners_let_go();
    options_mean_what_they_say();
    views_copy_values();
    atomics_are_in_place();
    memory_can_be_somebody_elses();
    inventories_list();
    removed_names_are_noticed();
    return 0;
}
