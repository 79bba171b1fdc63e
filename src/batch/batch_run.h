/* SPDX-License-Identifier: MIT */
/* batch_run: one run of a job on an open pool, from the first input to the summary. Rank 0 only. */
#ifndef BATCH_RUN_H
#define BATCH_RUN_H

#include "batch_worker.h"
#include "mppool.h"
#include "program.h"
#include "run_directory.h"

struct batch_arguments {
    const struct batch_setup *setup;
    const struct run_directory *directory;
    const char *libraries; /* the text of --version */
    const char *confined;  /* what confines the workers, for the summary; NULL: nothing */
    double begun_s;        /* when the program began, on the monotonic clock */
};

enum exit_status batch_run(struct mpp_executor *executor, const struct batch_arguments *arguments);

#endif
