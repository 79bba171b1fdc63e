/* SPDX-License-Identifier: MIT */
/*
 * result_stream: struct mpb_output, the stream of bytes that a run writes on rank 0: stdout, or a
 * file that appears under its name when the run has written all of it. Results are read in pieces
 * with it, on any rank.
 */
#ifndef RESULT_STREAM_H
#define RESULT_STREAM_H

#include "atomic_file.h"
#include "mpbatch.h"
#include "result_ref.h"
#include "spool.h"

struct mpb_output {
    const char *path;        /* NULL: stdout */
    struct atomic_file file; /* unless stdout */
    struct buf pending;      /* not written yet */
    int failed;              /* errno of the first failure; 0: none */
};

/* path NULL or "-": stdout. `path` must stay valid. */
int result_stream_open(struct mpb_output *output, const char *path, struct mpp_error *error);

/* Hands on a result in pieces of at most 1 MiB. A spooled one is read through `reader`, and its
 * checksum is compared before the last piece is handed on. piece NULL: only compares. */
int result_stream_pieces(const struct result_ref *ref, const char *input,
                         struct spool_reader *reader,
                         int (*piece)(void *context, const struct mpb_piece *piece,
                                      struct mpp_error *error),
                         void *context, struct mpp_error *error);

/* Writes what is pending. A file is synced to disk and gets its name; a regular file that has it is
 * replaced. */
int result_stream_commit(struct mpb_output *output, struct mpp_error *error);

/* Writes what is pending on stdout; removes an uncommitted file. Accepts a zero struct that has
 * ATOMIC_FILE_INIT. */
void result_stream_release(struct mpb_output *output);

#endif
