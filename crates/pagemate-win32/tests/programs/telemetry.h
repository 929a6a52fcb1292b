// What a game publishes of its car.
#pragma once
#include <windows.h>

#define TELEMETRY_NAME "Local\\$Telemetry$"
#define TELEMETRY_FRAMES 2000000

#pragma pack(push, 4)
typedef struct
{
    volatile LONG versionBegin; // counts up before a frame is written,
    volatile LONG versionEnd;   // and after
    DWORD frame;
    double speed;
    double position[3];
} Telemetry;
#pragma pack(pop)
