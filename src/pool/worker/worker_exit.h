/* SPDX-License-Identifier: MIT */
/*
 * worker_exit: turns the wait status of a worker process that died by itself into the status and
 * the text of the task that it was running.
 */
#ifndef WORKER_EXIT_H
#define WORKER_EXIT_H

#include <stdbool.h>

#include "message.h"
#include "oom_watch.h"

struct worker_exit {
    enum task_status status; /* TASK_CRASHED or TASK_CRASHED_MEMORY */
    int signal;              /* that killed the process; 0: it exited */
    char text[160];
};

/* wait_status: as from waitpid(2). no_memory: an allocation of the job had failed before the crash.
 * Takes a kill from the OOM watch when the process died of SIGKILL. Does not block. */
struct worker_exit worker_exit_describe(int wait_status, bool no_memory, struct oom_watch *oom);

/* The signal that killed a process; 0: it exited. */
int worker_exit_signal(int wait_status);

#endif
