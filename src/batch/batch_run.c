/* SPDX-License-Identifier: MIT */
/*
 * One run of a job: see batch_run.h. For each round of tasks it is the source of orders and the
 * sink of reports for the pool:
 *
 *     inputs -> plan -> journal index -> order -> pool -> report -> journal, console
 *                                                               -> collector -> output, next stage
 */
#include "batch_run.h"

#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "batch_inputs.h"
#include "clock.h"
#include "collector.h"
#include "console.h"
#include "early_stop.h"
#include "log.h"
#include "output_directory.h"
#include "result_stream.h"
#include "run_log.h"
#include "stage_plan.h"
#include "task_message.h"

enum {
    PERCENT_INPUTS_MIN = 100, /* inputs finished before --max-failures N% can stop the run */
    /* Tasks between source and sink if results wait for each other: with RESULT_INLINE_MAX it
     * bounds the memory of results that are on their way. */
    COLLECTED_TASKS_MAX = 16384,
};

struct batch_run {
    struct mpp_executor *executor;
    const struct batch_arguments *arguments;
    const struct mpb_job *job;
    const struct run_options *options;
    void *planner; /* of the job */
    bool planning; /* the job's begin has returned */
    struct batch_inputs inputs;
    struct mpb_input input; /* the current one */
    bool more;              /* it gives another task */
    struct console console;
    struct run_log log;
    struct early_stop early_stop;
    struct buf payload, line;

    uint32_t stage;                          /* the current round; 0: the inputs */
    struct name_set stage_keys;              /* of all stages' tasks */
    struct stage_plan members, next_members; /* of this round's tasks, and of the next round's */
    struct collector collector;
    struct spool_reader *spool;
    uint64_t spool_run; /* the number of this run in the names of spool files */
    struct mpb_output output;

    uint64_t input_count; /* read so far */
    uint64_t unfinished;  /* tasks not processed because the run was stopped */
    bool ended;           /* all tasks of this round were made */
    bool undelivered;     /* a result could not be handed on: the output is not complete */
    atomic_flag stop_claimed;
    atomic_bool stopping; /* start no more tasks; the reason is stopped_by */
    struct mpp_error stopped_by;
};

/* ---- Stopping early ---- */

/* Stops the run; can be called by any thread. Only the first call has an effect. Running tasks are
 * finished, all others are returned to the sink as cancelled. */
static void stop(void *context, const char *why)
{
    struct batch_run *run = context;
    if (atomic_flag_test_and_set(&run->stop_claimed))
        return;
    mpp_error_set(&run->stopped_by, "%s", why);
    atomic_store(&run->stopping, true);
    mpp_shutdown(run->executor, false, true, NULL);
}

static void sync_journal(void *context)
{
    struct batch_run *run = context;
    struct mpp_error error;
    if (journal_sync(&run->log.journal, &error))
        stop(run, error.text);
}

static void end_at_once(void *context)
{
    struct batch_run *run = context;
    journal_sync(&run->log.journal, NULL);
    log_line("ended at once; run the same command with --resume to continue");
    _exit(EXIT_STOPPED);
}

static void stop_if_too_many_failed(struct batch_run *run)
{
    const struct failure_limit *limit = &run->options->failures;
    const struct tally *tally = &run->console.tally;
    uint64_t finished = tally->done + tally->failed + tally->skipped;
    char why[96];
    bool too_many = limit->count && tally->failed >= limit->count;
    bool too_large_a_share = limit->percent > 0 && finished >= PERCENT_INPUTS_MIN &&
                             (double)tally->failed * 100 >= limit->percent * (double)finished;
    if (!too_many && !too_large_a_share)
        return;
    snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " %s failed (--max-failures)",
             tally->failed, finished, tally->input_unit);
    stop(run, why);
}

/* ---- Results in order ---- */

static int put_piece(void *context, const struct mpb_piece *piece, struct mpp_error *error)
{
    struct batch_run *run = context;
    if (run->job->collect)
        return run->job->collect(run->planner, piece, &run->output, error);
    return mpb_output_write(&run->output, piece->bytes.data, piece->bytes.size, error);
}

