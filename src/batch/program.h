/* SPDX-License-Identifier: MIT */
/*
 * program: what a program does around a run: exit statuses, and messages about the command line
 * and the launch.
 *
 * Every rank runs the same main with the same arguments. Errors in the command line, and texts such
 * as --help, are printed before MPI starts, by the process to which the launcher gave rank 0. The
 * other processes print nothing and exit with status 0, so that the launcher reports the status of
 * rank 0.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "buf.h"
#include "mppool.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 70, /* EX_SOFTWARE */
    EXIT_STOPPED = 75,  /* EX_TEMPFAIL: stopped early, --resume continues */
};

/* Call it first in main. Opens standard descriptors that are closed, and ignores SIGPIPE and
 * SIGXFSZ, so that writing returns an error instead. */
void program_begin(void);

/* Prints what is wrong with the command line. Returns the exit status. */
enum exit_status program_usage_error(const char *text);

/* Prints a text such as that of --help. Returns the exit status. */
enum exit_status program_print(const struct buf *text);

/* Checks how the program was launched. Returns what is wrong, or NULL. */
const char *program_launch_error(void);

#endif
