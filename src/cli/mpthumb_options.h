/*
 * options: the command line of mpthumb as a struct. Nothing is opened, nothing printed.
 */
#ifndef MPTHUMB_OPTIONS_H
#define MPTHUMB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"
#include "thumbnailer.h"

#define TIME_LIMIT_AUTO (-1.0)

struct options {
    bool help;
    bool version;

    char *const *inputs; /* within argv */
    size_t input_count;
    const char *files_from; /* NULL: none; "-": stdin */
    bool null;              /* its names end with a zero byte */

    const char *output; /* a directory; NULL with beside */
    bool flat;
    bool beside;
    const char *suffix; /* "" for none */

    struct thumbnail_options image; /* format NULL: same as the source */
    int workers;                    /* a rank; 0: as many as there are cores */
    int read_ahead;                 /* inputs a worker */

    const char *journal; /* NULL: in the output directory, or none with beside */
    bool no_journal;
    double journal_sync_s;
    const char *joblog; /* NULL: none */
    bool resume;        /* also with retry_failed */
    bool retry_failed;
    bool skip_existing;
    bool verify;
    double timeout_s; /* of one file; 0: none */
    int retries;
    uint64_t failures_max;       /* 0: any number */
    double failures_max_percent; /* 0: any */
    double time_limit_s;         /* 0: none; TIME_LIMIT_AUTO: the batch system's */
    int shard, shards;           /* this one, from 1, of so many; 0: all there is */

    bool verbose;
    bool quiet;
    bool dry_run;
};

/* Reorders argv, as getopt does: inputs and options may be mixed, and `--` ends the options. With
 * help or version nothing else is checked. Not to be called from two threads. */
int options_parse(int argc, char **argv, struct options *options, struct mpp_error *error);

#endif