static bool is_last_round(const struct batch_run *run)
{
    return !run->job->stages || !run->job->stages[run->stage].name;
}

/* Gives a result, when its turn has come, to the next stage or to the output. */
static int deliver(void *context, const char *input, const struct result_ref *ref,
                   struct mpp_error *error)
{
    struct batch_run *run = context;
    if (is_last_round(run))
        return result_stream_pieces(ref, input, run->spool, put_piece, run, error);
    return stage_plan_add(&run->next_members, run->arguments->setup->spool_directory, ref, error);
}

/* A task has ended; result NULL: without one. */
static void collect(struct batch_run *run, const struct mpp_outcome *outcome,
                    const struct task_order *order, const struct result_ref *result)
{
    struct mpp_error error;
    if (!job_has_results(run->job) || run->options->run.dry_run || run->undelivered ||
        collector_put(&run->collector, outcome->index, order->identity.key, result, &error) == 0)
        return;
    run->undelivered = true;
    stop(run, error.text);
}

/* ---- The end of a task ---- */

static void record(struct batch_run *run, struct journal_record *line,
                   const struct mpp_outcome *outcome, uint64_t output_bytes)
{
    struct mpp_error error;
    if (!line->end_ms)
        line->end_ms = (int64_t)(clock_now_ns(CLOCK_REALTIME) / 1000000);
    if (run_log_add(&run->log, line, outcome, output_bytes, &error))
        stop(run, error.text);
}

/* The caller has filled the other members of the record. */
static void finish_failed(struct batch_run *run, struct journal_record *line,
                          const struct mpp_outcome *outcome, const char *why)
{
    line->status = JOURNAL_FAILED;
    line->error = why;
    console_failed(&run->console, line->identity.key, why);
    record(run, line, outcome, 0);
    stop_if_too_many_failed(run);
}

static void finish_skipped(struct batch_run *run, struct journal_record *line,
                           const struct mpp_outcome *outcome, const char *why)
{
    line->status = JOURNAL_SKIPPED;
    line->error = why;
    run->console.tally.skipped++;
    if (run->options->run.verbose)
        console_line(&run->console, "%s was skipped: %s", line->identity.key, why);
    record(run, line, outcome, 0);
}

static void print_done(struct batch_run *run, const struct task_order *order,
                       const struct task_report *report)
{
    const struct batch_setup *setup = run->arguments->setup;
    struct mpb_task task = {.input = order->identity.key, .plan = order->plan};
    char path[2 * PATH_MAX];
    if (*report->line) {
        console_line(&run->console, "%s", report->line);
    } else if (run->options->run.dry_run && run->job->output_path) {
        run->job->output_path(&run->options->run, setup->settings, &task, path, sizeof path);
        console_line(&run->console, "%s -> %s", task.input, path);
    } else if (run->options->run.dry_run) {
        console_line(&run->console, "%s", task.input);
    } else if (run->options->run.verbose) {
        console_line(&run->console, "%s was processed...", task.input);
    }
}

static void finish_done(struct batch_run *run, const struct task_order *order,
                        struct journal_record *line, const struct mpp_outcome *outcome,
                        const struct task_report *report)
{
    line->status = JOURNAL_DONE;
    line->output = *report->output ? report->output : NULL;
    line->xxh3 = report->xxh3;
    line->fields = report->fields;
    line->result = report->result;
    run->console.tally.done += !order->identity.stage;
    run->console.tally.warnings += report->warned;
    record(run, line, outcome, report->output_bytes);
    print_done(run, order, report);
    collect(run, outcome, order, &report->result);
}

static void finish_kept(struct batch_run *run, const struct task_order *order,
                        struct journal_record *line, const struct mpp_outcome *outcome)
{
    run->console.tally.kept += !order->identity.stage;
    if (!order->is_recorded) {
        line->status = JOURNAL_SKIPPED; /* not done: what made it is unknown */
        line->error = "its output was there already (--skip-existing)";
        record(run, line, outcome, 0);
    }
    collect(run, outcome, order, &order->recorded.result);
}

