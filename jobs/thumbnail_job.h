/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_job: the job that makes a thumbnail of one file: it reads and decodes the image, blurs
 * and shrinks it, and writes the encoded result.
 *
 * The job's initargs are a struct thumbnail_setup. Its payload is a struct thumbnail_task, its
 * result a struct thumbnail_outcome; both are encoded field by field, little-endian, by the
 * functions below.
 */
#ifndef THUMBNAIL_JOB_H
#define THUMBNAIL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "mppool.h"
#include "thumbnailer.h"

extern const struct mpp_job thumbnail_job;

/* Settings that are the same for all tasks of a run. */
struct thumbnail_setup {
    /* If `image.format` is NULL, each output has the format of its source's name, or, if the name
     * has no known extension, of its source's content. */
    struct thumbnail_options image;
    const char *output; /* the output directory; NULL: each output goes next to its source */
    bool dry_run;       /* check the sources, write nothing */
};

enum thumbnail_flag {
    THUMBNAIL_WALKED = 1,     /* found in a directory: skip it if it is not an image */
    THUMBNAIL_LISTED = 2,     /* named in a list: refuse it if it is in the output directory */
    THUMBNAIL_NO_REPLACE = 4, /* the output could replace an input: replace no existing file */
    THUMBNAIL_SUFFIXED = 8,   /* its name ends like a thumbnail's: skip it if it fits the box */
    THUMBNAIL_RECORDED = 16,  /* `recorded` is valid: keep the output if the source is unchanged */
    THUMBNAIL_EXISTING = 32,  /* keep any output that exists */
    THUMBNAIL_VERIFY = 64,    /* with RECORDED: keep the output only if its checksum is right */
    THUMBNAIL_CHECK = 128,    /* compare the output with the record, make no thumbnail */
};

/* What the journal of an earlier run says about a source and its thumbnail. */
struct thumbnail_record {
    int64_t size_bytes, mtime_ns; /* of the source */
    uint64_t xxh3;                /* of the output */
};

struct thumbnail_task {
    unsigned flags;
    const char *source;
    const char *output; /* relative to the output directory, or to the source's directory */
    struct thumbnail_record recorded;
};

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
