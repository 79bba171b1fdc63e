/* SPDX-License-Identifier: MIT */
/*
 * job_registry: the jobs of this tree, and the table of those of mpbatch. To add a job, write a
 * file in this directory, declare it here and add it to job_registry.c.
 */
#ifndef JOB_REGISTRY_H
#define JOB_REGISTRY_H

#include "mpbatch.h"

extern const struct mpb_job digest_job, noop_job, spin_job, thumbnail_job, whoami_job;

extern const struct mpb_job *const job_registry[]; /* ends with NULL */

#endif
