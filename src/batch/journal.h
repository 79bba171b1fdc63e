/* SPDX-License-Identifier: MIT */
/*
 * journal: a file that records what happened to each input of a run, so that a later run can skip
 * what is done (--resume).
 *
 * The lines and their format are explained in journal_line.h.
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
#include "mpp_error.h"

struct journal {
    pthread_mutex_t mutex;
    int fd;             /* -1: there is no journal; the other functions do nothing */
    struct buf pending; /* lines not written yet */
    uint64_t size;      /* of the file, in complete lines */
    bool unsynced;
    bool failed; /* writing failed once; nothing more is written */
};

enum journal_mode {
    JOURNAL_FRESH,  /* rename an existing journal to FILE.old, begin a new one */
    JOURNAL_RESUME, /* read an existing journal into *index, then add to it */
    JOURNAL_READ,   /* read an existing journal into *index, write nothing */
};

/* Opens and locks the journal. Blocks while an existing journal is read. Fails if another run is
 * writing the journal. JOURNAL_FRESH does not use *index. */
int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *index,
                 struct mpp_error *error);

/* May be called by several threads at once. -1: the journal cannot be written, now or since a
 * previous call; the file is then truncated to its complete lines, if possible. */
int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error);

/* Writes pending lines and waits until they are on disk. May be called by several threads. */
int journal_sync(struct journal *journal, struct mpp_error *error);

/* Syncs, unless writing failed before, and closes. */
int journal_close(struct journal *journal, struct mpp_error *error);

#endif
