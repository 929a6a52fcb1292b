/* Functions that programs use besides strings and streams: conversions, GUIDs, barriers, folders,
 * security descriptors as strings, time. Prints each check that fails. */
#include <windows.h>
#include <initguid.h>
#include <intrin.h>
#include <direct.h>
#include <sddl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tchar.h>
#include <time.h>

DEFINE_GUID(GUID_OF_OURS, 0x12345678, 0x9abc, 0xdef0, 1, 2, 3, 4, 5, 6, 7, 8);

#define CHECK(holds)                                                                              \
    do {                                                                                          \
        if (!(holds))                                                                             \
            printf("%d: %s\n", __LINE__, #holds);                                                 \
    } while (0)

#ifdef __cplusplus
#define BY_REFERENCE(guid) guid
#else
#define BY_REFERENCE(guid) &guid
#endif

static void numbers(void)
{
    HANDLE handle = ULongToHandle(0x80000004);
    GUID copy = GUID_OF_OURS;
    LONG count = 1;
    unsigned long long before = __rdtsc();
    CHECK((ULONG_PTR)handle == 0x80000004 && HandleToULong(handle) == 0x80000004);
    CHECK(LongToHandle(-1) == INVALID_HANDLE_VALUE && HandleToLong(INVALID_HANDLE_VALUE) == -1);
    CHECK(PtrToInt(IntToPtr(-5)) == -5 && PtrToUint(ULongToPtr(7)) == 7);
    CHECK(sizeof(GUID) == 16 && copy.Data2 == 0x9abc && copy.Data4[7] == 8);
    CHECK(IsEqualGUID(BY_REFERENCE(copy), BY_REFERENCE(GUID_OF_OURS)));
    copy.Data4[7] = 9;
    CHECK(!IsEqualGUID(BY_REFERENCE(copy), BY_REFERENCE(GUID_OF_OURS)));
    _ReadBarrier();
    _WriteBarrier();
    _ReadWriteBarrier();
    _mm_mfence();
    _mm_pause();
    CHECK(_InterlockedIncrement(&count) == 2 && _InterlockedExchange(&count, 9) == 2);
    CHECK(_InterlockedCompareExchange(&count, 3, 9) == 9 && count == 3);
    CHECK(__rdtsc() >= before);
}

static void folders(void)
{
    char at_first[MAX_PATH], then[MAX_PATH];
    CHECK(_mkdir("around") == 0 && _mkdir("around\\inner") == 0);
    CHECK(_mkdir("around") == -1 && errno == EEXIST);
    CHECK(_getcwd(at_first, MAX_PATH) == at_first && _chdir("around\\inner") == 0);
    CHECK(_getcwd(then, MAX_PATH) == then && strlen(then) == strlen(at_first) + strlen("/around/inner"));
    CHECK(_chdir("..\\..") == 0 && _rmdir("around\\inner") == 0 && _rmdir("around") == 0);
    CHECK(_rmdir("around") == -1 && errno == ENOENT);
}

static int converts(const TCHAR *text)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    HANDLE made;
    ULONG size = 0;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptor(
            text, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, &size))
        return 0;
    made = CreateFileMapping(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, 4096, NULL);
    return size > 0 && made != NULL && CloseHandle(made)
           && LocalFree(attributes.lpSecurityDescriptor) == NULL;
}

static void descriptors(void)
{
    PSECURITY_DESCRIPTOR made = NULL;
    CHECK(converts(TEXT("D:P(A;OICI;GA;;;SY)(A;OICI;GA;;;BA)(A;OICI;GA;;;WD)")));
    CHECK(converts(TEXT("D:(A;;GA;;;WD)")) && converts(TEXT("D:(A;;0x1f0003;;;S-1-1-0)")));
    CHECK(!converts(TEXT("D:(A;;GA;;WD)")));
    CHECK(!ConvertStringSecurityDescriptorToSecurityDescriptor(TEXT("D:(A;;GA;;;WD)"), 7, &made, NULL));
    CHECK(GetLastError() == ERROR_UNKNOWN_REVISION);
    CHECK(!ConvertStringSecurityDescriptorToSecurityDescriptor(NULL, SDDL_REVISION_1, &made, NULL));
    CHECK(made == NULL);
}

static void texts(void)
{
    TCHAR text[] = TEXT("  one, two,three"), *rest = NULL;
    FILE *file = NULL;
    CHECK(_tcscmp(_tcstok_s(text, TEXT(" ,"), &rest), TEXT("one")) == 0);
    CHECK(_tcscmp(_tcstok_s(NULL, TEXT(" ,"), &rest), TEXT("two")) == 0);
    CHECK(_tcscmp(_tcstok_s(NULL, TEXT(" ,"), &rest), TEXT("three")) == 0);
    CHECK(_tcstok_s(NULL, TEXT(" ,"), &rest) == NULL);
    CHECK(_tfopen_s(&file, TEXT("no folder/file"), TEXT("r")) == ENOENT && file == NULL);
    CHECK(_tfopen_s(&file, TEXT("around.txt"), TEXT("w")) == 0 && file != NULL);
    CHECK(fclose(file) == 0 && remove("around.txt") == 0);
}

static void times(void)
{
    const time_t day = 86400;
    time_t now = time(NULL);
    struct tm parts, local;
    char text[32];
    CHECK(gmtime_s(&parts, &day) == 0 && parts.tm_mday == 2 && parts.tm_year == 70 && parts.tm_hour == 0);
    CHECK(asctime_s(text, sizeof text, &parts) == 0 && strcmp(text, "Fri Jan 02 00:00:00 1970\n") == 0);
    CHECK(localtime_s(&local, &now) == 0 && mktime(&local) == now);
    CHECK(ctime_s(text, sizeof text, &now) == 0 && strlen(text) == 25);
    CHECK(_strdate_s(text, sizeof text) == 0 && strlen(text) == 8 && text[2] == '/');
    CHECK(_strtime_s(text, sizeof text) == 0 && strlen(text) == 8 && text[2] == ':');
}

#ifndef __MINGW32__
_declspec(noinline) static int boxes(void)
{
    int all = MessageBox(NULL, TEXT("a text"), TEXT("a caption"), MB_OK | MB_ICONERROR) == IDOK;
    all &= MessageBox(NULL, TEXT("no caption"), NULL, MB_YESNO | MB_DEFBUTTON2 | MB_ICONQUESTION) == IDNO;
    return all && MessageBox(NULL, NULL, NULL, 0xE) == 0 && GetLastError() == ERROR_INVALID_MSGBOX_STYLE;
}
#endif

int main()
{
    numbers();
    folders();
    descriptors();
    texts();
    times();
#ifndef __MINGW32__
    CHECK(boxes());
#endif
    printf("done\n");
    return 0;
}
