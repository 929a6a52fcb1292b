/* Conversions between pointers and integers. windef.h defines the integers of a pointer's width. */
#ifndef PAGEMATE_BASETSD_H
#define PAGEMATE_BASETSD_H

#include "windef.h"

#define HandleToULong(handle) ((ULONG)(ULONG_PTR)(handle))
#define HandleToUlong HandleToULong
#define HandleToLong(handle) ((LONG)(LONG_PTR)(handle))
#define ULongToHandle(number) ((HANDLE)(ULONG_PTR)(ULONG)(number))
#define UlongToHandle ULongToHandle
#define LongToHandle(number) ((HANDLE)(LONG_PTR)(LONG)(number))
#define PtrToULong(pointer) ((ULONG)(ULONG_PTR)(pointer))
#define PtrToUlong PtrToULong
#define PtrToLong(pointer) ((LONG)(LONG_PTR)(pointer))
#define PtrToUint(pointer) ((UINT)(UINT_PTR)(pointer))
#define PtrToInt(pointer) ((INT)(INT_PTR)(pointer))
#define ULongToPtr(number) ((PVOID)(ULONG_PTR)(ULONG)(number))
#define UlongToPtr ULongToPtr
#define LongToPtr(number) ((PVOID)(LONG_PTR)(LONG)(number))
#define UIntToPtr(number) ((PVOID)(UINT_PTR)(UINT)(number))
#define UintToPtr UIntToPtr
#define IntToPtr(number) ((PVOID)(INT_PTR)(INT)(number))

#endif
