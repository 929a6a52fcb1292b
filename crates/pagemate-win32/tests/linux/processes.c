/* Child processes in situations that do not exist on Windows. The first argument selects the
 * situation. The program starts itself as a child with two arguments. */
#include <windows.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
static volatile sig_atomic_t signals, reaped;

static PROCESS_INFORMATION start(const char *what)
{
    STARTUPINFOA startup = {sizeof startup};
    PROCESS_INFORMATION made = {0};
    char line[512];
    snprintf(line, sizeof line, "\"%s\" child %s", program, what);
    fflush(stdout);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &made))
        printf("error %u\n", GetLastError());
    CloseHandle(made.hThread);
    return made;
}

static void say_end(const char *who, PROCESS_INFORMATION made)
{
    DWORD code = 0, waited = WaitForSingleObject(made.hProcess, 60000);
    if (GetExitCodeProcess(made.hProcess, &code))
        printf("%s: waited %u, code %u\n", who, waited, code);
    else
        printf("%s: waited %u, error %u\n", who, waited, GetLastError());
    CloseHandle(made.hProcess);
}

static int child(const char *what)
{
    if (strcmp(what, "aborts") == 0)
        abort();
    if (strcmp(what, "is-killed") == 0)
        raise(SIGKILL);
    if (strcmp(what, "sleeps") == 0)
        Sleep(INFINITE);
    return atoi(what);
}

/* Closes the handles of children without asking for their exit codes. The children must not stay
 * zombies. */
static void no_zombies(void)
{
    int pids[20], i;
    siginfo_t info;
    for (i = 0; i < 20; i++) {
        PROCESS_INFORMATION made = start("3");
        CloseHandle(made.hProcess);
        pids[i] = (int)made.dwProcessId;
        /* Wait until the child has terminated, and do not reap it. */
        waitid(P_PID, (id_t)pids[i], &info, WEXITED | WNOWAIT);
    }
    say_end("last", start("4"));
    printf("%s\n", waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == -1 && errno == ECHILD ? "no child is left"
                                                                                       : "a child is left");
}

static void signaled(int signal)
{
    (void)signal;
    signals++;
}

/* The SIGCHLD handler of the program stays installed, and also runs for the children that the
 * program itself starts. */
static void handler_stays(void)
{
    signal(SIGCHLD, signaled);
    say_end("with a handler", start("5"));
    while (signals == 0)
        Sleep(1);
    if (fork() == 0)
        _exit(6);
    while (signals < 2)
        Sleep(1);
    start("1");
    printf("own child: %s\n", waitpid(-1, NULL, 0) > 0 ? "left to the program" : "taken");
}

static void reap_all(int signal)
{
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        reaped++;
}

/* A wait ends even if the program itself reaps the child. */
static void reaped_by_the_program(int ignored)
{
    DWORD code = 0;
    PROCESS_INFORMATION made;
    signal(SIGCHLD, ignored ? SIG_IGN : reap_all);
    made = start("7");
    printf("waited %u, ", WaitForSingleObject(made.hProcess, 60000));
    while (!ignored && reaped == 0)
        Sleep(1);
    if (GetExitCodeProcess(made.hProcess, &code))
        printf("%s code\n", code == 7 ? "the right" : "a wrong");
    else
        printf("%s\n", GetLastError() == ERROR_NOT_SUPPORTED ? "no code" : "another error");
}

static void by_signals(void)
{
    say_end("aborted", start("aborts"));
    say_end("killed", start("is-killed"));
}

/* Forks until a child gets this process number. Another program may get the number first. */
static int again(DWORD id)
{
    int tries;
    for (tries = 0; tries < 100; tries++) {
        FILE *last = fopen("/proc/sys/kernel/ns_last_pid", "w");
        pid_t made;
        if (last == NULL)
            return 0;
        fprintf(last, "%u", id - 1);
        if (fclose(last) != 0)
            return 0;
        made = fork();
        if (made == 0) {
            sleep(60);
            _exit(0);
        }
        if (made == (pid_t)id)
            return made;
        kill(made, SIGKILL);
        waitpid(made, NULL, 0);
    }
    return 0;
}

/* A handle keeps referring to the process that it was opened for. */
static void number_is_used_again(void)
{
    PROCESS_INFORMATION made = start("8");
    DWORD code = 0;
    HANDLE other;
    pid_t second;
    WaitForSingleObject(made.hProcess, 60000);
    second = again(made.dwProcessId);
    if (second == 0) {
        printf("not tried\n");
        return;
    }
    GetExitCodeProcess(made.hProcess, &code);
    printf("code %u, ended again: %d, ", code, TerminateProcess(made.hProcess, 1));
    printf("error %u; ", GetLastError());
    other = OpenProcess(PROCESS_ALL_ACCESS, FALSE, made.dwProcessId);
    printf("the other: %d, ", WaitForSingleObject(other, 0) == WAIT_TIMEOUT);
    printf("%d, ", TerminateProcess(other, 9));
    printf("%d\n", WaitForSingleObject(other, 60000) == WAIT_OBJECT_0);
}

/* Opens the number of a process that has ended. */
static void no_process(void)
{
    PROCESS_INFORMATION made = start("1");
    WaitForSingleObject(made.hProcess, 60000);
    CloseHandle(made.hProcess);
    printf("%d, ", OpenProcess(SYNCHRONIZE, FALSE, made.dwProcessId) != NULL);
    printf("error %u\n", GetLastError());
}

/* A forked child can use handles of its parent to processes that are not children of the forked
 * child. */
static void after_a_fork(void)
{
    PROCESS_INFORMATION made = start("sleeps");
    DWORD code = 0;
    pid_t twin = fork();
    if (twin == 0) {
        GetExitCodeProcess(made.hProcess, &code);
        printf("forked: waited %u, code %u, ", WaitForSingleObject(made.hProcess, 0), code);
        printf("terminated %d\n", TerminateProcess(made.hProcess, 44));
        fflush(stdout);
        _exit(WaitForSingleObject(made.hProcess, 60000) == WAIT_OBJECT_0 ? 0 : 1);
    }
    waitpid(twin, NULL, 0);
    say_end("parent", made);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    program = arguments[0];
    if (count == 3)
        return child(arguments[2]);
    if (strcmp(what, "zombies") == 0)
        no_zombies();
    else if (strcmp(what, "handler") == 0)
        handler_stays();
    else if (strcmp(what, "reaps") == 0)
        reaped_by_the_program(FALSE);
    else if (strcmp(what, "ignores") == 0)
        reaped_by_the_program(TRUE);
    else if (strcmp(what, "signals") == 0)
        by_signals();
    else if (strcmp(what, "number") == 0)
        number_is_used_again();
    else if (strcmp(what, "none") == 0)
        no_process();
    else if (strcmp(what, "fork") == 0)
        after_a_fork();
    return 0;
}
