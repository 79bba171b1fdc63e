/* SPDX-License-Identifier: MIT */
/*
 * ordered_map: prints the squares of 1 to N in order. mpp_map reads tasks from a source and passes
 * results to a sink, so the memory it needs does not grow with N.
 *
 *     mpirun -n 4 ordered_map 10
 */
#include <mppool.h>
#include <stdio.h>
#include <stdlib.h>

static int square(void *state, struct mpp_bytes payload, struct mpp_context *context,
                  struct mpp_error *error)
{
    (void)state;
    long number = *(const long *)payload.data; /* payloads are aligned for any type */
    long result = number * number;
    if (mpp_context_set_result(context, &result, sizeof result))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static const struct mpp_job square_job = {.name = "square", .run = square};
static const struct mpp_job *const jobs[] = {&square_job, NULL};

struct number_range {
    long current, last;
};

/* The source: each call gives the payload of the next task. */
static enum mpp_source_status next_number(void *context, struct mpp_bytes *payload,
                                          struct mpp_error *error)
{
    (void)error;
    struct number_range *range = context;
    if (range->current == range->last)
        return MPP_SOURCE_END;
    range->current++;
    *payload = (struct mpp_bytes){&range->current, sizeof range->current};
    return MPP_SOURCE_ITEM;
}

/* The sink: gets the outcomes, in the order of the source. */
static int print_square(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    (void)context;
    if (outcome->exception) /* returning -1 stops the map */
        return mpp_error_set(error, "%s", outcome->exception->message);
    printf("%ld\n", *(const long *)outcome->result.data);
    return 0;
}

static int report(const char *text)
{
    fprintf(stderr, "ordered_map: %s\n", text);
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
    struct number_range range = {.last = argc > 1 ? atol(argv[1]) : 10};
    struct mpp_map map = {
        .job = "square", .source = next_number, .sink = print_square, .context = &range};
    int failed = mpp_map(executor, &map, &error) ? report(error.text) : 0;
    return mpp_close(executor, &error) ? report(error.text) : failed;
}
