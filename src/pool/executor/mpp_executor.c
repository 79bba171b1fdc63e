/* SPDX-License-Identifier: MIT */
/* The public functions for a pool: open, submit, shut down, close, statistics. See mppool.h. */
#include <stdlib.h>

#include "executor_open.h"
#include "executor_state.h"
#include "launcher.h"
#include "log.h"
#include "monotonic_wait.h"
#include "mpi_library_name.h"
#include "progress_thread.h"

const char *mpp_version(void)
{
    return MPP_VERSION;
}

const char *mpp_mpi_library(void)
{
    static _Thread_local char name[LIBRARY_NAME_SIZE];
    transport_mpi_library(name, sizeof name);
    return name;
}

/* ---- Open ---- */

int mpp_launch_rank(void)
{
    return launcher_rank();
}

struct arguments {
    int *argc;
    char ***argv;
};

static struct transport *connect_launched(void *context, struct mpp_error *error)
{
    struct arguments *arguments = context;
    return launcher_found() ? transport_mpi_new(arguments->argc, arguments->argv, error)
                            : transport_single_rank_new(error);
}

/* Only one pool may be open at a time. */
static atomic_bool is_open;

enum mpp_role mpp_open(int *argc, char ***argv, const struct mpp_options *options,
                       struct mpp_executor **executor, struct mpp_error *error)
{
    struct mpp_error unwanted;
    struct arguments arguments = {argc, argv};
    struct executor_link link = {connect_launched, &arguments};
    if (!error)
        error = &unwanted;
    *executor = NULL;
    if (atomic_exchange(&is_open, true)) {
        mpp_error_set(error, "mpp_open: this process has an open pool already");
        return MPP_FAILED;
    }
    enum mpp_role role = executor_open(&link, options, executor, error);
    if (role != MPP_EXECUTOR)
        atomic_store(&is_open, false);
    return role;
}

/* ---- Submit ---- */

struct mpp_future *mpp_submit(struct mpp_executor *executor, const char *job, const void *payload,
                              size_t size, struct mpp_error *error)
{
    int index = executor_find_job(executor, job, error);
    if (index < 0)
        return NULL;
    struct mpp_future *future =
        future_new(&executor->owner, NULL, (uint32_t)index, payload, size, error);
    if (!future)
        return NULL;
    future_owner_ref(&executor->owner); /* for the future */
    future_ref(future);                 /* for the pool; future_new made the caller's */
    struct future_list one;
    future_list_init(&one);
    future_list_append(&one, future);
    pthread_mutex_lock(&executor->owner.lock);
    int failed = executor_submit(executor, &one, error);
    executor_wake(executor);
    pthread_mutex_unlock(&executor->owner.lock);
    if (!failed)
        return future;
    future_unref(future);
    future_unref(future);
    return NULL;
}

/* ---- Shutdown ---- */

int mpp_shutdown(struct mpp_executor *executor, bool wait, bool cancel_futures,
                 struct mpp_error *error)
{
    if (wait && executor_in_callback(executor))
        return mpp_error_set(error, "a callback must not wait for the pool to end");
    pthread_mutex_lock(&executor->owner.lock);
    executor->stop = true;
    executor->cancel_waiting |= cancel_futures;
    executor_wake(executor);
    while (wait && !executor->ended)
        monotonic_cond_wait(&executor->has_ended, &executor->owner.lock, -1);
    int result = executor->broken ? executor_report_broken(executor, error) : 0;
    pthread_mutex_unlock(&executor->owner.lock);
    return result;
}

int mpp_close(struct mpp_executor *executor, struct mpp_error *error)
{
    struct mpp_error unwanted;
    if (!executor)
        return 0;
    if (executor_in_callback(executor))
        return mpp_error_set(error, "a callback must not close the pool");
    int result = mpp_shutdown(executor, true, false, error);
    progress_thread_join(executor);
    rank_loop_stop(&executor->rank);
    /* If the progress thread has failed, MPI is not finalised: the other ranks may not take part.
     * The launcher ends them when this program exits. */
    if (!executor->aborted &&
        transport_close(executor->rank.transport, result || !error ? &unwanted : error))
        result = -1;
    atomic_store(&is_open, false);
    future_owner_unref(&executor->owner);
    return result;
}

void mpp_executor_exit_status(struct mpp_executor *executor, int exit_status)
{
    executor->rank.transport->exit_status = exit_status;
}

void mpp_close_scoped(struct mpp_executor **executor)
{
    struct mpp_error error;
    if (mpp_close(*executor, &error))
        log_line("%s", error.text);
}

/* ---- Statistics ---- */

void mpp_executor_stats(struct mpp_executor *executor, struct mpp_stats *stats)
{
    pthread_mutex_lock(&executor->owner.lock);
    *stats = executor->stats;
    pthread_mutex_unlock(&executor->owner.lock);
}

int mpp_executor_rank(struct mpp_executor *executor, int rank, struct mpp_rank_stats *stats)
{
    if (rank < 0 || rank >= executor->ranks)
        return -1;
    const struct rank_info *info = &executor->rank_info[rank];
    *stats = (struct mpp_rank_stats){.host = info->workers ? info->host : "",
                                     .workers = info->workers,
                                     .tasks = info->tasks,
                                     .busy_s = (double)info->busy_ns * 1e-9};
    return 0;
}
