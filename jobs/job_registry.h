/* SPDX-License-Identifier: MIT */
/*
 * job_registry: the table of the jobs of mpbatch. To add a job, write a file in this directory,
 * declare it in jobs.h and add it to job_registry.c.
 */
#ifndef JOB_REGISTRY_H
#define JOB_REGISTRY_H

#include "mpbatch.h"

extern const struct mpb_job *const job_registry[]; /* ends with NULL */

#endif
