/* SPDX-License-Identifier: MIT */
/*
 * as_completed: handles results in the order in which tasks end. Three tasks sleep; the one
 * submitted last sleeps for the shortest time, so its result comes first.
 *
 *     mpirun -n 4 as_completed
 */
#include <mppool.h>
#include <stdio.h>
#include <unistd.h>

static int sleep_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    (void)state;
    int tenths = *(const int *)payload.data;
    usleep((useconds_t)tenths * 100000);
    if (mpp_context_set_result(context, &tenths, sizeof tenths))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static const struct mpp_job sleep_job = {.name = "sleep", .run = sleep_run};
static const struct mpp_job *const jobs[] = {&sleep_job, NULL};

static int report(const char *text)
{
    fprintf(stderr, "as_completed: %s\n", text);
    return 1;
}

static int print_as_completed(struct mpp_future **futures, size_t count, struct mpp_error *error)
{
    struct mpp_as_completed *iterator = mpp_as_completed(futures, count, error);
    if (!iterator)
        return -1;
    struct mpp_future *future;
    struct mpp_bytes bytes;
    int failed;
    while (!(failed = mpp_as_completed_next(iterator, MPP_FOREVER, &future, error)) && future) {
        failed = mpp_future_result(future, 0, &bytes, error); /* it is done: 0 is enough */
        if (failed)
            break;
        printf("slept %d tenths of a second\n", *(const int *)bytes.data);
    }
    mpp_as_completed_free(iterator);
    return failed ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .workers_per_rank = 3};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return report(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    enum { COUNT = 3 };
    struct mpp_future *futures[COUNT];
    for (int i = 0; i < COUNT; i++) {
        int tenths = 5 * (COUNT - i);
        futures[i] = mpp_submit(executor, "sleep", &tenths, sizeof tenths, &error);
        if (!futures[i])
            return report(error.text);
    }
    int failed = print_as_completed(futures, COUNT, &error) ? report(error.text) : 0;
    for (int i = 0; i < COUNT; i++)
        mpp_future_free(futures[i]);
    return mpp_close(executor, &error) ? report(error.text) : failed;
}
