/*
 * progress: how far a run is, on stderr. On a terminal one bar that is drawn over; elsewhere whole
 * lines, few of them.
 *
 * The formats and the timetable are pure: times are given, in seconds since the run began.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tally_kind { TALLY_IMAGES, TALLY_TASKS }; /* what is counted, in words */

struct tally {
    enum tally_kind kind;
    uint64_t done;
    uint64_t damaged; /* of those: the decoder had to warn */
    uint64_t kept;    /* done by an earlier run */
    uint64_t failed;
    uint64_t skipped;
    uint64_t total; /* of all inputs; 0 while it is not known */
};

/* Images, or tasks, done in a second; 0 before the first instant. */
double progress_rate(const struct tally *tally, double elapsed_s);

/* "0:07", "12:34", "1:02:03". Returns its length. */
int progress_format_time(double seconds, char *text, size_t size);

const char *progress_unit(const struct tally *tally); /* "images" or "tasks" */

/* One line for a log, without a newline. */
void progress_format_line(const struct tally *tally, double elapsed_s, char *text, size_t size);

/* One line of at most `columns` characters for a terminal, with a bar when the total is known. */
void progress_format_bar(const struct tally *tally, double elapsed_s, int columns, char *text,
                         size_t size);

/* When the line after `lines` others is due: 10 s, 20 s, 40 s after the start, then every
 * minute. */
double progress_due_s(int lines);

enum progress_style {
    PROGRESS_NONE,
    PROGRESS_LINES,
    PROGRESS_BAR,
};

struct progress {
    enum progress_style style;
    int lines;      /* written so far */
    double next_s;  /* nothing is drawn before */
    bool on_screen; /* a bar stands on the terminal's last line */
};

/* A bar where stderr is a terminal that can draw over its line, otherwise lines. */
void progress_init(struct progress *progress, bool quiet);

/* Call it whenever something has happened: it draws when that is due. */
void progress_update(struct progress *progress, const struct tally *tally, double elapsed_s);

/* Takes the bar away: before anything else is printed, and at the end. */
void progress_erase(struct progress *progress);

#endif
