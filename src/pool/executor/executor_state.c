/* SPDX-License-Identifier: MIT */
/* The state that callers and the progress thread share: see executor_state.h. */
#include "executor_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "monotonic_wait.h"

struct mpp_executor *executor_of(const struct mpp_future *future)
{
    return (struct mpp_executor *)future->owner;
}

static void free_executor(struct future_owner *owner)
{
    struct mpp_executor *executor = (struct mpp_executor *)owner;
    close(executor->wake_fd);
    free(executor->rank_info);
    pthread_cond_destroy(&executor->has_ended);
    pthread_mutex_destroy(&executor->owner.lock);
    free(executor);
}

int executor_init(struct mpp_executor *executor, struct mpp_error *error)
{
    executor->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (executor->wake_fd < 0)
        return mpp_error_set_errno(error, "cannot make an eventfd");
    executor->owner.references = 1;
    executor->owner.free = free_executor;
    pthread_mutex_init(&executor->owner.lock, NULL);
    monotonic_cond_init(&executor->has_ended);
    future_list_init(&executor->submitted);
    return 0;
}

int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error)
{
    const struct mpp_job *const *jobs = executor->config.options.jobs;
    for (int i = 0; jobs[i]; i++)
        if (!strcmp(jobs[i]->name, name))
            return i;
    return mpp_error_set(error, "no job named '%s' is registered with mpp_open", name);
}

int executor_submit(struct mpp_executor *executor, struct future_list *futures,
                    struct mpp_error *error)
{
    if (executor->broken)
        return executor_report_broken(executor, error);
    if (executor->stop)
        return mpp_error_set(error, "the executor is shut down");
    future_list_move(futures, &executor->submitted);
    return 0;
}

void executor_wake(struct mpp_executor *executor)
{
    if (!executor->sleeping)
        return;
    executor->sleeping = false;
    uint64_t one = 1;
    /* It fails only if the counter is at its maximum; then the thread wakes up anyway. */
    ssize_t ignored = write(executor->wake_fd, &one, sizeof one);
    (void)ignored;
}

int executor_report_broken(const struct mpp_executor *executor, struct mpp_error *error)
{
    return mpp_error_set(error, "the pool broke: %s", executor->broken_error.text);
}

bool executor_in_callback(const struct mpp_executor *executor)
{
    return pthread_equal(pthread_self(), executor->progress_thread);
}
