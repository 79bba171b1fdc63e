/* SPDX-License-Identifier: MIT */
/* A job that reports where it runs: see whoami.h. */
#include "whoami.h"

#include <stdio.h>
#include <unistd.h>

static int whoami_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                      struct mpp_error *error)
{
    (void)state, (void)payload;
    char host[64] = "unknown", text[160];
    gethostname(host, sizeof host - 1);
    int size = snprintf(text, sizeof text, "Executing our Task on Process %d, rank %d, host %s",
                        (int)getpid(), mpp_context_rank(context), host);
    if (mpp_context_set_result(context, text, (size_t)size))
        return mpp_error_set(error, "out of memory");
    return 0;
}

const struct mpp_job whoami_job = {
    .name = "whoami", .summary = "reports process, rank and host of each task", .run = whoami_run};
