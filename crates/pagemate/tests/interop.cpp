// A program that knows only Win32: the other side of interop.rs. It takes one command a line and
// answers each with a line that begins with '@'.

#include <windows.h>

#include <cstring>
#include <iostream>
#include <string>

static HANDLE mapping;
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
        else if (command == "close")
            reply = close();
        std::cout << '@' << reply << std::endl;
    }
}
