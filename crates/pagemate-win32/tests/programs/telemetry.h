// The data that a game publishes about its car.
#pragma once
#include <windows.h>

#define TELEMETRY_NAME "Local\\$Telemetry$"
#define TELEMETRY_FRAMES 2000000

#pragma pack(push, 4)
typedef struct
{
    volatile LONG versionBegin; // incremented before a frame is written
    volatile LONG versionEnd;   // and after it is written
    DWORD frame;
    double speed;
    double position[3];
} Telemetry;
#pragma pack(pop)
