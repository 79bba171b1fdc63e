/* initializer: what every worker process prepares once, with arguments; here a table of words.
 *
 *     mpirun -n 2 initializer three one two
 */
#include <mppool.h>
#include <stdio.h>
#include <string.h>

struct setup {
    const char *const *words;
    int count;
};

static struct setup table; /* of this worker process */

/* When this fails no task can run: the pool is broken, and every exception says why. */
static int prepare(const void *initargs, struct mpp_error *error)
{
    table = *(const struct setup *)initargs;
    return table.count ? 0 : mpp_error_set(error, "the table is empty");
}

static int look_up(void *state, struct mpp_bytes payload, struct mpp_context *result,
                   struct mpp_error *error)
{
    (void)state;
    for (int i = 0; i < table.count; i++)
        if (!strcmp(table.words[i], payload.data))
            return mpp_context_set_result(result, &i, sizeof i);
    return mpp_error_set(error, "'%s' is not in the table", (const char *)payload.data);
}

static const struct mpp_job look_up_job = {.name = "look up", .run = look_up};
static const struct mpp_job *const jobs[] = {&look_up_job, NULL};

static int complain(const char *text)
{
    fprintf(stderr, "initializer: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"zero", "one", "two", "three"};
    static const struct setup setup = {words, 4};
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .initializer = prepare, .initargs = &setup};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return complain(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    for (int i = 1; i < argc; i++) {
        struct mpp_bytes bytes;
        struct mpp_future *future =
            mpp_submit(executor, "look up", argv[i], strlen(argv[i]) + 1, &error);
        if (future && !mpp_future_result(future, MPP_FOREVER, &bytes, &error))
            printf("%s is %d\n", argv[i], *(const int *)bytes.data);
        else
            complain(error.text);
        mpp_future_free(future);
    }
    return mpp_close(executor, &error) ? complain(error.text) : 0;
}
