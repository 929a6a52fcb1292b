/* Security descriptors as texts: an object is its owner's, or everyone's. */
#ifndef PAGEMATE_SDDL_H
#define PAGEMATE_SDDL_H

#include "securitybaseapi.h"

#define SDDL_REVISION_1 1
#define SDDL_REVISION SDDL_REVISION_1

PAGEMATE_BEGIN
/* LocalFree gives the descriptor back. A text that grants more than the owner and less than everyone has
 * is ERROR_NOT_SUPPORTED. */
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
