/* Calls that create, change and wait for mutexes, events and semaphores. */
#ifndef PAGEMATE_DIFFERENTIAL_SYNC_H
#define PAGEMATE_DIFFERENTIAL_SYNC_H

static void call_mutex(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    BOOL owned = (BOOL)number(4);
    int named = name(5);
    print_handle(1, word(2)[0] == 'A' ? CreateMutexA(security, owned, named ? narrow : NULL)
                                      : CreateMutexW(security, owned, named ? wide : NULL));
}

static void call_mutexex(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    DWORD flags = (DWORD)number(4);
    DWORD rights = (DWORD)number(5);
    int named = name(6);
    print_handle(1, word(2)[0] == 'A' ? CreateMutexExA(security, named ? narrow : NULL, flags, rights)
                                      : CreateMutexExW(security, named ? wide : NULL, flags, rights));
}

static void call_openmutex(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    print_handle(1, word(2)[0] == 'A' ? OpenMutexA(rights, inherit, named ? narrow : NULL)
                                      : OpenMutexW(rights, inherit, named ? wide : NULL));
}

static void call_event(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    BOOL manual = (BOOL)number(4);
    BOOL set = (BOOL)number(5);
    int named = name(6);
    print_handle(1, word(2)[0] == 'A' ? CreateEventA(security, manual, set, named ? narrow : NULL)
                                      : CreateEventW(security, manual, set, named ? wide : NULL));
}

static void call_eventex(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    DWORD flags = (DWORD)number(4);
    DWORD rights = (DWORD)number(5);
    int named = name(6);
    print_handle(1, word(2)[0] == 'A' ? CreateEventExA(security, named ? narrow : NULL, flags, rights)
                                      : CreateEventExW(security, named ? wide : NULL, flags, rights));
}

static void call_openevent(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    print_handle(1, word(2)[0] == 'A' ? OpenEventA(rights, inherit, named ? narrow : NULL)
                                      : OpenEventW(rights, inherit, named ? wide : NULL));
}

static void call_semaphore(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    LONG first = (LONG)number(4);
    LONG most = (LONG)number(5);
    int named = name(6);
    print_handle(1, word(2)[0] == 'A' ? CreateSemaphoreA(security, first, most, named ? narrow : NULL)
                                      : CreateSemaphoreW(security, first, most, named ? wide : NULL));
}

static void call_semaphoreex(void)
{
    SECURITY_ATTRIBUTES *security = attributes(3);
    LONG first = (LONG)number(4);
    LONG most = (LONG)number(5);
    DWORD flags = (DWORD)number(6);
    DWORD rights = (DWORD)number(7);
    int named = name(8);
    print_handle(1, word(2)[0] == 'A'
                        ? CreateSemaphoreExA(security, first, most, named ? narrow : NULL, flags, rights)
                        : CreateSemaphoreExW(security, first, most, named ? wide : NULL, flags, rights));
}

static void call_opensemaphore(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    print_handle(1, word(2)[0] == 'A' ? OpenSemaphoreA(rights, inherit, named ? narrow : NULL)
                                      : OpenSemaphoreW(rights, inherit, named ? wide : NULL));
}

static void call_release(void)
{
    print_outcome(ReleaseMutex(handle(1)));
}

static void call_set(void)
{
    print_outcome(SetEvent(handle(1)));
}

/* Sets an event several times in quick succession, so that a waiter does not run in between. */
static void call_setmany(void)
{
    HANDLE event = handle(1);
    BOOL all = TRUE;
    for (DWORD i = 0; i < (DWORD)number(2); i++)
        all = SetEvent(event) && all;
    print_outcome(all);
}

static void call_unset(void)
{
    print_outcome(ResetEvent(handle(1)));
}

static void call_pulse(void)
{
    print_outcome(PulseEvent(handle(1)));
}

static void call_post(void)
{
    LONG before = 0x5555;
    BOOL succeeded = ReleaseSemaphore(handle(1), (LONG)number(2), number(3) == 0 ? &before : NULL);
    print_outcome(succeeded);
    print(" %x", (unsigned)before);
}

/* Prints the result of a wait. */
static void print_wait(DWORD result)
{
    print_outcome(result != WAIT_FAILED);
    print(" %x", (unsigned)result);
}

static void call_wait(void)
{
    print_wait(WaitForSingleObject(handle(1), (DWORD)number(2)));
}

/* Waits for the given number of handles. If the line has fewer handles, repeats them. */
static void call_waitmany(void)
{
    HANDLE list[MAXIMUM_WAIT_OBJECTS + 1] = {NULL};
    DWORD len = (DWORD)number(2);
    for (DWORD i = 0; count > 4 && i < len && i < sizeof list / sizeof *list; i++)
        list[i] = handle(4 + (int)i % (count - 4));
    print_wait(WaitForMultipleObjects(len, list, (BOOL)number(1), (DWORD)number(3)));
}

static void call_signal(void)
{
    print_wait(SignalObjectAndWait(handle(1), handle(2), (DWORD)number(3), FALSE));
}

/* Releases a mutex as often as this thread owns it. */
static void release_all(HANDLE mutex)
{
    while (ReleaseMutex(mutex))
        continue;
    SetLastError(UNTOUCHED);
}

#endif
