/* SPDX-License-Identifier: MIT */
/*
 * result_ref: where the result of a task is: in the reference itself if it is small, otherwise in a
 * spool file. Workers make references, the journal keeps them, and tasks of a stage are told their
 * members by them.
 */
#ifndef RESULT_REF_H
#define RESULT_REF_H

#include "buf.h"
#include "mppool.h"

#define RESULT_INLINE_MAX 1024 /* bytes; larger results are spooled */

enum result_place {
    RESULT_NONE,    /* the task has no result */
    RESULT_INLINE,  /* in `bytes` */
    RESULT_SPOOLED, /* in a spool file */
};

struct result_ref {
    enum result_place place;
    struct mpp_bytes bytes; /* INLINE */

    /* SPOOLED: the file is that of one worker slot of one rank in one run. */
    uint32_t run, rank, slot;
    uint64_t offset, size; /* in the file, in bytes */
    uint64_t xxh3;         /* XXH3, 64 bits, of the result */
};

/* Appends to `to`; check `to->failed` afterwards. */
void result_ref_put(struct buf *to, const struct result_ref *ref);

/* The bytes point into the reader's memory. A malformed reference sets from->failed. */
void result_ref_get(struct reader *from, struct result_ref *ref);

/* The checksum of the result, wherever it is. */
uint64_t result_ref_xxh3(const struct result_ref *ref);

#endif
