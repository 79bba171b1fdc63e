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

#include "mpp_error.h"

struct joblog {
    FILE *file;   /* NULL: no log is written */
    uint64_t seq; /* of the last line */
};

struct joblog_entry {
    const char *host; /* "" or NULL: unknown, shown as ":" */
    double end_s;     /* since 1970 */
    double run_s;
    uint64_t sent_bytes, received_bytes;
    int exit_value, signal;
    const char *source;
};

/* path NULL: no log is written, and the other functions do nothing. `append` keeps an existing log
 * and continues its Seq numbers; otherwise it is overwritten. */
int joblog_open(struct joblog *joblog, const char *path, bool append, struct mpp_error *error);
int joblog_put(struct joblog *joblog, const struct joblog_entry *entry, struct mpp_error *error);
int joblog_close(struct joblog *joblog, struct mpp_error *error);

#endif
