/* SPDX-License-Identifier: MIT */
/*
 * rank_clock: turns times on another rank's CLOCK_MONOTONIC into times on rank 0's. These clocks
 * count from different moments, because hosts are started at different times.
 *
 * The offset between the two is measured when the rank joins (F. Cristian, Probabilistic clock
 * synchronization, Distributed Computing 3, 1989). A time in a message of the rank is not later
 * than its arrival: that bounds the offset from above. A time in the answer to a ping is not
 * earlier than the ping: that bounds it from below. The estimate is the midpoint, so it is wrong by
 * at most half of the ping's round trip.
 *
 * Pure: it is given all times, in nanoseconds. A time that a rank sends may be any number.
 */
#ifndef RANK_CLOCK_H
#define RANK_CLOCK_H

#include <stdint.h>

struct rank_clock {
    int64_t pinged_ns; /* when the rank was pinged, on rank 0's clock */
    int64_t offset_ns; /* to be added to a time of the rank: the best estimate so far, */
    int64_t upper_ns;  /* and the most that it can be */
};

/* A message that the rank has sent at rank_ns arrives at now_ns, and the rank is pinged now. Until
 * it answers, the offset is the upper bound. */
void rank_clock_start(struct rank_clock *clock, int64_t rank_ns, int64_t now_ns);

/* The answer to the ping: the rank's time, and when it arrives. */
void rank_clock_answer(struct rank_clock *clock, int64_t rank_ns, int64_t now_ns);

/* When a task ended, on rank 0's clock: the rank reports that it ended at ended_ns and took run_ns.
 * The answer is never later than now_ns, and the task does not begin before opened_ns unless that
 * would make it end later than now_ns. */
int64_t rank_clock_task_end(const struct rank_clock *clock, int64_t ended_ns, uint64_t run_ns,
                            int64_t opened_ns, int64_t now_ns);

#endif
