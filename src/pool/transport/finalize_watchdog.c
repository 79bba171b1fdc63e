/* SPDX-License-Identifier: MIT */
/* Ends a process whose MPI_Finalize hangs: see finalize_watchdog.h. */
#include "finalize_watchdog.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

enum { CHECK_INTERVAL_MS = 50 };

/* How long MPI_Finalize may take after a rank has died; the living ranks need much less. */
#define TIMEOUT_NS INT64_C(5000000000)

static void *watch(void *argument)
{
    struct finalize_watchdog *watchdog = argument;
    int64_t died_ns = watchdog->rank_died ? monotonic_now_ns() : 0;
    struct pollfd done = {.fd = watchdog->done_fd, .events = POLLIN};
    while (poll(&done, 1, CHECK_INTERVAL_MS) == 0) {
        if (!died_ns && rank_liveness_next_dead(watchdog->liveness) >= 0)
            died_ns = monotonic_now_ns();
        if (died_ns && monotonic_now_ns() - died_ns > TIMEOUT_NS)
            _exit(watchdog->exit_status);
    }
    return NULL;
}

void finalize_watchdog_start(struct finalize_watchdog *watchdog)
{
    watchdog->done_fd = eventfd(0, EFD_CLOEXEC);
    watchdog->watches =
        watchdog->done_fd >= 0 && !pthread_create(&watchdog->thread, NULL, watch, watchdog);
}

void finalize_watchdog_end(struct finalize_watchdog *watchdog)
{
    if (watchdog->watches) {
        eventfd_write(watchdog->done_fd, 1);
        pthread_join(watchdog->thread, NULL);
    }
    if (watchdog->done_fd >= 0)
        close(watchdog->done_fd);
}
