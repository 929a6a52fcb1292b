// A C++ program that builds names as std::wstring at run time: a registry of workers, each with
// memory of its own.
#include <iomanip>
#include <iostream>
#include <map>
#include <string>
#include <vector>
#include <windows.h>

class Worker {
public:
    Worker(const std::wstring &name, DWORD number) : name_(name)
    {
        map_ = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name_.c_str());
        view_ = static_cast<DWORD *>(MapViewOfFile(map_, FILE_MAP_ALL_ACCESS, 0, 0, 0));
        *view_ = number;
    }
    ~Worker()
    {
        UnmapViewOfFile(view_);
        CloseHandle(map_);
    }
    const std::wstring &Name() const { return name_; }

private:
    std::wstring name_;
    HANDLE map_;
    DWORD *view_;
};

static std::wstring NameOf(const std::wstring &prefix, DWORD number)
{
    std::wstring name = L"Local\\";
    name += prefix;
    name.append(L"-worker-").append(std::to_wstring(GetCurrentProcessId()));
    name += L'-' + std::to_wstring(number);
    return name;
}

static DWORD Read(const std::wstring &name)
{
    HANDLE map = OpenFileMappingW(FILE_MAP_READ, FALSE, name.c_str());
    if (map == NULL)
        return GetLastError();
    const DWORD *view = static_cast<const DWORD *>(MapViewOfFile(map, FILE_MAP_READ, 0, 0, 0));
    DWORD number = *view;
    UnmapViewOfFile(view);
    CloseHandle(map);
    return number;
}

int main()
{
    std::map<std::wstring, DWORD> numbers;
    std::vector<std::wstring> names;
    for (DWORD number = 1; number <= 3; number++)
        names.push_back(NameOf(L"a rather long prefix of a registry", number));
    {
        Worker first(names[0], 1001), second(names[1], 1002), third(names[2], 1003);
        for (const std::wstring &name : names)
            numbers[name] = Read(name);
    }
    for (const auto &entry : numbers) {
        std::wstring::size_type at = entry.first.rfind(L'-');
        std::wcout << L"worker " << entry.first.substr(at + 1) << L": " << std::setw(6) << entry.second
                   << std::endl;
    }
    std::wcout << (names[0] < names[1] ? L"in order" : L"out of order") << L", "
               << names[0].find(L"registry") << L", error " << Read(names[2]) << std::endl;
    return std::stoi(names[1].substr(names[1].size() - 1)) == 2 ? 0 : 1;
}
