/* Starting, waiting for and ending processes. */
#include "rows.h"
#include <process.h>

/* Returns the path of this program. */
static const char *this_program(void)
{
    static char path[MAX_PATH];
    SAME(GetModuleFileNameA(NULL, path, MAX_PATH) < MAX_PATH, TRUE);
    return path;
}

/* Starts this program again, with a role and options as arguments. */
static PROCESS_INFORMATION start_as(const char *role, HANDLE handle, const char *name, BOOL inherits,
                                    DWORD flags, void *environment, const char *folder,
                                    STARTUPINFOA *startup)
{
    STARTUPINFOA usual = {0};
    PROCESS_INFORMATION made = {0};
    char line[1024];
    usual.cb = sizeof usual;
    sprintf(line, "\"%s\" role %s %lu %s", this_program(), role, (unsigned long)(ULONG_PTR)handle, name);
    fflush(stdout);
    CHECK(CreateProcessA(NULL, line, NULL, NULL, inherits, flags, environment, folder,
                         startup != NULL ? startup : &usual, &made));
    CHECK(made.hProcess != NULL && made.hThread != NULL && made.hProcess != made.hThread);
    CHECK(made.dwProcessId != 0 && made.dwThreadId != 0);
    return made;
}

static PROCESS_INFORMATION start_in_role(const char *role, HANDLE handle, const char *name)
{
    return start_as(role, handle, name, TRUE, 0, NULL, NULL, NULL);
}

static DWORD code_of(HANDLE process)
{
    DWORD code = 0xABCD;
    CHECK(GetExitCodeProcess(process, &code));
    return code;
}

static void close_both(PROCESS_INFORMATION made)
{
    CHECK(CloseHandle(made.hThread));
    CHECK(CloseHandle(made.hProcess));
}

/* Waits until the process has ended, and returns its exit code. */
static DWORD end_of(PROCESS_INFORMATION made)
{
    DWORD code;
    SAME(WaitForSingleObject(made.hProcess, 60000), WAIT_OBJECT_0);
    code = code_of(made.hProcess);
    close_both(made);
    return code;
}

int run_process_role(const char *role, HANDLE handle, const char *name)
{
    if (strcmp(role, "ends-with") == 0)
        return atoi(name);
    if (strcmp(role, "waits-for-event") == 0)
        return WaitForSingleObject(handle, 60000) == WAIT_OBJECT_0 ? atoi(name) : 1;
    if (strcmp(role, "says-argument") == 0)
        return strcmp(name, "a \"quoted\\ word\\") == 0 ? 11 : 12;
    if (strcmp(role, "says-variable") == 0) {
        char value[32] = "";
        GetEnvironmentVariableA("ROWS_VALUE", value, sizeof value);
        return atoi(value);
    }
    if (strcmp(role, "says-folder") == 0) {
        char folder[MAX_PATH] = "", *last;
        GetCurrentDirectoryA(MAX_PATH, folder);
        for (last = folder + strlen(folder); last > folder && last[-1] != '/' && last[-1] != '\\';)
            last--;
        return strcmp(last, name) == 0 ? 21 : 22;
    }
    if (strcmp(role, "prints") == 0) {
        int read = getchar();
        printf("out %c", read);
        fprintf(stderr, "error");
        return 0;
    }
    if (strcmp(role, "waits-for-parent") == 0)
        return WaitForSingleObject(handle, 60000) == WAIT_TIMEOUT ? 1 : GetProcessId(handle) == 0;
    if (strcmp(role, "says-parent") == 0)
        return GetProcessId(handle) == (DWORD)atoi(name) && code_of(handle) == STILL_ACTIVE ? 31 : 32;
    return 2;
}

