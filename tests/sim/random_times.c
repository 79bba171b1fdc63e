/* SPDX-License-Identifier: MIT */
/* Random run times: see random_times.h. The generator is SplitMix64 (Steele, Lea, Flood 2014). */
#include "random_times.h"

#include <math.h>

#define SIGMA 0.5
#define ALPHA 1.5
#define PI    3.14159265358979323846

const char *const distribution_names[DISTRIBUTIONS] = {"uniform", "log-normal", "Pareto"};

static uint64_t next(struct random_times *times)
{
    uint64_t z = times->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

double random_times_uniform(struct random_times *times)
{
    return ((double)(next(times) >> 12) + 0.5) * 0x1p-52;
}

int64_t random_times_task_ns(struct random_times *times, enum distribution distribution,
                             double mean_ns)
{
    double u = random_times_uniform(times), factor = 0;
    switch (distribution) {
    case UNIFORM:
        factor = 2 * u;
        break;
    case LOG_NORMAL: /* Box-Muller transform */
        factor = exp(SIGMA * sqrt(-2 * log(u)) * cos(2 * PI * random_times_uniform(times)) -
                     SIGMA * SIGMA / 2);
        break;
    case PARETO:
        factor = (ALPHA - 1) / ALPHA * pow(u, -1 / ALPHA);
        break;
    }
    return 1 + (int64_t)(factor * mean_ns);
}
