// A program that uses only Win32, and shares memory with interop.rs. It reads one command in each
// line and answers with a line that begins with '@'.

#include <windows.h>

#include <sddl.h>

#include <cstring>
#include <iostream>
#include <string>

static HANDLE mapping;
static HANDLE object; // a mutex, an event or a semaphore
static char *view;

static std::string outcome(bool good, const char *done)
{
    return good ? done : "error " + std::to_string(GetLastError());
}

static std::string map()
{
    view = static_cast<char *>(MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0));
    return outcome(view != nullptr, "ok");
}

static std::string create(const std::string &name, DWORD len)
{
    mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, len, name.c_str());
    if (mapping == nullptr)
        return outcome(false, "");
    const bool existed = GetLastError() == ERROR_ALREADY_EXISTS;
    const std::string mapped = map();
    return mapped != "ok" ? mapped : existed ? "opened" : "created";
}

// Creates a section without mapping it.
static std::string keep(const std::string &name, DWORD len, const char *grants, DWORD protection)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, nullptr, FALSE};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(
            grants, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, nullptr))
        return outcome(false, "");
    mapping = CreateFileMappingA(INVALID_HANDLE_VALUE, &attributes, protection, 0, len, name.c_str());
    const std::string made = outcome(mapping != nullptr, "ok");
    LocalFree(attributes.lpSecurityDescriptor);
    return made;
}

// Creates a sparse section and commits its second page.
static std::string sparse(const std::string &name, DWORD len)
{
    const std::string made = keep(name, len, "D:(A;;GA;;;WD)", PAGE_READWRITE | SEC_RESERVE);
    if (made != "ok" || map() != "ok")
        return outcome(false, "");
    return outcome(VirtualAlloc(view + 4096, 4096, MEM_COMMIT, PAGE_READWRITE) != nullptr, "ok");
}

// Creates a section of this program's own image.
static std::string image(const std::string &name)
{
    char path[MAX_PATH];
    GetModuleFileNameA(nullptr, path, sizeof path);
    const HANDLE file =
        CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING, 0, nullptr);
    mapping = CreateFileMappingA(file, nullptr, PAGE_READONLY | SEC_IMAGE, 0, 0, name.c_str());
    const std::string made = outcome(mapping != nullptr, "ok");
    CloseHandle(file);
    return made;
}

static std::string open(const std::string &name)
{
    mapping = OpenFileMappingA(FILE_MAP_ALL_ACCESS, FALSE, name.c_str());
    return mapping == nullptr ? outcome(false, "") : map();
}

static std::string length()
{
    MEMORY_BASIC_INFORMATION region;
    VirtualQuery(view, &region, sizeof region);
    return std::to_string(region.RegionSize);
}

static std::string close()
{
    const bool unmapped = UnmapViewOfFile(view);
    return outcome(CloseHandle(mapping) && unmapped, "ok");
}

static std::string made()
{
    const bool existed = GetLastError() == ERROR_ALREADY_EXISTS;
    return outcome(object != nullptr, existed ? "opened" : "created");
}

static std::string wait(DWORD time)
{
    switch (WaitForSingleObject(object, time)) {
    case WAIT_OBJECT_0:
        return "ok";
    case WAIT_ABANDONED:
        return "abandoned";
    case WAIT_TIMEOUT:
        return "timeout";
    }
    return outcome(false, "");
}

static std::string release(LONG by)
{
    LONG before;
    const bool released = ReleaseSemaphore(object, by, &before);
    return outcome(released, released ? std::to_string(before).c_str() : "");
}

// Returns an object whose security descriptor lets other users only wait for it.
static std::string for_waiting(const std::string &kind, const std::string &name)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, nullptr, FALSE};
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(
            "D:P(A;;0x100000;;;WD)", SDDL_REVISION_1, &attributes.lpSecurityDescriptor, nullptr))
        return outcome(false, "");
    object = kind == "mutex"   ? CreateMutexA(&attributes, FALSE, name.c_str())
             : kind == "event" ? CreateEventA(&attributes, TRUE, TRUE, name.c_str())
                               : CreateSemaphoreA(&attributes, 1, 1, name.c_str());
    const std::string reply = made();
    LocalFree(attributes.lpSecurityDescriptor);
    return reply;
}

// Executes a command about sync objects; returns an empty string for other commands.
static std::string sync(const std::string &command)
{
    std::string kind, name;
    LONG number, max;
    SetLastError(0);
    if (command == "mutex" && std::cin >> name)
        return object = CreateMutexA(nullptr, FALSE, name.c_str()), made();
    if (command == "own-mutex" && std::cin >> name)
        return object = CreateMutexA(nullptr, TRUE, name.c_str()), made();
    if (command == "event" && std::cin >> name)
        return object = CreateEventA(nullptr, FALSE, FALSE, name.c_str()), made();
    if (command == "semaphore" && std::cin >> name >> number >> max)
        return object = CreateSemaphoreA(nullptr, number, max, name.c_str()), made();
    if (command == "open-mutex" && std::cin >> name)
        return object = OpenMutexA(MUTEX_ALL_ACCESS, FALSE, name.c_str()), made();
    if (command == "open-event" && std::cin >> name)
        return object = OpenEventA(EVENT_ALL_ACCESS, FALSE, name.c_str()), made();
    if (command == "open-semaphore" && std::cin >> name)
        return object = OpenSemaphoreA(SEMAPHORE_ALL_ACCESS, FALSE, name.c_str()), made();
    if (command == "for-waiting" && std::cin >> kind >> name)
        return for_waiting(kind, name);
    if (command == "wait" && std::cin >> number)
        return wait(number);
    if (command == "unlock")
        return outcome(ReleaseMutex(object), "ok");
    if (command == "set")
        return outcome(SetEvent(object), "ok");
    if (command == "release" && std::cin >> number)
        return release(number);
    if (command == "let-go")
        return outcome(CloseHandle(object), "ok");
    return "";
}

int main()
{
    std::string command;
    while (std::cin >> command) {
        std::string name, reply = "what?";
        DWORD len;
        if (command == "create" && std::cin >> name >> len)
            reply = create(name, len);
        else if (command == "open" && std::cin >> name)
            reply = open(name);
        else if (command == "write" && std::cin >> std::ws && std::getline(std::cin, name))
            reply = std::strcpy(view, name.c_str());
        else if (command == "read")
            reply = view;
        else if (command == "length")
            reply = length();
        else if (command == "sparse" && std::cin >> name >> len)
            reply = sparse(name, len);
        else if (command == "image" && std::cin >> name)
            reply = image(name);
        else if (command == "read-only" && std::cin >> name >> len)
            reply = keep(name, len, "D:(A;;GA;;;WD)", PAGE_READONLY);
        else if (command == "for-reading" && std::cin >> name >> len)
            reply = keep(name, len, "D:P(A;;0x4;;;WD)", PAGE_READWRITE); // SECTION_MAP_READ
        else if (command == "for-nobody" && std::cin >> name >> len)
            reply = keep(name, len, "D:P", PAGE_READWRITE);
        else if (command == "close")
            reply = close();
        else if (const std::string about_sync = sync(command); !about_sync.empty())
            reply = about_sync;
        std::cout << '@' << reply << std::endl;
    }
}