static void a_process_is_waited_for(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    HANDLE go = CreateEventA(&inheritable_too, TRUE, FALSE, NULL), duplicate = NULL, me = GetCurrentProcess();
    PROCESS_INFORMATION made = start_in_role("waits-for-event", go, "42");
    DWORD code = 0;
    SAME(code_of(made.hProcess), STILL_ACTIVE);
    CHECK(GetExitCodeThread(made.hThread, &code));
    SAME(code, STILL_ACTIVE);
    SAME(WaitForSingleObject(made.hProcess, 0), WAIT_TIMEOUT);
    SAME(WaitForSingleObject(made.hProcess, 20), WAIT_TIMEOUT);
    SAME(WaitForSingleObject(made.hThread, 0), WAIT_TIMEOUT);
    SAME(GetProcessId(made.hProcess), made.dwProcessId);
    SAME(GetThreadId(made.hThread), made.dwThreadId);
    CHECK(made.dwProcessId != GetCurrentProcessId());
    CHECK(SetEvent(go));
    SAME(WaitForSingleObject(made.hProcess, 60000), WAIT_OBJECT_0);
    SAME(code_of(made.hProcess), 42);
    /* A process that has ended stays signalled. */
    SAME(WaitForSingleObject(made.hProcess, 0), WAIT_OBJECT_0);
    SAME(WaitForSingleObject(made.hThread, 60000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(made.hThread, &code));
    SAME(code, 42);
    CHECK(DuplicateHandle(me, made.hProcess, me, &duplicate, 0, FALSE, DUPLICATE_SAME_ACCESS));
    close_both(made);
    SAME(code_of(duplicate), 42);
    SAME(GetProcessId(duplicate), made.dwProcessId);
    CHECK(CloseHandle(duplicate));
    REFUSED(GetExitCodeProcess(go, &code), ERROR_INVALID_HANDLE);
    REFUSED(GetExitCodeProcess(duplicate, &code), ERROR_INVALID_HANDLE);
    REFUSED(GetProcessId(NULL), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(go));
}

static void handles_are_inherited_if_the_call_says_so(void)
{
    HANDLE map = inheritable(NULL, 4096);
    Control *control = (Control *)view(map, FILE_MAP_WRITE);
    PROCESS_INFORMATION made;
    DWORD code;
    control->go = 1;
    made = start_in_role("hold", map, "x");
    SAME(end_of(made), 0);
    SAME(control->ready, 1);
    made = start_as("hold", map, "x", FALSE, 0, NULL, NULL, NULL);
    code = end_of(made);
    SAME(code, 2);
}

static void a_process_is_one_of_several_to_wait_for(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    HANDLE go = CreateEventA(&inheritable_too, TRUE, FALSE, NULL);
    HANDLE other = CreateEventA(NULL, FALSE, FALSE, NULL), mutex = CreateMutexA(NULL, TRUE, NULL);
    PROCESS_INFORMATION first = start_in_role("waits-for-event", go, "1");
    PROCESS_INFORMATION second = start_in_role("waits-for-event", go, "2");
    HANDLE all[4] = {first.hProcess, other, second.hProcess, mutex};
    SAME(WaitForMultipleObjects(3, all, FALSE, 0), WAIT_TIMEOUT);
    SAME(WaitForMultipleObjects(3, all, FALSE, 20), WAIT_TIMEOUT);
    SAME(WaitForMultipleObjects(4, all, FALSE, 20), WAIT_OBJECT_0 + 3);
    SAME(WaitForMultipleObjects(4, all, TRUE, 20), WAIT_TIMEOUT);
    CHECK(SetEvent(other));
    SAME(WaitForMultipleObjects(4, all, FALSE, 60000), WAIT_OBJECT_0 + 1);
    CHECK(SetEvent(other));
    /* WaitForMultipleObjects for all objects changes none of them until all are signalled. */
    SAME(WaitForMultipleObjects(4, all, TRUE, 20), WAIT_TIMEOUT);
    CHECK(SetEvent(go));
    SAME(WaitForMultipleObjects(4, all, TRUE, 60000), WAIT_OBJECT_0);
    SAME(take(other), WAIT_TIMEOUT);
    SAME(WaitForMultipleObjects(3, all + 1, FALSE, 0), WAIT_OBJECT_0 + 1);
    SAME(WaitForMultipleObjects(4, all, FALSE, INFINITE), WAIT_OBJECT_0);
    SAME(end_of(first), 1);
    SAME(end_of(second), 2);
    /* This thread owns the mutex three times. */
    CHECK(ReleaseMutex(mutex) && ReleaseMutex(mutex) && ReleaseMutex(mutex) && !ReleaseMutex(mutex));
}

static DWORD sets_later(HANDLE event)
{
    Sleep(30);
    return SetEvent(event);
}

static void a_process_ends_a_wait_for_several(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    int round;
    for (round = 0; round < 5; round++) {
        HANDLE go = CreateEventA(&inheritable_too, TRUE, FALSE, NULL);
        PROCESS_INFORMATION made = start_in_role("waits-for-event", go, "5");
        HANDLE both[2] = {CreateEventA(NULL, FALSE, FALSE, NULL), made.hProcess};
        Thread thread;
        begin(&thread, sets_later, round == 4 ? both[0] : go);
        SAME(WaitForMultipleObjects(2, both, FALSE, 60000), round == 4 ? WAIT_OBJECT_0 : WAIT_OBJECT_0 + 1);
        SAME(joined(&thread), TRUE);
        CHECK(SetEvent(go));
        SAME(end_of(made), 5);
        CHECK(CloseHandle(both[0]) && CloseHandle(go));
    }
}

static void a_process_is_ended(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    HANDLE never = CreateEventA(&inheritable_too, TRUE, FALSE, NULL);
    PROCESS_INFORMATION made = start_in_role("waits-for-event", never, "1");
    HANDLE weak = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, made.dwProcessId);
    CHECK(weak != NULL);
    REFUSED(TerminateProcess(weak, 3), ERROR_ACCESS_DENIED);
    CHECK(TerminateProcess(made.hProcess, 0xC0000005));
    SAME(WaitForSingleObject(made.hProcess, 60000), WAIT_OBJECT_0);
    SAME(code_of(made.hProcess), 0xC0000005);
    SAME(code_of(weak), 0xC0000005);
    REFUSED(TerminateProcess(NULL, 4), ERROR_INVALID_HANDLE);
    CHECK(CloseHandle(weak));
    close_both(made);
}

