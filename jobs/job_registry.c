/* SPDX-License-Identifier: MIT */
/* The table of jobs: see job_registry.h. */
#include "job_registry.h"

#include <stddef.h>

#include "jobs.h"

const struct mpb_job *const job_registry[] = {&thumbnail_job, &digest_job, &whoami_job,
                                              &spin_job,      &noop_job,   NULL};
