/* SPDX-License-Identifier: MIT */
/* early_stop: what a SIGUSR1 means, by its sender and by the ranks that are lost. The process that
 * is stopped is a child of the test, which sends the signals: so they come from its parent. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "early_stop.h"

enum loss { NO_LOSS, LOSS_BEFORE, LOSS_AFTER };

static struct run {
    bool hydra;
    enum loss loss;
    int from_self; /* a signal that the run sends to itself, and its parent sends none; or 0 */
    char why[64];
    atomic_int lost;
    atomic_bool stopped;
} * run; /* of the child */

static void on_stop(void *context, const char *why)
{
    struct run *self = context;
    snprintf(self->why, sizeof self->why, "%s", why);
    atomic_store(&self->stopped, true);
}

static void on_tick(void *context)
{
    (void)context;
}

static int lost_ranks(void *context)
{
    struct run *self = context;
    return atomic_load(&self->lost);
}

/* In the child: runs until it is stopped, and writes the reason to `out`. A byte on `ready` tells
 * the parent that signals are handled. */
static void run_until_stopped(int ready, int go, int out)
{
    struct early_stop stop;
    struct mpp_error error;
    struct early_stop_options options = {.tick_s = 60,
                                         .on_stop = on_stop,
                                         .on_tick = on_tick,
                                         .on_second_sigint = on_tick,
                                         .hydra_reports_deaths = run->hydra,
                                         .lost_ranks = lost_ranks,
                                         .context = run};
    char byte = 0;
    early_stop_block_signals();
    atomic_store(&run->lost, run->loss == LOSS_BEFORE);
    if (early_stop_start(&stop, &options, &error) || write(ready, &byte, 1) != 1)
        _exit(1);
    if (run->from_self)
        kill(getpid(), run->from_self);
    if (run->loss == LOSS_AFTER && read(go, &byte, 1) == 1)
        atomic_store(&run->lost, 1);
    while (!atomic_load(&run->stopped))
        usleep(1000);
    early_stop_end(&stop);
    _exit(write(out, run->why, sizeof run->why) != sizeof run->why);
}

/* Starts such a process, sends it SIGUSR1, and after some time SIGTERM, unless it has ended.
 * Returns why it stopped. */
static const char *why_it_stops(bool hydra, enum loss loss, int from_self)
{
    static struct run storage;
    int ready[2], go[2], out[2];
    char byte = 0;
    storage = (struct run){.hydra = hydra, .loss = loss, .from_self = from_self};
    run = &storage;
    assert_int_equal(pipe(ready) | pipe(go) | pipe(out), 0);
    pid_t child = fork();
    if (child == 0)
        run_until_stopped(ready[1], go[0], out[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    if (!from_self)
        kill(child, SIGUSR1);
    assert_int_equal(write(go[1], &byte, 1), 1);
    /* The time that it takes to tell the two meanings of a SIGUSR1, and some more. */
    for (int i = 0; i < (int)(EARLY_STOP_DEATH_S * 100) + 100; i++) {
        siginfo_t info = {0};
        waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG);
        if (info.si_pid == child)
            break;
        usleep(10000);
    }
    kill(child, SIGTERM);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(out[0], storage.why, sizeof storage.why), sizeof storage.why);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
        close(out[i]);
    }
    return storage.why;
}

static void usr1_from_the_parent_stops(void **state)
{
    (void)state;
    assert_string_equal(why_it_stops(false, NO_LOSS, 0), "received SIGUSR1");
    assert_string_equal(why_it_stops(false, LOSS_BEFORE, 0), "received SIGUSR1");
}

static void usr1_from_hydra_stops(void **state)
{
    (void)state;
    assert_string_equal(why_it_stops(true, NO_LOSS, 0), "received SIGUSR1");
}

static void usr1_from_hydra_reports_a_death(void **state)
{
    (void)state;
    assert_string_equal(why_it_stops(true, LOSS_BEFORE, 0), "received SIGTERM");
    assert_string_equal(why_it_stops(true, LOSS_AFTER, 0), "received SIGTERM");
}

static void usr1_from_others_stops_although_a_rank_is_lost(void **state)
{
    (void)state;
    assert_string_equal(why_it_stops(true, LOSS_BEFORE, SIGUSR1), "received SIGUSR1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usr1_from_the_parent_stops),
        cmocka_unit_test(usr1_from_hydra_stops),
        cmocka_unit_test(usr1_from_hydra_reports_a_death),
        cmocka_unit_test(usr1_from_others_stops_although_a_rank_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
