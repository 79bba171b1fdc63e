/* SPDX-License-Identifier: MIT */
/* One run of mpthumb: the source of tasks and the sink of outcomes for the pool, and early stops.
 * See mpthumb_run.h. */
#include "mpthumb_run.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "cli_common.h"
#include "clock.h"
#include "console.h"
#include "early_stop.h"
#include "log.h"
#include "run_log.h"
#include "task_plan.h"
#include "thumbnail_job.h"
#include "thumbnail_message.h"

enum { PERCENT_INPUTS_MIN = 100 }; /* inputs finished before --max-failures N% can stop the run */

struct mpthumb_run {
    struct mpp_executor *executor;
    const struct mpthumb_options *options;
    const char *confined;
    struct task_plan plan;
    struct console console;
    struct run_log log;
    struct early_stop early_stop;
    struct buf payload;
    uint64_t inputs;     /* read so far */
    uint64_t unfinished; /* inputs not processed because the run was stopped */
    bool ended;          /* all inputs were read */
    double begun_s;
    atomic_flag stop_claimed;
    atomic_bool stopping; /* start no more tasks; the reason is stopped_by */
    struct mpp_error stopped_by;
};

/* ---- Stopping early ---- */

/* Stops the run; can be called by any thread. Only the first call has an effect. Running tasks are
 * finished, all others are returned to the sink as cancelled. */
static void stop(void *context, const char *why)
{
    struct mpthumb_run *run = context;
    if (atomic_flag_test_and_set(&run->stop_claimed))
        return;
    mpp_error_set(&run->stopped_by, "%s", why);
    atomic_store(&run->stopping, true);
    mpp_shutdown(run->executor, false, true, NULL);
}

static void sync_journal(void *context)
{
    struct mpthumb_run *run = context;
    struct mpp_error error;
    if (journal_sync(&run->log.journal, &error))
        stop(run, error.text);
}

static void end_at_once(void *context)
{
    struct mpthumb_run *run = context;
    journal_sync(&run->log.journal, NULL);
    log_line("ended at once; run the same command with --resume to continue");
    _exit(EXIT_STOPPED);
}

static void stop_if_too_many_failed(struct mpthumb_run *run)
{
    const struct mpthumb_options *options = run->options;
    const struct tally *tally = &run->console.tally;
    uint64_t finished = tally->done + tally->failed + tally->skipped;
    char why[96];
    bool too_many = options->failures_max && tally->failed >= options->failures_max;
    bool too_large_a_share =
        options->failures_max_percent > 0 && finished >= PERCENT_INPUTS_MIN &&
        (double)tally->failed * 100 >= options->failures_max_percent * (double)finished;
    if (!too_many && !too_large_a_share)
        return;
    snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " files failed (--max-failures)",
             tally->failed, finished);
    stop(run, why);
}

/* ---- Finishing an input ---- */

static void record_input(struct mpthumb_run *run, const struct journal_record *record,
                         const struct mpp_outcome *outcome, uint64_t output_bytes)
{
    struct mpp_error error;
    if (run_log_add(&run->log, record, outcome, output_bytes, &error))
        stop(run, error.text);
}

/* The caller has filled the other members of the record. */
static void finish_failed(struct mpthumb_run *run, struct journal_record *record,
                          const struct mpp_outcome *outcome, const char *why)
{
    record->status = JOURNAL_FAILED;
    record->error = why;
    console_failed(&run->console, record->source, why);
    record_input(run, record, outcome, 0);
    stop_if_too_many_failed(run);
}

static void finish_skipped(struct mpthumb_run *run, struct journal_record *record,
                           const struct mpp_outcome *outcome, const char *why)
{
    record->status = JOURNAL_SKIPPED;
    run->console.tally.skipped++;
    if (run->options->verbose)
        console_line(&run->console, "%s was skipped: %s", record->source, why);
    record_input(run, record, outcome, 0);
}

static void finish_done(struct mpthumb_run *run, const struct thumbnail_task *task,
                        struct journal_record *record, const struct mpp_outcome *outcome,
                        const struct thumbnail_outcome *result)
{
    char path[2 * PATH_MAX];
    const struct mpthumb_options *options = run->options;
    record->status = JOURNAL_DONE;
    record->output = task->output;
    record->width_px = result->info.width_px;
    record->height_px = result->info.height_px;
    record->xxh3 = result->output_xxh3;
    run->console.tally.done++;
    run->console.tally.damaged += result->info.warnings > 0;
    record_input(run, record, outcome, result->output_bytes);
    if (!options->verbose && !options->dry_run)
        return;
    task_plan_output_path(options, task, path, sizeof path);
    if (options->dry_run)
        console_line(&run->console, "%s -> %s", task->source, path);
    else if (options->beside)
        console_line(&run->console, "A thumbnail for %s was saved as %s", task->source, path);
    else
        console_line(&run->console, "%s was processed...", task->source);
}

