/* SPDX-License-Identifier: MIT */
/*
 * journal: a file that records what came of each task of a run, so that a later run can skip what
 * is done (--resume). Its format is documented in the manual page mpbatch-journal(5).
 *
 * Writing: lines are collected in memory and written in batches; journal_sync writes them to disk.
 * When a run is killed, the last line can be incomplete; the next run removes it. Only one run at a
 * time can write a journal: the file is locked. On a file system without locks this is not
 * enforced.
 *
 * Error texts of journal_open begin with "the journal 'PATH'".
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "journal_index.h"
#include "journal_line.h"
#include "journal_window.h"
#include "mpp_error.h"

struct journal {
    pthread_mutex_t mutex;
    int fd;             /* -1: there is no journal; the other functions do nothing */
    bool read_only;     /* opened with JOURNAL_READ: the functions that write do nothing */
    uint32_t run;       /* the number of this run, from 1; read_only: of the last one that wrote */
    struct buf pending; /* lines not written yet */
    uint64_t size;      /* of the file, in complete lines */
    uint64_t synced;    /* so many of these bytes are on disk */
    bool failed;        /* writing failed once; nothing more is written */
    struct journal_window window; /* of journal_read_line */
};

enum journal_mode {
    /* Begin a new journal. An existing file is renamed to FILE.old, or FILE.old.2, .3 and so on:
     * the first name that is free. It is overwritten if it holds nothing but headers of runs. */
    JOURNAL_FRESH,
    JOURNAL_RESUME, /* read an existing journal into *index, then add to it */
    JOURNAL_READ,   /* read an existing journal into *index, write nothing */
};

/* Opens and locks the journal. Blocks while an existing journal is read. Fails if another run is
 * writing the journal. JOURNAL_FRESH does not use *index. */
int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *index,
                 struct mpp_error *error);

/* May be called by several threads at once. -1: the journal cannot be written, now or since a
 * previous call, and the file is truncated to its complete lines, if possible; or the line would be
 * longer than JOURNAL_LINE_MAX, and is left out. */
int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error);

/* Writes pending lines and waits until they are on disk. May be called by several threads. -1: as
 * above; lines written since the previous sync may be lost. */
int journal_sync(struct journal *journal, struct mpp_error *error);

/* Reads the complete line that begins at this offset, without its newline: the `line` of an entry.
 * *line is valid until the next call. May be called while the journal is written, but only by one
 * thread. */
int journal_read_line(struct journal *journal, uint64_t at, const char **line, size_t *size,
                      struct mpp_error *error);

/* Syncs and closes. -1: lines are missing, also if writing failed before. */
int journal_close(struct journal *journal, struct mpp_error *error);

#endif
