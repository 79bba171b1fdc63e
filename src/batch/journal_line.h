/* SPDX-License-Identifier: MIT */
/*
 * journal_line: the lines of a journal, written to a buffer and read from memory. Pure.
 *
 * The format is documented in the manual page mpbatch-journal(5).
 */
#ifndef JOURNAL_LINE_H
#define JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "result_ref.h"
#include "task_identity.h"

#define JOURNAL_FORMAT   2                 /* that is written; formats from 1 on are read */
#define JOURNAL_LINE_MAX ((size_t)1 << 20) /* bytes of a line with its newline */

enum journal_status { JOURNAL_DONE, JOURNAL_FAILED, JOURNAL_SKIPPED };

/* A line about one task, to be written. */
struct journal_record {
    struct task_identity identity;
    enum journal_status status;
    const enum journal_status *was; /* what the journal said before; NULL: nothing */
    const char *error;              /* NULL: none */
    int64_t size_bytes; /* of the input; negative: size_bytes and mtime_ns are unknown */
    int64_t mtime_ns;   /* of the input, since 1970 */
    const char *output; /* the file that the task wrote; NULL: none */
    uint64_t xxh3;      /* of that file */
    struct result_ref result;
    struct mpp_bytes fields; /* further members, as JSON: "width":50,"height":38 */
    int64_t end_ms;          /* when the task ended, since 1970, by the clock of rank 0 */
    int rank;                /* -1: the task was not given to any rank; ignores what follows */
    int worker;              /* slot on that rank */
    double run_s;
    const char *host;
    int attempts;
};

/* An option that decides what comes out. A run with another value cannot continue the journal. */
struct journal_option {
    const char *name; /* with the two dashes */
    const char *value;
};

struct journal_header {
    const char *version;
    const char *libraries; /* names and versions: they can affect the outputs, too */
    const char *host;
    const char *job;
    const struct journal_option *options;
    size_t option_count;
};

/* What a journal says about one task. */
struct journal_entry {
    uint64_t hash[2];    /* task_identity_hash; 0, 0: free slot */
    int64_t size_bytes;  /* of the input; negative: unknown */
    int64_t mtime_ns;    /* of the input */
    uint64_t xxh3;       /* of the output file; 0: there is none */
    uint64_t line : 62;  /* where the line begins in the file */
    uint64_t status : 2; /* enum journal_status */
};

void journal_put_record(struct buf *out, const struct journal_record *record);

/* run: the number of the run that adds the header, from 1. */
void journal_put_header(struct buf *out, const struct journal_header *header, uint32_t run,
                        int64_t now_s);

/* Whether an incomplete line can be the beginning of a header line that a killed run left. */
bool journal_begins_like_header(const char *line, size_t size);

/* Reads a line about a task, of format 1 or 2, without its newline. The identity's key is stored in
 * *key; entry->line is not set. False: it is not such a line. */
bool journal_read_task(const char *line, size_t size, struct buf *key,
                       struct task_identity *identity, struct journal_entry *entry);

/* Reads where the result is that a line tells of. An inline result is stored in *bytes. False: the
 * line is not well-formed. */
bool journal_read_result(const char *line, size_t size, struct buf *bytes, struct result_ref *ref);

#endif
