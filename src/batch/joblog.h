/* SPDX-License-Identifier: MIT */
/*
 * joblog: writes one line for each finished task, in the format of GNU parallel's --joblog, for
 * tools that read that format.
 *
 * The columns are separated by tabs: Seq Host Starttime JobRuntime Send Receive Exitval Signal
 * Command. Times are in seconds (Starttime since 1970), Send and Receive are the bytes read and
 * written. Command is the program's name and the source; control characters are shown as \ooo.
 */
#ifndef JOBLOG_H
#define JOBLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "journal_line.h"
#include "mpp_error.h"

struct joblog {
    FILE *file;   /* NULL: no log is written */
    uint64_t seq; /* of the last line */
};

/* path NULL: no log is written, and the other functions do nothing. `append` keeps an existing log
 * and continues its Seq numbers; otherwise it is overwritten. */
int joblog_open(struct joblog *joblog, const char *path, bool append, struct mpp_error *error);
/* signal: what killed the worker; 0: nothing. */
int joblog_put(struct joblog *joblog, const struct journal_record *record, int signal,
               uint64_t output_bytes, struct mpp_error *error);
int joblog_close(struct joblog *joblog, struct mpp_error *error);

#endif
