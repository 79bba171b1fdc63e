/* When a run has to end: see early_stop.h. */
#include "early_stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { WAKE = SIGUSR2 }; /* the thread itself */

#define INSIST_S 1.0 /* a launcher passes one key press on more than once, but not so late */

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, WAKE);
    return set;
}

void early_stop_block_signals(void)
{
    sigset_t set = signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
}

double early_stop_reserve_s(double limit_s, double slowest_s)
{
    double least_s = limit_s * 0.05 < 10 ? limit_s * 0.05 : 10;
    double reserve_s = 1.5 * slowest_s + least_s;
    return reserve_s < limit_s / 2 ? reserve_s : limit_s / 2;
}

double early_stop_left_s(const char *end_time, int64_t now_s)
{
    char *end;
    long long at_s = end_time ? strtoll(end_time, &end, 10) : 0;
    if (at_s <= 0 || *end)
        return 0;
    return at_s > now_s ? (double)(at_s - now_s) : 1e-3;
}

static void stop(struct early_stop *lifetime, const char *why)
{
    if (lifetime->stopped)
        return;
    lifetime->stopped = true;
    lifetime->options.on_stop(lifetime->options.context, why);
    lifetime->options.on_tick(lifetime->options.context); /* whoever asks may not wait for long */
}

static void take(struct early_stop *lifetime, int number)
{
    char why[64];
    if (number == WAKE)
        return;
    double now = monotonic_now_s();
    if (number == SIGINT && lifetime->interrupted_s && now - lifetime->interrupted_s >= INSIST_S)
        lifetime->options.on_insist(lifetime->options.context);
    if (number == SIGINT && !lifetime->interrupted_s)
        lifetime->interrupted_s = now;
    snprintf(why, sizeof why, "SIG%s came", sigabbrev_np(number));
    stop(lifetime, why);
}

/* Looks at the clock; returns how long to wait until the next look. */
static double look(struct early_stop *lifetime, double *tick_at_s)
{
    const struct early_stop_options *options = &lifetime->options;
    double now = monotonic_now_s(), wait_s = *tick_at_s - now;
    if (wait_s <= 0) {
        options->on_tick(options->context);
        *tick_at_s = monotonic_now_s() + options->tick_s;
        wait_s = options->tick_s;
    }
    if (options->limit_s > 0 && !lifetime->stopped) {
        double slowest_s = (double)atomic_load(&lifetime->slowest_ns) * 1e-9;
        double left_s = lifetime->begun_s + options->limit_s -
                        early_stop_reserve_s(options->limit_s, slowest_s) - now;
        if (left_s <= 0)
            stop(lifetime, "the time limit is near");
        else if (left_s < wait_s)
            wait_s = left_s;
        if (wait_s > 1)
            wait_s = 1; /* a slow task may shorten it */
    }
    return wait_s;
}

static void *watch(void *argument)
{
    struct early_stop *lifetime = argument;
    sigset_t set = signals();
    double tick_at_s = monotonic_now_s() + lifetime->options.tick_s;
    while (!atomic_load(&lifetime->ended)) {
        double wait_s = look(lifetime, &tick_at_s);
        struct timespec time = {.tv_sec = (time_t)wait_s};
        time.tv_nsec = (long)((wait_s - (double)time.tv_sec) * 1e9);
        int number = sigtimedwait(&set, NULL, &time);
        if (number > 0 && !atomic_load(&lifetime->ended))
            take(lifetime, number);
    }
    return NULL;
}

int early_stop_start(struct early_stop *lifetime, const struct early_stop_options *options,
                     struct mpp_error *error)
{
    *lifetime = (struct early_stop){.options = *options, .begun_s = monotonic_now_s()};
    errno = pthread_create(&lifetime->thread, NULL, watch, lifetime);
    return errno ? mpp_error_set_errno(error, "cannot start a thread") : 0;
}

void early_stop_end(struct early_stop *lifetime)
{
    atomic_store(&lifetime->ended, true);
    pthread_kill(lifetime->thread, WAKE);
    pthread_join(lifetime->thread, NULL);
}

static volatile sig_atomic_t leave_status;

static void leave(int number)
{
    (void)number;
    _exit(leave_status);
}

void early_stop_leave(int exit_status)
{
    sigset_t interrupt;
    leave_status = exit_status;
    signal(SIGINT, leave);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

void early_stop_note_task(struct early_stop *lifetime, double run_s)
{
    uint64_t ns = (uint64_t)(run_s * 1e9);
    if (ns > atomic_load(&lifetime->slowest_ns))
        atomic_store(&lifetime->slowest_ns, ns); /* one thread notes */
}
