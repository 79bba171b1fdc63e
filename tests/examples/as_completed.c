/* as_completed: results in the order in which they come: the shortest sleep is first.
 *
 *     mpirun -n 4 as_completed
 */
#include <mppool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int rest(void *state, struct mpp_bytes payload, struct mpp_context *result,
                struct mpp_error *error)
{
    (void)state;
    int tenths = *(const int *)payload.data;
    usleep((useconds_t)tenths * 100000);
    return mpp_context_set_result(result, &tenths, sizeof tenths)
               ? mpp_error_set(error, "no memory")
               : 0;
}

static const struct mpp_job rest_job = {.name = "rest", .run = rest};
static const struct mpp_job *const jobs[] = {&rest_job, NULL};

static int complain(const char *text)
{
    fprintf(stderr, "as_completed: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .workers_per_rank = 3};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return complain(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    enum { COUNT = 3 };
    struct mpp_future *futures[COUNT], *future;
    for (int i = 0; i < COUNT; i++) {
        int tenths = 5 * (COUNT - i);
        futures[i] = mpp_submit(executor, "rest", &tenths, sizeof tenths, &error);
        if (!futures[i])
            return complain(error.text);
    }
    struct mpp_as_completed *iterator = mpp_as_completed(futures, COUNT, &error);
    while (iterator && !mpp_as_completed_next(iterator, MPP_FOREVER, &future, &error) && future) {
        struct mpp_bytes bytes;
        if (mpp_future_result(future, 0, &bytes, &error))
            return complain(error.text);
        printf("slept %d tenths of a second\n", *(const int *)bytes.data);
    }
    mpp_as_completed_free(iterator);
    for (int i = 0; i < COUNT; i++)
        mpp_future_free(futures[i]);
    return mpp_close(executor, &error) ? complain(error.text) : 0;
}