/* ---- The source of tasks ---- */

static enum mpp_source_status encode_task(struct mpthumb_run *run,
                                          const struct thumbnail_task *task,
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

/* The shard of a source is a function of its name only. */
static bool is_in_shard(const struct mpthumb_options *options, const char *source)
{
    return !options->shards || XXH3_64bits(source, strlen(source)) % (uint64_t)options->shards ==
                                   (uint64_t)options->shard - 1;
}

/* Adds to the task what an earlier run recorded about its source. False: this run must not process
 * it (--retry-failed). */
static bool prepare_task(struct mpthumb_run *run, struct thumbnail_task *task)
{
    const struct mpthumb_options *options = run->options;
    const struct journal_entry *entry = run_log_find(&run->log, task->source);
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
    struct mpthumb_run *run = context;
    while (!atomic_load(&run->stopping)) {
        struct thumbnail_task task;
        struct mpp_error why;
        enum plan_status status = task_plan_next(&run->plan, &task, &why);
        struct journal_record record = {
            .source = run->plan.source, .size_bytes = -1, .rank = -1, .host = ""};
        bool input = status == PLAN_TASK || status == PLAN_SKIP || status == PLAN_BAD;
        if (input && !is_in_shard(run->options, run->plan.source))
            continue;
        run->inputs += input;
        switch (status) {
        case PLAN_TASK:
            if (prepare_task(run, &task))
                return encode_task(run, &task, payload, error);
            run->console.tally.skipped++; /* --retry-failed, and it did not fail */
            break;
        case PLAN_SKIP:
            finish_skipped(run, &record, NULL, "its suffix marks it as a thumbnail");
            break;
        case PLAN_BAD:
            finish_failed(run, &record, NULL, why.text);
            break;
        case PLAN_UNREAD: /* not an input: it gets no line in the journal */
            console_failed(&run->console, run->plan.source, why.text);
            stop_if_too_many_failed(run);
            break;
        case PLAN_LATER:
            console_update(&run->console, monotonic_now_s() - run->begun_s);
            return MPP_SOURCE_LATER;
        case PLAN_END:
            run->console.tally.total = run->inputs;
            run->ended = true;
            return MPP_SOURCE_END;
        }
    }
    return MPP_SOURCE_END;
}

/* ---- The sink of outcomes ---- */

/* Handles the result that a worker returned. */
static int handle_result(struct mpthumb_run *run, const struct thumbnail_task *task,
                         struct journal_record *record, const struct mpp_outcome *outcome,
                         struct mpp_error *error)
{
    struct thumbnail_outcome result;
    if (thumbnail_outcome_decode(outcome->result, &result, error))
        return -1;
    if (result.source_bytes) {
        record->size_bytes = (int64_t)result.source_bytes;
        record->mtime_ns = result.source_mtime_ns;
    }
    switch (result.status) {
    case THUMBNAIL_DONE:
        finish_done(run, task, record, outcome, &result);
        break;
    case THUMBNAIL_SKIPPED:
        finish_skipped(run, record, outcome,
                       "neither its name nor its content is that of an image");
        break;
    case THUMBNAIL_OWN_OUTPUT:
        finish_skipped(run, record, outcome, "its suffix and its size mark it as a thumbnail");
        break;
    case THUMBNAIL_KEPT:
        run->console.tally.kept++;
        if (!(task->flags & THUMBNAIL_RECORDED)) {
            record->status = JOURNAL_SKIPPED; /* not done: what made it is unknown */
            record->error = "its thumbnail was there already (--skip-existing)";
            record_input(run, record, outcome, 0);
        }
        break;
    case THUMBNAIL_CANNOT_WRITE:
        run->unfinished++;
        stop(run, result.text);
        break;
    }
    return 0;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct mpthumb_run *run = context;
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
    early_stop_note_task(&run->early_stop, outcome->run_s);
    if (exception && exception->kind == MPP_EXCEPTION_CANCELLED)
        run->unfinished++;
    else if (exception)
        finish_failed(run, &record, outcome, exception->message);
    else if (handle_result(run, &task, &record, outcome, error))
        return -1;
    console_update(&run->console, monotonic_now_s() - run->begun_s);
    return 0;
}

/* ---- The run ---- */

static double time_limit_s(const struct mpthumb_run *run)
{
    double limit_s = run->options->time_limit_s;
    if (limit_s == TIME_LIMIT_AUTO)
        return early_stop_remaining_s(getenv("SLURM_JOB_END_TIME"), (int64_t)time(NULL));
    double left_s = limit_s - (monotonic_now_s() - run->begun_s);
    return limit_s > 0 && left_s <= 0 ? 1e-3 : left_s;
}

static enum exit_status status_of(const struct mpthumb_run *run, bool failed)
{
    bool complete = run->ended && !run->unfinished;
    if (atomic_load(&run->stopping) && !complete)
        return EXIT_STOPPED;
    if (failed && !complete)
        return EXIT_INTERNAL;
    return run->console.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE;
}

/* Closes the files, prints the summary, and returns the exit status. */
static enum exit_status finish(struct mpthumb_run *run, bool failed)
{
    struct mpp_error error;
    enum exit_status status = status_of(run, failed);
    double elapsed_s = monotonic_now_s() - run->begun_s;
    struct run_log_end end = {.exit_status = status,
                              .stopped_by = status == EXIT_STOPPED ? run->stopped_by.text : NULL,
                              .elapsed_s = elapsed_s};
    if (run_log_close(&run->log, &run->console, run->executor, &end, &error)) {
        console_error(&run->console, error.text);
        if (status <= EXIT_SOME_FAILED)
            status = EXIT_STOPPED; /* some finished inputs may be missing in the journal */
    }
    if (status == EXIT_STOPPED && run->stopped_by.text[0]) {
        mpp_error_set(&error, "stopped early: %s; run the same command with --resume to continue",
                      run->stopped_by.text);
        console_error(&run->console, error.text);
    }
    struct pool_summary pool = cli_pool_summary(run->executor, run->confined);
    int print_failed = run->options->dry_run ? console_finish_dry(&run->console)
                                             : console_finish(&run->console, &pool, elapsed_s);
    status = print_failed ? EXIT_INTERNAL : status;
    early_stop_exit_on_sigint((int)status);
    return status;
}

static enum exit_status map_all(struct mpthumb_run *run)
{
    struct mpp_map map = {
        .job = thumbnail_job.name, .source = source, .sink = sink, .context = run};
    struct early_stop_options stop_options = {.limit_s = time_limit_s(run),
                                              .tick_s = run->options->journal_sync_s,
                                              .on_stop = stop,
                                              .on_second_sigint = end_at_once,
                                              .on_tick = sync_journal,
                                              .context = run};
    struct mpp_error error;
    if (early_stop_start(&run->early_stop, &stop_options, &error)) {
        console_error(&run->console, error.text);
        return EXIT_INTERNAL;
    }
    /* The list printed by --dry-run is in the order of the inputs. */
    int failed = run->options->dry_run ? mpp_map(run->executor, &map, &error)
                                       : mpp_map_unordered(run->executor, &map, &error);
    early_stop_end(&run->early_stop);
    if (failed && !atomic_load(&run->stopping))
        console_error(&run->console, error.text);
    return finish(run, failed);
}

enum exit_status mpthumb_run_batch(struct mpp_executor *executor,
                                   const struct mpthumb_options *options, const char *confined,
                                   double begun_s)
{
    enum exit_status status = EXIT_USAGE;
    struct mpp_error error;
    struct mpthumb_run *run = calloc(1, sizeof *run);
    if (!run)
        return EXIT_INTERNAL;
    run->executor = executor;
    run->options = options;
    run->confined = confined;
    run->begun_s = begun_s;
    console_init(&run->console, TALLY_IMAGES, options->quiet);
    if (task_plan_init(&run->plan, options, &error) || run_log_open(&run->log, options, &error)) {
        console_error(&run->console, error.text);
    } else {
        if (!options->verbose && !options->dry_run)
            run->console.failures_listed_in = run->log.journal_path;
        if (run->log.index.damaged)
            log_line("%" PRIu64 " damaged lines of the journal were ignored",
                     run->log.index.damaged);
        status = map_all(run);
    }
    run_log_release(&run->log);
    task_plan_release(&run->plan);
    console_release(&run->console);
    buf_release(&run->payload);
    free(run);
    return status;
}
