/* SPDX-License-Identifier: MIT */
/* noop: a job that does nothing. It measures the overhead of the pool. */
#include "jobs.h"

static int noop_run(void *state, const struct mpb_task *task, struct mpb_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    return 0;
}

const struct mpb_job noop_job = {.name = "noop",
                                 .summary = "does nothing, for measuring the pool",
                                 .inputs = MPB_INPUT_WORDS,
                                 .run = noop_run};
