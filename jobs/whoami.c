/* SPDX-License-Identifier: MIT */
/* whoami: a job that prints on which process, rank and host each task runs. */
#include <unistd.h>

#include "jobs.h"

static int whoami_run(void *state, const struct mpb_task *task, struct mpb_context *context,
                      struct mpp_error *error)
{
    (void)state, (void)task, (void)error;
    char host[64] = "unknown";
    gethostname(host, sizeof host - 1);
    mpb_line(context, "Executing our Task on Process %d, rank %d, host %s", (int)getpid(),
             mpb_rank(context), host);
    return 0;
}

const struct mpb_job whoami_job = {.name = "whoami",
                                   .summary = "reports process, rank and host of each task",
                                   .inputs = MPB_INPUT_WORDS,
                                   .run = whoami_run};
