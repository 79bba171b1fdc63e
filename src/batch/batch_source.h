/* SPDX-License-Identifier: MIT */
/* batch_source: makes the tasks of a run, from inputs or from the results of the round before, and
 * leaves out those that need not run. Rank 0 only. */
#ifndef BATCH_SOURCE_H
#define BATCH_SOURCE_H

#include "batch_state.h"

/* The source of the pool for the current round; `context` is a struct batch_run. */
enum mpp_source_status batch_source(void *context, struct mpp_bytes *payload,
                                    struct mpp_error *error);

#endif
