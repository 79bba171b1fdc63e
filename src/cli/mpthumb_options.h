/* SPDX-License-Identifier: MIT */
/*
 * mpthumb_options: parses the command line of mpthumb into a struct. Opens and prints nothing.
 */
#ifndef MPTHUMB_OPTIONS_H
#define MPTHUMB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"
#include "thumbnail_options.h"

#define TIME_LIMIT_AUTO (-1.0)

struct mpthumb_options {
    bool help;
    bool version;

    char *const *inputs; /* points into argv */
    size_t input_count;
    const char *files_from; /* NULL: none; "-": standard input */
    bool null;              /* the names in it end with a zero byte */

    const char *output; /* the output directory; NULL with beside */
    bool flat;
    bool beside;
    const char *suffix; /* "" for none */

    struct thumbnail_options image; /* format NULL means --format same */
    int workers;                    /* per rank; 0: the cores that the rank may use */
    int read_ahead;                 /* inputs per worker */

    const char *journal; /* NULL: in the output directory; with beside none */
    bool no_journal;
    double journal_sync_s;
    const char *joblog; /* NULL: none */
    bool resume;        /* also set by --retry-failed */
    bool retry_failed;
    bool skip_existing;
    bool verify;
    double timeout_s; /* per file; 0: none */
    int retries;
    uint64_t failures_max;       /* 0: no limit */
    double failures_max_percent; /* 0: no limit */
    double time_limit_s;         /* 0: none; TIME_LIMIT_AUTO: that of the Slurm job */
    int shard, shards;           /* --shard I/N; 0: all inputs */

    bool verbose;
    bool quiet;
    bool dry_run;
};

/* Options may come after inputs; `--` ends the options. Reorders argv, as getopt does. Arguments
 * after --help or --version are not checked. Not thread-safe. */
int mpthumb_options_parse(int argc, char **argv, struct mpthumb_options *options,
                          struct mpp_error *error);

#endif