static void a_process_is_opened_by_its_number(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    HANDLE go = CreateEventA(&inheritable_too, TRUE, FALSE, NULL), opened;
    PROCESS_INFORMATION made = start_in_role("waits-for-event", go, "6");
    DWORD code = 0;
    opened = OpenProcess(SYNCHRONIZE, FALSE, made.dwProcessId);
    CHECK(opened != NULL);
    SAME(WaitForSingleObject(opened, 0), WAIT_TIMEOUT);
    REFUSED(GetExitCodeProcess(opened, &code), ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(opened));
    opened = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, made.dwProcessId);
    CHECK(opened != NULL);
    SAME(code_of(opened), STILL_ACTIVE);
    SAME(GetProcessId(opened), made.dwProcessId);
    NO_WAIT(opened, ERROR_ACCESS_DENIED);
    CHECK(CloseHandle(opened));
    opened = OpenProcess(PROCESS_ALL_ACCESS, FALSE, made.dwProcessId);
    CHECK(SetEvent(go));
    SAME(WaitForSingleObject(opened, 60000), WAIT_OBJECT_0);
    SAME(code_of(opened), 6);
    close_both(made);
    CHECK(CloseHandle(opened));
    opened = OpenProcess(PROCESS_ALL_ACCESS, FALSE, GetCurrentProcessId());
    SAME(GetProcessId(opened), GetCurrentProcessId());
    CHECK(CloseHandle(opened));
    REFUSED(OpenProcess(PROCESS_ALL_ACCESS, FALSE, 0), ERROR_INVALID_PARAMETER);
    REFUSED(OpenProcess(PROCESS_ALL_ACCESS, FALSE, 0x7FFFFFFC), ERROR_INVALID_PARAMETER);
}

static void what_has_ended_is_not_ended_again(void)
{
    PROCESS_INFORMATION made = start_in_role("ends-with", NULL, "14");
    SAME(WaitForSingleObject(made.hProcess, 60000), WAIT_OBJECT_0);
    REFUSED(TerminateProcess(made.hProcess, 4), ERROR_ACCESS_DENIED);
    SAME(code_of(made.hProcess), 14);
    close_both(made);
    REFUSED(OpenProcess(0, FALSE, GetCurrentProcessId()), ERROR_ACCESS_DENIED);
}

static void this_process_and_thread_have_handles(void)
{
    HANDLE me = GetCurrentProcess(), real = NULL, thread = NULL;
    DWORD code = 0;
    SAME(GetProcessId(me), GetCurrentProcessId());
    SAME(code_of(me), STILL_ACTIVE);
    SAME(WaitForSingleObject(me, 0), WAIT_TIMEOUT);
    SAME(GetThreadId(GetCurrentThread()), GetCurrentThreadId());
    SAME(WaitForSingleObject(GetCurrentThread(), 0), WAIT_TIMEOUT);
    CHECK(DuplicateHandle(me, me, me, &real, 0, TRUE, DUPLICATE_SAME_ACCESS));
    CHECK(real != NULL && real != me);
    SAME(GetProcessId(real), GetCurrentProcessId());
    CHECK(DuplicateHandle(me, GetCurrentThread(), me, &thread, 0, FALSE, DUPLICATE_SAME_ACCESS));
    SAME(GetThreadId(thread), GetCurrentThreadId());
    CHECK(GetExitCodeThread(thread, &code));
    SAME(code, STILL_ACTIVE);
    CHECK(CloseHandle(thread) && CloseHandle(real));
}

