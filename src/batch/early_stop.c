/* SPDX-License-Identifier: MIT */
/* Ends a run early on signals and at a time limit: see early_stop.h. */
#include "early_stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

enum { WAKE = SIGUSR2 }; /* wakes the thread when it has to end */

/* A SIGINT that arrives earlier after the first one is ignored, because a launcher can forward one
 * Ctrl-C several times. */
#define SECOND_SIGINT_S 1.0

/* How often the number of lost ranks is read, under hydra. */
#define LOST_CHECK_S 0.2

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

double early_stop_remaining_s(const char *end_time, int64_t now_s)
{
    char *end;
    long long at_s = end_time ? strtoll(end_time, &end, 10) : 0;
    if (at_s <= 0 || *end)
        return 0;
    return at_s > now_s ? (double)(at_s - now_s) : 1e-3;
}

static void request_stop(struct early_stop *stop, const char *why)
{
    if (stop->stopped)
        return;
    stop->stopped = true;
    stop->options.on_stop(stop->options.context, why);
    stop->options.on_tick(stop->options.context); /* at once, because the run may be killed soon */
}

bool early_stop_launched_by_hydra(void)
{
    /* srun --mpi=pmi2 sets PMI_RANK, as hydra does, but not this variable. */
    return getenv("MPI_LOCALNRANKS");
}

static void stop_on_signal(struct early_stop *stop, int number)
{
    char why[64];
    snprintf(why, sizeof why, "received SIG%s", sigabbrev_np(number));
    request_stop(stop, why);
}

/* Finds out what a SIGUSR1 from hydra means: a death, or a stop. */
static void judge_usr1(struct early_stop *stop, double now)
{
    int lost_count = stop->options.lost_ranks(stop->options.context);
    if (lost_count > stop->lost_count) {
        stop->lost_count = lost_count;
        stop->lost_s = now;
    }
    if (stop->usr1_s && stop->lost_s && now - stop->lost_s < EARLY_STOP_DEATH_S)
        stop->usr1_s = 0; /* hydra reported this death */
    if (stop->usr1_s && now - stop->usr1_s >= EARLY_STOP_DEATH_S)
        stop_on_signal(stop, SIGUSR1);
}

static void handle_signal(struct early_stop *stop, int number, pid_t sender)
{
    if (number == WAKE)
        return;
    double now = monotonic_now_s();
    if (number == SIGUSR1 && stop->options.hydra_reports_deaths && sender == getppid()) {
        if (!stop->usr1_s)
            stop->usr1_s = now;
        return;
    }
    if (number == SIGINT && stop->interrupted_s && now - stop->interrupted_s >= SECOND_SIGINT_S)
        stop->options.on_second_sigint(stop->options.context);
    if (number == SIGINT && !stop->interrupted_s)
        stop->interrupted_s = now;
    stop_on_signal(stop, number);
}

/* Calls on_tick if it is due, and stops the run if the limit is near. Returns how long to wait
 * until the next check. */
static double check_clock(struct early_stop *stop, double *tick_at_s)
{
    const struct early_stop_options *options = &stop->options;
    double now = monotonic_now_s(), wait_s = *tick_at_s - now;
    if (wait_s <= 0) {
        options->on_tick(options->context);
        *tick_at_s = monotonic_now_s() + options->tick_s;
        wait_s = options->tick_s;
    }
    if (options->limit_s > 0 && !stop->stopped) {
        double slowest_s = (double)atomic_load(&stop->slowest_ns) * 1e-9;
        double left_s = stop->begun_s + options->limit_s -
                        early_stop_reserve_s(options->limit_s, slowest_s) - now;
        if (left_s <= 0)
            request_stop(stop, "the time limit is close");
        else if (left_s < wait_s)
            wait_s = left_s;
        if (wait_s > 1)
            wait_s = 1; /* a slow task may increase the reserve */
    }
    if (options->hydra_reports_deaths && !stop->stopped) {
        judge_usr1(stop, now);
        if (wait_s > LOST_CHECK_S)
            wait_s = LOST_CHECK_S;
    }
    return wait_s;
}

static void *watch_thread(void *argument)
{
    struct early_stop *stop = argument;
    sigset_t set = signals();
    double tick_at_s = monotonic_now_s() + stop->options.tick_s;
    while (!atomic_load(&stop->ended)) {
        double wait_s = check_clock(stop, &tick_at_s);
        struct timespec time = {.tv_sec = (time_t)wait_s};
        time.tv_nsec = (long)((wait_s - (double)time.tv_sec) * 1e9);
        siginfo_t info;
        int number = sigtimedwait(&set, &info, &time);
        if (number > 0 && !atomic_load(&stop->ended))
            handle_signal(stop, number, info.si_pid);
    }
    return NULL;
}

int early_stop_start(struct early_stop *stop, const struct early_stop_options *options,
                     struct mpp_error *error)
{
    *stop = (struct early_stop){.options = *options, .begun_s = monotonic_now_s()};
    errno = pthread_create(&stop->thread, NULL, watch_thread, stop);
    return errno ? mpp_error_set_errno(error, "cannot start a thread") : 0;
}

void early_stop_end(struct early_stop *stop)
{
    atomic_store(&stop->ended, true);
    pthread_kill(stop->thread, WAKE);
    pthread_join(stop->thread, NULL);
}

static volatile sig_atomic_t sigint_exit_status;

static void exit_on_sigint(int number)
{
    (void)number;
    _exit(sigint_exit_status);
}

void early_stop_exit_on_sigint(int exit_status)
{
    sigset_t interrupt;
    sigint_exit_status = exit_status;
    signal(SIGINT, exit_on_sigint);
    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    pthread_sigmask(SIG_UNBLOCK, &interrupt, NULL);
}

void early_stop_note_task(struct early_stop *stop, double run_s)
{
    uint64_t ns = (uint64_t)(run_s * 1e9);
    if (ns > atomic_load(&stop->slowest_ns))
        atomic_store(&stop->slowest_ns, ns); /* only one thread writes */
}
