/* SPDX-License-Identifier: MIT */
/*
 * The sink of a run: see batch_state.h.
 *
 *     report -> journal, console
 *            -> collector -> output, or the tasks of the next stage
 */
#include "batch_state.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "clock.h"

enum { PERCENT_INPUTS_MIN = 100 }; /* inputs finished before --max-failures N% can stop the run */

/* ---- Stopping early ---- */

void batch_stop(void *context, const char *why)
{
    struct batch_run *run = context;
    if (atomic_flag_test_and_set(&run->stop_claimed))
        return;
    mpp_error_set(&run->stopped_by, "%s", why);
    atomic_store(&run->stopping, true);
    mpp_shutdown(run->executor, false, true, NULL);
}

static void stop_if_too_many_failed(struct batch_run *run)
{
    const struct failure_limit *limit = &run->options->failures;
    const struct tally *tally = &run->console.tally;
    uint64_t finished = tally->done + tally->failed + tally->skipped;
    char why[96];
    bool too_many = limit->count && tally->failed >= limit->count;
    bool too_large_a_share = limit->percent && finished >= PERCENT_INPUTS_MIN &&
                             tally->failed * 100 >= limit->percent * finished;
    if (!too_many && !too_large_a_share)
        return;
    snprintf(why, sizeof why, "%" PRIu64 " of %" PRIu64 " %s failed (--max-failures)",
             tally->failed, finished, tally->input_unit);
    batch_stop(run, why);
}

void batch_input_unread(struct batch_run *run, const char *name, const char *why)
{
    console_failed(&run->console, name, why);
    stop_if_too_many_failed(run);
}

/* ---- Results in order ---- */

static int put_piece(void *context, const struct mpb_piece *piece, struct mpp_error *error)
{
    struct batch_run *run = context;
    if (run->job->collect)
        return run->job->collect(run->planner, piece, &run->output, error);
    return mpb_output_write(&run->output, piece->bytes.data, piece->bytes.size, error);
}

static int gather_piece(void *context, const struct mpb_piece *piece, struct mpp_error *error)
{
    struct batch_run *run = context;
    return run->job->stages[run->stage].gather(run->planner, piece, error);
}

int batch_deliver(void *context, const char *input, const struct result_ref *ref,
                  struct mpp_error *error)
{
    struct batch_run *run = context;
    if (batch_is_last_round(run))
        return run->job->output == MPB_OUTPUT_STREAM
                   ? result_stream_pieces(ref, input, run->spool, put_piece, run, error)
                   : 0;
    if (run->job->stages[run->stage].gather &&
        result_stream_pieces(ref, input, run->spool, gather_piece, run, error))
        return -1;
    return stage_plan_add(&run->next_members, run->arguments->setup->directory->spool, ref, error);
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
    batch_stop(run, error.text);
}

/* ---- The end of a task ---- */

static void record(struct batch_run *run, struct journal_record *line,
                   const struct mpp_outcome *outcome, uint64_t output_bytes)
{
    struct mpp_error error;
    if (!line->end_ms)
        line->end_ms = (int64_t)(clock_now_ns(CLOCK_REALTIME) / 1000000);
    if (run_log_add(&run->log, line, outcome, output_bytes, &error))
        batch_stop(run, error.text);
}

/* The caller has filled the other members of the record. */
void batch_task_failed(struct batch_run *run, struct journal_record *line,
                       const struct mpp_outcome *outcome, const char *why)
{
    line->status = JOURNAL_FAILED;
    line->error = why;
    console_failed(&run->console, line->identity.key, why);
    run->stage_failed |= line->identity.stage > 0;
    record(run, line, outcome, 0);
    stop_if_too_many_failed(run);
}

void batch_task_skipped(struct batch_run *run, struct journal_record *line,
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
        batch_task_skipped(run, line, outcome, report.text);
        collect(run, outcome, order, NULL);
        break;
    case REPORT_KEPT:
        finish_kept(run, order, line, outcome);
        break;
    case REPORT_STOP:
        run->unfinished++;
        batch_stop(run, report.text);
        break;
    }
    return 0;
}

int batch_sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
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
    } else if (exception && exception->message[0] == STOPPING_ERROR) {
        run->unfinished++;
        batch_stop(run, exception->message + 1);
    } else if (exception) {
        batch_task_failed(run, &line, outcome, exception->message);
        collect(run, outcome, &order, NULL);
    } else if (handle_report(run, &order, &line, outcome, error)) {
        return -1;
    }
    /* The coarse clock is cheap, and precise enough for a progress bar. */
    double now_s = (double)clock_now_ns(CLOCK_MONOTONIC_COARSE) * 1e-9;
    console_update(&run->console, now_s - run->arguments->begun_s);
    return 0;
}
