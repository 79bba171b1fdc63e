/*
 * summary: everything a run says, in its order: lines about files, errors, progress, and the last
 * line. On rank 0 only.
 *
 * Lines go to stdout, errors and progress to stderr. When stdout fails (a closed pipe, a full disk)
 * the run goes on without it; that is said once, and summary_finish returns -1.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "failure_summary.h"
#include "progress.h"

struct summary {
    bool quiet; /* errors only */
    bool stdout_failed;
    const char *names_in; /* the file that has the names of all failed inputs; NULL: they are all
                             said. With it only the first few of each cause are */
    struct tally tally;
    struct failure_summary causes;
    struct progress progress;
};

enum { SUMMARY_SAID = 5 }; /* inputs of one cause */

/* What the pool did, for the line before the last; all zero where there was none. */
struct summary_pool {
    int ranks;
    int ranks_lost;
    int workers;
    uint64_t steals;
    uint64_t tasks_stolen;
    uint64_t workers_replaced;
    uint64_t retries;
    const char *confined; /* what workers are confined by; NULL: nothing is said of it */
};

void summary_init(struct summary *summary, enum tally_kind kind, bool quiet);

/* One line on stdout; control characters in it are shown as \ooo. */
void summary_line(struct summary *summary, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* An input has failed: `mpthumb: 'path': text` on stderr. Counts it. */
void summary_failed(struct summary *summary, const char *path, const char *text);

/* Whatever else goes wrong: `mpthumb: text` on stderr. */
void summary_error(struct summary *summary, const char *text);

void summary_update(struct summary *summary, double elapsed_s); /* draws progress when it is due */

void summary_release(struct summary *summary);

/* The last lines: what failed but was not said, by its cause; what the pool did; the counts. -1:
 * stdout did not take everything that was written to it. */
int summary_finish(struct summary *summary, const struct summary_pool *pool, double elapsed_s);

/* The same for a run that only says what it would do. */
int summary_finish_dry(struct summary *summary);

/* The last line, and the one before it ("" when there is nothing to tell); without newlines. */
void summary_format(const struct tally *tally, double elapsed_s, char *text, size_t size);
void summary_format_pool(const struct summary_pool *pool, char *text, size_t size);

#endif
