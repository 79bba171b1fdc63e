/* SPDX-License-Identifier: MIT */
/*
 * The source of a run: see batch_state.h.
 *
 *     inputs, or results of the round before -> plan -> journal index -> order
 */
#include "batch_state.h"

#include "clock.h"

/* Adds to the order what an earlier run recorded about its task. False in *wanted: this run must
 * not process it, or it is done and there is nothing that a worker could check; it is counted. */
static int look_up(struct batch_run *run, struct task_order *order, bool *wanted,
                   struct mpp_error *error)
{
    const struct journal_entry *entry = journal_index_find(&run->log.index, &order->identity);
    bool is_done = entry && entry->status == JOURNAL_DONE;
    bool has_results = job_has_results(run->job);
    order->run = has_results ? run->spool_run : 0;
    *wanted = !run->options->retry_failed || order->identity.stage ||
              (entry && entry->status == JOURNAL_FAILED) || (is_done && has_results);
    if (run_options_only_verify(run->options) && entry && entry->status == JOURNAL_SKIPPED)
        *wanted = false;
    run->console.tally.skipped += !*wanted;
    run->left_out += !*wanted && !entry && has_results;
    if (*wanted && is_done && !has_results && run->job->inputs == MPB_INPUT_WORDS &&
        run->job->output == MPB_OUTPUT_NONE) {
        *wanted = false;
        run->console.tally.kept++;
    }
    if (!is_done || !*wanted ||
        (run->job->inputs == MPB_INPUT_FILES && !order->identity.stage && entry->size_bytes < 0))
        return 0;
    order->recorded = (struct recorded_task){
        .size_bytes = entry->size_bytes, .mtime_ns = entry->mtime_ns, .xxh3 = entry->xxh3};
    if (has_results &&
        run_log_read_result(&run->log, entry, &run->line, &order->recorded.result, error))
        return -1;
    /* A line without the result that the task had proves nothing. */
    order->is_recorded = !has_results || order->recorded.result.place != RESULT_NONE;
    return 0;
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

static enum mpp_source_status next_input_task(struct batch_run *run, struct mpp_bytes *payload,
                                              struct mpp_error *error)
{
    while (!atomic_load(&run->stopping)) {
        struct task_order order = {0};
        struct mpp_error why;
        enum mpb_plan plan = MPB_PLAN_REFUSE;
        enum mpp_source_status status;
        switch (run->more ? BATCH_INPUT : batch_inputs_next(&run->inputs, &run->input, &why)) {
        case BATCH_INPUT:
            if (!run->more && batch_inputs_is_output(&run->inputs, &run->input)) {
                mpp_error_set(&why,
                              "the output '%.600s' is an input, too; use another --output, or "
                              "--exclude",
                              run->input.name);
                run->refused = true;
                batch_stop(run, why.text);
                continue;
            }
            run->input_count += !run->more;
            plan = plan_input(run, &order, &why);
            break;
        case BATCH_INPUT_BAD:
            run->input_count++;
            break;
        case BATCH_INPUT_UNREAD:
            batch_input_unread(run, run->input.name, why.text);
            continue;
        case BATCH_INPUT_LATER:
            console_update(&run->console, monotonic_now_s() - run->arguments->begun_s);
            return MPP_SOURCE_LATER;
        case BATCH_INPUT_END:
            run->console.tally.total = run->input_count;
            run->ended = true;
            return MPP_SOURCE_END;
        }
        order.identity.key = run->input.name;
        struct journal_record line;
        switch (plan) {
        case MPB_PLAN_TASK:
        case MPB_PLAN_MORE:
            status = begin_task(run, &order, payload, error);
            if (status != MPP_SOURCE_LATER)
                return status;
            break;
        case MPB_PLAN_SKIP:
            line = record_of(&order);
            batch_task_skipped(run, &line, NULL, why.text);
            break;
        case MPB_PLAN_REFUSE:
            line = record_of(&order);
            batch_task_failed(run, &line, NULL, why.text);
            break;
        }
    }
    return MPP_SOURCE_END;
}

static enum mpp_source_status next_stage_task(struct batch_run *run, struct mpp_bytes *payload,
                                              struct mpp_error *error)
{
    struct task_order order = {.identity.stage = run->stage};
    bool made, wanted;
    if (stage_plan_next(&run->members, &run->job->stages[run->stage - 1], &order, &made, error)) {
        batch_stop(run, error->text); /* the disk may be full */
        return MPP_SOURCE_END;
    }
    if (!made) {
        run->ended = true;
        return MPP_SOURCE_END;
    }
    if (name_set_count(&run->stage_keys, order.identity.key, &order.identity.occurrence, error) ||
        look_up(run, &order, &wanted, error))
        return MPP_SOURCE_ERROR;
    return encode(run, &order, payload, error);
}

enum mpp_source_status batch_source(void *context, struct mpp_bytes *payload,
                                    struct mpp_error *error)
{
    struct batch_run *run = context;
    if (atomic_load(&run->stopping))
        return MPP_SOURCE_END;
    if (collector_is_full(&run->collector))
        return MPP_SOURCE_LATER;
    return run->stage ? next_stage_task(run, payload, error) : next_input_task(run, payload, error);
}
