/* The standard functions for formatted output and input, by Microsoft's rules. */
#ifndef PAGEMATE_STDIO_H
#define PAGEMATE_STDIO_H

#include "pagemate_printf.h"
#include "pagemate_scanf.h"

/* Include these headers before the macros are defined. If the program included them later, they
 * would undefine the macros or fail to compile. */
#ifdef __cplusplus
#include <cinttypes>
#include <cstdio>
namespace std {
using ::pagemate_fprintf;
using ::pagemate_fscanf;
using ::pagemate_printf;
using ::pagemate_scanf;
using ::pagemate_snprintf;
using ::pagemate_sprintf;
using ::pagemate_sscanf;
using ::pagemate_vfprintf;
using ::pagemate_vfscanf;
using ::pagemate_vprintf;
using ::pagemate_vscanf;
using ::pagemate_vsnprintf;
using ::pagemate_vsprintf;
using ::pagemate_vsscanf;
}
#else
#include <inttypes.h>
#include <stdio.h>
#endif

/* Function-like macros, so that the attribute format(printf, ...) keeps its meaning. */
#define printf(...) pagemate_printf(__VA_ARGS__)
#define fprintf(...) pagemate_fprintf(__VA_ARGS__)
#define sprintf(...) pagemate_sprintf(__VA_ARGS__)
#define snprintf(...) pagemate_snprintf(__VA_ARGS__)
#define vprintf(...) pagemate_vprintf(__VA_ARGS__)
#define vfprintf(...) pagemate_vfprintf(__VA_ARGS__)
#define vsprintf(...) pagemate_vsprintf(__VA_ARGS__)
#define vsnprintf(...) pagemate_vsnprintf(__VA_ARGS__)
#define scanf(...) pagemate_scanf(__VA_ARGS__)
#define fscanf(...) pagemate_fscanf(__VA_ARGS__)
#define sscanf(...) pagemate_sscanf(__VA_ARGS__)
#define vscanf(...) pagemate_vscanf(__VA_ARGS__)
#define vfscanf(...) pagemate_vfscanf(__VA_ARGS__)
#define vsscanf(...) pagemate_vsscanf(__VA_ARGS__)

#define printf_s printf
#define fprintf_s fprintf
#define vprintf_s vprintf
#define vfprintf_s vfprintf

/* The C library defines these macros of <inttypes.h> with `l`, which means 32 bits in the functions
 * above. */
#undef PRId64
#define PRId64 "lld"
#undef PRIi64
#define PRIi64 "lli"
#undef PRIo64
#define PRIo64 "llo"
#undef PRIx64
#define PRIx64 "llx"
#undef PRIX64
#define PRIX64 "llX"
#undef PRIu64
#define PRIu64 "llu"
#undef PRIdLEAST64
#define PRIdLEAST64 "lld"
#undef PRIiLEAST64
#define PRIiLEAST64 "lli"
#undef PRIoLEAST64
#define PRIoLEAST64 "llo"
#undef PRIxLEAST64
#define PRIxLEAST64 "llx"
#undef PRIXLEAST64
#define PRIXLEAST64 "llX"
#undef PRIuLEAST64
#define PRIuLEAST64 "llu"
#undef PRIdFAST16
#define PRIdFAST16 "lld"
#undef PRIiFAST16
#define PRIiFAST16 "lli"
#undef PRIoFAST16
#define PRIoFAST16 "llo"
#undef PRIxFAST16
#define PRIxFAST16 "llx"
#undef PRIXFAST16
#define PRIXFAST16 "llX"
#undef PRIuFAST16
#define PRIuFAST16 "llu"
#undef PRIdFAST32
#define PRIdFAST32 "lld"
#undef PRIiFAST32
#define PRIiFAST32 "lli"
#undef PRIoFAST32
#define PRIoFAST32 "llo"
#undef PRIxFAST32
#define PRIxFAST32 "llx"
#undef PRIXFAST32
#define PRIXFAST32 "llX"
#undef PRIuFAST32
#define PRIuFAST32 "llu"
#undef PRIdFAST64
#define PRIdFAST64 "lld"
#undef PRIiFAST64
#define PRIiFAST64 "lli"
#undef PRIoFAST64
#define PRIoFAST64 "llo"
#undef PRIxFAST64
#define PRIxFAST64 "llx"
#undef PRIXFAST64
#define PRIXFAST64 "llX"
#undef PRIuFAST64
#define PRIuFAST64 "llu"
#undef PRIdMAX
#define PRIdMAX "lld"
#undef PRIiMAX
#define PRIiMAX "lli"
#undef PRIoMAX
#define PRIoMAX "llo"
#undef PRIxMAX
#define PRIxMAX "llx"
#undef PRIXMAX
#define PRIXMAX "llX"
#undef PRIuMAX
#define PRIuMAX "llu"
#undef PRIdPTR
#define PRIdPTR "lld"
#undef PRIiPTR
#define PRIiPTR "lli"
#undef PRIoPTR
#define PRIoPTR "llo"
#undef PRIxPTR
#define PRIxPTR "llx"
#undef PRIXPTR
#define PRIXPTR "llX"
#undef PRIuPTR
#define PRIuPTR "llu"
#undef SCNd64
#define SCNd64 "lld"
#undef SCNi64
#define SCNi64 "lli"
#undef SCNo64
#define SCNo64 "llo"
#undef SCNx64
#define SCNx64 "llx"
#undef SCNu64
#define SCNu64 "llu"
#undef SCNdLEAST64
#define SCNdLEAST64 "lld"
#undef SCNiLEAST64
#define SCNiLEAST64 "lli"
#undef SCNoLEAST64
#define SCNoLEAST64 "llo"
#undef SCNxLEAST64
#define SCNxLEAST64 "llx"
#undef SCNuLEAST64
#define SCNuLEAST64 "llu"
#undef SCNdFAST16
#define SCNdFAST16 "lld"
#undef SCNiFAST16
#define SCNiFAST16 "lli"
#undef SCNoFAST16
#define SCNoFAST16 "llo"
#undef SCNxFAST16
#define SCNxFAST16 "llx"
#undef SCNuFAST16
#define SCNuFAST16 "llu"
#undef SCNdFAST32
#define SCNdFAST32 "lld"
#undef SCNiFAST32
#define SCNiFAST32 "lli"
#undef SCNoFAST32
#define SCNoFAST32 "llo"
#undef SCNxFAST32
#define SCNxFAST32 "llx"
#undef SCNuFAST32
#define SCNuFAST32 "llu"
#undef SCNdFAST64
#define SCNdFAST64 "lld"
#undef SCNiFAST64
#define SCNiFAST64 "lli"
#undef SCNoFAST64
#define SCNoFAST64 "llo"
#undef SCNxFAST64
#define SCNxFAST64 "llx"
#undef SCNuFAST64
#define SCNuFAST64 "llu"
#undef SCNdMAX
#define SCNdMAX "lld"
#undef SCNiMAX
#define SCNiMAX "lli"
#undef SCNoMAX
#define SCNoMAX "llo"
#undef SCNxMAX
#define SCNxMAX "llx"
#undef SCNuMAX
#define SCNuMAX "llu"
#undef SCNdPTR
#define SCNdPTR "lld"
#undef SCNiPTR
#define SCNiPTR "lli"
#undef SCNoPTR
#define SCNoPTR "llo"
#undef SCNxPTR
#define SCNxPTR "llx"
#undef SCNuPTR
#define SCNuPTR "llu"

#endif
