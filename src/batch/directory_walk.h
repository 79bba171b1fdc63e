/*
 * walk: the files below a directory, in a stable order, without opening any of them.
 *
 * Entries of a directory come in bytewise order, a directory's files at its own place among them.
 * Links to files are reported, links to directories are not followed. Memory: one sorted listing
 * for each level of depth. No descriptor stays open between calls. Our own temporary files
 * (ATOMIC_FILE_PREFIX) and journals (OUR_DIRECTORY) are no files of anybody's.
 */
#ifndef DIRECTORY_WALK_H
#define DIRECTORY_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "mpp_error.h"

#define OUR_DIRECTORY ".mpthumb" /* of journals, in an output directory */

struct walk_level {
    struct buf names; /* a type byte (DT_*) and a terminated name each */
    size_t *order;    /* offsets into names, sorted */
    size_t count;
    size_t next;
    size_t path_size; /* of the directory with its slash */
};

struct directory_walk {
    struct walk_level *levels;
    size_t depth;
    size_t capacity;
    size_t top_size; /* of the path that directory_walk_start was given, with its slash */
    bool excluding;  /* a directory that is passed over wherever it is met: */
    dev_t exclude_dev;
    ino_t exclude_ino;
    char path[PATH_MAX];
};

enum walk_status {
    WALK_FILE, /* walk->path, and from walk->path + walk->top_size relative to the top */
    WALK_LINK, /* the same; a symbolic link to something that is no directory, or to nothing */
    WALK_BAD,  /* walk->path cannot be walked: error says why; the walk goes on */
    WALK_END,
};

void directory_walk_init(struct directory_walk *walk);
void directory_walk_release(struct directory_walk *walk);

/* A directory of this identity is not entered, unless it is the top. */
void directory_walk_exclude(struct directory_walk *walk, dev_t dev, ino_t ino);

/* Begins at a directory, the former walk having ended; a link is followed here. */
int directory_walk_start(struct directory_walk *walk, const char *directory,
                         struct mpp_error *error);

enum walk_status directory_walk_next(struct directory_walk *walk, struct mpp_error *error);

#endif
