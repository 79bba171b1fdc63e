/* One batch on an open pool: see mpthumb_run.h. */
#include "mpthumb_run.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "early_stop.h"
#include "log.h"
#include "plan.h"
#include "program.h"
#include "run_log.h"
#include "summary.h"

enum { SHARE_LEAST = 100 }; /* files that must be finished before a share of failures counts */

struct run {
    struct mpp_executor *executor;
    const struct options *options;
    const char *confined;
    struct plan plan;
    struct summary summary;
    struct run_log account;
    struct early_stop lifetime;
    struct buf payload;
    uint64_t inputs;     /* that have come so far */
    uint64_t unfinished; /* of these: not done, for the run was stopped */
    bool ended;          /* there are no more inputs */
    double begun_s;
    atomic_flag stop_claimed;
    atomic_bool stopping; /* nothing more is handed out, because of this: */
    struct mpp_error stopped_by;
};

/* ---- Stopping early ---- */

/* From any thread; the first reason counts. What runs is finished, the rest comes back as
 * cancelled. */
static void stop(void *context, const char *why)
{
    struct run *run = context;
    if (atomic_flag_test_and_set(&run->stop_claimed))
        return;
    mpp_error_set(&run->stopped_by, "%s", why);
    atomic_store(&run->stopping, true);
    mpp_shutdown(run->executor, false, true, NULL);
}

static void sync_journal(void *context)
{
    struct run *run = context;
    struct mpp_error error;
    if (journal_sync(&run->account.journal, &error))
        stop(run, error.text);
}

static void end_at_once(void *context)
{
    struct run *run = context;
    journal_sync(&run->account.journal, NULL);
    log_line("ended at once; the same command with --resume takes it up");
    _exit(EXIT_STOPPED);
}

static void stop_if_too_many(struct run *run)
{
    const struct options *options = run->options;
    const struct tally *tally = &run->summary.tally;
    uint64_t finished = tally->done + tally->failed + tally->skipped;
    char why[96];
    bool many = options->failures_max && tally->failed >= options->failures_max;
    bool share = options->failures_max_percent > 0 && finished >= SHARE_LEAST &&
                 (double)tally->failed * 100 >= options->failures_max_percent * (double)finished;
    if (!many && !share)
        return;
    snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " files failed (--max-failures)",
             tally->failed, finished);
    stop(run, why);
}

/* ---- Ends of inputs ---- */

static void note(struct run *run, const struct journal_record *record,
                 const struct mpp_outcome *outcome, uint64_t output_bytes)
{
    struct mpp_error error;
    if (run_log_note(&run->account, record, outcome, output_bytes, &error))
        stop(run, error.text);
}

/* Whatever else is known of it stands in the record. */
static void end_failed(struct run *run, struct journal_record *record,
                       const struct mpp_outcome *outcome, const char *why)
{
    record->status = JOURNAL_FAILED;
    record->error = why;
    summary_failed(&run->summary, record->source, why);
    note(run, record, outcome, 0);
    stop_if_too_many(run);
}

static void end_skipped(struct run *run, struct journal_record *record,
                        const struct mpp_outcome *outcome, const char *why)
{
    record->status = JOURNAL_SKIPPED;
    run->summary.tally.skipped++;
    if (run->options->verbose)
        summary_line(&run->summary, "%s was skipped: %s", record->source, why);
    note(run, record, outcome, 0);
}

