/* Security descriptors as strings: an object is private to its owner or open to every user. */
#ifndef PAGEMATE_SDDL_H
#define PAGEMATE_SDDL_H

#include "securitybaseapi.h"

#define SDDL_REVISION_1 1
#define SDDL_REVISION SDDL_REVISION_1

PAGEMATE_BEGIN
/* The caller frees the descriptor with LocalFree. A string must grant access to the owner alone or
 * to every user. Any other string fails with ERROR_NOT_SUPPORTED. */
BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorA(
    LPCSTR StringSecurityDescriptor, DWORD StringSDRevision, PSECURITY_DESCRIPTOR *SecurityDescriptor,
    PULONG SecurityDescriptorSize);
BOOL WINAPI ConvertStringSecurityDescriptorToSecurityDescriptorW(
    LPCWSTR StringSecurityDescriptor, DWORD StringSDRevision, PSECURITY_DESCRIPTOR *SecurityDescriptor,
    PULONG SecurityDescriptorSize);
PAGEMATE_END

#ifdef UNICODE
#define ConvertStringSecurityDescriptorToSecurityDescriptor                                       \
    ConvertStringSecurityDescriptorToSecurityDescriptorW
#else
#define ConvertStringSecurityDescriptorToSecurityDescriptor                                       \
    ConvertStringSecurityDescriptorToSecurityDescriptorA
#endif

#endif
