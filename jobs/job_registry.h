/*
 * registry: every job that a worker process of ours can run. A new job is a file beside this one
 * and a line in job_registry.c.
 */
#ifndef JOB_REGISTRY_H
#define JOB_REGISTRY_H

#include "mppool.h"

extern const struct mpp_job *const job_registry[]; /* ends with NULL */

#endif
