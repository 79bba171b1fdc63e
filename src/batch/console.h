/* SPDX-License-Identifier: MIT */
/*
 * console: everything that a run prints, and the counts in its output. Used on rank 0 only.
 *
 * Lines about inputs and the final summary go to stdout, or to stderr if stdout gets the results of
 * the run; errors and progress go to stderr. If the stream of the lines cannot be written (a closed
 * pipe, a full disk), the run continues; an error is printed once, and console_finish returns -1.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdio.h>

#include "failure_summary.h"
#include "mppool.h"
#include "progress.h"

struct console {
    FILE *stream; /* of the lines about inputs and the summary: stdout, or stderr if stdout gets
                     the results */
    bool quiet;   /* print errors only */
    bool stream_failed;

    /* NULL: every failure is printed. Otherwise only the first CONSOLE_EXAMPLES_MAX failures of
     * each cause are, and the summary refers to this file for the rest. */
    const char *failures_listed_in;

    struct tally tally;
    struct failure_summary failures;
    struct progress progress;
};

enum { CONSOLE_EXAMPLES_MAX = 5 };

/* tally: zero but for its words. */
void console_init(struct console *console, const struct tally *tally, bool quiet);
void console_release(struct console *console);

/* Prints a line on the stream, unless quiet. Control characters are shown as \ooo. */
void console_line(struct console *console, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Counts a failure and prints `PROGRAM: 'path': text` on stderr. */
void console_failed(struct console *console, const char *path, const char *text);

/* Prints any other error as `PROGRAM: text` on stderr. */
void console_error(struct console *console, const char *text);

/* Shows the progress if an update is due. */
void console_update(struct console *console, double elapsed_s);

/* Prints the summary: how many failures of each cause were not printed, what the pool did, and the
 * counts. confined: what confines the workers; NULL: nothing. -1: the stream could not be written
 * completely. */
int console_finish(struct console *console, const struct mpp_stats *pool, const char *confined,
                   double elapsed_s);

/* The same for a dry run. */
int console_finish_dry(struct console *console);

/* The same for a run that only compares outputs with the journal. */
int console_finish_verify(struct console *console);

/* The last line of the summary, without a newline. */
void console_format_counts(const struct tally *tally, double elapsed_s, char *text, size_t size);

/* The line before it; "" if nothing of it is worth printing. */
void console_format_pool(const struct mpp_stats *pool, const char *confined, char *text,
                         size_t size);

#endif
