/* SPDX-License-Identifier: MIT */
/* A job that does nothing: see noop.h. */
#include "noop.h"

static int noop_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)payload, (void)context, (void)error;
    return 0;
}

const struct mpp_job noop_job = {
    .name = "noop", .summary = "does nothing, for measuring the pool", .run = noop_run};
