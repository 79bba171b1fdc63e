/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_source: loads the source of a task: opens the file, recognises its format, and reads it
 * unless it is large. Several threads may load sources at a time.
 */
#ifndef THUMBNAIL_SOURCE_H
#define THUMBNAIL_SOURCE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "buf.h"
#include "mpp_error.h"
#include "thumbnail_task.h"

struct thumbnail_source {
    int fd;
    struct stat status;
    bool not_image; /* neither its name nor its content is that of an image: skip it */
    bool streams;   /* it is read while it is decoded */
    struct buf bytes;
    struct thumbnail_source *next; /* in the list of unused sources */
};

/* dry_run: recognise the file, but do not read it. The caller frees the source. NULL: it cannot be
 * used; error says why, errno is kept. */
struct thumbnail_source *thumbnail_source_load(const struct thumbnail_task *task, bool dry_run,
                                               struct mpp_error *error);
void thumbnail_source_free(struct thumbnail_source *source);

/* Frees the memory of unused sources. Call it when no thread loads or frees sources any more. */
void thumbnail_source_free_unused(void);

/* Reads the file into `bytes`, if it was too large for thumbnail_source_load to read it. */
int thumbnail_source_read(struct thumbnail_source *source, struct mpp_error *error);

/* Reads a part of a source that streams: the read_at of struct byte_source. */
bool thumbnail_source_read_at(void *source, uint64_t at, void *to, size_t size);

#endif
