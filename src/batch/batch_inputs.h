/* SPDX-License-Identifier: MIT */
/*
 * batch_inputs: the inputs of a run, one at a time: arguments, files below directories, names from
 * a list, or numbers; without those that patterns leave out or that belong to another shard. Gives
 * each input its occurrence, so that the same name twice is two tasks. Rank 0 only.
 *
 * Names are found on demand. stat is called only for arguments: whether files found in directories
 * and names from a list exist and can be read is found out by the worker that opens them.
 *
 * Memory: one directory listing per level of depth. Also 11 to 21 bytes per input, unless the only
 * input is a directory, inputs are numbers, or there is no journal.
 */
#ifndef BATCH_INPUTS_H
#define BATCH_INPUTS_H

#include <sys/types.h>

#include "directory_walk.h"
#include "name_list.h"
#include "name_set.h"
#include "run_options.h"

struct batch_inputs {
    const struct run_options *options;
    bool words;      /* arguments are texts: none is a directory */
    size_t argument; /* the next one */
    bool walking;    /* the argument before it */
    bool listing;    /* there is a list, and its end has not been reached */
    int list_fd;     /* of --files-from; -1: none */
    struct directory_walk walk;
    struct name_list names;
    uint64_t number;      /* of the next numbered input */
    bool unique;          /* names do not repeat */
    uint64_t tasks;       /* made of the current input, if names are unique */
    struct name_set seen; /* otherwise */
    char name[PATH_MAX];  /* of the current input, if it is an argument or has a number */
    const char *output;   /* the file that the run will replace at its end; NULL: none */
    dev_t output_dev;
    ino_t output_ino;
};

enum batch_input_status {
    BATCH_INPUT,        /* *input is valid until the next call */
    BATCH_INPUT_BAD,    /* input->name cannot be used, error says why */
    BATCH_INPUT_UNREAD, /* the directory or list input->name cannot be read completely */
    BATCH_INPUT_LATER,  /* the list is a pipe that has no complete name yet */
    BATCH_INPUT_END,
};

/* Opens the list. After a failure call batch_inputs_release as well. */
int batch_inputs_init(struct batch_inputs *inputs, const struct run_options *options,
                      const struct mpb_job *job, struct mpp_error *error);
void batch_inputs_release(struct batch_inputs *inputs);

/* Leaves out a directory, unless it is an argument itself. Does nothing if it does not exist. */
void batch_inputs_exclude(struct batch_inputs *inputs, const char *directory);

enum batch_input_status batch_inputs_next(struct batch_inputs *inputs, struct mpb_input *input,
                                          struct mpp_error *error);

/* Whether the run would replace this input. */
bool batch_inputs_is_output(const struct batch_inputs *inputs, const struct mpb_input *input);

/* Call it for each task that is made of an input: how many tasks with this name were made before.
 * -1: out of memory. */
int batch_inputs_occurrence(struct batch_inputs *inputs, const char *name, uint64_t *occurrence,
                            struct mpp_error *error);

#endif
