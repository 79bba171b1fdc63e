/* SPDX-License-Identifier: MIT */
/* What the exit of a worker process means for its task: see worker_exit.h. */
#include "worker_exit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

int worker_exit_signal(int wait_status)
{
    return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
}

struct worker_exit worker_exit_describe(int wait_status, bool no_memory, struct oom_watch *oom)
{
    struct worker_exit end = {.status = TASK_CRASHED, .signal = worker_exit_signal(wait_status)};
    if (!end.signal) {
        snprintf(end.text, sizeof end.text, "the worker process exited with status %d",
                 WEXITSTATUS(wait_status));
        return end;
    }
    const char *name = sigabbrev_np(end.signal);
    const char *cause = "";
    if (end.signal == SIGKILL && oom_watch_take_kill(oom)) {
        end.status = TASK_CRASHED_MEMORY;
        cause = ", sent by the kernel because memory ran out";
    } else if (no_memory) {
        end.status = TASK_CRASHED_MEMORY;
        cause = ", after it could not get memory";
    }
    snprintf(end.text, sizeof end.text, "the worker process was killed by signal %d (SIG%s)%s",
             end.signal, name ? name : "?", cause);
    return end;
}
