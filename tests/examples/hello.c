/*
 * hello: the smallest program on libmppool. Copy it and put your own work into run().
 *
 *     mpirun -n 4 hello ada bob cleo        (or without mpirun: one rank, all cores)
 */
#include <mppool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int run(void *state, struct mpp_bytes payload, struct mpp_context *result,
               struct mpp_error *error)
{
    (void)state;
    if (!payload.size)
        return mpp_error_set(error, "there is nobody to greet");
    char text[256];
    snprintf(text, sizeof text, "Hello, %.*s, from process %d", (int)payload.size,
             (const char *)payload.data, (int)getpid());
    return mpp_context_set_result(result, text, strlen(text));
}

static const struct mpp_job hello = {.name = "hello", .summary = "greets a name", .run = run};
static const struct mpp_job *const jobs[] = {&hello, NULL};

int main(int argc, char **argv)
{
    struct mpp_error error;
    struct mpp_executor *executor;
    switch (mpp_open(&argc, &argv, &(struct mpp_options){.jobs = jobs}, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "hello: %s\n", error.text);
        return 1;
    case MPP_SERVED: /* this was a rank other than 0: it has done its share */
        return 0;
    case MPP_EXECUTOR:
        break;
    }

    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct mpp_future *future = mpp_submit(executor, "hello", argv[i], strlen(argv[i]), &error);
        struct mpp_bytes greeting;
        if (future && mpp_future_result(future, MPP_FOREVER, &greeting, &error) == 0) {
            printf("%.*s\n", (int)greeting.size, (const char *)greeting.data);
        } else {
            fprintf(stderr, "hello: '%s': %s\n", argv[i], error.text);
            failed = 1;
        }
        mpp_future_free(future);
    }
    if (mpp_close(executor, &error)) {
        fprintf(stderr, "hello: %s\n", error.text);
        return 1;
    }
    return failed;
}
