/* SPDX-License-Identifier: MIT */
/* The directory that a run writes below: see output_directory.h. */
#include "output_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Creates a directory and its parents. */
static int create(const char *path, struct mpp_error *error)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof part)
        return mpp_error_set(error, "the output directory's path is longer than %d bytes",
                             PATH_MAX - 1);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (TEMP_FAILURE_RETRY(mkdir(part, 0777)) == 0 || errno == EEXIST)
            continue;
        int reason = errno; /* mkdir may fail with EROFS although it exists */
        if (access(part, F_OK) == 0)
            continue;
        errno = reason;
        return mpp_error_set_errno(error, "cannot create the directory '%.800s'", part);
    }
    return 0;
}

static int open_directory(const char *path)
{
    return TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* Usually it exists. Then many ranks that start at once do not ask a metadata server to create
 * each part of its path. */
int output_directory_open(const char *path, int *fd, struct mpp_error *error)
{
    *fd = open_directory(path);
    if (*fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG)) {
        if (create(path, error))
            return -1;
        *fd = open_directory(path);
    }
    return *fd < 0 ? mpp_error_set_errno(error, "cannot open the directory '%.800s'", path) : 0;
}

int output_directory_make(const char *path, struct mpp_error *error)
{
    int fd;
    if (output_directory_open(path, &fd, error))
        return -1;
    close(fd);
    return 0;
}
