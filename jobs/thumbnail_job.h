/*
 * thumbnail: the job that makes one thumbnail: read, decode, blur and shrink, encode, write.
 *
 * Its open takes a struct thumbnail_setup as initargs. Its payload is a task, its result an
 * outcome, both encoded field by field (little-endian).
 */
#ifndef THUMBNAIL_JOB_H
#define THUMBNAIL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "mppool.h"
#include "thumbnailer.h"

extern const struct mpp_job thumbnail_job;

/* The same for all tasks of a run. */
struct thumbnail_setup {
    struct thumbnail_options image; /* IMAGE_UNKNOWN as format: the source's, by name if it says */
    const char *output; /* the output directory; NULL: each output goes next to its source */
    bool dry_run;       /* only look at the sources */
};

enum thumbnail_flag {
    THUMBNAIL_WALKED = 1,     /* found in a directory: no image is no error */
    THUMBNAIL_LISTED = 2,     /* refused when it lies inside the output directory */
    THUMBNAIL_NO_REPLACE = 4, /* inputs may lie where the output goes: never replace one */
    THUMBNAIL_SUFFIXED = 8,   /* a thumbnail by its name: skipped if it fits the box already */
    THUMBNAIL_RECORDED = 16,  /* `recorded` is valid: kept if source and output are as they were */
    THUMBNAIL_EXISTING = 32,  /* kept if there is an output of any kind */
    THUMBNAIL_VERIFY = 64,    /* of what is recorded the output's checksum counts too */
    THUMBNAIL_CHECK = 128,    /* only that: nothing is made */
};

/* What an earlier run wrote down. */
struct thumbnail_record {
    int64_t size_bytes, mtime_ns; /* of the source */
    uint64_t xxh3;                /* of the output */
};

struct thumbnail_task {
    unsigned flags;
    const char *source;
    const char *output; /* below the output directory, or below the source's directory */
    struct thumbnail_record recorded;
};

enum thumbnail_status {
    THUMBNAIL_DONE,
    THUMBNAIL_SKIPPED,   /* neither by name nor by content an image */
    THUMBNAIL_THUMBNAIL, /* skipped: it is a thumbnail of an earlier run */
    THUMBNAIL_KEPT,      /* its output is there already */
    THUMBNAIL_NO_ROOM,   /* there is no room for its output, nor for others: text says why */
};

struct thumbnail_outcome {
    enum thumbnail_status status;
    bool mismatch; /* the name says JPEG and the content PNG, or the reverse */
    uint64_t source_bytes;
    int64_t source_mtime_ns;
    uint64_t output_bytes;
    uint64_t output_xxh3;       /* XXH3, 64 bits; 0 where none was written */
    const char *text;           /* "" but for NO_ROOM */
    struct thumbnail_info info; /* zero unless it was decoded */
};

void thumbnail_task_encode(const struct thumbnail_task *task, struct buf *to); /* may fail `to` */
/* The strings point into the payload. */
int thumbnail_task_decode(struct mpp_bytes payload, struct thumbnail_task *task,
                          struct mpp_error *error);

void thumbnail_outcome_encode(const struct thumbnail_outcome *outcome, struct buf *to);
/* The text points into the result. */
int thumbnail_outcome_decode(struct mpp_bytes result, struct thumbnail_outcome *outcome,
                             struct mpp_error *error);

#endif
