/* SPDX-License-Identifier: MIT */
/*
 * timeouts: the two kinds of time limit. The option timeout_s limits how long a task may run: after
 * that its worker process is ended and the task fails. The timeout_s of a function that waits
 * limits only the waiting: the task goes on.
 *
 *     mpirun -n 2 timeouts
 */
#include <mppool.h>
#include <stdio.h>
#include <unistd.h>

static int sleep_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    (void)state, (void)context, (void)error;
    usleep(*(const useconds_t *)payload.data);
    return 0;
}

static const struct mpp_job sleep_job = {.name = "sleep", .run = sleep_run};
static const struct mpp_job *const jobs[] = {&sleep_job, NULL};

static int report(const char *text)
{
    fprintf(stderr, "timeouts: %s\n", text);
    return 1;
}

/* Lets a task sleep for some microseconds, and waits for it for at most wait_s seconds. */
static int sleep_and_wait(struct mpp_executor *executor, useconds_t us, double wait_s)
{
    struct mpp_error error;
    const struct mpp_exception *exception;
    struct mpp_future *future = mpp_submit(executor, "sleep", &us, sizeof us, &error);
    if (!future)
        return report(error.text);
    int failed = 0;
    switch (mpp_future_exception(future, wait_s, &exception, &error)) {
    case MPP_WAIT_OK:
        if (!exception)
            printf("the task ended in time\n");
        else if (exception->kind == MPP_EXCEPTION_TIMEOUT)
            printf("the task ran too long\n");
        else
            failed = report(exception->message);
        break;
    case MPP_WAIT_TIMEOUT:
        printf("the task still runs\n");
        break;
    case MPP_WAIT_FAILED:
        failed = report(error.text);
        break;
    }
    mpp_future_free(future);
    return failed;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .timeout_s = 2};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return report(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = sleep_and_wait(executor, 1000, MPP_FOREVER) ||
                 sleep_and_wait(executor, 600000000, MPP_FOREVER) ||
                 sleep_and_wait(executor, 1000000, 0.01);
    return mpp_close(executor, &error) ? report(error.text) : failed;
}
