/* The part of the program that makes mutexes, events and semaphores, changes them and waits. */
#ifndef PAGEMATE_DIFFERENTIAL_SYNC_H
#define PAGEMATE_DIFFERENTIAL_SYNC_H

static void call_mutex(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    BOOL owned = (BOOL)number(4);
    int named = name(5);
    made(1, word(2)[0] == 'A' ? CreateMutexA(wanted, owned, named ? narrow : NULL)
                              : CreateMutexW(wanted, owned, named ? wide : NULL));
}

static void call_mutexex(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    DWORD flags = (DWORD)number(4);
    DWORD rights = (DWORD)number(5);
    int named = name(6);
    made(1, word(2)[0] == 'A' ? CreateMutexExA(wanted, named ? narrow : NULL, flags, rights)
                              : CreateMutexExW(wanted, named ? wide : NULL, flags, rights));
}

static void call_openmutex(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    made(1, word(2)[0] == 'A' ? OpenMutexA(rights, inherit, named ? narrow : NULL)
                              : OpenMutexW(rights, inherit, named ? wide : NULL));
}

static void call_event(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    BOOL manual = (BOOL)number(4);
    BOOL set = (BOOL)number(5);
    int named = name(6);
    made(1, word(2)[0] == 'A' ? CreateEventA(wanted, manual, set, named ? narrow : NULL)
                              : CreateEventW(wanted, manual, set, named ? wide : NULL));
}

static void call_eventex(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    DWORD flags = (DWORD)number(4);
    DWORD rights = (DWORD)number(5);
    int named = name(6);
    made(1, word(2)[0] == 'A' ? CreateEventExA(wanted, named ? narrow : NULL, flags, rights)
                              : CreateEventExW(wanted, named ? wide : NULL, flags, rights));
}

static void call_openevent(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    made(1, word(2)[0] == 'A' ? OpenEventA(rights, inherit, named ? narrow : NULL)
                              : OpenEventW(rights, inherit, named ? wide : NULL));
}

static void call_semaphore(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    LONG first = (LONG)number(4);
    LONG most = (LONG)number(5);
    int named = name(6);
    made(1, word(2)[0] == 'A' ? CreateSemaphoreA(wanted, first, most, named ? narrow : NULL)
                              : CreateSemaphoreW(wanted, first, most, named ? wide : NULL));
}

static void call_semaphoreex(void)
{
    SECURITY_ATTRIBUTES *wanted = attributes(3);
    LONG first = (LONG)number(4);
    LONG most = (LONG)number(5);
    DWORD flags = (DWORD)number(6);
    DWORD rights = (DWORD)number(7);
    int named = name(8);
    made(1, word(2)[0] == 'A'
                ? CreateSemaphoreExA(wanted, first, most, named ? narrow : NULL, flags, rights)
                : CreateSemaphoreExW(wanted, first, most, named ? wide : NULL, flags, rights));
}

static void call_opensemaphore(void)
{
    DWORD rights = (DWORD)number(3);
    BOOL inherit = (BOOL)number(4);
    int named = name(5);
    made(1, word(2)[0] == 'A' ? OpenSemaphoreA(rights, inherit, named ? narrow : NULL)
                              : OpenSemaphoreW(rights, inherit, named ? wide : NULL));
}

static void call_release(void)
{
    done(ReleaseMutex(handle(1)));
}

static void call_set(void)
{
    done(SetEvent(handle(1)));
}

/* So often in a row, faster than anybody wakes. */
static void call_sets(void)
{
    HANDLE event = handle(1);
    BOOL all = TRUE;
    for (DWORD i = 0; i < (DWORD)number(2); i++)
        all = SetEvent(event) && all;
    done(all);
}

static void call_unset(void)
{
    done(ResetEvent(handle(1)));
}

static void call_pulse(void)
{
    done(PulseEvent(handle(1)));
}

static void call_post(void)
{
    LONG before = 0x5555;
    BOOL good = ReleaseSemaphore(handle(1), (LONG)number(2), number(3) == 0 ? &before : NULL);
    done(good);
    say(" %x", (unsigned)before);
}

/* Says what a wait came to. */
static void waited(DWORD result)
{
    done(result != WAIT_FAILED);
    say(" %x", (unsigned)result);
}

static void call_wait(void)
{
    waited(WaitForSingleObject(handle(1), (DWORD)number(2)));
}

/* Waits for so many handles: those in the line over and over. */
static void call_waitmany(void)
{
    HANDLE list[MAXIMUM_WAIT_OBJECTS + 1] = {NULL};
    DWORD len = (DWORD)number(2);
    for (DWORD i = 0; count > 4 && i < len && i < sizeof list / sizeof *list; i++)
        list[i] = handle(4 + (int)i % (count - 4));
    waited(WaitForMultipleObjects(len, list, (BOOL)number(1), (DWORD)number(3)));
}

static void call_signal(void)
{
    waited(SignalObjectAndWait(handle(1), handle(2), (DWORD)number(3), FALSE));
}

/* Gives a mutex back as often as this thread has it. */
static void give_back(HANDLE mutex)
{
    while (ReleaseMutex(mutex))
        continue;
    SetLastError(UNTOUCHED);
}

#endif
