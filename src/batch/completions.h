/* SPDX-License-Identifier: MIT */
/*
 * completions: writes scripts by which a shell completes command lines: the options of each job,
 * the words that an option can have, names of files and directories, and the names of jobs.
 */
#ifndef COMPLETIONS_H
#define COMPLETIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "mpbatch.h"

/* Lists of options end with NULL. If the word for an option's value is FILE or DIR, names of files
 * or directories are completed. */
struct completion_job {
    const char *name;
    const char *summary;
    const struct mpb_option *const *options;
};

struct completion_program {
    const char *name;
    const struct mpb_option *const *options; /* those before the name of the job, if it has jobs */
    const struct completion_job *jobs;
    size_t job_count; /* 0: the command line does not name a job */
};

/* Whether it is the name of a shell: bash, zsh or fish. */
bool completions_known(const char *shell);

/* Appends the script for a shell. -1: it is not known, or out of memory. */
int completions_write(const char *shell, const struct completion_program *programs, size_t count,
                      struct buf *out, struct mpp_error *error);

#endif
