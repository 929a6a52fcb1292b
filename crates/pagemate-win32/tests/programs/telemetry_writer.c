// A game that publishes frames and never waits for a reader.
#include "telemetry.h"
#include <stdio.h>

int main(void)
{
    HANDLE map;
    Telemetry *telemetry;
    DWORD frame;

    map = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(Telemetry),
                             TELEMETRY_NAME);
    if (map == NULL || GetLastError() == ERROR_ALREADY_EXISTS)
    {
        printf("another game runs, or the memory cannot be created\n");
        return 1;
    }
    telemetry = (Telemetry *)MapViewOfFile(map, FILE_MAP_WRITE, 0, 0, sizeof(Telemetry));
    if (telemetry == NULL)
        return 1;
    ZeroMemory((PVOID)telemetry, sizeof(Telemetry));
    printf("the game runs\n");
    fflush(stdout);

    for (frame = 1; frame <= TELEMETRY_FRAMES; frame++)
    {
        InterlockedIncrement(&telemetry->versionBegin);
        telemetry->frame = frame;
        telemetry->speed = frame * 0.5;
        telemetry->position[0] = frame;
        telemetry->position[1] = frame + 1.0;
        telemetry->position[2] = frame + 2.0;
        InterlockedIncrement(&telemetry->versionEnd);
    }
    printf("the last frame is written\n");
    fflush(stdout);

    getchar();
    UnmapViewOfFile(telemetry);
    CloseHandle(map);
    return 0;
}
