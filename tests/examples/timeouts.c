/* timeouts: two kinds. A task may run for so long, or its worker process is ended; and a caller may
 * wait for so long, and the task goes on.
 *
 *     mpirun -n 2 timeouts
 */
#include <mppool.h>
#include <stdio.h>
#include <unistd.h>

static int rest(void *state, struct mpp_bytes payload, struct mpp_context *result,
                struct mpp_error *error)
{
    (void)state, (void)result, (void)error;
    usleep(*(const useconds_t *)payload.data);
    return 0;
}

static const struct mpp_job rest_job = {.name = "rest", .run = rest};
static const struct mpp_job *const jobs[] = {&rest_job, NULL};

static int complain(const char *text)
{
    fprintf(stderr, "timeouts: %s\n", text);
    return 1;
}

static int try(struct mpp_executor *executor, useconds_t us, double patience_s)
{
    struct mpp_error error;
    const struct mpp_exception *exception;
    struct mpp_future *future = mpp_submit(executor, "rest", &us, sizeof us, &error);
    if (!future)
        return complain(error.text);
    if (mpp_future_exception(future, patience_s, &exception, &error))
        printf("the caller's patience is over\n");
    else if (exception && exception->kind == MPP_EXCEPTION_TIMEOUT)
        printf("the task's time is over\n");
    else
        printf("done in time\n");
    mpp_future_free(future);
    return 0;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .timeout_s = 2};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return complain(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = try(executor, 1000, MPP_FOREVER) || try(executor, 600000000, MPP_FOREVER) ||
                 try(executor, 1000000, 0.01);
    return mpp_close(executor, &error) ? complain(error.text) : failed;
}
