/* run: one batch on an open pool, from the first name to the last line. Rank 0 only. */
#ifndef MPTHUMB_RUN_H
#define MPTHUMB_RUN_H

#include "mppool.h"
#include "mpthumb_options.h"
#include "program.h"

/* confined: what the workers are confined by. begun_s: when the program began, on the monotonic
 * clock. */
enum exit_status run_batch(struct mpp_executor *executor, const struct options *options,
                           const char *confined, double begun_s);

#endif
