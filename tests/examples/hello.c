/* SPDX-License-Identifier: MIT */
/*
 * hello: the smallest program on libmppool. Copy it and put your own work into run().
 *
 *     mpicc hello.c -o hello $(pkg-config --cflags --libs mppool)
 *     mpirun -n 4 hello ada bob cleo        (or without mpirun: one rank, all its cores)
 */
#include <mppool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One task. It runs in a worker process on any rank; a crash here would end only that process. */
static int run(void *state, struct mpp_bytes payload, struct mpp_context *context,
               struct mpp_error *error)
{
    (void)state;
    if (!payload.size)
        return mpp_error_set(error, "there is nobody to greet");
    char text[256];
    snprintf(text, sizeof text, "Hello, %.*s, from process %d", (int)payload.size,
             (const char *)payload.data, (int)getpid());
    if (mpp_context_set_result(context, text, strlen(text)))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static const struct mpp_job hello = {.name = "hello", .summary = "greets a name", .run = run};
static const struct mpp_job *const jobs[] = {&hello, NULL};

static int report(const char *name, const char *text)
{
    fprintf(stderr, "hello: '%s': %s\n", name, text);
    return 1;
}

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    switch (mpp_open(&argc, &argv, &(struct mpp_options){.jobs = jobs}, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "hello: %s\n", error.text);
        return 1;
    case MPP_SERVED: /* this is not rank 0: its workers have run tasks, and the pool is closed */
        return 0;
    case MPP_EXECUTOR: /* this is rank 0: the rest of the program is for it alone */
        break;
    }

    /* Submit all tasks before waiting for the first, so that they run in parallel. */
    struct mpp_future **futures = calloc((size_t)argc, sizeof *futures);
    int failed = futures ? 0 : report(argv[0], "out of memory");
    for (int i = 1; futures && i < argc; i++) {
        futures[i] = mpp_submit(executor, "hello", argv[i], strlen(argv[i]), &error);
        if (!futures[i])
            failed = report(argv[i], error.text);
    }
    for (int i = 1; futures && i < argc; i++) {
        struct mpp_bytes greeting;
        if (!futures[i])
            continue;
        if (mpp_future_result(futures[i], MPP_FOREVER, &greeting, &error))
            failed = report(argv[i], error.text);
        else
            printf("%.*s\n", (int)greeting.size, (const char *)greeting.data);
        mpp_future_free(futures[i]);
    }
    free(futures);
    if (mpp_close(executor, &error)) {
        fprintf(stderr, "hello: %s\n", error.text);
        return 1;
    }
    return failed;
}
