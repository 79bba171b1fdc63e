/* SPDX-License-Identifier: MIT */
/* Times of other ranks on rank 0's clock: see rank_clock.h. */
#include "rank_clock.h"

/* Unsigned arithmetic wraps around, so that no time of a rank can overflow. */
static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

void rank_clock_start(struct rank_clock *clock, int64_t rank_ns, int64_t now_ns)
{
    clock->pinged_ns = now_ns;
    clock->offset_ns = clock->upper_ns = minus(now_ns, rank_ns);
}

void rank_clock_answer(struct rank_clock *clock, int64_t rank_ns, int64_t now_ns)
{
    int64_t lower_ns = minus(clock->pinged_ns, rank_ns), upper_ns = minus(now_ns, rank_ns);
    if (clock->upper_ns < upper_ns)
        upper_ns = clock->upper_ns;
    clock->offset_ns = plus(lower_ns, minus(upper_ns, lower_ns) / 2);
}

int64_t rank_clock_task_end(const struct rank_clock *clock, int64_t ended_ns, uint64_t run_ns,
                            int64_t opened_ns, int64_t now_ns)
{
    int64_t end_ns = plus(ended_ns, clock->offset_ns);
    int64_t earliest_ns =
        run_ns < (uint64_t)minus(now_ns, opened_ns) ? opened_ns + (int64_t)run_ns : now_ns;
    return end_ns < earliest_ns ? earliest_ns : end_ns > now_ns ? now_ns : end_ns;
}
