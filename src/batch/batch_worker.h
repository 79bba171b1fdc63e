/* SPDX-License-Identifier: MIT */
/*
 * batch_worker: what a worker process does for a batch. It wraps a job of the engine into a job of
 * the pool: decodes the order, finds out whether an earlier run has done the task, calls the job,
 * and reports what came of it.
 */
#ifndef BATCH_WORKER_H
#define BATCH_WORKER_H

#include "mppool.h"
#include "run_directory.h"
#include "run_options.h"

/* What worker processes get from the command line: the initargs of the pool. */
struct batch_setup {
    const struct mpb_job *job;
    const void *settings;
    const struct run_options *options;
    const struct run_directory *directory;
};

/* The job of the pool that runs setup->job. */
struct mpp_job batch_worker_job(const struct batch_setup *setup);

/* The initializer of the pool. Creates the directories that workers write to: a worker can be
 * confined only to a directory that exists. Errors are ignored here, because rank 0 reports
 * them. */
int batch_worker_initialize(const void *setup, struct mpp_error *error);

#endif
