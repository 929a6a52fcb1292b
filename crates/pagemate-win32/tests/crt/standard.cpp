// Checks that the functions of namespace std use Microsoft's formats, and that min and max are defined,
// for each order in which the program can include the headers.
#ifdef HEADERS_FIRST
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <string>
#endif
#include <Windows.h>
#include <TCHAR.H>
#include <StrSafe.h>
#include <process.h>
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <string>

// The program defines a function with the same name.
struct Log {
    std::string text;
    int printf(const char *line) {
        text += line;
        return 1;
    }
};

__attribute__((format(printf, 1, 2))) static int say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = std::vprintf(format, arguments);
    va_end(arguments);
    return len;
}

static void smaller_and_larger()
{
    using namespace std;
    static_assert(min(2, 3L) == 2 && max(2u, 3u) == 3, "for constants too");
    const SIZE_T room = 5;
    const string a = "a", b = "b";
    cout << min(7, 4) << min<int>(3, 8) << (max)(room, sizeof(DWORD)) << std::min(a, b) << max(a, b)
         << endl;
}

int main()
{
    const LONG minus = -3;
    const DWORD most = 0xFFFFFFFF;
    const ULONGLONG large = 5000000000;
    LONG read = 0;
    char text[32];
    Log log;
    std::printf("%ld %lu %I64u\n", minus, most, large);
    ::printf("%ld %lu %I64u\n", minus, most, large);
    std::snprintf(text, sizeof text, "%" PRIu64 " %" PRId64, std::uint64_t(large), std::int64_t(minus));
    std::fprintf(stdout, "%s\n", text);
    say("%d\n", std::sscanf("-3", "%ld", &read) == 1 && read == minus);
    log.printf(std::to_string(1.5).c_str());
    std::cout << log.text << std::endl;
    smaller_and_larger();
    _exit(0);
}
