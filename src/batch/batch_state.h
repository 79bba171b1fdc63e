/* SPDX-License-Identifier: MIT */
/*
 * batch_state: one run of a job on an open pool, from the first input to the summary. Rank 0 only.
 * Its state, struct batch_run, is shared by three files. Each calls those below it:
 *
 *     batch_run.c      begins the run, runs its rounds, and ends it
 *     batch_source.c   makes the tasks, from inputs or from the results of the round before, and
 *                      leaves out those that need not run
 *     batch_sink.c     takes what came of the tasks: journal, console, results in order; stops the
 *                      run early
 */
#ifndef BATCH_STATE_H
#define BATCH_STATE_H

#include <stdatomic.h>

#include "batch_inputs.h"
#include "batch_worker.h"
#include "collector.h"
#include "console.h"
#include "early_stop.h"
#include "result_stream.h"
#include "run_log.h"
#include "stage_plan.h"
#include "task_message.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 70, /* EX_SOFTWARE */
    EXIT_STOPPED = 75,  /* EX_TEMPFAIL: stopped early, --resume continues */
};

struct batch_arguments {
    const struct batch_setup *setup;
    const char *libraries; /* the text of --version */
    const char *confined;  /* what confines the workers, for the summary; NULL: nothing */
    double begun_s;        /* when the program began, on the monotonic clock */
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
    uint32_t spool_run; /* the number of this run in the names of spool files */
    struct mpb_output output;

    uint64_t input_count; /* read so far */
    uint64_t unfinished;  /* tasks not processed because the run was stopped */
    uint64_t left_out;    /* by --retry-failed, although no run has processed them */
    bool ended;           /* all tasks of this round were made */
    bool stage_failed;    /* a task of a stage: the output would not be complete */
    bool refused;         /* the command line cannot be right: a usage error */
    bool undelivered;     /* a result could not be handed on: the output is not complete */
    atomic_bool begun;    /* files are open, and tasks are run */
    atomic_flag stop_claimed;
    atomic_bool stopping; /* start no more tasks; the reason is stopped_by */
    struct mpp_error stopped_by;
};

static inline bool batch_is_last_round(const struct batch_run *run)
{
    return !run->job->stages || !run->job->stages[run->stage].name;
}

enum exit_status batch_run(struct mpp_executor *executor, const struct batch_arguments *arguments);

/* ---- batch_source.c ---- */

/* The source of the pool for the current round; `context` is a struct batch_run. */
enum mpp_source_status batch_source(void *context, struct mpp_bytes *payload,
                                    struct mpp_error *error);

/* ---- batch_sink.c ---- */

/* The sink of the pool; `context` is a struct batch_run. */
int batch_sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error);

/* Ends a task: prints it, counts it, and writes its line. The caller has filled the members of the
 * line that do not follow from the call. outcome: NULL if it was not given to the pool. */
void batch_task_failed(struct batch_run *run, struct journal_record *line,
                       const struct mpp_outcome *outcome, const char *why);
void batch_task_skipped(struct batch_run *run, struct journal_record *line,
                        const struct mpp_outcome *outcome, const char *why);

/* A directory or a list cannot be read completely. That is no task and gets no line. */
void batch_input_unread(struct batch_run *run, const char *name, const char *why);

/* For the collector: gives a result, when its turn has come, to the next stage or to the output. */
int batch_deliver(void *context, const char *input, const struct result_ref *ref,
                  struct mpp_error *error);

/* Stops the run; can be called by any thread. Only the first call has an effect. Running tasks are
 * finished, all others are returned to the sink as cancelled. */
void batch_stop(void *context, const char *why);

#endif
