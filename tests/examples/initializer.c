/* SPDX-License-Identifier: MIT */
/*
 * initializer: every worker process prepares something once, before its first task. Here it is a
 * table of words, in which the tasks look up the command-line arguments.
 *
 *     mpirun -n 2 initializer three one two
 */
#include <mppool.h>
#include <stdio.h>
#include <string.h>

struct word_table {
    const char *const *words;
    int count;
};

static struct word_table table; /* each worker process has its own */

/* initargs is the pointer from mpp_options. If this returns -1, the pool is broken: no task can
 * run, and every exception has this message. */
static int prepare(const void *initargs, struct mpp_error *error)
{
    table = *(const struct word_table *)initargs;
    return table.count ? 0 : mpp_error_set(error, "the table is empty");
}

static int look_up(void *state, struct mpp_bytes payload, struct mpp_context *context,
                   struct mpp_error *error)
{
    (void)state;
    const char *word = payload.data;
    for (int i = 0; i < table.count; i++) {
        if (strcmp(table.words[i], word) != 0)
            continue;
        if (mpp_context_set_result(context, &i, sizeof i))
            return mpp_error_set(error, "out of memory");
        return 0;
    }
    return mpp_error_set(error, "'%s' is not in the table", word);
}

static const struct mpp_job look_up_job = {.name = "look up", .run = look_up};
static const struct mpp_job *const jobs[] = {&look_up_job, NULL};

static int report(const char *text)
{
    fprintf(stderr, "initializer: %s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"zero", "one", "two", "three"};
    static const struct word_table number_words = {words, 4};
    struct mpp_error error;
    struct mpp_executor *executor;
    struct mpp_options options = {.jobs = jobs, .initializer = prepare, .initargs = &number_words};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        return report(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    for (int i = 1; i < argc; i++) {
        size_t size = strlen(argv[i]) + 1; /* with the terminating zero */
        struct mpp_future *future = mpp_submit(executor, "look up", argv[i], size, &error);
        struct mpp_bytes bytes;
        if (future && mpp_future_result(future, MPP_FOREVER, &bytes, &error) == MPP_WAIT_OK)
            printf("%s is %d\n", argv[i], *(const int *)bytes.data);
        else
            report(error.text);
        mpp_future_free(future);
    }
    return mpp_close(executor, &error) ? report(error.text) : 0;
}
