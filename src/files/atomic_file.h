/* SPDX-License-Identifier: MIT */
/*
 * atomic_file: writes a file that appears complete under its name, or not at all.
 *
 * Calling sequence: atomic_file_open, atomic_file_write as often as needed, atomic_file_commit.
 * Call atomic_file_abandon at the end in every case: it removes an uncommitted file and releases
 * the descriptors. It does nothing to a committed file, to a file abandoned before, and to
 * ATOMIC_FILE_INIT. After an error of any function here, atomic_file_abandon leaves nothing behind.
 *
 * Where the file system supports O_TMPFILE, a new file has no name until it is complete, so that
 * even a process killed by SIGKILL leaves nothing. Otherwise, and while an existing file is being
 * replaced, the new file has a temporary name in the same directory. The temporary name is a
 * function of the file's name alone, so that the next process that writes the same file removes
 * what a killed process left.
 *
 * Nothing is synced to disk: readers never see half a file, but a power failure can lose it.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "mpp_error.h"

#define ATOMIC_FILE_PREFIX ".mpthumb-" /* temporary names begin with this */

struct atomic_file {
    int directory; /* descriptor of the file's directory */
    int fd;
    bool named;       /* the file has its temporary name in the directory */
    const char *path; /* as given to atomic_file_open */
    const char *name; /* the last component of path */
    char temporary[48];
    struct stat own; /* of fd; set by atomic_file_commit */
};

#define ATOMIC_FILE_INIT                                                                           \
    (struct atomic_file)                                                                           \
    {                                                                                              \
        .directory = -1, .fd = -1                                                                  \
    }

/* Begins a file at `path` below the directory `root` (see output_directory.h). Creates the
 * directories of `path`. Refuses paths that could lead out of `root`: a symbolic link as a
 * directory, a `..`, a leading slash. `path` must stay valid until commit or abandon. */
int atomic_file_open(struct atomic_file *file, int root, const char *path, struct mpp_error *error);

/* Begins a file at any path; `..` and symbolic links are allowed in its directory, which is created
 * if it is missing. -1: errno says why. */
int atomic_file_create(struct atomic_file *file, const char *path, struct mpp_error *error);

int atomic_file_write(struct atomic_file *file, const void *bytes, size_t size,
                      struct mpp_error *error);

/* True if the file that has the final name now is the file described by `other`. */
bool atomic_file_is_at(const struct atomic_file *file, const struct stat *other);

/* Gives the file its final name. If a regular file has that name already, it is replaced if
 * `replace`; otherwise the new file is dropped, *exists becomes true, and 0 is returned. If
 * anything else has that name, this is an error. */
int atomic_file_commit(struct atomic_file *file, bool replace, bool *exists,
                       struct mpp_error *error);

/* True if the file with the final name has exactly these bytes. Used after a commit that found an
 * existing file. */
bool atomic_file_holds(const struct atomic_file *file, const void *bytes, size_t size);

void atomic_file_abandon(struct atomic_file *file);

#endif
