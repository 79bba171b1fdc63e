/* SPDX-License-Identifier: MIT */
/*
 * clock: the time since some fixed moment in the past, unaffected by changes of the system's date.
 * All ranks' timeouts, intervals and measurements use it. Values of two hosts cannot be compared;
 * those of processes on one host can.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds on one of clock_gettime(2)'s clocks. */
static inline int64_t clock_now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static inline int64_t monotonic_now_ns(void)
{
    return clock_now_ns(CLOCK_MONOTONIC);
}

static inline double monotonic_now_s(void)
{
    return (double)monotonic_now_ns() * 1e-9;
}

#endif
