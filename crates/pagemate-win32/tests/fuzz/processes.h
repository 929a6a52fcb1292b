/* Calls for processes: a few harmless programs, and many invalid arguments. A call may terminate
 * only a child that this program started for that purpose. */

static char *program_text(void)
{
    static char text[5000];
    static const char *const some[] = {"", " ", "/bin/true", "/bin/true a \"b\\\" c", "\"/bin/true\" x",
                                       "true.exe", "nowhere x y", "a\\b", "C:\\x", "\"", "\\\\s\\p", "/tmp",
                                       "file.bin", "\xFF\xFE"};
    unsigned which = roll(16);
    if (which == 15)
        return NULL;
    if (which < 14) {
        strcpy(text, some[which]);
    } else {
        memset(text, 'n', sizeof text);
        text[4999] = 0;
    }
    return text;
}

static WCHAR *wide_program_text(WCHAR (*wide)[5000])
{
    const char *narrow = program_text();
    size_t at = 0;
    if (narrow == NULL)
        return NULL;
    for (; narrow[at] != 0; at++)
        (*wide)[at] = (unsigned char)narrow[at];
    (*wide)[at] = 0;
    return *wide;
}

static const DWORD creation_flags[] = {0, CREATE_SUSPENDED, CREATE_NEW_CONSOLE, CREATE_NEW_PROCESS_GROUP,
                                       DETACHED_PROCESS, CREATE_NO_WINDOW};

static void start_process(void)
{
    static char block[] = "A=1\0B\0=C:=x\0";
    static WCHAR wide_application[5000], wide_line[5000];
    PROCESS_INFORMATION made;
    STARTUPINFOA startup;
    STARTUPINFOW wide_startup;
    char application[5000];
    const char *given = program_text();
    BOOL inherits = roll(2);
    DWORD flags = roll(4) ? creation_flags[roll(6)] : ANY & ~CREATE_UNICODE_ENVIRONMENT;
    GetStartupInfoA(roll(8) ? &startup : NULL);
    GetStartupInfoA(&startup);
    GetStartupInfoW(&wide_startup);
    startup.dwFlags = roll(2) ? 0 : STARTF_USESTDHANDLES;
    startup.hStdInput = handle();
    startup.hStdOutput = roll(2) ? NULL : handle();
    if (given != NULL)
        strcpy(application, given);
    if (roll(2) ? TRY(CreateProcessA(given == NULL || roll(2) ? NULL : application, program_text(),
                                     attributes(), NULL, inherits, flags, roll(4) ? NULL : block,
                                     roll(2) ? NULL : path(), roll(8) ? &startup : NULL,
                                     roll(8) ? &made : NULL))
                : TRY(CreateProcessW(roll(2) ? NULL : wide_program_text(&wide_application),
                                     wide_program_text(&wide_line), NULL, attributes(), inherits, flags,
                                     roll(4) ? NULL : block, NULL, &wide_startup, &made))) {
        if (roll(2))
            TRY(TerminateProcess(made.hProcess, ANY));
        keep(made.hProcess, "CreateProcess");
        keep(made.hThread, "CreateProcess");
    }
}

static void processes(void)
{
    DWORD told;
    switch (roll(8)) {
    case 0: start_process(); break;
    case 1: KEEP(OpenProcess(SYNCHRONIZE | PROCESS_QUERY_INFORMATION, roll(2), roll(2) ? GetCurrentProcessId() : ANY)); break;
    case 2: TRY(OpenProcess(0, FALSE, ANY)); break;
    case 3: TRY(TerminateProcess(roll(2) ? NULL : (HANDLE)(ULONG_PTR)0x7FFFFFF0, ANY)); break;
    case 4: TRY(GetProcessId(handle())); break;
    case 5: TRY(GetProcessId(roll(2) ? GetCurrentProcess() : GetCurrentThread())); break;
    default: TRY(GetExitCodeProcess(handle(), roll(4) ? &told : NULL)); break;
    }
}
