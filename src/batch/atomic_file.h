/*
 * atomic_file: a file that appears whole or not at all, at a place that cannot be led astray.
 *
 * Calling sequence: atomic_file_open, atomic_file_write as often as needed, atomic_file_commit; or
 * atomic_file_abandon at any point, which is harmless after a commit and on ATOMIC_FILE_INIT.
 * Wherever one of them returns -1, nothing is left behind once atomic_file_abandon was called.
 *
 * Where the file system can (O_TMPFILE), the new file has no name until it is complete, so that
 * even a killed process leaves nothing; elsewhere, and while it replaces another, it has a
 * temporary name in the same directory. That depends on the file's name alone: what a killed
 * process has left is taken away by the next that writes the same file.
 * Nothing is synced to disk: a file is whole for every reader, not after a power failure.
 */
#ifndef ATOMIC_FILE_H
#define ATOMIC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "mpp_error.h"

#define ATOMIC_FILE_PREFIX ".mpthumb-" /* of temporary names */

struct atomic_file {
    int directory;
    int fd;
    bool named;       /* it has its temporary name in the directory */
    const char *path; /* as given to atomic_file_open */
    const char *name; /* its last component */
    char temporary[48];
    struct stat own; /* once it is being committed */
};

#define ATOMIC_FILE_INIT                                                                           \
    (struct atomic_file)                                                                           \
    {                                                                                              \
        .directory = -1, .fd = -1                                                                  \
    }

/* Opens a directory to put files below, and makes it and its parents where they are missing. The
 * caller closes *fd. */
int output_directory_open(const char *path, int *fd, struct mpp_error *error);

/* Begins a file at `path` below the directory `root`. Directories on the way are made; a symbolic
 * link on the way is refused, and so are `..` and a leading slash. `path` must stay valid until
 * commit or abandon. */
int atomic_file_open(struct atomic_file *file, int root, const char *path, struct mpp_error *error);

int atomic_file_write(struct atomic_file *file, const void *bytes, size_t size,
                      struct mpp_error *error);

/* Is what stands at the place now this very file? */
bool atomic_file_is_at(const struct atomic_file *file, const struct stat *other);

/* Puts the file in its place. Something there that is no regular file is an error. A regular file
 * there is replaced if `replace`; otherwise *exists becomes true and the new file is dropped. */
int atomic_file_commit(struct atomic_file *file, bool replace, bool *exists,
                       struct mpp_error *error);

/* Has the file at the place exactly these bytes? For after a commit that found one. */
bool atomic_file_holds(const struct atomic_file *file, const void *bytes, size_t size);

void atomic_file_abandon(struct atomic_file *file);

#endif
