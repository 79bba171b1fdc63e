/* SPDX-License-Identifier: MIT */
/*
 * run_options: the options that every job has. A table of struct mpb_option, what they are parsed
 * into, and the rules which of them go together and mean something for a job.
 */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "mpbatch.h"

#define TIME_LIMIT_AUTO (-1.0)

enum { PATTERNS_MAX = 64 };

/* Of --include or --exclude. */
struct pattern_list {
    const char *patterns[PATTERNS_MAX];
    size_t count;
};

struct failure_limit {
    uint64_t count;   /* 0: no limit */
    uint64_t percent; /* of the inputs that have ended; 0: no limit */
};

struct shard {
    int number, count; /* number from 1 to count; 0, 0: all inputs */
};

struct run_options {
    struct mpb_run run; /* what jobs see */
    bool null;          /* the names in run.files_from end with a zero byte */
    uint64_t count;     /* of numbered inputs; 0: none */
    struct pattern_list include, exclude;

    int workers;     /* per rank; 0: the cores that the rank may use */
    int max_workers; /* of all ranks; 0: no limit */
    int read_ahead;  /* inputs per worker */
    uint64_t chunk;  /* most tasks sent to a rank at once; 0: adaptive */
    struct shard shard;
    bool in_process, quiet, help, version;

    const char *journal;       /* NULL: in the run directory */
    const char *run_directory; /* NULL: the default */
    const char *spool;         /* directory; NULL: in the run directory */
    bool no_journal, retry_failed, keep_spool;
    double journal_sync_s;
    const char *joblog; /* NULL: none */
    double timeout_s;   /* per task; 0: none */
    int retries;
    size_t memory_limit_bytes; /* 0: none */
    int max_tasks_per_worker;  /* 0: no limit */
    struct failure_limit failures;
    double time_limit_s; /* 0: none; TIME_LIMIT_AUTO: that of the Slurm job */
};

/* The table; its offsets are those of struct run_options. */
extern const struct mpb_option run_option_table[];

/* Whether the job has results that rank 0 collects or a later stage reads. */
bool job_has_results(const struct mpb_job *job);

/* Why the option means nothing for the job, such as "its inputs are files"; NULL: it does. */
const char *run_option_refusal(const struct mpb_job *job, const struct mpb_option *option);

/* A copy of the table with the words and the defaults of a job, or of no job (NULL). The caller
 * frees it. NULL: out of memory. */
struct mpb_option *run_options_table(const struct mpb_job *job);

/* Checks that the options fit together and that there is an input. Sets run.resume for
 * --retry-failed. Call it before the job's check. */
int run_options_check(struct run_options *options, const struct mpb_job *job,
                      struct mpp_error *error);

/* Only the outputs are compared with the journal: --verify without --resume. */
bool run_options_only_verify(const struct run_options *options);

/* Whether the run writes files: not in a dry run, nor if the outputs are only compared. */
bool run_options_write(const struct run_options *options);

#endif
