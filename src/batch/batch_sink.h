/* SPDX-License-Identifier: MIT */
/* batch_sink: takes what came of the tasks of a run: journal, console, results in order; stops the
 * run early. Rank 0 only. */
#ifndef BATCH_SINK_H
#define BATCH_SINK_H

#include "batch_state.h"

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
