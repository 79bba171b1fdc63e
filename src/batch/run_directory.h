/* SPDX-License-Identifier: MIT */
/*
 * run_directory: where a run keeps its files: the journal, summary.json, and the directory of the
 * spool. Each shard has its own. Only names; nothing is created.
 *
 *     --output DIR of a job that writes files    DIR/.mpthumb
 *     --output FILE of a job with a stream       FILE.run
 *     no output, or stdout                       JOB.run
 */
#ifndef RUN_DIRECTORY_H
#define RUN_DIRECTORY_H

#include "mpp_error.h"
#include "run_options.h"

struct run_directory {
    char *path;    /* NULL: there is none, because outputs are written beside the inputs */
    char *journal; /* NULL: no journal is written */
    char *summary;
    char *spool; /* NULL: the job has no results */
};

/* -1: the options need a run directory, and none was named. */
int run_directory_check(const struct run_options *options, const struct mpb_job *job,
                        struct mpp_error *error);

/* After the check. -1: out of memory. */
int run_directory_init(struct run_directory *directory, const struct run_options *options,
                       const struct mpb_job *job, struct mpp_error *error);
void run_directory_release(struct run_directory *directory); /* accepts a zero struct */

#endif
