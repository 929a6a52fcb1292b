/* Uses pagemate.h and windows.h in one program. A mutex that one library holds excludes the other
 * library, even in the same thread. */
#include <pagemate.h>
#include <windows.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int good, const char *what) {
    if (!good) {
        printf("%s: error %lu, %s\n", what, (unsigned long)GetLastError(), pagemate_last_error_message());
        exit(1);
    }
}

static void memory(const char *name) {
    pagemate_section_options options = {.len = 4096};
    pagemate_section *section = NULL;
    pagemate_view *view = NULL;
    char text[6] = "";
    check(pagemate_section_create_new(name, &options, &section) == PAGEMATE_OK, "create natively");
    check(pagemate_section_map(section, NULL, &view) == PAGEMATE_OK, "map natively");
    HANDLE mapping = OpenFileMapping(FILE_MAP_ALL_ACCESS, FALSE, name);
    check(mapping != NULL, "open");
    char *bytes = MapViewOfFile(mapping, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    check(bytes != NULL, "map");
    strcpy(bytes, "hello");
    check(pagemate_view_read_at(view, 0, text, sizeof text) == PAGEMATE_OK, "read");
    check(strcmp(text, "hello") == 0, "compare");
    pagemate_view_unmap(view);
    pagemate_section_close(section);
    /* The handle of the Win32 library still holds the name. */
    check(pagemate_section_open(name, NULL, &section) == PAGEMATE_OK, "open natively");
    pagemate_section_close(section);
    UnmapViewOfFile(bytes);
    CloseHandle(mapping);
    check(pagemate_section_open(name, NULL, &section) == PAGEMATE_NOT_FOUND, "the name goes with the last");
}

/* Returns whether the Win32 calls can acquire the mutex. */
static int is_free(HANDLE mutex) {
    DWORD waited = WaitForSingleObject(mutex, 0);
    check(waited == WAIT_OBJECT_0 || waited == WAIT_TIMEOUT, "wait");
    if (waited == WAIT_OBJECT_0)
        ReleaseMutex(mutex);
    return waited == WAIT_OBJECT_0;
}

static void exclusion(const char *name) {
    pagemate_mutex *native = NULL;
    check(pagemate_mutex_create_new(name, NULL, &native) == PAGEMATE_OK, "create a mutex natively");
    HANDLE mutex = OpenMutex(MUTEX_ALL_ACCESS, FALSE, name);
    check(mutex != NULL, "open the mutex");
    bool abandoned = false;
    check(pagemate_mutex_lock(native, &abandoned) == PAGEMATE_OK && !abandoned, "lock natively");
    check(!is_free(mutex), "held natively");
    pid_t child = fork();
    if (child == 0) {
        /* The child owns no lock that its parent holds, and it can use both libraries. */
        check(!is_free(mutex), "held by the parent");
        check(pagemate_mutex_try_lock(native, &abandoned) == PAGEMATE_TIMED_OUT, "held by the parent, natively");
        _exit(0);
    }
    int status = -1;
    check(waitpid(child, &status, 0) == child && status == 0, "the child");
    check(!is_free(mutex), "still held natively");
    check(pagemate_mutex_unlock(native) == PAGEMATE_OK, "unlock natively");
    check(is_free(mutex), "free");
    check(WaitForSingleObject(mutex, 0) == WAIT_OBJECT_0, "wait for it");
    check(pagemate_mutex_try_lock(native, &abandoned) == PAGEMATE_TIMED_OUT, "held by Windows' calls");
    ReleaseMutex(mutex);
    CloseHandle(mutex);
    pagemate_mutex_close(native);
}

int main(int argc, char **argv) {
    memory(argv[argc - 1]);
    exclusion(argv[argc - 1]);
    puts("done");
    return 0;
}
