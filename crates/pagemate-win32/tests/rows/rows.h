/* Declarations for all rows: checks that print the place of a failure, and helpers that create
 * objects. */
#pragma once
#include <windows.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string of 16-bit characters, with or without UNICODE. */
#ifdef _WIN32
#define TEXT_W(text) L##text
#else
#define TEXT_W(text) u##text
#endif

/* A value that no call sets as the last error. */
#define PRESET 0xDEADBEEFu

/* Prints a condition that does not hold, and continues. */
#define CHECK(holds) check((holds) != 0, #holds, __FILE__, __LINE__)
/* Checks that two numbers are equal. */
#define SAME(is, should) same((unsigned long long)(is), (unsigned long long)(should), #is, __FILE__, __LINE__)
/* Checks that a call fails with an error. */
#define REFUSED(call, code)                                                                       \
    do {                                                                                          \
        SetLastError(PRESET);                                                                     \
        CHECK(!(call));                                                                           \
        same(GetLastError(), (code), "the error of " #call, __FILE__, __LINE__);                  \
    } while (0)

void check(int holds, const char *what, const char *file, int line);
void same(unsigned long long is, unsigned long long should, const char *what, const char *file,
          int line);

/* Returns a unique name. The string is valid until eight further calls. */
const char *unique(void);

/* Creates a section, named or not, with read-write access. */
HANDLE memory(const char *name, DWORD len);
/* Creates a file of this length, each byte of which is 7. The path is unique, and the file is
 * removed when the row ends. */
const char *file_of(DWORD len);
HANDLE open_file(const char *path, DWORD access);
/* Creates a section over a file, with the file's length. */
HANDLE section_over(HANDLE file, DWORD protection);

/* Map a view of the whole section, or of a part. */
void *view(HANDLE section, DWORD access);
void *view_part(HANDLE section, DWORD access, DWORD offset, SIZE_T len);
/* Checks that a view is refused with an error. */
#define NO_VIEW(section, access, code) REFUSED(view(section, access), code)

HANDLE open_named(const char *name, DWORD access);
/* Checks that no object has this name. */
#define GONE(name) REFUSED(open_named(name, FILE_MAP_READ), ERROR_FILE_NOT_FOUND)

MEMORY_BASIC_INFORMATION at(const void *address);
int byte_of(const void *view, SIZE_T offset);

/* Starts a process of this program in a role, with a handle and a name as arguments. */
intptr_t start(const char *role, HANDLE handle, const char *name);
/* Waits until a process ends, and returns its exit code. */
int exit_code_of(intptr_t process);
/* Runs a role in the started process. run_role passes unknown roles to run_sync_role, which
 * passes them to run_process_role. */
int run_role(const char *role, HANDLE handle, const char *name);
int run_sync_role(const char *role, HANDLE handle, const char *name);
int run_process_role(const char *role, HANDLE handle, const char *name);

/* The shared state of cooperating processes, in a section whose handle they inherit. */
typedef struct {
    volatile LONG ready, go, made, found, finished;
} Control;

#define CHILDREN 6
HANDLE inheritable(const char *name, DWORD len);

/* Waits until another process makes a condition true, for at most half a minute. */
#define WAIT_FOR(condition)                                                                       \
    do {                                                                                          \
        ULONGLONG deadline = GetTickCount64() + 30000;                                            \
        while (!(condition) && GetTickCount64() < deadline)                                       \
            Sleep(1);                                                                             \
        CHECK(condition);                                                                         \
    } while (0)

/* A thread, its function and its result. */
typedef struct {
    DWORD (*work)(HANDLE handle);
    HANDLE handle;
    DWORD result;
    pthread_t thread;
} Thread;
void begin(Thread *thread, DWORD (*work)(HANDLE handle), HANDLE handle);
DWORD joined(Thread *thread);
/* Starts a thread and waits for it. */
DWORD in_thread(DWORD (*work)(HANDLE handle), HANDLE handle);
/* WaitForSingleObject with a timeout of zero. */
DWORD take(HANDLE handle);
/* Checks that such a wait fails with an error. */
#define NO_WAIT(handle, code)                                                                     \
    REFUSED(WaitForSingleObject(handle, 0) != WAIT_FAILED, code)

typedef struct {
    int number;
    const char *sentence;
    void (*test)(void);
} Row;

extern const Row create_rows[], name_rows[], open_rows[], map_rows[], memory_rows[], life_rows[];
extern const Row sync_rows[], wait_rows[];
extern const Row file_rows[], page_rows[], around_rows[], thread_rows[];
extern const Row message_rows[], right_rows[];
extern const Row process_rows[], slim_rows[];
