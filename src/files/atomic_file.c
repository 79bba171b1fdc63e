/* SPDX-License-Identifier: MIT */
/* A file that appears complete or not at all: see atomic_file.h. */
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "output_directory.h"
#include "output_name.h"
#include "read_write_full.h"

/* Sets the error for a component of `path` that could not be opened as a directory. */
static int component_error(int directory, const char *name, const char *path, size_t path_size,
                           struct mpp_error *error)
{
    struct stat status;
    int saved = errno;
    int shown = path_size < 800 ? (int)path_size : 800;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISLNK(status.st_mode))
            return mpp_error_set(
                error, "'%.*s' in the output directory is a symbolic link, which is not followed",
                shown, path);
        if (!S_ISDIR(status.st_mode))
            return mpp_error_set(error, "'%.*s' in the output directory is not a directory", shown,
                                 path);
    }
    errno = saved;
    return mpp_error_set_errno(error, "cannot open or create '%.*s' in the output directory", shown,
                               path);
}

static int open_component(int directory, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int fd = TEMP_FAILURE_RETRY(openat(directory, name, flags));
    if (fd < 0 && errno == ENOENT &&
        (TEMP_FAILURE_RETRY(mkdirat(directory, name, 0777)) == 0 || errno == EEXIST))
        fd = TEMP_FAILURE_RETRY(openat(directory, name, flags));
    return fd;
}