/* Handles the report of a worker. */
static int handle_report(struct batch_run *run, const struct task_order *order,
                         struct journal_record *line, const struct mpp_outcome *outcome,
                         struct mpp_error *error)
{
    struct task_report report;
    if (task_report_get(outcome->result, &report, error))
        return -1;
    line->size_bytes = report.size_bytes;
    line->mtime_ns = report.mtime_ns;
    switch (report.status) {
    case REPORT_DONE:
        finish_done(run, order, line, outcome, &report);
        break;
    case REPORT_SKIPPED:
        finish_skipped(run, line, outcome, report.text);
        collect(run, outcome, order, NULL);
        break;
    case REPORT_KEPT:
        finish_kept(run, order, line, outcome);
        break;
    case REPORT_STOP:
        run->unfinished++;
        stop(run, report.text);
        break;
    }
    return 0;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct batch_run *run = context;
    const struct mpp_exception *exception = outcome->exception;
    struct task_order order;
    if (task_order_get(outcome->payload, &order, error))
        return -1;
    struct journal_record line = {.identity = order.identity,
                                  .size_bytes = -1,
                                  .run_s = outcome->run_s,
                                  .end_ms = outcome->ended_ms,
                                  .rank = outcome->rank,
                                  .worker = outcome->worker,
                                  .host = outcome->host,
                                  .attempts = outcome->attempts};
    early_stop_note_task(&run->early_stop, outcome->run_s);
    if (exception && exception->kind == MPP_EXCEPTION_CANCELLED) {
        run->unfinished++;
    } else if (exception) {
        finish_failed(run, &line, outcome, exception->message);
        collect(run, outcome, &order, NULL);
    } else if (handle_report(run, &order, &line, outcome, error)) {
        return -1;
    }
    console_update(&run->console, monotonic_now_s() - run->arguments->begun_s);
    return 0;
}

/* ---- The source of tasks ---- */

/* Adds to the order what an earlier run recorded about its task. False in *wanted: this run must
 * not process it, or it is done and there is nothing that a worker could check; it is counted. */
static int look_up(struct batch_run *run, struct task_order *order, bool *wanted,
                   struct mpp_error *error)
{
    const struct journal_entry *entry = run_log_find(&run->log, &order->identity);
    bool is_done = entry && entry->status == JOURNAL_DONE;
    bool has_results = job_has_results(run->job);
    order->run = has_results ? run->spool_run : 0;
    *wanted = !run->options->retry_failed || order->identity.stage ||
              (entry && entry->status == JOURNAL_FAILED) || (is_done && has_results);
    if (run_options_only_verify(run->options) && entry && entry->status == JOURNAL_SKIPPED)
        *wanted = false;
    run->console.tally.skipped += !*wanted;
    if (*wanted && is_done && !has_results && run->job->inputs == MPB_INPUT_WORDS) {
        *wanted = false;
        run->console.tally.kept++;
    }
    if (!is_done || !*wanted ||
        (run->job->inputs == MPB_INPUT_FILES && !order->identity.stage && entry->size_bytes < 0))
        return 0;
    order->is_recorded = true;
    order->recorded = (struct recorded_task){
        .size_bytes = entry->size_bytes, .mtime_ns = entry->mtime_ns, .xxh3 = entry->xxh3};
    return has_results
               ? run_log_read_result(&run->log, entry, &run->line, &order->recorded.result, error)
               : 0;
}

static enum mpp_source_status encode(struct batch_run *run, const struct task_order *order,
                                     struct mpp_bytes *payload, struct mpp_error *error)
{
    buf_clear(&run->payload);
    task_order_put(&run->payload, order);
    *payload = (struct mpp_bytes){run->payload.data, run->payload.size};
    if (!run->payload.failed)
        return MPP_SOURCE_ITEM;
    mpp_error_set(error, "out of memory");
    return MPP_SOURCE_ERROR;
}

