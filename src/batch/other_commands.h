/* SPDX-License-Identifier: MIT */
/*
 * other_commands: what a program with several jobs can do besides running them: `completions` and
 * `list`. They need neither MPI nor workers.
 */
#ifndef OTHER_COMMANDS_H
#define OTHER_COMMANDS_H

#include <stdbool.h>

#include "buf.h"
#include "mpbatch.h"

/* What a command line asks for. */
enum command_status {
    COMMAND_RUN,        /* a job */
    COMMAND_TEXT,       /* to print a text */
    COMMAND_WRONG,      /* a usage error */
    COMMAND_UNREADABLE, /* `list`: there is no journal, or it cannot be read */
    COMMAND_FAILED,     /* out of memory, or the output of `list` cannot be written */
};

/* Whether the word names one of these commands. */
bool other_command_find(const char *word);

/* Runs the command argv[1]; `text` gets what it prints, unless that can be long: then it is printed
 * at once. Returns COMMAND_TEXT, or fills the error. */
enum command_status other_command_run(int argc, char **argv, const struct mpb_job *const *jobs,
                                      struct buf *text, struct mpp_error *error);

#endif
