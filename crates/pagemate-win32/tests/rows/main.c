/* Checks statements about Windows, the rows, with windows.h and the C library alone.
 *
 * Without arguments, the program runs each row in a process of its own, so that a crash fails only
 * one row. It prints the place of each check that fails, and the number of each row that fails. */
#include "rows.h"
#include <process.h>

#define MOST_FILES 16

static const char *program;
static int failures;
static char files[MOST_FILES][64];
static int file_count;

void check(int holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    failures++;
    printf("  %s:%d: %s\n", file, line, what);
}

void same(unsigned long long is, unsigned long long should, const char *what, const char *file,
          int line)
{
    if (is == should)
        return;
    failures++;
    printf("  %s:%d: %s is %u, not %u\n", file, line, what, (unsigned)is, (unsigned)should);
}

const char *unique(void)
{
    static char names[8][64];
    static int count;
    char *name = names[count % 8];
    sprintf(name, "rows-%d-%d", _getpid(), count++);
    return name;
}

HANDLE memory(const char *name, DWORD len)
{
    HANDLE made = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, len, name);
    CHECK(made != NULL);
    return made;
}

const char *file_of(DWORD len)
{
    char *path = files[file_count++ % MOST_FILES];
    FILE *file;
    sprintf(path, "%s.bin", unique());
    file = fopen(path, "wb");
    CHECK(file != NULL);
    while (file != NULL && len-- > 0)
        fputc(7, file);
    if (file != NULL)
        fclose(file);
    return path;
}

HANDLE open_file(const char *path, DWORD access)
{
    HANDLE file = CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                              NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    CHECK(file != INVALID_HANDLE_VALUE);
    return file;
}

HANDLE section_over(HANDLE file, DWORD protection)
{
    HANDLE made = CreateFileMappingA(file, NULL, protection, 0, 0, NULL);
    CHECK(made != NULL);
    return made;
}

void *view(HANDLE section, DWORD access)
{
    return MapViewOfFile(section, access, 0, 0, 0);
}

void *view_part(HANDLE section, DWORD access, DWORD offset, SIZE_T len)
{
    return MapViewOfFile(section, access, 0, offset, len);
}

HANDLE open_named(const char *name, DWORD access)
{
    return OpenFileMappingA(access, FALSE, name);
}

MEMORY_BASIC_INFORMATION at(const void *address)
{
    MEMORY_BASIC_INFORMATION info;
    memset(&info, 0xFF, sizeof info);
    SAME(VirtualQuery(address, &info, sizeof info), sizeof info);
    return info;
}

int byte_of(const void *view, SIZE_T offset)
{
    return ((const volatile unsigned char *)view)[offset];
}

intptr_t start(const char *role, HANDLE handle, const char *name)
{
    char number[32];
    intptr_t process;
    sprintf(number, "%lu", (unsigned long)(ULONG_PTR)handle);
    fflush(stdout);
    process = _spawnl(_P_NOWAIT, program, program, "role", role, number, name, NULL);
    CHECK(process != -1);
    return process;
}

int exit_code_of(intptr_t process)
{
    int status = -1;
    CHECK(_cwait(&status, process, _WAIT_CHILD) != -1);
    return status;
}

static void *thread_of(void *given)
{
    Thread *thread = (Thread *)given;
    thread->result = thread->work(thread->handle);
    return NULL;
}

void begin(Thread *thread, DWORD (*work)(HANDLE handle), HANDLE handle)
{
    thread->work = work;
    thread->handle = handle;
    SAME(pthread_create(&thread->thread, NULL, thread_of, thread), 0);
}

DWORD joined(Thread *thread)
{
    SAME(pthread_join(thread->thread, NULL), 0);
    return thread->result;
}

DWORD in_thread(DWORD (*work)(HANDLE handle), HANDLE handle)
{
    Thread thread;
    begin(&thread, work, handle);
    return joined(&thread);
}

static const Row *const row_groups[] = {create_rows, name_rows, open_rows, map_rows,  memory_rows,
                                      life_rows,   file_rows, page_rows, sync_rows, wait_rows,
                                      around_rows, thread_rows, message_rows, right_rows,
                                      process_rows, slim_rows};
#define GROUPS (sizeof row_groups / sizeof row_groups[0])

/* Runs one row in this process. */
static int run(int number)
{
    const Row *row;
    size_t group;
    for (group = 0; group < GROUPS; group++)
        for (row = row_groups[group]; row->test != NULL; row++)
            if (row->number == number)
                row->test();
    while (file_count > 0)
        remove(files[--file_count % MOST_FILES]);
    fflush(stdout);
    return failures > 0;
}

int main(int argc, char **argv)
{
    const Row *row;
    size_t group;
    char number[16];
    int held = 0, broken = 0;

    program = argv[0];
    if (argc == 3)
        return run(atoi(argv[2]));
    if (argc == 5)
        return run_role(argv[2], (HANDLE)(ULONG_PTR)strtoul(argv[3], NULL, 10), argv[4]);
    if (argc > 2)
        return 2;

    for (group = 0; group < GROUPS; group++)
        for (row = row_groups[group]; row->test != NULL; row++) {
            int status;
            sprintf(number, "%d", row->number);
            printf("row %d: %s\n", row->number, row->sentence);
            fflush(stdout);
            if (argc == 2)
                continue;
            status = (int)_spawnl(_P_WAIT, program, program, "row", number, NULL);
            if (status == 0)
                held++;
            else
                printf("broken: %d (%d)\n", row->number, status), broken++;
        }
    printf("%d held, %d broken\n", held, broken);
    return 0;
}
