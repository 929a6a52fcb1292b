/* Folders, under Microsoft's names. Slash and backslash both separate. */
#ifndef PAGEMATE_DIRECT_H
#define PAGEMATE_DIRECT_H

#include <sys/stat.h>
#include <unistd.h>

#include "crt/pagemate_crt.h"

PAGEMATE_BEGIN
FORCEINLINE int pagemate_in_folder(const char *path, int (*run)(const char *path)) {
    char spelled[4096];
    size_t at = 0;
    for (; path[at] != 0 && at < sizeof spelled - 1; at++)
        spelled[at] = path[at] == '\\' ? '/' : path[at];
    spelled[at] = 0;
    if (path[at] != 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return run(spelled);
}

FORCEINLINE int pagemate_make_folder(const char *path) {
    return mkdir(path, 0777);
}

FORCEINLINE int _mkdir(const char *path) {
    return pagemate_in_folder(path, pagemate_make_folder);
}

FORCEINLINE int _rmdir(const char *path) {
    return pagemate_in_folder(path, rmdir);
}

FORCEINLINE int _chdir(const char *path) {
    return pagemate_in_folder(path, chdir);
}

FORCEINLINE char *_getcwd(char *path, int room) {
    return getcwd(path, (size_t)room);
}
PAGEMATE_END

#endif
