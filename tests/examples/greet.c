/* SPDX-License-Identifier: MIT */
/* The smallest program on libmpbatch: mpirun -n 2 ./greet ada bob */
#include <mpbatch.h>
#include <stdio.h>
#include <string.h>

/* One task. It runs in a worker process on any rank; a crash here would end only that process. */
static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    (void)state;
    char text[300];
    if (strlen(task->input) > 200)
        return mpp_error_set(error, "nobody has such a long name");
    snprintf(text, sizeof text, "Hello, %s\n", task->input);
    return mpb_write(context, text, strlen(text), error);
}

int main(int argc, char **argv)
{
    static const struct mpb_job greet = {.name = "greet",
                                         .summary = "Greets each name.",
                                         .inputs = MPB_INPUT_WORDS,
                                         .output = MPB_OUTPUT_STREAM,
                                         .run = run};
    static const struct mpb_job *const jobs[] = {&greet, NULL};
    return mpb_main(argc, argv, jobs);
}
