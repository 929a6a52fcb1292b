/* What every row needs: checks that say where they failed, and short ways to make things. */
#pragma once
#include <windows.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Text in 16-bit characters, whatever TEXT is. */
#ifdef _WIN32
#define TEXT_W(text) L##text
#else
#define TEXT_W(text) u##text
#endif

/* A last error that no call leaves. */
#define PRESET 0xDEADBEEFu

/* Says what does not hold, and goes on. */
#define CHECK(holds) check((holds) != 0, #holds, __FILE__, __LINE__)
/* Demands that a number is as it should be. */
#define SAME(is, should) same((unsigned long long)(is), (unsigned long long)(should), #is, __FILE__, __LINE__)
/* Demands that a call fails with an error. */
#define REFUSED(call, code)                                                                       \
    do {                                                                                          \
        SetLastError(PRESET);                                                                     \
        CHECK(!(call));                                                                           \
        same(GetLastError(), (code), "the error of " #call, __FILE__, __LINE__);                  \
    } while (0)

void check(int holds, const char *what, const char *file, int line);
void same(unsigned long long is, unsigned long long should, const char *what, const char *file,
          int line);

/* A name that nobody else uses, until so many others were asked for. */
const char *unique(void);

/* Named or nameless memory, to be read and written. */
HANDLE memory(const char *name, DWORD len);
/* A new file of this length, each byte of which is 7; the path is unique, and the file goes when the
 * row ends. */
const char *file_of(DWORD len);
HANDLE open_file(const char *path, DWORD access);
/* A section over a file, of its length. */
HANDLE over(HANDLE file, DWORD protection);

/* A view of all, of a part. */
void *view(HANDLE section, DWORD access);
void *part(HANDLE section, DWORD access, DWORD offset, SIZE_T len);
/* A view that one does not get. */
#define NO_VIEW(section, access, code) REFUSED(view(section, access), code)

HANDLE open_named(const char *name, DWORD access);
/* Demands that nobody holds this name. */
#define GONE(name) REFUSED(open_named(name, FILE_MAP_READ), ERROR_FILE_NOT_FOUND)

MEMORY_BASIC_INFORMATION at(const void *address);
int byte_of(const void *view, SIZE_T offset);

/* Starts a process of this program in a role; it is given handle and name. */
intptr_t start(const char *role, HANDLE handle, const char *name);
/* Waits until it ends, and tells with what. */
int ended(intptr_t process);
/* What to do in a role; what life.c does not know, sync.c does, and then processes.c. */
int play(const char *role, HANDLE handle, const char *name);
int play_sync(const char *role, HANDLE handle, const char *name);
int play_process(const char *role, HANDLE handle, const char *name);

/* What processes that work together share: a mapping whose handle they inherit. */
typedef struct {
    volatile LONG ready, go, made, found, finished;
} Control;

#define CHILDREN 6
HANDLE inheritable(const char *name, DWORD len);

/* Waits for what another process does, half a minute at most. */
#define WAIT_FOR(condition)                                                                       \
    do {                                                                                          \
        ULONGLONG deadline = GetTickCount64() + 30000;                                            \
        while (!(condition) && GetTickCount64() < deadline)                                       \
            Sleep(1);                                                                             \
        CHECK(condition);                                                                         \
    } while (0)

/* What a thread of its own does with a handle, and what that came to. */
typedef struct {
    DWORD (*work)(HANDLE handle);
    HANDLE handle;
    DWORD result;
    pthread_t thread;
} Thread;
void begin(Thread *thread, DWORD (*work)(HANDLE handle), HANDLE handle);
DWORD joined(Thread *thread);
/* Both at once. */
DWORD in_thread(DWORD (*work)(HANDLE handle), HANDLE handle);
/* WaitForSingleObject that does not wait. */
DWORD take(HANDLE handle);
/* The same, and what went wrong with it. */
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
