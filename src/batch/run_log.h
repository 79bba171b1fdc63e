/* SPDX-License-Identifier: MIT */
/*
 * run_log: the files in which a run records what it did: the journal, which a later run with
 * --resume reads, the job log, and summary.json. Rank 0 only.
 */
#ifndef RUN_LOG_H
#define RUN_LOG_H

#include "console.h"
#include "joblog.h"
#include "journal.h"
#include "mpbatch.h"
#include "run_directory.h"
#include "run_options.h"

struct run_log {
    struct journal journal;
    struct journal_index index; /* what earlier runs wrote into the journal */
    struct joblog joblog;
    const char *journal_path; /* NULL: neither a journal nor summary.json is written */
    const char *summary_path;
    const struct mpb_job *job;
    double begun_s; /* since 1970 */
};

/* How the run ended, for summary.json. */
struct run_log_end {
    int exit_status;
    const char *stopped_by; /* why it stopped early; NULL: it did not */
    double elapsed_s;
};

/* Opens the files, and reads the journal of earlier runs if the options ask for it. libraries: the
 * text of --version. The directory must stay valid. -1: another run is writing the journal, the
 * journal was written by another job or with other options, or a file cannot be opened. */
int run_log_open(struct run_log *log, const struct run_directory *directory,
                 const struct run_options *options, const struct mpb_job *job, const void *settings,
                 const char *libraries, struct mpp_error *error);

/* Reads the result that an earlier run recorded; the bytes of a small one are stored in *line.
 * RESULT_NONE: the line has none, or a damaged one. -1: the journal cannot be read. */
int run_log_read_result(struct run_log *log, const struct journal_entry *entry, struct buf *line,
                        struct result_ref *ref, struct mpp_error *error);

/* Records that a task has ended; fills record->was. outcome: NULL if it was not given to the pool.
 * -1: a file cannot be written. */
int run_log_add(struct run_log *log, struct journal_record *record,
                const struct mpp_outcome *outcome, uint64_t output_bytes, struct mpp_error *error);

/* Writes summary.json, unless the run writes nothing, and closes the files. Does all of this even
 * if a step fails; error is the first failure. */
int run_log_close(struct run_log *log, const struct console *console, struct mpp_executor *executor,
                  const struct run_log_end *end, struct mpp_error *error);

/* Closes open files and frees all memory. May also be called after run_log_open failed, and with an
 * all-zero struct. */
void run_log_release(struct run_log *log);

#endif