static void end_done(struct run *run, const struct thumbnail_task *task,
                     struct journal_record *record, const struct mpp_outcome *outcome,
                     const struct thumbnail_outcome *made)
{
    char path[2 * PATH_MAX];
    const struct options *options = run->options;
    record->status = JOURNAL_DONE;
    record->output = task->output;
    record->width_px = made->info.width_px;
    record->height_px = made->info.height_px;
    record->xxh3 = made->output_xxh3;
    run->summary.tally.done++;
    run->summary.tally.damaged += made->info.warnings > 0;
    note(run, record, outcome, made->output_bytes);
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

/* ---- The source of tasks ---- */

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

/* Which shard a source belongs to depends on its name alone. */
static bool is_ours(const struct options *options, const char *source)
{
    return !options->shards || XXH3_64bits(source, strlen(source)) % (uint64_t)options->shards ==
                                   (uint64_t)options->shard - 1;
}

/* Adds to the task what an earlier run knows of it. False: it is none of this run's. */
static bool take_up(struct run *run, struct thumbnail_task *task)
{
    const struct options *options = run->options;
    const struct journal_entry *entry = run_log_past(&run->account, task->source);
    if (options->retry_failed && (!entry || entry->status != JOURNAL_FAILED))
        return false;
    if (options->skip_existing)
        task->flags |= THUMBNAIL_EXISTING;
    if (options->verify)
        task->flags |= THUMBNAIL_VERIFY;
    if (options->verify && !options->resume)
        task->flags |= THUMBNAIL_CHECK;
    if (entry && entry->status == JOURNAL_DONE && entry->size_bytes >= 0) {
        task->flags |= THUMBNAIL_RECORDED;
        task->recorded = (struct thumbnail_record){entry->size_bytes, entry->mtime_ns, entry->xxh3};
    }
    return true;
}

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    struct run *run = context;
    while (!atomic_load(&run->stopping)) {
        struct thumbnail_task task;
        struct mpp_error why;
        enum plan_status status = plan_next(&run->plan, &task, &why);
        struct journal_record record = {
            .source = run->plan.source, .size_bytes = -1, .rank = -1, .host = ""};
        bool input = status == PLAN_TASK || status == PLAN_SKIP || status == PLAN_BAD;
        if (input && !is_ours(run->options, run->plan.source))
            continue;
        run->inputs += input;
        switch (status) {
        case PLAN_TASK:
            if (take_up(run, &task))
                return give(run, &task, payload, error);
            run->summary.tally.skipped++; /* it has not failed */
            break;
        case PLAN_SKIP:
            end_skipped(run, &record, NULL, "by its suffix it is a thumbnail");
            break;
        case PLAN_BAD:
            end_failed(run, &record, NULL, why.text);
            break;
        case PLAN_UNREAD: /* no input itself: the next run looks again */
            summary_failed(&run->summary, run->plan.source, why.text);
            stop_if_too_many(run);
            break;
        case PLAN_LATER:
            summary_update(&run->summary, program_now_s() - run->begun_s);
            return MPP_SOURCE_LATER;
        case PLAN_END:
            run->summary.tally.total = run->inputs;
            run->ended = true;
            return MPP_SOURCE_END;
        }
    }
    return MPP_SOURCE_END;
}

/* ---- The sink of outcomes ---- */

/* What a worker has made of it. */
static int take_result(struct run *run, const struct thumbnail_task *task,
                       struct journal_record *record, const struct mpp_outcome *outcome,
                       struct mpp_error *error)
{
    struct thumbnail_outcome made;
    if (thumbnail_outcome_decode(outcome->result, &made, error))
        return -1;
    if (made.source_bytes) {
        record->size_bytes = (int64_t)made.source_bytes;
        record->mtime_ns = made.source_mtime_ns;
    }
    switch (made.status) {
    case THUMBNAIL_DONE:
        end_done(run, task, record, outcome, &made);
        break;
    case THUMBNAIL_SKIPPED:
        end_skipped(run, record, outcome, "neither its name nor its content is an image's");
        break;
    case THUMBNAIL_THUMBNAIL:
        end_skipped(run, record, outcome, "by its suffix and its size it is a thumbnail");
        break;
    case THUMBNAIL_KEPT:
        run->summary.tally.kept++;
        if (!(task->flags & THUMBNAIL_RECORDED)) {
            record->status = JOURNAL_SKIPPED; /* whatever it is: nobody wrote down what made it */
            record->error = "its thumbnail was there already (--skip-existing)";
            note(run, record, outcome, 0);
        }
        break;
    case THUMBNAIL_NO_ROOM:
        run->unfinished++;
        stop(run, made.text);
        break;
    }
    return 0;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct run *run = context;
    const struct mpp_exception *exception = outcome->exception;
    struct thumbnail_task task;
    if (thumbnail_task_decode(outcome->payload, &task, error))
        return -1;
    struct journal_record record = {.source = task.source,
                                    .size_bytes = -1,
                                    .run_s = outcome->run_s,
                                    .rank = outcome->rank,
                                    .host = outcome->host,
                                    .attempts = outcome->attempts};
    early_stop_note_task(&run->lifetime, outcome->run_s);
    if (exception && exception->kind == MPP_EXCEPTION_CANCELLED)
        run->unfinished++;
    else if (exception)
        end_failed(run, &record, outcome, exception->message);
    else if (take_result(run, &task, &record, outcome, error))
        return -1;
    summary_update(&run->summary, program_now_s() - run->begun_s);
    return 0;
}