static bool is_plain_name(const char *name)
{
    return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Opens the directory of the file, one component after the other. */
static int open_directory(struct atomic_file *file, int root, struct mpp_error *error)
{
    char component[NAME_MAX + 1];
    const char *rest = file->path;
    file->directory = fcntl(root, F_DUPFD_CLOEXEC, 0);
    if (file->directory < 0)
        return mpp_error_set_errno(error, "cannot use the output directory");
    for (const char *slash; (slash = strchr(rest, '/')); rest = slash + 1) {
        size_t size = (size_t)(slash - rest);
        if (size > NAME_MAX)
            return mpp_error_set(error, "the name of a directory is longer than %d bytes",
                                 NAME_MAX);
        memcpy(component, rest, size);
        component[size] = '\0';
        if (!is_plain_name(component))
            return mpp_error_set(error, "'%.800s' is not a path below the output directory",
                                 file->path);
        int fd = open_component(file->directory, component);
        if (fd < 0)
            return component_error(file->directory, component, file->path,
                                   (size_t)(slash - file->path), error);
        close(file->directory);
        file->directory = fd;
    }
    file->name = rest;
    if (!is_plain_name(rest))
        return mpp_error_set(error, "'%.800s' is not a path below the output directory",
                             file->path);
    return 0;
}

static void choose_temporary(struct atomic_file *file)
{
    snprintf(file->temporary, sizeof file->temporary, ATOMIC_FILE_PREFIX "%016" PRIx64,
             XXH3_64bits(file->name, strlen(file->name)));
}

static int open_named(struct atomic_file *file)
{
    choose_temporary(file);
    for (int attempt = 0; attempt < 8; attempt++) {
        file->fd = TEMP_FAILURE_RETRY(
            openat(file->directory, file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (file->fd >= 0 || errno != EEXIST || unlinkat(file->directory, file->temporary, 0))
            break;
    }
    file->named = file->fd >= 0;
    return file->named ? 0 : -1;
}

int atomic_file_open(struct atomic_file *file, int root, const char *path, struct mpp_error *error)
{
    *file = ATOMIC_FILE_INIT;
    file->path = path;
    if (open_directory(file, root, error))
        return -1;
    if (access("/proc/self/fd", X_OK) == 0) /* needed to name an O_TMPFILE file */
        file->fd =
            TEMP_FAILURE_RETRY(openat(file->directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666));
    if (file->fd < 0 && open_named(file))
        return mpp_error_set_errno(error, "cannot write '%.800s'", path);
    return 0;
}

int atomic_file_create(struct atomic_file *file, const char *path, struct mpp_error *error)
{
    char directory[PATH_MAX];
    const char *name = output_name_base(path);
    int root, size = (int)(name - path);
    *file = ATOMIC_FILE_INIT;
    if (name - path >= PATH_MAX)
        return mpp_error_set(error, "the output's path is longer than %d bytes", PATH_MAX - 1);
    snprintf(directory, sizeof directory, "%.*s", size > 1 ? size - 1 : 1, size ? path : ".");
    if (output_directory_open(directory, &root, error))
        return -1;
    int failed = atomic_file_open(file, root, name, error), reason = errno;
    file->path = path; /* for error texts */
    if (failed)
        atomic_file_abandon(file);
    close(root);
    errno = reason;
    return failed;
}

int atomic_file_write(struct atomic_file *file, const void *bytes, size_t size,
                      struct mpp_error *error)
{
    return write_in_full(file->fd, bytes, size)
               ? mpp_error_set_errno(error, "cannot write '%.800s'", file->path)
               : 0;
}

static bool has_name(const struct atomic_file *file, const char *name, const struct stat *other)
{
    struct stat status;
    return fstatat(file->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           status.st_dev == other->st_dev && status.st_ino == other->st_ino;
}

bool atomic_file_is_at(const struct atomic_file *file, const struct stat *other)
{
    return has_name(file, file->name, other);
}

/* Gives the unnamed file (O_TMPFILE) a name. Fails with EEXIST if the name is taken. */
static int link_unnamed(struct atomic_file *file, const char *name)
{
    char self[48];
    snprintf(self, sizeof self, "/proc/self/fd/%d", file->fd);
    return linkat(AT_FDCWD, self, file->directory, name, AT_SYMLINK_FOLLOW);
}

/* Gives the file its final name. Fails with EEXIST if the name is taken. */
static int place_new(struct atomic_file *file)
{
    if (!file->named)
        return link_unnamed(file, file->name);
    if (renameat2(file->directory, file->temporary, file->directory, file->name,
                  RENAME_NOREPLACE) == 0) {
        file->named = false;
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    return linkat(file->directory, file->temporary, file->directory, file->name, 0);
}

/* Gives the file its final name and replaces the file that has it. */
static int place_over(struct atomic_file *file)
{
    if (!file->named) {
        choose_temporary(file);
        while (link_unnamed(file, file->temporary))
            if (errno != EEXIST || unlinkat(file->directory, file->temporary, 0))
                return -1;
        file->named = true;
    }
    if (renameat(file->directory, file->temporary, file->directory, file->name))
        return -1;
    file->named = false;
    return 0;
}

/* Checks what has the final name now: *exists is set if it is a regular file. */
static int check_place(const struct atomic_file *file, bool *exists, struct mpp_error *error)
{
    struct stat status;
    *exists = false;
    if (fstatat(file->directory, file->name, &status, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT)
            return 0;
        return mpp_error_set_errno(error, "cannot write '%.800s'", file->path);
    }
    if (!S_ISREG(status.st_mode))
        return mpp_error_set(error, "'%.800s' exists and is %s", file->path,
                             S_ISDIR(status.st_mode)   ? "a directory"
                             : S_ISLNK(status.st_mode) ? "a symbolic link"
                                                       : "not a regular file");
    *exists = true;
    return 0;
}

/* True if the file has its final name although naming it failed: an interrupted call can have
 * succeeded, and a process that writes the same output can have renamed our temporary file. */
static bool is_in_place(struct atomic_file *file)
{
    int saved = errno;
    bool ours = (saved == EINTR || saved == ENOENT) && atomic_file_is_at(file, &file->own);
    if (ours)
        file->named = false;
    errno = saved;
    return ours;
}

/* Another process can create or remove a file of this name between check_place and naming the
 * file. Naming it fails then, and both steps are repeated. */
static int place(struct atomic_file *file, bool replace, bool *exists, struct mpp_error *error)
{
    for (int attempt = 0; attempt < 8; attempt++) {
        if (check_place(file, exists, error))
            return -1;
        if (*exists && !replace)
            return 0;
        if ((*exists ? place_over(file) : place_new(file)) == 0 || is_in_place(file)) {
            *exists = false;
            return 0;
        }
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    return mpp_error_set_errno(error, "cannot write '%.800s'", file->path);
}

/* Closes fd. The directory stays open for atomic_file_holds. */
static int close_file(struct atomic_file *file)
{
    int result = file->fd >= 0 ? close(file->fd) : 0;
    file->fd = -1;
    return result;
}

/* Network file systems report write errors at close. So the file is closed before it gets its final
 * name. An unnamed file would vanish when its only descriptor is closed: here a duplicate is closed
 * instead, which makes the file system write back in the same way. */
static int flush_by_close(struct atomic_file *file, struct mpp_error *error)
{
    int result;
    if (file->named) {
        result = close_file(file);
    } else {
        int duplicate = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
        result = duplicate < 0 ? -1 : close(duplicate);
    }
    return result ? mpp_error_set_errno(error, "cannot write '%.800s'", file->path) : 0;
}

/* Fails if another run that writes the same output has taken over the temporary name. */
static int check_temporary(struct atomic_file *file, struct mpp_error *error)
{
    if (fstat(file->fd, &file->own))
        return mpp_error_set_errno(error, "cannot write '%.800s'", file->path);
    if (!file->named || has_name(file, file->temporary, &file->own))
        return 0;
    file->named = false; /* so that it is not removed */
    return mpp_error_set(error, "cannot write '%.800s': another run is writing it", file->path);
}

int atomic_file_commit(struct atomic_file *file, bool replace, bool *exists,
                       struct mpp_error *error)
{
    if (check_temporary(file, error) || flush_by_close(file, error) ||
        place(file, replace, exists, error))
        return -1;
    if (file->named) {
        unlinkat(file->directory, file->temporary, 0);
        file->named = false;
    }
    if (close_file(file))
        return mpp_error_set_errno(error, "cannot write '%.800s'", file->path);
    return 0;
}

bool atomic_file_holds(const struct atomic_file *file, const void *bytes, size_t size)
{
    struct stat status;
    int fd = TEMP_FAILURE_RETRY(
        openat(file->directory, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    bool same = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                status.st_size == (off_t)size;
    char *found = same ? malloc(size + 1) : NULL;
    same = found && pread_in_full(fd, found, size + 1, 0) == (ssize_t)size &&
           memcmp(found, bytes, size) == 0;
    free(found);
    if (fd >= 0)
        close(fd);
    return same;
}

void atomic_file_abandon(struct atomic_file *file)
{
    if (file->named)
        unlinkat(file->directory, file->temporary, 0);
    close_file(file);
    if (file->directory >= 0)
        close(file->directory);
    *file = ATOMIC_FILE_INIT;
}
