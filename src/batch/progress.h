/* SPDX-License-Identifier: MIT */
/*
 * progress: shows on stderr how far a run is: on a terminal as a bar that is redrawn in place,
 * otherwise as a few whole lines.
 *
 * The functions that format texts and decide when a line is due are pure: they are given the time,
 * in seconds since the run began.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each finished task that was made of an input, and each input that became no task, is counted in
 * one of done, kept, failed and skipped. Besides, `failed` counts directories and lists that could
 * not be read, and failed tasks of stages; `skipped` counts skipped tasks of stages. */
struct tally {
    const char *unit;       /* the words of messages, such as "images" */
    const char *input_unit; /* and "files" */
    const char *warned;     /* and "with decoder warnings" */
    uint64_t done;
    uint64_t warnings; /* part of done */
    uint64_t kept;     /* done by an earlier run */
    uint64_t failed;
    uint64_t skipped;
    uint64_t total; /* number of all inputs; 0 while it is unknown */
};

/* Inputs done per second; 0 if elapsed_s is 0. */
double progress_rate(const struct tally *tally, double elapsed_s);

/* Formats a duration: "0:07", "12:34", "1:02:03". Returns its length. */
int progress_format_time(double seconds, char *text, size_t size);

/* A line for a log, without a newline. */
void progress_format_line(const struct tally *tally, double elapsed_s, char *text, size_t size);

/* A line of at most `columns` characters for a terminal, with a bar if the total is known and there
 * is room for it. */
void progress_format_bar(const struct tally *tally, double elapsed_s, int columns, char *text,
                         size_t size);

/* When the next line is due after `lines` lines were written: 10 s, 20 s and 40 s after the start,
 * then every minute. */
double progress_due_s(int lines);

enum progress_style {
    PROGRESS_NONE,
    PROGRESS_LINES,
    PROGRESS_BAR,
};

struct progress {
    enum progress_style style;
    int lines;      /* written so far */
    double next_s;  /* when to draw next */
    bool on_screen; /* the cursor is in a line with a bar */
};

/* Chooses a bar if stderr is a terminal that can redraw a line, otherwise lines; nothing if
 * `quiet`. */
void progress_init(struct progress *progress, bool quiet);

/* Draws if an update is due. Cheap; call it after each input. */
void progress_update(struct progress *progress, const struct tally *tally, double elapsed_s);

/* Removes the bar from the terminal. Call it before anything else is printed, and at the end. */
void progress_erase(struct progress *progress);

#endif
