/* SPDX-License-Identifier: MIT */
/*
 * command_line: what the words of a command line ask for: to run a job over inputs, or to print a
 * text (--help, --version, and the commands `completions` and `list` of programs with several
 * jobs).
 */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "buf.h"
#include "other_commands.h"
#include "run_options.h"

struct command_line {
    const struct mpb_job *const *jobs;
    const struct mpb_job *job; /* NULL: none was named */
    struct mpb_option *table;  /* of the engine, with the words and defaults of the job */
    struct run_options options;
    bool output_given; /* --output was on the command line */
    char *output;      /* the name of a shard's output file; NULL: none */
    void *settings;    /* of the job */
    struct buf text, version;
};

/* COMMAND_RUN: `job` with `options` and `settings`. COMMAND_TEXT: print `text`. Otherwise the error
 * is filled. Reorders argv. Not thread-safe. Call command_line_release in every case. */
enum command_status command_line_parse(int argc, char **argv, const struct mpb_job *const *jobs,
                                       struct command_line *command, struct mpp_error *error);
void command_line_release(struct command_line *command);

/* The text of --version, for the job if one was named. "": out of memory. */
const char *command_line_version(struct command_line *command);

#endif
