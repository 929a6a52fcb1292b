// Checks of every function of pagemate_channel.hpp.
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <pagemate_channel.hpp>

using pagemate::Bytes;
using pagemate::ChannelOptions;
using pagemate::Error;
using pagemate::Waiting;
using pagemate::spsc::Receiver;
using pagemate::spsc::Sender;
using namespace std::chrono_literals;

#define CHECK(fact) check((fact), __LINE__, #fact)
#define CHECK_THROWS(expected, call)                                                               \
    do {                                                                                           \
        try {                                                                                      \
            (void)(call);                                                                          \
            check(false, __LINE__, #call);                                                         \
        } catch (const Error &error) {                                                             \
            check(error.status() == (expected), __LINE__, error.what());                           \
        }                                                                                          \
    } while (0)

static void check(bool fact, int line, const char *text) {
    if (!fact) {
        std::cout << "line " << line << ": " << text << std::endl;
        std::exit(1);
    }
}

struct Pose {
    std::array<float, 3> position;
    std::uint32_t frame;
};
PAGEMATE_SHAREABLE(Pose, position, frame);

static void values_are_sent() {
    auto sender = Sender<Pose>::create_new("poses", ChannelOptions().capacity(3).waiting(Waiting::Sleep));
    auto receiver = Receiver<Pose>::open("poses", ChannelOptions().waiting(Waiting::Spin));
    CHECK(sender.was_created() && !receiver.was_created());
    CHECK(sender.capacity() == 4 && receiver.capacity() == 4);
    CHECK(sender.max_len() == sizeof(Pose) && receiver.max_len() == sizeof(Pose));
    CHECK(sender.name() == "poses" && receiver.name() == "poses");
    CHECK(sender.message_type().fingerprint == pagemate::fingerprint<Pose>);
    CHECK(receiver.message_type().align == alignof(Pose));
    CHECK(sender.has_receiver() && receiver.has_sender());
    CHECK(sender.wait_for_receiver(30s) && receiver.wait_for_sender(30s));

    sender.send(Pose{{1, 2, 3}, 7});
    CHECK(sender.try_send(Pose{{}, 8}));
    CHECK(sender.send_timeout(Pose{{}, 9}, 30s));
    CHECK(!sender.wait_until_received(1ms) && sender.pending() == 3);
    const auto pose = receiver.recv();
    CHECK(pose.frame == 7 && pose.position[2] == 3);
    CHECK(receiver.try_recv()->frame == 8);
    CHECK(receiver.recv_timeout(30s)->frame == 9);
    CHECK(!receiver.try_recv() && !receiver.recv_timeout(1ms));
    CHECK(sender.wait_until_received(0s));

    const Pose poses[5] = {{{}, 0}, {{}, 1}, {{}, 2}, {{}, 3}, {{}, 4}};
    CHECK(sender.try_send_many(poses, 5) == 4);
    CHECK(sender.try_send_many(poses, 5) == 0);
    CHECK(!sender.try_send(poses[0]) && !sender.send_timeout(poses[0], 1ms) && !sender.try_loan());
    const auto many = receiver.recv_many(3);
    CHECK(many.size() == 3 && many[2].frame == 2);
    sender.send_all(poses, 2);
    CHECK(receiver.try_recv_many(9).size() == 3 && receiver.try_recv_many(9).empty());
}

static void messages_are_in_place() {
    auto sender = Sender<Pose>::open_or_create("places");
    auto receiver = Receiver<Pose>::open_or_create("places");
    auto loan = sender.loan();
    CHECK_THROWS(PAGEMATE_IN_USE, sender.try_send(Pose{}));
    loan->frame = 1;
    (*loan).position = {4, 5, 6};
    loan.send();
    CHECK_THROWS(PAGEMATE_INVALID_INPUT, (loan.send(), 0));
    sender.try_loan().value();
    auto second = sender.loan_timeout(30s).value();
    second.get()->frame = 2;
    second.send();
    {
        const auto sample = receiver.sample();
        CHECK(sample->frame == 1 && (*sample).position[1] == 5);
        CHECK_THROWS(PAGEMATE_IN_USE, receiver.try_recv());
    }
    receiver.try_sample().value().put_back();
    auto sample = receiver.sample_timeout(30s).value();
    CHECK(sample.get()->frame == 2);
    sample.finish();
    CHECK(!receiver.try_sample() && !receiver.sample_timeout(1ms));
}

static void bytes_are_sent() {
    const auto options = ChannelOptions().max_len(8);
    auto sender = Sender<Bytes>::create_new("bytes", options);
    auto receiver = Receiver<Bytes>::open_within("bytes", 30s);
    sender.send("text");
    sender.send(std::string("string"));
    sender.send(std::vector<std::uint8_t>{1, 2, 3});
    CHECK(sender.try_send(Bytes("", 0)));
    CHECK_THROWS(PAGEMATE_WRONG_LENGTH, sender.try_send("too long!"));
    CHECK(Bytes(receiver.recv()).text() == "text");
    CHECK(receiver.sample()->text() == "string");
    char small[2];
    CHECK_THROWS(PAGEMATE_WRONG_LENGTH, receiver.recv_into(small, sizeof small));
    CHECK((*receiver.sample()).size() == 3);
    CHECK(receiver.recv_into(small, sizeof small) == 0);
    auto loan = sender.loan();
    CHECK(loan.max_len() == 8);
    std::memcpy(loan.data(), "in place", 8);
    CHECK_THROWS(PAGEMATE_WRONG_LENGTH, (loan.send(9), 0));
    loan.send(2);
    auto sample = receiver.sample();
    CHECK((*sample).text() == "in");
    sample.put_back();
    CHECK(receiver.try_recv()->size() == 2);
    sender.try_loan().reset();
}

static void types_are_checked() {
    auto sender = Sender<Pose>::create_new("types");
    CHECK_THROWS(PAGEMATE_WRONG_KIND, Receiver<std::uint64_t>::open("types"));
    CHECK_THROWS(PAGEMATE_WRONG_KIND, Receiver<Bytes>::open("types"));
    auto any = Receiver<Bytes>::open("types", ChannelOptions().any_message_type());
    sender.send(Pose{});
    CHECK(any.recv().size() == sizeof(Pose));
    CHECK_THROWS(PAGEMATE_ALREADY_EXISTS, Receiver<Pose>::open("types"));
    CHECK_THROWS(PAGEMATE_ALREADY_EXISTS, Sender<Pose>::create_new("types"));
    CHECK_THROWS(PAGEMATE_NOT_FOUND, Sender<Pose>::open("missing"));
    auto moved = std::move(sender);
    CHECK_THROWS(PAGEMATE_INVALID_INPUT, sender.capacity());
    CHECK(moved.capacity() == 1024);
}

static void a_loop_ends_with_the_sender() {
    auto sender = Sender<int>::create_new("loop", ChannelOptions().sharing(pagemate::Sharing::Owner));
    auto receiver = Receiver<int>::open("loop", ChannelOptions().await_successor(false));
    std::thread thread([sender = std::move(sender)]() mutable {
        for (int i = 1; i <= 5000; i++) {
            sender.send(i);
        }
    });
    int last = 0;
    for (const int &number : receiver) {
        CHECK(number == last + 1);
        last = number;
    }
    thread.join();
    CHECK(last == 5000);
    CHECK_THROWS(PAGEMATE_DISCONNECTED, receiver.recv());
}

static void every_receiver_gets_a_broadcast() {
    const auto options = ChannelOptions().capacity(4).lossy().receivers(2);
    auto sender = pagemate::broadcast::Sender<int>::create_new("broadcast", options);
    using Listener = pagemate::broadcast::Receiver<int>;
    auto quick = Listener::open("broadcast"), slow = Listener::open("broadcast", ChannelOptions().take_over());
    for (int i = 0; i < 6; i++) {
        sender.send(i);
        CHECK(quick.recv() == i);
    }
    CHECK(slow.recv() == 2 && slow.missed() == 2 && quick.missed() == 0);
    CHECK_THROWS(PAGEMATE_WRONG_KIND, Receiver<int>::open("broadcast"));
}

static void several_senders_and_receivers_share_a_queue() {
    using pagemate::mpmc::Receiver, pagemate::mpmc::Sender;
    auto one = Sender<int>::create_new("queue");
    auto two = Sender<int>::open("queue");
    auto worker = Receiver<int>::open("queue"), other = Receiver<int>::open("queue");
    one.send(1);
    two.send(2);
    auto task = worker.sample();
    CHECK(*task == 1 && !worker.redelivered() && other.recv() == 2 && !other.redelivered());
    task.put_back();
    CHECK(other.recv() == 1);
}

static void the_latest_value_is_read() {
    using pagemate::watch::Reader, pagemate::watch::Writer;
    auto writer = Writer<Pose>::create_new("latest");
    auto reader = Reader<Pose>::open("latest", ChannelOptions().waiting(Waiting::Sleep));
    CHECK(writer.was_created() && !reader.was_created() && reader.name() == "latest");
    CHECK(writer.max_len() == sizeof(Pose) && reader.message_type().align == alignof(Pose));
    CHECK(!reader.read() && !reader.has_changed() && !reader.wait_for_change_timeout(1ms));
    CHECK(reader.has_writer() && reader.wait_for_writer(30s));
    writer.write(Pose{{}, 1});
    writer.write(Pose{{}, 2});
    CHECK(reader.has_changed() && reader.wait_for_change_timeout(30s) && reader.changed().frame == 2);
    CHECK(reader.version() == 2 && reader.latest_version() == 2 && writer.version() == 2);
    auto loan = writer.loan();
    CHECK_THROWS(PAGEMATE_IN_USE, (writer.write(Pose{}), 0));
    loan->frame = 3;
    (*loan).position = {1, 2, 3};
    loan.publish();
    CHECK_THROWS(PAGEMATE_INVALID_INPUT, (loan.publish(), 0));
    writer.loan().get()->frame = 4;
    Pose pose{};
    CHECK(reader.read_into(&pose, sizeof pose) == sizeof pose && pose.frame == 3 && pose.position[2] == 3);
    CHECK_THROWS(PAGEMATE_WRONG_KIND, Reader<int>::open("latest"));
    CHECK_THROWS(PAGEMATE_ALREADY_EXISTS, Writer<Pose>::open("latest"));
    { auto gone = std::move(writer); }
    CHECK_THROWS(PAGEMATE_DISCONNECTED, reader.changed());
    CHECK(reader.read()->frame == 3);

    auto text = Writer<Bytes>::open_or_create("text", ChannelOptions().max_len(8));
    auto other = Reader<Bytes>::open_or_create("text");
    text.write("sunny");
    CHECK(Bytes(other.changed()).text() == "sunny");
    auto place = text.loan();
    CHECK(place.max_len() == 8);
    std::memcpy(place.data(), "rain", 4);
    place.publish(4);
    CHECK(Bytes(*other.read()).text() == "rain");
}

static void one_wait_is_for_endpoints_and_sync_objects() {
    auto sender = Sender<int>::create_new("any", ChannelOptions().capacity(1));
    auto receiver = Receiver<int>::open("any");
    auto writer = pagemate::watch::Writer<int>::create_new("any-value");
    auto reader = pagemate::watch::Reader<int>::open("any-value");
    auto event = pagemate::EventOptions(pagemate::Reset::Manual).create_unnamed();
    CHECK(!pagemate::wait_any_for({event, receiver, reader}, 1ms));
    CHECK(pagemate::wait_any({event, receiver, reader, sender}).index == 3);
    sender.send(1);
    CHECK(pagemate::wait_any({event, receiver, reader, sender}).index == 1);
    CHECK(receiver.recv() == 1);
    writer.write(2);
    CHECK(pagemate::wait_any({event, receiver, reader}).index == 2 && reader.changed() == 2);
    CHECK_THROWS(PAGEMATE_INVALID_INPUT, pagemate::wait_all_for({event, receiver}, 1ms));
}

int main() {
    values_are_sent();
    messages_are_in_place();
    bytes_are_sent();
    types_are_checked();
    a_loop_ends_with_the_sender();
    every_receiver_gets_a_broadcast();
    several_senders_and_receivers_share_a_queue();
    the_latest_value_is_read();
    one_wait_is_for_endpoints_and_sync_objects();
    return 0;
}
