/* SPDX-License-Identifier: MIT */
/* noop: a job that does nothing. It measures the overhead of the pool. */
#ifndef NOOP_H
#define NOOP_H

#include "mpbatch.h"

extern const struct mpb_job noop_job;

#endif
