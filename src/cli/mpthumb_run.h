/* SPDX-License-Identifier: MIT */
/* mpthumb_run: one run of mpthumb on an open pool, from the first input to the summary. Rank 0
 * only. */
#ifndef MPTHUMB_RUN_H
#define MPTHUMB_RUN_H

#include "cli_common.h"
#include "mppool.h"
#include "mpthumb_options.h"

/* confined: what confines the workers, for the summary. begun_s: when the program began, on the
 * monotonic clock. */
enum exit_status mpthumb_run_batch(struct mpp_executor *executor,
                                   const struct mpthumb_options *options, const char *confined,
                                   double begun_s);

#endif
