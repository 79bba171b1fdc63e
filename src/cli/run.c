/* One batch on an open pool: see run.h. */
#include "run.h"

#include <stdlib.h>

#include "plan.h"
#include "program.h"
#include "summary.h"

struct run {
    const struct options *options;
    const char *confined;
    struct plan plan;
    struct summary summary;
    struct buf payload;
    uint64_t inputs; /* that have come so far */
    double begun_s;
};

static enum mpp_source_status give(struct run *run, const struct thumbnail_task *task,
                                   struct mpp_bytes *payload, struct mpp_error *error)
{
    buf_clear(&run->payload);
    thumbnail_task_encode(task, &run->payload);
    if (run->payload.failed) {
        mpp_error_set(error, "out of memory");
        return MPP_SOURCE_ERROR;
    }
    *payload = (struct mpp_bytes){run->payload.data, run->payload.size};
    return MPP_SOURCE_ITEM;
}

static void skip(struct run *run, const char *path, const char *why)
{
    run->summary.tally.skipped++;
    if (run->options->verbose)
        summary_line(&run->summary, "%s was skipped: %s", path, why);
}

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    struct run *run = context;
    for (;;) {
        struct thumbnail_task task;
        struct mpp_error why;
        enum plan_status status = plan_next(&run->plan, &task, &why);
        run->inputs += status != PLAN_LATER && status != PLAN_END;
        switch (status) {
        case PLAN_TASK:
            return give(run, &task, payload, error);
        case PLAN_SKIP:
            skip(run, run->plan.source, "by its suffix it is a thumbnail");
            break;
        case PLAN_BAD:
            summary_failed(&run->summary, run->plan.source, why.text);
            break;
        case PLAN_LATER:
            summary_update(&run->summary, program_now_s() - run->begun_s);
            return MPP_SOURCE_LATER;
        case PLAN_END:
            run->summary.tally.total = run->inputs;
            return MPP_SOURCE_END;
        }
    }
}

static void report_done(struct run *run, const struct thumbnail_task *task)
{
    char path[2 * PATH_MAX];
    const struct options *options = run->options;
    run->summary.tally.done++;
    if (!options->verbose && !options->dry_run)
        return;
    plan_output_path(options, task, path, sizeof path);
    if (options->dry_run)
        summary_line(&run->summary, "%s -> %s", task->source, path);
    else if (options->beside)
        summary_line(&run->summary, "A thumbnail for %s was saved as %s", task->source, path);
    else
        summary_line(&run->summary, "%s was processed...", task->source);
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct run *run = context;
    struct thumbnail_task task;
    struct thumbnail_outcome made;
    if (thumbnail_task_decode(outcome->payload, &task, error))
        return -1;
    if (outcome->exception) {
        summary_failed(&run->summary, task.source, outcome->exception->message);
    } else {
        if (thumbnail_outcome_decode(outcome->result, &made, error))
            return -1;
        switch (made.status) {
        case THUMBNAIL_DONE:
            run->summary.tally.damaged += made.info.warnings > 0;
            report_done(run, &task);
            break;
        case THUMBNAIL_SKIPPED:
            skip(run, task.source, "neither its name nor its content is an image's");
            break;
        case THUMBNAIL_THUMBNAIL:
            skip(run, task.source, "by its suffix and its size it is a thumbnail");
            break;
        }
    }
    summary_update(&run->summary, program_now_s() - run->begun_s);
    return 0;
}

static int finish(struct run *run, struct mpp_executor *executor)
{
    if (run->options->dry_run)
        return summary_finish_dry(&run->summary);
    struct summary_pool pool = program_pool(executor, run->confined);
    return summary_finish(&run->summary, &pool, program_now_s() - run->begun_s);
}

static enum exit_status map_all(struct run *run, struct mpp_executor *executor)
{
    struct mpp_map map = {
        .job = thumbnail_job.name, .source = source, .sink = sink, .context = run};
    struct mpp_error error;
    /* A list of what would be done is read by people and compared by programs: in order. */
    int failed = run->options->dry_run ? mpp_map(executor, &map, &error)
                                       : mpp_map_unordered(executor, &map, &error);
    if (failed)
        summary_error(&run->summary, error.text);
    if (finish(run, executor) || failed)
        return EXIT_INTERNAL;
    return run->summary.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE;
}

enum exit_status run_batch(struct mpp_executor *executor, const struct options *options,
                           const char *confined, double begun_s)
{
    enum exit_status status = EXIT_USAGE;
    struct mpp_error error;
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return EXIT_INTERNAL;
    run->options = options;
    run->confined = confined;
    run->begun_s = begun_s;
    summary_init(&run->summary, TALLY_IMAGES, options->quiet);
    if (plan_init(&run->plan, options, &error))
        summary_error(&run->summary, error.text);
    else
        status = map_all(run, executor);
    plan_release(&run->plan);
    buf_release(&run->payload);
    free(run);
    return status;
}
