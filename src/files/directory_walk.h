/* SPDX-License-Identifier: MIT */
/*
 * directory_walk: lists the files below a directory recursively, in a stable order, without opening
 * any of them.
 *
 * The entries of each directory are sorted bytewise; a subdirectory is walked at its place in that
 * order. Symbolic links to files are reported, symbolic links to directories are not followed.
 * Temporary files (ATOMIC_FILE_PREFIX) and directories named METADATA_DIRECTORY are left out.
 *
 * Memory: one sorted listing per level of depth. No descriptor stays open between two calls.
 */
#ifndef DIRECTORY_WALK_H
#define DIRECTORY_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "mpp_error.h"

#define METADATA_DIRECTORY ".mpthumb" /* in an output directory; for the files of the run */

struct walk_level {
    struct buf names; /* for each entry a type byte (DT_*) and the name with its zero byte */
    size_t *order;    /* offsets into names, sorted by name */
    size_t count;
    size_t next;      /* index into order */
    size_t path_size; /* of the directory's path with its slash */
};

struct directory_walk {
    struct walk_level *levels;
    size_t depth;
    size_t capacity;
    size_t top_size; /* of the path given to directory_walk_start, with its slash */
    bool excluding;  /* the directory exclude_dev, exclude_ino is left out */
    dev_t exclude_dev;
    ino_t exclude_ino;
    char path[PATH_MAX];
};

enum walk_status {
    WALK_FILE, /* the file walk->path; walk->path + walk->top_size is relative to the top */
    WALK_LINK, /* the same for a symbolic link that does not lead to a directory, or dangles */
    WALK_BAD,  /* walk->path cannot be walked, error says why; the walk can be continued */
    WALK_END,
};

void directory_walk_init(struct directory_walk *walk);
void directory_walk_release(struct directory_walk *walk);

/* Leaves out the directory with this device and inode number, unless it is the top of a walk. */
void directory_walk_exclude(struct directory_walk *walk, dev_t dev, ino_t ino);

/* Starts to walk a directory and abandons the previous walk. `directory` may be a symbolic link to
 * a directory. */
int directory_walk_start(struct directory_walk *walk, const char *directory,
                         struct mpp_error *error);

enum walk_status directory_walk_next(struct directory_walk *walk, struct mpp_error *error);

#endif
