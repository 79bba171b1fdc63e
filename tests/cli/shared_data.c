/* SPDX-License-Identifier: MIT */
/* shared_data: a job for tests of stages that share data. A task's result is the name of its input;
 * the stage writes each name after the longest of all names, which rank 0 has gathered. */
#include <mpbatch.h>
#include <stdlib.h>
#include <string.h>

struct longest {
    char name[4096], current[4096];
    size_t size; /* of current */
};

static int begin(void **planner, const struct mpb_run *run, const void *settings,
                 struct mpp_error *error)
{
    (void)run, (void)settings;
    *planner = calloc(1, sizeof(struct longest));
    return *planner ? 0 : mpp_error_set(error, "out of memory");
}

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    (void)state;
    return mpb_write(context, task->input, strlen(task->input), error);
}

static int gather(void *planner, const struct mpb_piece *piece, struct mpp_error *error)
{
    struct longest *longest = planner;
    longest->size = piece->first ? 0 : longest->size;
    if (piece->bytes.size >= sizeof longest->current - longest->size)
        return mpp_error_set(error, "the name is too long");
    memcpy(longest->current + longest->size, piece->bytes.data, piece->bytes.size);
    longest->size += piece->bytes.size;
    longest->current[longest->size] = '\0';
    if (piece->last && longest->size > strlen(longest->name))
        strcpy(longest->name, longest->current);
    return 0;
}

static int share(void *planner, struct mpp_bytes *bytes, struct mpp_error *error)
{
    const struct longest *longest = planner;
    *bytes = (struct mpp_bytes){longest->name, strlen(longest->name)};
    return *longest->name ? 0 : mpp_error_set(error, "there is no name");
}

static int compare(void *state, const struct mpb_task *task, struct mpb_context *context,
                   struct mpp_error *error)
{
    (void)state;
    struct mpp_bytes shared, name;
    for (size_t i = 0; i < task->member_count; i++)
        if (mpb_shared(context, &shared, error) || mpb_member(context, i, &name, error) ||
            mpb_write(context, shared.data, shared.size, error) ||
            mpb_write(context, " ", 1, error) || mpb_write(context, name.data, name.size, error) ||
            mpb_write(context, "\n", 1, error))
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct mpb_stage stages[] = {
        {.name = "compare", .group = 3, .run = compare, .gather = gather, .share = share}, {0}};
    static const struct mpb_job job = {.name = "shared_data",
                                       .summary = "writes names after the longest of them",
                                       .inputs = MPB_INPUT_WORDS,
                                       .output = MPB_OUTPUT_STREAM,
                                       .begin = begin,
                                       .end = free,
                                       .run = run,
                                       .stages = stages};
    return mpb_main(argc, argv, (const struct mpb_job *const[]){&job, NULL});
}
