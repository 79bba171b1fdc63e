/* SPDX-License-Identifier: MIT */
/*
 * spool: files in which worker processes store large results until rank 0, or a task of the next
 * stage, reads them. All ranks must see the directory.
 *
 * There is one file for each worker slot of each rank and each run, RUN-RANK-SLOT.spool, and only
 * the worker process on that slot appends to it. A reference carries a checksum, and must be handed
 * on only after the result is synced to disk; several results may share a sync. What a killed
 * worker left at the end of its file is never referred to.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "mpp_error.h"
#include "result_ref.h"

/* ---- Writing, in a worker process ---- */

struct spool_writer;

/* Opens the file for appending; the directory must exist. NULL: *error is filled, and errno says
 * why. */
struct spool_writer *spool_writer_new(const char *directory, uint32_t run, uint32_t rank,
                                      uint32_t slot, struct mpp_error *error);
/* Keeps errno; NULL is allowed. */
void spool_writer_free(struct spool_writer *writer);

/* Appends to the current result; the first call after a finished or dropped result begins one. -1:
 * errno says why, and further calls fail in the same way until the result is finished or
 * dropped. */
int spool_writer_put(struct spool_writer *writer, const void *bytes, size_t size,
                     struct mpp_error *error);

/* Ends the current result. -1: errno says why, and the result is dropped. */
int spool_writer_finish(struct spool_writer *writer, struct result_ref *ref,
                        struct mpp_error *error);

/* Waits until all finished results are on disk. -1: errno says why; those since the last successful
 * sync may be lost. */
int spool_writer_sync(struct spool_writer *writer, struct mpp_error *error);

/* Forgets the current result. Keeps errno. */
void spool_writer_drop(struct spool_writer *writer);

/* ---- Reading ---- */

enum { SPOOL_OPEN_MAX = 64 }; /* files that a reader keeps open */

struct spool_reader;

/* `directory` must stay valid. NULL: out of memory. */
struct spool_reader *spool_reader_new(const char *directory, struct mpp_error *error);
void spool_reader_free(struct spool_reader *reader); /* NULL is allowed */

/* Reads a part of a result. -1: the file is missing or too short, or cannot be read. */
int spool_read(struct spool_reader *reader, const struct result_ref *ref, uint64_t at, void *to,
               size_t size, struct mpp_error *error);

/* Removes the spool files of some runs, and the directory if it is empty then. A directory that
 * does not exist is no error. */
int spool_remove(const char *directory, uint32_t first_run, uint32_t last_run,
                 struct mpp_error *error);

#endif
