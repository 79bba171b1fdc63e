/* SPDX-License-Identifier: MIT */
/* batch_run: one run of a job on an open pool, from the first input to the summary. Rank 0 only. */
#ifndef BATCH_RUN_H
#define BATCH_RUN_H

#include "batch_state.h"
#include "program.h"

enum exit_status batch_run(struct mpp_executor *executor, const struct batch_arguments *arguments);

#endif
