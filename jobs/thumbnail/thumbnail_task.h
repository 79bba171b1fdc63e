/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_task: what a worker process is told about one image, and about the run. Rank 0 makes a
 * struct thumbnail_task for each image; every rank makes the same struct thumbnail_setup from the
 * command line.
 */
#ifndef THUMBNAIL_TASK_H
#define THUMBNAIL_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "thumbnail_options.h"

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

#endif
