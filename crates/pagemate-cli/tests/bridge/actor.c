/* A Windows program for the tests of `pagemate bridge`. It reads a command from each line of its standard
   input, and answers with one line. Names are UTF-8. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define MAX_OBJECTS 256

static struct object {
    char name[256];
    HANDLE handle;
    volatile uint8_t *view;
} objects[MAX_OBJECTS];

static wchar_t *wide(const char *name) {
    static wchar_t text[512];
    MultiByteToWideChar(CP_UTF8, 0, name, -1, text, 512);
    return text;
}

/* Returns the object with this name, or a free place if there is none. */
static struct object *find(const char *name) {
    struct object *free_place = NULL;
    for (int i = 0; i < MAX_OBJECTS; i++) {
        if (strcmp(objects[i].name, name) == 0) return &objects[i];
        if (!objects[i].name[0] && !free_place) free_place = &objects[i];
    }
    return free_place;
}

static int keep(const char *name, HANDLE handle, int map) {
    struct object *object = find(name);
    if (!handle || !object) return (int)GetLastError();
    snprintf(object->name, sizeof object->name, "%s", name);
    object->handle = handle;
    object->view = map ? MapViewOfFile(handle, FILE_MAP_ALL_ACCESS, 0, 0, 0) : NULL;
    return map && !object->view ? (int)GetLastError() : 0;
}

static HANDLE create(const char *name, uint32_t size) {
    HANDLE made = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, size, wide(name));
    if (made && GetLastError() == ERROR_ALREADY_EXISTS) {
        CloseHandle(made);
        SetLastError(ERROR_ALREADY_EXISTS);
        return NULL;
    }
    return made;
}

static void close_object(struct object *object) {
    if (object->view) UnmapViewOfFile((void *)object->view);
    if (object->handle) CloseHandle(object->handle);
    memset(object, 0, sizeof *object);
}

/* Creates and closes a section again and again. Leaves the last one open. */
static int churn(const char *name, int count) {
    for (int i = 1;; i++) {
        HANDLE made = create(name, 4096);
        if (!made) {
            /* The helper of the bridge may hold the section for a moment. */
            if (GetLastError() != ERROR_ALREADY_EXISTS) return (int)GetLastError();
            i--;
            Sleep(0);
            continue;
        }
        volatile uint32_t *view = MapViewOfFile(made, FILE_MAP_ALL_ACCESS, 0, 0, 0);
        if (!view) return (int)GetLastError();
        *view = (uint32_t)i;
        if (i == count) {
            UnmapViewOfFile((void *)view);
            return keep(name, made, 1);
        }
        UnmapViewOfFile((void *)view);
        CloseHandle(made);
    }
}

/* Copies the first number to the second one whenever it changes, until it is all ones. */
static void echo(volatile uint32_t *numbers) {
    uint32_t seen = 0;
    while (seen != UINT32_MAX) {
        uint32_t now = __atomic_load_n(&numbers[0], __ATOMIC_ACQUIRE);
        if (now == seen) {
            SwitchToThread();
            continue;
        }
        seen = now;
        __atomic_store_n(&numbers[1], seen, __ATOMIC_RELEASE);
    }
}

/* The telemetry of a simulator: a frame between two copies of its number. */
struct telemetry {
    uint32_t begun;
    uint32_t values[499];
    uint64_t published;
    uint32_t ended;
};

/* Publishes frames at a rate. */
static void publish(volatile struct telemetry *frame, int rate, int count) {
    LARGE_INTEGER frequency, now, next;
    timeBeginPeriod(1);
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&next);
    for (uint32_t number = 1; number <= (uint32_t)count; number++) {
        next.QuadPart += frequency.QuadPart / rate;
        for (;;) {
            QueryPerformanceCounter(&now);
            LONGLONG rest = next.QuadPart - now.QuadPart;
            if (rest <= 0) break;
            Sleep((DWORD)(rest * 1000 / frequency.QuadPart));
        }
        __atomic_store_n(&frame->begun, number, __ATOMIC_SEQ_CST);
        for (int i = 0; i < 499; i++) frame->values[i] = number * 1000 + (uint32_t)i;
        frame->published = (uint64_t)now.QuadPart;
        __atomic_store_n(&frame->ended, number, __ATOMIC_SEQ_CST);
    }
}

static int execute(char *line) {
    char *word = strtok(line, "\t");
    char *name = strtok(NULL, "\t");
    char *first = strtok(NULL, "\t");
    char *second = strtok(NULL, "\t");
    uint32_t number = first ? (uint32_t)strtoul(first, NULL, 10) : 0;
    uint32_t value = second ? (uint32_t)strtoul(second, NULL, 10) : 0;
    if (!word || !name) return -1;
    struct object *object = find(name);
    if (!object) return -2;
    if (strcmp(word, "create") == 0) return keep(name, create(name, number), 1);
    if (strcmp(word, "open") == 0)
        return keep(name, OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, wide(name)), 1);
    if (strcmp(word, "probe") == 0) {
        HANDLE handle = OpenFileMappingW(FILE_MAP_READ, FALSE, wide(name));
        if (!handle) return (int)GetLastError();
        CloseHandle(handle);
        return 0;
    }
    if (strcmp(word, "churn") == 0) return churn(name, (int)number);
    if (strcmp(word, "event") == 0) return keep(name, CreateEventW(NULL, number, FALSE, wide(name)), 0);
    if (strcmp(word, "open-event") == 0)
        return keep(name, OpenEventW(EVENT_ALL_ACCESS, FALSE, wide(name)), 0);
    if (strcmp(word, "mutex") == 0) return keep(name, CreateMutexW(NULL, FALSE, wide(name)), 0);
    if (!object->handle && !object->view) return -3;
    if (strcmp(word, "close") == 0) {
        close_object(object);
        return 0;
    }
    if (strcmp(word, "close-handle") == 0) {
        CloseHandle(object->handle);
        object->handle = NULL;
        return 0;
    }
    if (strcmp(word, "set") == 0) return SetEvent(object->handle) ? 0 : (int)GetLastError();
    if (strcmp(word, "reset") == 0) return ResetEvent(object->handle) ? 0 : (int)GetLastError();
    if (strcmp(word, "pulse") == 0) return PulseEvent(object->handle) ? 0 : (int)GetLastError();
    if (strcmp(word, "wait") == 0) return (int)WaitForSingleObject(object->handle, number);
    if (!object->view) return -4;
    if (strcmp(word, "write") == 0) {
        object->view[number] = (uint8_t)value;
        return 0;
    }
    if (strcmp(word, "read") == 0) return object->view[number];
    if (strcmp(word, "echo") == 0) {
        echo((volatile uint32_t *)object->view);
        return 0;
    }
    if (strcmp(word, "publish") == 0) {
        publish((volatile struct telemetry *)object->view, (int)number, (int)value);
        return 0;
    }
    return -5;
}

int main(void) {
    static char line[4096];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        printf("%d\n", execute(line));
        fflush(stdout);
    }
    return 0;
}
