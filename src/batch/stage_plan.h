/* SPDX-License-Identifier: MIT */
/*
 * stage_plan: makes the tasks of a stage out of the results of the round before: groups of
 * references, in the order of the inputs. The references wait in a file without a name in the spool
 * directory, so memory does not grow with their number, except for one group. Rank 0 only.
 *
 * The key of a task is the name of the stage and a hash over the checksums of its members and of
 * what they share: a stage's task that an earlier run has done is known again, however its members
 * were made.
 */
#ifndef STAGE_PLAN_H
#define STAGE_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mpbatch.h"
#include "result_ref.h"
#include "task_message.h"

enum { STAGE_NAME_MAX = 20 }; /* bytes; job_table refuses longer ones */

struct stage_plan {
    FILE *file;     /* a size and an encoded reference for each result; NULL: none was added */
    uint64_t count; /* of results */
    uint64_t read;  /* of them, already put into tasks */
    struct result_ref shared; /* what all tasks of the stage get; the caller sets it */
    struct buf encoded, members;
    struct buf sums; /* the checksums of the members and of what they share */
    char key[64];
};

/* Adds the next result. The file is created in `directory`. */
int stage_plan_add(struct stage_plan *plan, const char *directory, const struct result_ref *ref,
                   struct mpp_error *error);

/* Makes the next task; no more results may be added. Fills identity.key and the members of *order,
 * which are valid until the next call. False in *made: there are no more. */
int stage_plan_next(struct stage_plan *plan, const struct mpb_stage *stage,
                    struct task_order *order, bool *made, struct mpp_error *error);

void stage_plan_release(struct stage_plan *plan); /* leaves a zero struct; accepts one */

#endif