/* ---- The whole ---- */

static double time_limit_s(const struct run *run)
{
    double limit_s = run->options->time_limit_s;
    if (limit_s == TIME_LIMIT_AUTO)
        return early_stop_left_s(getenv("SLURM_JOB_END_TIME"), (int64_t)time(NULL));
    double left_s = limit_s - (program_now_s() - run->begun_s);
    return limit_s > 0 && left_s <= 0 ? 1e-3 : left_s;
}

static enum exit_status status_of(const struct run *run, bool failed)
{
    bool complete = run->ended && !run->unfinished;
    if (atomic_load(&run->stopping) && !complete)
        return EXIT_STOPPED;
    if (failed && !complete)
        return EXIT_INTERNAL;
    return run->summary.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE;
}

/* Writes and says how it ended. */
static enum exit_status finish(struct run *run, bool failed)
{
    struct mpp_error error;
    enum exit_status status = status_of(run, failed);
    double elapsed_s = program_now_s() - run->begun_s;
    struct run_log_end end = {.exit_status = status,
                              .stopped_by = status == EXIT_STOPPED ? run->stopped_by.text : NULL,
                              .elapsed_s = elapsed_s};
    if (run_log_close(&run->account, &run->summary, run->executor, &end, &error)) {
        summary_error(&run->summary, error.text);
        if (status <= EXIT_SOME_FAILED)
            status = EXIT_STOPPED; /* what is done may be done again */
    }
    if (status == EXIT_STOPPED && run->stopped_by.text[0]) {
        mpp_error_set(&error, "stopped early: %s; the same command with --resume takes it up",
                      run->stopped_by.text);
        summary_error(&run->summary, error.text);
    }
    struct summary_pool pool = program_pool(run->executor, run->confined);
    int unsaid = run->options->dry_run ? summary_finish_dry(&run->summary)
                                       : summary_finish(&run->summary, &pool, elapsed_s);
    status = unsaid ? EXIT_INTERNAL : status;
    early_stop_leave((int)status);
    return status;
}

static enum exit_status map_all(struct run *run)
{
    struct mpp_map map = {
        .job = thumbnail_job.name, .source = source, .sink = sink, .context = run};
    struct early_stop_options lifetime = {.limit_s = time_limit_s(run),
                                          .tick_s = run->options->journal_sync_s,
                                          .on_stop = stop,
                                          .on_insist = end_at_once,
                                          .on_tick = sync_journal,
                                          .context = run};
    struct mpp_error error;
    if (early_stop_start(&run->lifetime, &lifetime, &error)) {
        summary_error(&run->summary, error.text);
        return EXIT_INTERNAL;
    }
    /* A list of what would be done is read by people and compared by programs: in order. */
    int failed = run->options->dry_run ? mpp_map(run->executor, &map, &error)
                                       : mpp_map_unordered(run->executor, &map, &error);
    early_stop_end(&run->lifetime);
    if (failed && !atomic_load(&run->stopping))
        summary_error(&run->summary, error.text);
    return finish(run, failed);
}

enum exit_status run_batch(struct mpp_executor *executor, const struct options *options,
                           const char *confined, double begun_s)
{
    enum exit_status status = EXIT_USAGE;
    struct mpp_error error;
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return EXIT_INTERNAL;
    run->executor = executor;
    run->options = options;
    run->confined = confined;
    run->begun_s = begun_s;
    summary_init(&run->summary, TALLY_IMAGES, options->quiet);
    if (plan_init(&run->plan, options, &error) || run_log_open(&run->account, options, &error)) {
        summary_error(&run->summary, error.text);
    } else {
        if (!options->verbose && !options->dry_run)
            run->summary.names_in = run->account.journal_path;
        if (run->account.past.damaged)
            log_line("%" PRIu64 " damaged lines of the journal were passed over",
                     run->account.past.damaged);
        status = map_all(run);
    }
    run_log_release(&run->account);
    plan_release(&run->plan);
    summary_release(&run->summary);
    buf_release(&run->payload);
    free(run);
    return status;
}
