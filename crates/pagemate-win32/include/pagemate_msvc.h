/* Keywords of Microsoft's compiler. A keyword that no macro can replace stays undefined, so a
 * program that needs it does not compile. */
#ifndef PAGEMATE_MSVC_H
#define PAGEMATE_MSVC_H

#define __cdecl
#define __stdcall
#define __fastcall
#define __vectorcall
#define WINAPIV
#define __forceinline inline __attribute__((always_inline))

#define __int8 char
#define __int16 short
#define __int32 int
#define __int64 long long

/* __declspec(align(16)) expands to PAGEMATE_DECLSPEC_align(16), and so on. */
#define __declspec(what) PAGEMATE_DECLSPEC_##what
#define _declspec __declspec
#define PAGEMATE_DECLSPEC_align(bytes) __attribute__((aligned(bytes)))
#define PAGEMATE_DECLSPEC_deprecated __attribute__((deprecated))
#define PAGEMATE_DECLSPEC_dllexport __attribute__((visibility("default")))
#define PAGEMATE_DECLSPEC_dllimport
#define PAGEMATE_DECLSPEC_noinline __attribute__((noinline))
#define PAGEMATE_DECLSPEC_noreturn __attribute__((noreturn))
#define PAGEMATE_DECLSPEC_nothrow __attribute__((nothrow))
#ifdef __cplusplus
#define PAGEMATE_DECLSPEC_thread thread_local
#else
#define PAGEMATE_DECLSPEC_thread _Thread_local
#endif

/* Annotations of parameters for Microsoft's static analysis. They expand to nothing. */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _Inout_opt_
#define _In_reads_(count)
#define _In_reads_bytes_(count)
#define _Out_writes_(count)
#define _Out_writes_z_(count)
#define _Out_writes_bytes_(count)
#define _Check_return_
#define _Success_(when)

#endif
