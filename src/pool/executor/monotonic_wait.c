/* SPDX-License-Identifier: MIT */
/* Waiting with a deadline: see monotonic_wait.h. */
#include "monotonic_wait.h"

#include "clock.h"

/* Some 31 years after the machine was started. Later deadlines count as "never", because they may
 * not fit into a time_t. */
#define NEVER_S 1e9

double monotonic_deadline(double timeout_s)
{
    return timeout_s < 0 ? -1 : monotonic_now_s() + (timeout_s > 0 ? timeout_s : 0);
}

bool monotonic_deadline_passed(double deadline_s)
{
    return deadline_s >= 0 && monotonic_deadline(0) >= deadline_s;
}

void monotonic_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool monotonic_cond_wait(pthread_cond_t *condition, pthread_mutex_t *lock, double deadline_s)
{
    if (deadline_s < 0 || deadline_s > NEVER_S)
        return pthread_cond_wait(condition, lock) == 0;
    struct timespec deadline = {.tv_sec = (time_t)deadline_s};
    deadline.tv_nsec = (long)((deadline_s - (double)deadline.tv_sec) * 1e9);
    return pthread_cond_timedwait(condition, lock, &deadline) == 0;
}
