/*
 * plan: which task each input becomes, and which inputs are refused before anything is computed.
 * Rank 0 only; it asks the file system about arguments and links, not about the files of a walk.
 *
 * This is where the promises about names are kept: no two inputs get one output, and no output goes
 * where an input may lie unless the worker is told never to replace anything there.
 *
 * Memory: constant when one directory is mirrored with its names; otherwise name_set's 11 to 21
 * bytes for each output.
 */
#ifndef PLAN_H
#define PLAN_H

#include "inputs.h"
#include "mpthumb_options.h"
#include "name_set.h"
#include "output_name.h"
#include "thumbnail_job.h"

struct plan_directory { /* an argument that is one */
    size_t argument;
    char *real;                /* its path without links */
    char prefix[NAME_MAX + 1]; /* what its outputs go below; "" for none */
    bool in_output;            /* it is the output directory, or lies in it */
};

struct plan {
    const struct options *options;
    struct output_name naming;
    struct inputs inputs;
    int list_fd;
    struct plan_directory *directories;
    size_t directory_count;
    char *output_real; /* NULL: there is none yet, or each source's own */
    bool amid_inputs;  /* outputs may go where inputs lie */
    bool named_in_output;
    bool unique; /* different inputs have different outputs by themselves */
    struct name_set outputs;
    char output[PATH_MAX];
    char source[PATH_MAX];
};

enum plan_status {
    PLAN_TASK,   /* *task is valid until the next call */
    PLAN_SKIP,   /* plan->source is a thumbnail of an earlier run */
    PLAN_BAD,    /* plan->source is refused: error says why */
    PLAN_UNREAD, /* plan->source is a directory, or the list, that cannot be read to its end */
    PLAN_LATER,  /* nothing to say yet */
    PLAN_END,
};

/* Opens the list and makes the output directory. A plan is large: not for the stack. */
int plan_init(struct plan *plan, const struct options *options, struct mpp_error *error);
void plan_release(struct plan *plan);

enum plan_status plan_next(struct plan *plan, struct thumbnail_task *task, struct mpp_error *error);

/* Where a task's thumbnail goes, as a person would write it. */
void plan_output_path(const struct options *options, const struct thumbnail_task *task, char *path,
                      size_t size);

#endif
