/*
 * draw: seeded random numbers, and the times that tasks take.
 */
#ifndef RANDOM_TIMES_H
#define RANDOM_TIMES_H

#include <stdint.h>

enum distribution {
    UNIFORM,    /* from 0 to twice the mean */
    LOG_NORMAL, /* sigma 0.5: one in a thousand takes more than four times the mean */
    PARETO,     /* alpha 1.5: the variance is infinite */
};

enum { DISTRIBUTIONS = 3 };
extern const char *const distribution_names[DISTRIBUTIONS];

struct draw {
    uint64_t state;
};

double draw_uniform(struct draw *draw); /* in (0, 1) */

/* A task's time with this mean. */
int64_t draw_task_ns(struct draw *draw, enum distribution distribution, double mean_ns);

#endif
