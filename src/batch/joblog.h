/*
 * joblog: a line for each finished task in the columns of GNU parallel's --joblog, for the tools
 * that read those: Seq Host Starttime JobRuntime Send Receive Exitval Signal Command, separated by
 * tabs. Times are seconds (Starttime since 1970), Send and Receive bytes read and written; the
 * command is the program's name and the source, its control characters shown as \ooo.
 */
#ifndef JOBLOG_H
#define JOBLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mpp_error.h"

struct joblog {
    FILE *file; /* NULL: none */
    uint64_t seq;
};

struct joblog_entry {
    const char *host; /* "" or NULL: none */
    double end_s;     /* since 1970 */
    double run_s;
    uint64_t sent_bytes, received_bytes;
    int exit_value, signal;
    const char *source;
};

/* NULL as path: none. `append`: to what is there, whose lines are counted. */
int joblog_open(struct joblog *joblog, const char *path, bool append, struct mpp_error *error);
int joblog_put(struct joblog *joblog, const struct joblog_entry *entry, struct mpp_error *error);
int joblog_close(struct joblog *joblog, struct mpp_error *error);

#endif
