/* SPDX-License-Identifier: MIT */
/* spin: a job that keeps a core busy with a loop of 10^8 steps. */
#include <stdint.h>

#include "jobs.h"

#define LOOP_STEPS 100000000

static int spin_run(void *state, const struct mpb_task *task, struct mpb_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    for (volatile uint32_t step = 0; step < LOOP_STEPS; step++)
        ;
    return 0;
}

const struct mpb_job spin_job = {.name = "spin",
                                 .summary = "keeps a core busy for 10^8 steps of a loop",
                                 .inputs = MPB_INPUT_WORDS,
                                 .run = spin_run};
