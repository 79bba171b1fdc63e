/* SPDX-License-Identifier: MIT */
/* jobs: declares the jobs of this tree. Each is a file in this directory, or in a folder of it. */
#ifndef JOBS_H
#define JOBS_H

#include "mpbatch.h"

extern const struct mpb_job digest_job, noop_job, spin_job, thumbnail_job, whoami_job;

#endif
