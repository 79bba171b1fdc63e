/* SPDX-License-Identifier: MIT */
/*
 * random_times: pseudo-random run times of tasks. The same seed gives the same times.
 */
#ifndef RANDOM_TIMES_H
#define RANDOM_TIMES_H

#include <stdint.h>

enum distribution {
    UNIFORM,    /* between 0 and twice the mean */
    LOG_NORMAL, /* sigma 0.5: one in a thousand is longer than four times the mean */
    PARETO,     /* alpha 1.5: the variance is infinite */
};

enum { DISTRIBUTIONS = 3 };
extern const char *const distribution_names[DISTRIBUTIONS];

struct random_times {
    uint64_t state; /* the seed */
};

double random_times_uniform(struct random_times *times); /* between 0 and 1, both excluded */

/* The run time of a task, in nanoseconds, at least 1. */
int64_t random_times_task_ns(struct random_times *times, enum distribution distribution,
                             double mean_ns);

#endif
