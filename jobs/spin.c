/* SPDX-License-Identifier: MIT */
/* A job that keeps a core busy: see spin.h. */
#include "spin.h"

#include <stdint.h>

#define LOOP_STEPS 100000000

static int spin_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)payload, (void)context, (void)error;
    for (volatile uint32_t step = 0; step < LOOP_STEPS; step++)
        ;
    return 0;
}

const struct mpp_job spin_job = {
    .name = "spin", .summary = "keeps a core busy for 10^8 steps of a loop", .run = spin_run};
