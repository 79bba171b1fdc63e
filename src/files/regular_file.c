/* SPDX-License-Identifier: MIT */
/* Opens regular files: see regular_file.h. */
#include "regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int refuse_open(const char *path, struct mpp_error *error)
{
    struct stat status;
    switch (errno) {
    case ENOENT:
        if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
            mpp_error_set(error, "a dangling symbolic link");
        else
            mpp_error_set(error, "no such file");
        errno = ENOENT;
        return -1;
    case EACCES:
        return mpp_error_set(error, "permission denied");
    case ELOOP:
        return mpp_error_set(error, "a loop of symbolic links");
    case ENXIO:
        return mpp_error_set(error, "a socket or a device, not a regular file");
    default:
        return mpp_error_set_errno(error, "cannot open");
    }
}

static int refuse_type(mode_t mode, struct mpp_error *error)
{
    const char *what = "something else";
    if (S_ISDIR(mode))
        what = "a directory";
    else if (S_ISFIFO(mode))
        what = "a FIFO";
    else if (S_ISCHR(mode) || S_ISBLK(mode))
        what = "a device";
    else if (S_ISSOCK(mode))
        what = "a socket";
    return mpp_error_set(error, "%s, not a regular file", what);
}

int regular_file_open_with(const char *path, int flags, struct stat *status)
{
    int fd = TEMP_FAILURE_RETRY(open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666));
    if (fd < 0)
        return -1;
    int failed = fstat(fd, status);
    if (!failed && S_ISREG(status->st_mode))
        return fd;
    int saved = failed ? errno : 0;
    close(fd);
    errno = saved;
    return -1;
}

int regular_file_open(const char *path, struct stat *status, struct mpp_error *error)
{
    int fd = regular_file_open_with(path, O_RDONLY, status);
    if (fd < 0)
        return errno ? refuse_open(path, error) : refuse_type(status->st_mode, error);
    return fd;
}
