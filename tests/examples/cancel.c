/* SPDX-License-Identifier: MIT */
/*
 * cancel: cancels a task that would run for ever. Its worker process is ended and replaced; other
 * tasks are not affected.
 *
 *     mpirun -n 2 cancel
 */
#include <mppool.h>
#include <stdio.h>
#include <unistd.h>

static int hang(void *state, struct mpp_bytes payload, struct mpp_context *context,
                struct mpp_error *error)
{
    (void)state, (void)payload, (void)context, (void)error;
    for (;;)
        pause();
    return 0;
}

static int answer(void *state, struct mpp_bytes payload, struct mpp_context *context,
                  struct mpp_error *error)
{
    (void)state, (void)payload;
    if (mpp_context_set_result(context, "42", 2))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static const struct mpp_job hang_job = {.name = "hang", .run = hang};
static const struct mpp_job answer_job = {.name = "answer", .run = answer};
static const struct mpp_job *const jobs[] = {&hang_job, &answer_job, NULL};

static int report(const char *text)
{
    fprintf(stderr, "cancel: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return report(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }

    struct mpp_future *hanging = mpp_submit(executor, "hang", NULL, 0, &error);
    if (!hanging)
        return report(error.text);
    while (!mpp_future_running(hanging)) /* one that only waits could be cancelled as well */
        usleep(1000);
    if (!mpp_future_cancel(hanging))
        return report("the task could not be cancelled");
    printf("cancelled: %s\n", mpp_future_cancelled(hanging) ? "yes" : "no");
    mpp_future_free(hanging);

    struct mpp_bytes bytes;
    struct mpp_future *next = mpp_submit(executor, "answer", NULL, 0, &error);
    if (!next || mpp_future_result(next, MPP_FOREVER, &bytes, &error))
        return report(error.text);
    printf("the pool goes on: %.*s\n", (int)bytes.size, (const char *)bytes.data);
    mpp_future_free(next);
    return mpp_close(executor, &error) ? report(error.text) : 0;
}
