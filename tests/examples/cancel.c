/* cancel: a task that runs for ever is ended with its worker process; the others do not notice.
 *
 *     mpirun -n 2 cancel
 */
#include <mppool.h>
#include <stdio.h>
#include <unistd.h>

static int forever(void *state, struct mpp_bytes payload, struct mpp_context *result,
                   struct mpp_error *error)
{
    (void)state, (void)payload, (void)result, (void)error;
    while (pause())
        ; /* whatever wakes it, it goes on */
    return 0;
}

static int answer(void *state, struct mpp_bytes payload, struct mpp_context *result,
                  struct mpp_error *error)
{
    (void)state, (void)payload;
    return mpp_context_set_result(result, "42", 2) ? mpp_error_set(error, "no memory") : 0;
}

static const struct mpp_job forever_job = {.name = "forever", .run = forever};
static const struct mpp_job answer_job = {.name = "answer", .run = answer};
static const struct mpp_job *const jobs[] = {&forever_job, &answer_job, NULL};

static int complain(const char *text)
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
        return complain(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    struct mpp_future *stuck = mpp_submit(executor, "forever", NULL, 0, &error);
    while (stuck && !mpp_future_running(stuck))
        usleep(1000);
    if (!stuck || !mpp_future_cancel(stuck))
        return complain("it could not be cancelled");
    printf("cancelled: %s\n", mpp_future_cancelled(stuck) ? "yes" : "no");
    mpp_future_free(stuck);

    struct mpp_bytes bytes;
    struct mpp_future *next = mpp_submit(executor, "answer", NULL, 0, &error);
    if (!next || mpp_future_result(next, MPP_FOREVER, &bytes, &error))
        return complain(error.text);
    printf("the pool goes on: %.*s\n", (int)bytes.size, (const char *)bytes.data);
    mpp_future_free(next);
    return mpp_close(executor, &error) ? complain(error.text) : 0;
}