/* Asks the job what the current input becomes. */
static enum mpb_plan plan_input(struct batch_run *run, struct task_order *order,
                                struct mpp_error *why)
{
    struct mpp_error error;
    enum mpb_plan plan = run->job->plan
                             ? run->job->plan(run->planner, &run->input, &order->plan, why)
                             : MPB_PLAN_TASK;
    run->more = plan == MPB_PLAN_MORE;
    order->identity.key = run->input.name;
    if (batch_inputs_occurrence(&run->inputs, run->input.name, &order->identity.occurrence,
                                &error)) {
        *why = error;
        return MPB_PLAN_REFUSE;
    }
    return plan;
}

/* An input that is not given to the pool. */
static struct journal_record record_of(const struct task_order *order)
{
    return (struct journal_record){
        .identity = order->identity, .size_bytes = -1, .rank = -1, .worker = -1, .host = ""};
}

/* Hands the task of the current input to the pool, unless this run must not process it. */
static enum mpp_source_status begin_task(struct batch_run *run, struct task_order *order,
                                         struct mpp_bytes *payload, struct mpp_error *error)
{
    bool wanted;
    if (look_up(run, order, &wanted, error))
        return MPP_SOURCE_ERROR;
    return wanted ? encode(run, order, payload, error) : MPP_SOURCE_LATER;
}

static enum mpp_source_status input_source(void *context, struct mpp_bytes *payload,
                                           struct mpp_error *error)
{
    struct batch_run *run = context;
    while (!atomic_load(&run->stopping)) {
        struct task_order order = {.identity.key = run->input.name};
        struct mpp_error why;
        enum mpb_plan plan = MPB_PLAN_REFUSE;
        enum mpp_source_status status;
        if (collector_is_full(&run->collector))
            return MPP_SOURCE_LATER;
        switch (run->more ? BATCH_INPUT : batch_inputs_next(&run->inputs, &run->input, &why)) {
        case BATCH_INPUT:
            if (batch_inputs_is_output(&run->inputs, &run->input)) {
                mpp_error_set(&why, "the output '%.600s' is an input, too; use another --output",
                              run->input.name);
                stop(run, why.text);
                continue;
            }
            run->input_count += !run->more;
            plan = plan_input(run, &order, &why);
            break;
        case BATCH_INPUT_BAD:
            run->input_count++;
            order.identity.key = run->input.name;
            break;
        case BATCH_INPUT_UNREAD: /* not an input: it gets no line in the journal */
            console_failed(&run->console, run->input.name, why.text);
            stop_if_too_many_failed(run);
            continue;
        case BATCH_INPUT_LATER:
            console_update(&run->console, monotonic_now_s() - run->arguments->begun_s);
            return MPP_SOURCE_LATER;
        case BATCH_INPUT_END:
            run->console.tally.total = run->input_count;
            run->ended = true;
            return MPP_SOURCE_END;
        }
        struct journal_record line = record_of(&order);
        switch (plan) {
        case MPB_PLAN_TASK:
        case MPB_PLAN_MORE:
            status = begin_task(run, &order, payload, error);
            if (status != MPP_SOURCE_LATER)
                return status;
            break;
        case MPB_PLAN_SKIP:
            finish_skipped(run, &line, NULL, why.text);
            break;
        case MPB_PLAN_REFUSE:
            finish_failed(run, &line, NULL, why.text);
            break;
        }
    }
    return MPP_SOURCE_END;
}

static enum mpp_source_status stage_source(void *context, struct mpp_bytes *payload,
                                           struct mpp_error *error)
{
    struct batch_run *run = context;
    struct task_order order = {.identity.stage = run->stage};
    bool made, wanted;
    if (atomic_load(&run->stopping))
        return MPP_SOURCE_END;
    if (collector_is_full(&run->collector))
        return MPP_SOURCE_LATER;
    if (stage_plan_next(&run->members, &run->job->stages[run->stage - 1], &order, &made, error))
        return MPP_SOURCE_ERROR;
    if (!made) {
        run->ended = true;
        return MPP_SOURCE_END;
    }
    if (name_set_count(&run->stage_keys, order.identity.key, &order.identity.occurrence, error) ||
        look_up(run, &order, &wanted, error))
        return MPP_SOURCE_ERROR;
    return encode(run, &order, payload, error);
}

