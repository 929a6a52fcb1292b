// The parts of Boost.Interprocess that are compared, with C names.
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cstddef>

namespace ipc = boost::interprocess;

extern "C" {

// Returns null if the queue cannot be opened or created.
void* boost_queue_open(const char* name, std::size_t depth, std::size_t size) {
    try {
        return new ipc::message_queue(ipc::open_or_create, name, depth, size);
    } catch (...) {
        return nullptr;
    }
}

bool boost_queue_send(void* queue, const void* bytes, std::size_t size, bool wait) {
    auto* messages = static_cast<ipc::message_queue*>(queue);
    if (!wait) {
        return messages->try_send(bytes, size, 0);
    }
    messages->send(bytes, size, 0);
    return true;
}

bool boost_queue_receive(void* queue, void* bytes, std::size_t size, bool wait) {
    auto* messages = static_cast<ipc::message_queue*>(queue);
    ipc::message_queue::size_type received = 0;
    unsigned priority = 0;
    if (!wait) {
        return messages->try_receive(bytes, size, received, priority);
    }
    messages->receive(bytes, size, received, priority);
    return true;
}

void boost_queue_close(void* queue) { delete static_cast<ipc::message_queue*>(queue); }

void boost_queue_remove(const char* name) { ipc::message_queue::remove(name); }

// Creates or opens memory, maps it, and returns its first byte, or -1 if that fails.
int boost_memory(const char* name, std::size_t size, bool create) {
    try {
        if (create) {
            ipc::shared_memory_object memory(ipc::create_only, name, ipc::read_write);
            memory.truncate(static_cast<ipc::offset_t>(size));
            ipc::mapped_region region(memory, ipc::read_write);
            return *static_cast<volatile unsigned char*>(region.get_address());
        }
        ipc::shared_memory_object memory(ipc::open_only, name, ipc::read_write);
        ipc::mapped_region region(memory, ipc::read_write);
        return *static_cast<volatile unsigned char*>(region.get_address());
    } catch (...) {
        return -1;
    }
}

bool boost_memory_remove(const char* name) { return ipc::shared_memory_object::remove(name); }
}
