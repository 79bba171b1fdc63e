/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_message: encodes and decodes what the pool carries between rank 0 and the workers: the
 * payload of the thumbnail job, a struct thumbnail_task, and its result, a struct
 * thumbnail_outcome. Both are encoded field by field, little-endian.
 */
#ifndef THUMBNAIL_MESSAGE_H
#define THUMBNAIL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "mppool.h"
#include "thumbnail_info.h"
#include "thumbnail_task.h"

enum thumbnail_status {
    THUMBNAIL_DONE,
    THUMBNAIL_SKIPPED,      /* neither its name nor its content is that of an image */
    THUMBNAIL_OWN_OUTPUT,   /* skipped: it is a thumbnail of an earlier run */
    THUMBNAIL_KEPT,         /* its output existed already */
    THUMBNAIL_CANNOT_WRITE, /* neither this output nor any other can be written; see `text` */
};

struct thumbnail_outcome {
    enum thumbnail_status status;
    bool mismatch; /* name and content have different formats */
    uint64_t source_bytes;
    int64_t source_mtime_ns;
    uint64_t output_bytes;
    uint64_t output_xxh3;       /* XXH3, 64 bits; 0 if none was written */
    const char *text;           /* with CANNOT_WRITE: the reason; otherwise "" */
    struct thumbnail_info info; /* zero unless the source was decoded */
};

/* Appends to `to`; check `to->failed` afterwards. */
void thumbnail_task_encode(const struct thumbnail_task *task, struct buf *to);

/* The strings of the decoded task point into the payload. */
int thumbnail_task_decode(struct mpp_bytes payload, struct thumbnail_task *task,
                          struct mpp_error *error);

/* Appends to `to`; check `to->failed` afterwards. */
void thumbnail_outcome_encode(const struct thumbnail_outcome *outcome, struct buf *to);

/* The text of the decoded outcome points into the result. */
int thumbnail_outcome_decode(struct mpp_bytes result, struct thumbnail_outcome *outcome,
                             struct mpp_error *error);

#endif
