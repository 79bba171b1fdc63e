/* SPDX-License-Identifier: MIT */
/*
 * task_plan: turns each input into a task with a source and an output path. Refuses inputs whose
 * outputs could overwrite an input or another output, before anything is computed. Rank 0 only.
 *
 * It guarantees that no two inputs have the same output. A task whose output may go to a directory
 * that contains inputs is marked THUMBNAIL_NO_REPLACE: the worker then never replaces an existing
 * file.
 *
 * It calls the file system for arguments and symbolic links, but not for each file found in a
 * directory.
 *
 * Memory: constant if the only input is a directory whose files keep their names; otherwise 11 to
 * 21 bytes per output (name_set).
 */
#ifndef TASK_PLAN_H
#define TASK_PLAN_H

#include "input_list.h"
#include "mpthumb_options.h"
#include "name_set.h"
#include "output_name.h"
#include "thumbnail_task.h"

/* An argument that is a directory. */
struct planned_directory {
    size_t argument;           /* its index */
    char *real;                /* its path without symbolic links */
    char prefix[NAME_MAX + 1]; /* its outputs go below this directory; "" for none */
    bool in_output;            /* it is the output directory or lies below it */
};

struct task_plan {
    const struct mpthumb_options *options;
    struct output_name_rules name_rules;
    struct input_list inputs;
    int list_fd; /* of --files-from; -1: none */
    struct planned_directory *directories;
    size_t directory_count;
    char *output_real;    /* NULL: the output directory does not exist yet, or --beside */
    bool among_inputs;    /* outputs can go to directories that contain inputs */
    bool named_in_output; /* an argument is a file in the output directory */
    bool unique;          /* different inputs always have different outputs: no name_set needed */
    struct name_set outputs;
    char output[PATH_MAX];
    char source[PATH_MAX];
};

enum plan_status {
    PLAN_TASK,   /* *task is valid until the next call */
    PLAN_SKIP,   /* plan->source is a thumbnail of an earlier run */
    PLAN_BAD,    /* plan->source is refused, error says why */
    PLAN_UNREAD, /* the directory or list plan->source cannot be read completely */
    PLAN_LATER,  /* the list is a pipe that has no complete name yet */
    PLAN_END,
};

/* Opens the list and creates the output directory. struct task_plan is too large for the stack.
 * After a failure call task_plan_release as well. */
int task_plan_init(struct task_plan *plan, const struct mpthumb_options *options,
                   struct mpp_error *error);
void task_plan_release(struct task_plan *plan);

enum plan_status task_plan_next(struct task_plan *plan, struct thumbnail_task *task,
                                struct mpp_error *error);

/* The path of a task's thumbnail as the user would write it. */
void task_plan_output_path(const struct mpthumb_options *options, const struct thumbnail_task *task,
                           char *path, size_t size);

#endif
