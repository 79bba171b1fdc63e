/*
 * account: what a run of mpthumb writes down, on rank 0: the journal, which a later run takes up,
 * the job log, and summary.json.
 */
#ifndef RUN_LOG_H
#define RUN_LOG_H

#include "joblog.h"
#include "journal.h"
#include "mppool.h"
#include "mpthumb_options.h"
#include "summary.h"

struct run_log {
    struct journal journal;
    struct journal_index past;
    struct joblog joblog;
    char *journal_path; /* NULL: there is no journal, and no summary.json */
    char *summary_path;
    double begun_s; /* since 1970 */
};

/* How the run ended, for summary.json. */
struct run_log_end {
    int exit_status;
    const char *stopped_by; /* NULL: it was not */
    double elapsed_s;
};

/* Opens, after the output directory has been made, and reads what earlier runs wrote. -1: another
 * run writes this journal, or its options were others, or a file cannot be written. */
int run_log_open(struct run_log *account, const struct options *options, struct mpp_error *error);

/* What the journal says of this source; NULL: nothing. */
const struct journal_entry *run_log_past(const struct run_log *account, const char *source);

/* An input has come to its end. outcome: NULL where it came to no rank. -1: a file cannot be
 * written. */
int run_log_note(struct run_log *account, const struct journal_record *record,
                 const struct mpp_outcome *outcome, uint64_t output_bytes, struct mpp_error *error);

/* Writes summary.json, closes; the first thing that failed is the error. */
int run_log_close(struct run_log *account, const struct summary *summary,
                  struct mpp_executor *executor, const struct run_log_end *end,
                  struct mpp_error *error);

void run_log_release(struct run_log *account); /* closes and frees; zero is fine */

#endif