static DWORD WINAPI duplicates_itself(LPVOID place)
{
    HANDLE me = GetCurrentProcess();
    CHECK(DuplicateHandle(me, GetCurrentThread(), me, (HANDLE *)place, 0, FALSE, DUPLICATE_SAME_ACCESS));
    return 8;
}

static DWORD duplicates_itself_in_pthread(HANDLE place)
{
    return duplicates_itself(place);
}

static void a_thread_duplicates_its_pseudo_handle(void)
{
    HANDLE by_itself = NULL, thread = CreateThread(NULL, 0, duplicates_itself, &by_itself, 0, NULL);
    DWORD code = 0;
    SAME(WaitForSingleObject(thread, 60000), WAIT_OBJECT_0);
    SAME(WaitForSingleObject(by_itself, 60000), WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(by_itself, &code));
    SAME(code, 8);
    CHECK(CloseHandle(by_itself) && CloseHandle(thread));
    /* A thread that another library created. */
    in_thread(duplicates_itself_in_pthread, &by_itself);
    SAME(WaitForSingleObject(by_itself, 60000), WAIT_OBJECT_0);
    CHECK(CloseHandle(by_itself));
}

static void a_child_waits_for_its_parent(void)
{
    HANDLE me = GetCurrentProcess(), real = NULL;
    PROCESS_INFORMATION made;
    char number[16];
    CHECK(DuplicateHandle(me, me, me, &real, 0, TRUE, DUPLICATE_SAME_ACCESS));
    sprintf(number, "%lu", (unsigned long)GetCurrentProcessId());
    made = start_in_role("says-parent", real, number);
    SAME(end_of(made), 31);
    CHECK(CloseHandle(real));
}

static void arguments_are_split_as_on_windows(void)
{
    PROCESS_INFORMATION made = start_in_role("says-argument", NULL, "\"a \\\"quoted\\ word\\\\\"");
    SAME(end_of(made), 11);
}

static void the_program_may_be_named_apart(void)
{
    STARTUPINFOA startup = {0};
    PROCESS_INFORMATION made = {0};
    char line[] = "whatever role ends-with 0 9";
    startup.cb = sizeof startup;
    CHECK(CreateProcessA(this_program(), line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made));
    SAME(end_of(made), 9);
    REFUSED(CreateProcessA("nowhere.exe", line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made),
            ERROR_FILE_NOT_FOUND);
}

static void wide_strings_start_a_process(void)
{
    STARTUPINFOW startup;
    PROCESS_INFORMATION made = {0};
    WCHAR line[1024];
    char narrow[1024];
    size_t at;
    GetStartupInfoW(&startup);
    SAME(startup.cb, sizeof startup);
    startup.dwFlags = 0;
    sprintf(narrow, "\"%s\" role ends-with 0 10", this_program());
    for (at = 0; at <= strlen(narrow); at++)
        line[at] = (WCHAR)narrow[at];
    CHECK(CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made));
    SAME(end_of(made), 10);
}

static void a_child_has_its_variables_and_folder(void)
{
    /* Programs do not start on Windows without the environment variable SystemRoot. */
    char block[1024], root[512] = "";
    WCHAR wide_block[1024];
    DWORD len, at;
    PROCESS_INFORMATION made;
    CHECK(SetEnvironmentVariableA("ROWS_VALUE", "51"));
    SAME(end_of(start_in_role("says-variable", NULL, "x")), 51);
    GetEnvironmentVariableA("SystemRoot", root, sizeof root);
    len = (DWORD)sprintf(block, "ROWS_VALUE=52%cSystemRoot=%s%c", 0, root, 0) + 1;
    block[len - 1] = 0;
    made = start_as("says-variable", NULL, "x", FALSE, 0, block, NULL, NULL);
    SAME(end_of(made), 52);
    for (at = 0; at < len; at++)
        wide_block[at] = (WCHAR)block[at];
    made = start_as("says-variable", NULL, "x", FALSE, CREATE_UNICODE_ENVIRONMENT, wide_block, NULL, NULL);
    SAME(end_of(made), 52);
#ifdef _WIN32
    made = start_as("says-folder", NULL, "windows", FALSE, 0, NULL, "C:\\windows", NULL);
#else
    made = start_as("says-folder", NULL, "bin", FALSE, 0, NULL, "/usr/bin/", NULL);
#endif
    SAME(end_of(made), 21);
}

