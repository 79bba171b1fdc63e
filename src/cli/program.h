/*
 * program: what the mains of all our programs have in common.
 *
 * Every rank runs the same main with the same arguments. What concerns the command line is said by
 * the process with launch rank 0, before MPI is started; the others leave in silence and with
 * status 0, so that a launcher reports the status of the one that spoke.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "mppool.h"
#include "summary.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_INTERNAL = 70, /* EX_SOFTWARE */
    EXIT_STOPPED = 75,  /* EX_TEMPFAIL: stopped early, can be taken up */
};

/* Call it first: standard descriptors that are closed, signals that would end us while we can still
 * report. */
void program_begin(void);

/* Says what is wrong with the command line; returns the status to end with. */
enum exit_status program_usage_error(const char *text);

/* Prints a text such as that of --help; returns the status to end with. */
enum exit_status program_say(const char *text);

/* Was it started in a way that cannot work? What is wrong, or NULL. */
const char *program_launch_error(void);

/* Opens the pool; on rank 0 calls `work` with it, and closes it. Returns the status to end with. */
enum exit_status program_run(int argc, char **argv, const struct mpp_options *options,
                             enum exit_status (*work)(struct mpp_executor *executor, void *context),
                             void *context);

/* The monotonic clock. */
double program_now_s(void);

/* What the pool did, for the last lines of a run; confined: by what its workers are, or NULL. */
struct summary_pool program_pool(struct mpp_executor *executor, const char *confined);

#endif
