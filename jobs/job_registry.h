/* SPDX-License-Identifier: MIT */
/*
 * job_registry: the table of jobs that the worker processes of mpbatch and mpthumb can run. To add
 * a job, write a file in this directory and add a line to job_registry.c.
 */
#ifndef JOB_REGISTRY_H
#define JOB_REGISTRY_H

#include "mppool.h"

extern const struct mpp_job *const job_registry[]; /* ends with NULL */

#endif
