/* SPDX-License-Identifier: MIT */
/*
 * monotonic_wait: condition variables with deadlines on CLOCK_MONOTONIC, so that setting the time
 * of day neither shortens nor prolongs a wait.
 *
 * A deadline is a time on that clock in seconds. A negative deadline means "never".
 */
#ifndef MONOTONIC_WAIT_H
#define MONOTONIC_WAIT_H

#include <pthread.h>
#include <stdbool.h>

/* Whether a call with this timeout_s may block: 0 and NaN mean that it only looks. */
static inline bool monotonic_may_block(double timeout_s)
{
    return timeout_s < 0 || timeout_s > 0;
}

/* The time timeout_s seconds from now; negative if timeout_s is negative, and now if it is NaN. */
double monotonic_deadline(double timeout_s);

bool monotonic_deadline_passed(double deadline_s);

/* Initialises a condition for monotonic_cond_wait. */
void monotonic_cond_init(pthread_cond_t *condition);

/* Like pthread_cond_wait, but returns false once the deadline has passed. Spurious wake-ups are
 * possible, so check the state that was waited for after either answer. */
bool monotonic_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double deadline_s);

#endif
