/* ordered_map: squares of the numbers up to N, in order, pulled from a source and pushed into a
 * sink: memory stays the same however many there are.
 *
 *     mpirun -n 4 ordered_map 10
 */
#include <mppool.h>
#include <stdio.h>
#include <stdlib.h>

static int square(void *state, struct mpp_bytes payload, struct mpp_context *result,
                  struct mpp_error *error)
{
    (void)state;
    long number = *(const long *)payload.data; /* payloads are aligned for any type */
    number *= number;
    return mpp_context_set_result(result, &number, sizeof number)
               ? mpp_error_set(error, "no memory")
               : 0;
}

static const struct mpp_job square_job = {.name = "square", .run = square};
static const struct mpp_job *const jobs[] = {&square_job, NULL};

struct numbers {
    long next, last;
};

static enum mpp_source_status give(void *context, struct mpp_bytes *payload,
                                   struct mpp_error *error)
{
    (void)error;
    struct numbers *numbers = context;
    if (numbers->next == numbers->last)
        return MPP_SOURCE_END;
    numbers->next++;
    *payload = (struct mpp_bytes){&numbers->next, sizeof numbers->next};
    return MPP_SOURCE_ITEM;
}

static int take(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    (void)context;
    if (outcome->exception)
        return mpp_error_set(error, "%s", outcome->exception->message); /* ends the map */
    printf("%ld\n", *(const long *)outcome->result.data);
    return 0;
}

static int complain(const char *text)
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
        return complain(error.text);
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    struct numbers numbers = {.last = argc > 1 ? atol(argv[1]) : 10};
    struct mpp_map map = {.job = "square", .source = give, .sink = take, .context = &numbers};
    int failed = mpp_map(executor, &map, &error) ? complain(error.text) : 0;
    return mpp_close(executor, &error) ? complain(error.text) : failed;
}
