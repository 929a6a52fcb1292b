// A dashboard with read-only access. It discards frames that were written during the copy.
#include "telemetry.h"
#include <stdio.h>

static BOOL Snapshot(const Telemetry *shared, Telemetry *copy)
{
    LONG end = shared->versionEnd;
    MemoryBarrier();
    CopyMemory(copy, (const void *)shared, sizeof(Telemetry));
    MemoryBarrier();
    return shared->versionBegin == end && copy->frame != 0;
}

int main(void)
{
    HANDLE map;
    const Telemetry *shared;
    MEMORY_BASIC_INFORMATION info;
    Telemetry copy;
    ULONGLONG deadline = GetTickCount64() + 60000;
    DWORD last = 0;

    map = OpenFileMappingA(FILE_MAP_READ, FALSE, TELEMETRY_NAME);
    if (map == NULL)
    {
        printf("no game runs (error %lu)\n", (unsigned long)GetLastError());
        return 2;
    }
    // Map the whole section, of any length.
    shared = (const Telemetry *)MapViewOfFile(map, FILE_MAP_READ, 0, 0, 0);
    if (shared == NULL || VirtualQuery(shared, &info, sizeof(info)) == 0)
        return 1;
    printf("%u bytes, protection %u\n", (unsigned)info.RegionSize, (unsigned)info.Protect);

    while (last < TELEMETRY_FRAMES && GetTickCount64() < deadline)
    {
        if (!Snapshot(shared, &copy))
        {
            YieldProcessor();
            continue;
        }
        if (copy.frame < last || copy.speed != copy.frame * 0.5 ||
            copy.position[0] + 1.0 != copy.position[1] || copy.position[2] != copy.frame + 2.0)
        {
            printf("a torn frame after %u\n", (unsigned)last);
            return 1;
        }
        last = copy.frame;
    }
    printf("the last frame is %u\n", (unsigned)last);
    UnmapViewOfFile(shared);
    CloseHandle(map);
    return 0;
}
