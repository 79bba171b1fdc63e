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

/* Whether the word names one of these commands. */
bool other_command_find(const char *word);

/* Runs the command argv[1]; `text` gets what it prints, unless that can be long: then it is printed
 * at once. */
int other_command_run(int argc, char **argv, const struct mpb_job *const *jobs, struct buf *text,
                      struct mpp_error *error);

#endif