/* ---- The rounds ---- */

/* Runs the tasks of a round. -1: not all of them have ended. */
static int run_round(struct batch_run *run, struct mpp_error *error)
{
    struct mpp_map map = {.job = run->job->name,
                          .source = run->stage ? stage_source : input_source,
                          .sink = sink,
                          .context = run,
                          .buffersize = job_has_results(run->job) ? COLLECTED_TASKS_MAX : 0,
                          .chunksize = (size_t)run->options->chunk};
    collector_init(&run->collector, deliver, run);
    run->ended = false;
    /* The list printed by --dry-run is in the order of the inputs. */
    int failed = run->options->run.dry_run ? mpp_map(run->executor, &map, error)
                                           : mpp_map_unordered(run->executor, &map, error);
    collector_release(&run->collector);
    if (failed && !atomic_load(&run->stopping))
        console_error(&run->console, error->text);
    else if (run->ended && !run->unfinished && !run->undelivered)
        return 0;
    return -1;
}

/* Ends the output after the last round. */
static int finish_output(struct batch_run *run, struct mpp_error *error)
{
    if (run->job->output != MPB_OUTPUT_STREAM || run->options->run.dry_run)
        return 0;
    return run->job->finish && run->job->finish(run->planner, &run->output, error)
               ? -1
               : result_stream_commit(&run->output, error);
}

/* Returns whether everything that can be done is done. */
static bool run_rounds(struct batch_run *run)
{
    struct mpp_error error;
    bool complete;
    while ((complete = run_round(run, &error) == 0) && !is_last_round(run) &&
           !run->options->run.dry_run) {
        if (atomic_load(&run->stopping))
            return false;
        stage_plan_release(&run->members);
        run->members = run->next_members;
        run->next_members = (struct stage_plan){0};
        run->stage++;
    }
    if (complete && finish_output(run, &error)) {
        stop(run, error.text);
        complete = false;
    }
    return complete;
}

/* ---- The run ---- */

static double time_limit_s(const struct batch_run *run)
{
    double limit_s = run->options->time_limit_s;
    if (limit_s == TIME_LIMIT_AUTO)
        return early_stop_remaining_s(getenv("SLURM_JOB_END_TIME"), (int64_t)time(NULL));
    double left_s = limit_s - (monotonic_now_s() - run->arguments->begun_s);
    return limit_s > 0 && left_s <= 0 ? 1e-3 : left_s;
}

/* The spool is of use to a run that continues this one. */
static void remove_spool(struct batch_run *run, enum exit_status status)
{
    const struct run_directory *directory = run->arguments->directory;
    struct mpp_error error;
    bool useful = (status != EXIT_DONE || run->options->keep_spool) && directory->journal;
    if (!directory->spool || run->options->run.dry_run)
        return;
    if (useful)
        rmdir(directory->spool); /* fails unless it is empty */
    else if (spool_remove(directory->spool, &error))
        console_error(&run->console, error.text);
    if (!directory->journal && directory->path)
        rmdir(directory->path); /* the same */
}

/* Prints the summary. -1: it cannot be printed. */
static int print_summary(struct batch_run *run, double elapsed_s)
{
    struct pool_summary pool = program_pool_summary(run->executor, run->arguments->confined);
    if (run->options->run.dry_run)
        return console_finish_dry(&run->console);
    if (run_options_only_verify(run->options))
        return console_finish_verify(&run->console);
    return console_finish(&run->console, &pool, elapsed_s);
}

/* Closes the files, prints the summary, and returns the exit status. */
static enum exit_status finish(struct batch_run *run, bool complete)
{
    struct mpp_error error;
    enum exit_status status = complete ? run->console.tally.failed ? EXIT_SOME_FAILED : EXIT_DONE
                              : atomic_load(&run->stopping) ? EXIT_STOPPED
                                                            : EXIT_INTERNAL;
    double elapsed_s = monotonic_now_s() - run->arguments->begun_s;
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
    remove_spool(run, status);
    if (print_summary(run, elapsed_s))
        status = EXIT_INTERNAL;
    early_stop_exit_on_sigint((int)status);
    return status;
}