static void a_childs_streams_are_files(void)
{
    SECURITY_ATTRIBUTES inheritable_too = {sizeof inheritable_too, NULL, TRUE};
    STARTUPINFOA startup = {0};
    char path[2][64], text[64] = "";
    DWORD len = 0, stream;
    HANDLE files[2];
    for (stream = 0; stream < 2; stream++) {
        strcpy(path[stream], file_of(1));
        files[stream] = CreateFileA(path[stream], GENERIC_READ | GENERIC_WRITE,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE, &inheritable_too, CREATE_ALWAYS, 0,
                                    NULL);
    }
    CHECK(WriteFile(files[0], "i", 1, &len, NULL));
    SAME(SetFilePointer(files[0], 0, NULL, FILE_BEGIN), 0);
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = files[0];
    startup.hStdOutput = startup.hStdError = files[1];
    SAME(end_of(start_as("prints", NULL, "x", TRUE, 0, NULL, NULL, &startup)), 0);
    SetFilePointer(files[1], 0, NULL, FILE_BEGIN);
    CHECK(ReadFile(files[1], text, sizeof text - 1, &len, NULL));
    /* The outputs of two streams may arrive in either order. */
    CHECK(strcmp(text, "out ierror") == 0 || strcmp(text, "errorout i") == 0);
    CHECK(CloseHandle(files[0]) && CloseHandle(files[1]));
}

static void non_programs_are_refused(void)
{
    STARTUPINFOA startup = {0};
    PROCESS_INFORMATION made = {0};
    char line[1024], missing[] = "there_is_no_such_program x";
    startup.cb = sizeof startup;
    REFUSED(CreateProcessA(NULL, missing, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made),
            ERROR_FILE_NOT_FOUND);
    REFUSED(CreateProcessA(file_of(100), NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made),
            ERROR_BAD_EXE_FORMAT);
    sprintf(line, "\"%s\" role ends-with 0 1", this_program());
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, "no_such_folder", &startup, &made),
            ERROR_DIRECTORY);
#ifndef _WIN32
    /* Wine crashes on a null command line without a program name. */
    REFUSED(CreateProcessA(NULL, NULL, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made),
            ERROR_INVALID_PARAMETER);
    REFUSED(CreateProcessA(NULL, line, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup, &made),
            ERROR_NOT_SUPPORTED);
#endif
    SAME(made.dwProcessId, 0);
}

static void a_spawned_program_is_a_process(void)
{
    intptr_t child = start("ends-with", NULL, "13");
    SAME(WaitForSingleObject((HANDLE)child, 60000), WAIT_OBJECT_0);
    SAME(code_of((HANDLE)child), 13);
    CHECK(CloseHandle((HANDLE)child));
}

const Row process_rows[] = {
    {201, "a process can be waited for and has an exit code", a_process_is_waited_for},
    {202, "a child inherits handles if CreateProcess requests it",
     handles_are_inherited_if_the_call_says_so},
    {203, "a process can be one of several objects to wait for", a_process_is_one_of_several_to_wait_for},
    {204, "the end of a process satisfies a wait for several", a_process_ends_a_wait_for_several},
    {205, "TerminateProcess ends a process and sets its exit code", a_process_is_ended},
    {206, "a process is opened by its number, with rights", a_process_is_opened_by_its_number},
    {207, "this process and this thread have pseudo-handles", this_process_and_thread_have_handles},
    {208, "a thread duplicates its own pseudo-handle", a_thread_duplicates_its_pseudo_handle},
    {209, "a child has a handle to its parent", a_child_waits_for_its_parent},
    {210, "a command line is split at spaces, with quotes and backslashes", arguments_are_split_as_on_windows},
    {211, "the program may be given separately from its arguments", the_program_may_be_named_apart},
    {212, "a process is started with wide strings", wide_strings_start_a_process},
    {213, "a child gets the given variables and folder", a_child_has_its_variables_and_folder},
    {214, "a child's standard streams may be files", a_childs_streams_are_files},
    {215, "a file that is no program is not started", non_programs_are_refused},
    {216, "_spawnl returns a process handle", a_spawned_program_is_a_process},
    {217, "an ended process cannot be terminated, and OpenProcess requires rights",
     what_has_ended_is_not_ended_again},
    {0, NULL, NULL},
};
