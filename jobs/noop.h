/* noop: a job that does nothing, for measuring the pool. */
#ifndef NOOP_H
#define NOOP_H

#include "mppool.h"

extern const struct mpp_job noop_job;

#endif