static enum exit_status run_all(struct batch_run *run)
{
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
    bool complete = run_rounds(run);
    early_stop_end(&run->early_stop);
    return finish(run, complete);
}

/* ---- Begin and end ---- */

static int open_output(struct batch_run *run, struct mpp_error *error)
{
    const struct mpb_run *options = &run->options->run;
    const struct run_directory *directory = run->arguments->directory;
    int fd;
    if (run->job->output == MPB_OUTPUT_FILES && options->output) {
        if (!options->dry_run && !run_options_only_verify(run->options)) {
            if (output_directory_open(options->output, &fd, error))
                return -1;
            close(fd);
        }
        batch_inputs_exclude(&run->inputs, options->output);
    }
    if (!job_has_results(run->job) || options->dry_run)
        return 0;
    run->spool = spool_reader_new(directory->spool, error);
    if (!run->spool || result_stream_open(&run->output, options->output, error))
        return -1;
    if (!run->output.path)
        run->console.stream = stderr;
    return 0;
}

static int open_log(struct batch_run *run, struct mpp_error *error)
{
    const struct batch_arguments *arguments = run->arguments;
    const struct batch_setup *setup = arguments->setup;
    if (run_log_open(&run->log, arguments->directory, run->options, run->job, setup->settings,
                     arguments->libraries, error))
        return -1;
    /* Without a journal, files of an earlier run must not have the same names. */
    run->spool_run = run->log.journal_path ? run->log.journal.run : (uint32_t)time(NULL);
    if (run->log.index.damaged)
        log_line("%" PRIu64 " damaged lines of the journal were ignored", run->log.index.damaged);
    if (run->log.index.count && !run->output.path && job_has_results(run->job) &&
        !run->options->run.dry_run)
        log_line("all results are printed again, from the first on");
    if (!run->options->run.verbose && !run->options->run.dry_run)
        run->console.failures_listed_in = run->log.journal_path;
    return 0;
}

static int begin(struct batch_run *run, struct mpp_error *error)
{
    const struct mpb_job *job = run->job;
    if (batch_inputs_init(&run->inputs, run->options, job, error) || open_output(run, error))
        return -1;
    if (job->begin &&
        job->begin(&run->planner, &run->options->run, run->arguments->setup->settings, error))
        return -1;
    run->planning = true;
    if (name_set_init_random(&run->stage_keys, error))
        return -1;
    if (open_log(run, error))
        return -1;
    if (job->output != MPB_OUTPUT_FILES && run->arguments->directory->path)
        batch_inputs_exclude(&run->inputs, run->arguments->directory->path); /* it exists now */
    return 0;
}

static void release(struct batch_run *run)
{
    if (run->planning && run->job->end)
        run->job->end(run->planner);
    run_log_release(&run->log);
    batch_inputs_release(&run->inputs);
    name_set_release(&run->stage_keys);
    stage_plan_release(&run->members);
    stage_plan_release(&run->next_members);
    spool_reader_free(run->spool);
    result_stream_release(&run->output);
    console_release(&run->console);
    buf_release(&run->payload);
    buf_release(&run->line);
    free(run);
}

enum exit_status batch_run(struct mpp_executor *executor, const struct batch_arguments *arguments)
{
    const struct mpb_job *job = arguments->setup->job;
    struct tally words = {.unit = job->unit ? job->unit : "tasks",
                          .input_unit = job->inputs == MPB_INPUT_FILES ? "files" : "tasks",
                          .warned = job->warned ? job->warned : "with warnings"};
    enum exit_status status = EXIT_USAGE;
    struct mpp_error error;
    struct batch_run *run = calloc(1, sizeof *run);
    if (!run)
        return EXIT_INTERNAL;
    run->executor = executor;
    run->arguments = arguments;
    run->job = job;
    run->options = arguments->setup->options;
    run->output.root = -1;
    run->log.journal.fd = -1;
    console_init(&run->console, &words, run->options->quiet);
    if (begin(run, &error))
        console_error(&run->console, error.text);
    else
        status = run_all(run);
    release(run);
    return status;
}
