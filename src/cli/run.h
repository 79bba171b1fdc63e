/* run: one batch on an open pool, from the first name to the last line. Rank 0 only. */
#ifndef RUN_H
#define RUN_H

#include "mppool.h"
#include "options.h"

enum exit_status { /* of mpthumb */
                   EXIT_DONE = 0,
                   EXIT_SOME_FAILED = 1,
                   EXIT_USAGE = 2,
                   EXIT_INTERNAL = 70, /* EX_SOFTWARE */
};

/* begun_s: when the program began, on the monotonic clock. */
enum exit_status run_batch(struct mpp_executor *executor, const struct options *options,
                           double begun_s);

double run_now_s(void); /* the monotonic clock */

#endif
