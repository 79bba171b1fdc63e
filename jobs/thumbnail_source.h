/*
 * thumbnail_source: the image a task is about: opened, looked at, and, unless it is large, read.
 * Loads may run on several threads at a time.
 */
#ifndef THUMBNAIL_SOURCE_H
#define THUMBNAIL_SOURCE_H

#include <sys/stat.h>

#include "thumbnail_job.h"

struct thumbnail_source {
    int fd;
    struct stat status;
    bool stranger; /* neither by name nor by content an image: passed over */
    bool mismatch; /* the name says one format and the content the other */
    bool streams;  /* it is read while it is decoded */
    bool kept;     /* its output is there already: nothing is to be done */
    struct buf bytes;
    struct thumbnail_source *next; /* spare */
};

/* NULL: error says what is wrong with it. */
struct thumbnail_source *thumbnail_source_load(const struct thumbnail_setup *setup,
                                               const struct thumbnail_task *task,
                                               struct mpp_error *error);
void thumbnail_source_free(struct thumbnail_source *source);

/* Frees the memory that is kept for the next sources; when no more will be loaded. */
void thumbnail_source_free_spare(void);

/* Reads the whole of one that was too large to be read ahead. */
int thumbnail_source_read(struct thumbnail_source *source, struct mpp_error *error);

/* For the decoder of a source that streams: image_source's read_at. */
bool thumbnail_source_read_at(void *source, uint64_t at, void *to, size_t size);

#endif
