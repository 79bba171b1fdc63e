/* SPDX-License-Identifier: MIT */
/*
 * poll_pace: how often a rank looks for messages while nothing wakes it. MPI has no descriptor to
 * wait on, so where no doorbell rings (doorbell.h), a rank has to look by itself. Each look takes
 * time on a core that a worker may need, so the pace follows what an early look can win. Pure.
 */
#ifndef POLL_PACE_H
#define POLL_PACE_H

#include <stdint.h>

enum poll_pace {
    PACE_UNDER_WAY, /* a message is known to be under way: MPI moves it only when it is called */
    PACE_STARVING, /* a message may come without a ring, and workers have nothing to do till then */
    PACE_FED,      /* a message may come without a ring, but all workers have tasks */
    PACE_BACKSTOP, /* every message comes with a ring: looks only in case that one was missed */
};

/* How long to wait until the next look, in nanoseconds. quiet_ns: the time since the last message
 * was sent or received. The wait is an eighth of it, within bounds, so that a message is delayed by
 * little compared with the pause before it. */
int64_t poll_pace_wait_ns(enum poll_pace pace, int64_t quiet_ns);

#endif
