/* SPDX-License-Identifier: MIT */
/* Opens the executor on rank 0, and runs the event loop of the other ranks: see executor_open.h. */
#include "executor_open.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executor_state.h"
#include "fnv1a.h"
#include "log.h"
#include "progress_thread.h"

enum { EXIT_INTERNAL = 70 }; /* EX_SOFTWARE */

/* ---- Options ---- */

static int check_options(const struct mpp_options *options, struct mpp_error *error)
{
    if (!options->jobs || !options->jobs[0])
        return mpp_error_set(error, "mpp_open: no jobs are registered");
    for (size_t i = 0; options->jobs[i]; i++)
        if (!options->jobs[i]->name || !options->jobs[i]->run)
            return mpp_error_set(error, "mpp_open: job %zu has no name or no run function", i);
    for (size_t i = 1; options->jobs[i]; i++)
        for (size_t other = 0; other < i; other++)
            if (!strcmp(options->jobs[i]->name, options->jobs[other]->name))
                return mpp_error_set(error, "mpp_open: two jobs have the name '%s'",
                                     options->jobs[i]->name);
    if (options->workers_per_rank < 0 || options->workers_per_rank > MPP_WORKERS_MAX)
        return mpp_error_set(error,
                             "mpp_open: workers_per_rank is %d; it must be 1 to %d, or 0 for one "
                             "per core",
                             options->workers_per_rank, MPP_WORKERS_MAX);
    if (options->max_workers < 0)
        return mpp_error_set(error,
                             "mpp_open: max_workers is %d; it must be 1 or more, or 0 for no limit",
                             options->max_workers);
    if (options->read_ahead < 0 || options->read_ahead > MPP_READ_AHEAD_MAX)
        return mpp_error_set(error, "mpp_open: read_ahead is %d; it must be 0 to %d",
                             options->read_ahead, MPP_READ_AHEAD_MAX);
    if (options->max_tasks_per_worker < 0)
        return mpp_error_set(error,
                             "mpp_open: max_tasks_per_worker is %d; it must be 1 or more, or 0 for "
                             "no limit",
                             options->max_tasks_per_worker);
    if (!(options->timeout_s >= 0))
        return mpp_error_set(
            error,
            "mpp_open: timeout_s is %g; it must be a positive number of seconds, or 0 for no limit",
            options->timeout_s);
    if (options->isolate != MPP_ISOLATED && options->isolate != MPP_NOT_ISOLATED)
        return mpp_error_set(error,
                             "mpp_open: isolate is %d; it must be MPP_ISOLATED or MPP_NOT_ISOLATED",
                             (int)options->isolate);
    return 0;
}

/* The default of workers_per_rank. If the launcher has not bound the ranks of a node to cores of
 * their own, they share the node's cores evenly. */
static int usable_cores(const struct transport *transport)
{
    cpu_set_t set;
    int bound = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    int share = (int)sysconf(_SC_NPROCESSORS_ONLN) / transport->node_ranks;
    int workers = bound < share ? bound : share;
    return workers < 1 ? 1 : workers > MPP_WORKERS_MAX ? MPP_WORKERS_MAX : workers;
}

/* max_workers is divided evenly; the first ranks get the remainder. */
static int count_workers(const struct mpp_options *options, const struct transport *transport)
{
    int workers = options->workers_per_rank ? options->workers_per_rank : usable_cores(transport);
    if (options->isolate == MPP_NOT_ISOLATED)
        workers = 1;
    if (!options->max_workers)
        return workers;
    int part = options->max_workers / transport->size +
               (transport->rank < options->max_workers % transport->size);
    return workers < part ? workers : part;
}

/* A hash (FNV-1a) of the version and the names of the jobs, which must be the same on all ranks. */
static uint64_t build_id(const struct mpp_options *options)
{
    uint64_t hash = fnv1a(FNV1A_INIT, MPP_VERSION, strlen(MPP_VERSION));
    for (size_t i = 0; options->jobs[i]; i++)
        hash = fnv1a(hash, options->jobs[i]->name, strlen(options->jobs[i]->name));
    return hash;
}

/* ---- One rank ---- */

static int open_rank(struct rank_loop *rank, const struct executor_link *link,
                     const struct mpp_options *options, struct mpp_error *error)
{
    rank->transport = link->connect(link->context, error);
    if (!rank->transport)
        return -1;
    struct worker_set_limits limits = {.workers = count_workers(options, rank->transport),
                                       .max_tasks_per_worker =
                                           (uint32_t)options->max_tasks_per_worker,
                                       .timeout_s = options->timeout_s};
    rank->agent = agent_new(rank->transport, &rank->forkserver, &limits, error);
    return rank->agent ? agent_send_hello(rank->agent, build_id(options), error) : -1;
}

/* Ends the whole run, because the other ranks would wait for this one for ever. */
static _Noreturn void abort_run(struct rank_loop *rank, const struct mpp_error *error)
{
    log_line("rank %d: %s", rank->transport->rank, error->text);
    forkserver_stop(&rank->forkserver);
    transport_abort(rank->transport, EXIT_INTERNAL);
}

static void serve(struct rank_loop *rank)
{
    struct mpp_error error;
    while (!agent_ended(rank->agent)) {
        bool progressed = false;
        if (rank_loop_step(rank, &progressed, &error))
            abort_run(rank, &error);
        if (!progressed)
            rank_loop_wait(rank, -1);
    }
}

/* ---- Rank 0 ---- */

static int start_executor(struct mpp_executor *executor, struct mpp_error *error)
{
    const struct mpp_options *options = &executor->config.options;
    int retries = options->retries < 0 ? 0 : options->retries == 0 ? 1 : options->retries;
    executor->ranks = executor->rank.transport->size;
    executor->rank_info = calloc((size_t)executor->ranks, sizeof *executor->rank_info);
    if (!executor->rank_info)
        return mpp_error_set(error, "out of memory for %d ranks", executor->ranks);
    return executor_init(executor, error) ||
                   progress_thread_start(executor, build_id(options), (uint32_t)retries + 1, error)
               ? -1
               : 0;
}

enum mpp_role executor_open(const struct executor_link *link, const struct mpp_options *options,
                            struct mpp_executor **executor_out, struct mpp_error *error)
{
    *executor_out = NULL;
    if (check_options(options, error))
        return MPP_FAILED;
    struct mpp_executor *executor = calloc(1, sizeof *executor);
    if (!executor) {
        mpp_error_set(error, "out of memory for the executor");
        return MPP_FAILED;
    }
    struct rank_loop *rank = &executor->rank;
    executor->config = (struct worker_config){.options = *options};
    if (forkserver_start(&rank->forkserver, &executor->config, error)) {
        free(executor);
        return MPP_FAILED;
    }
    if (open_rank(rank, link, options, error)) {
        if (rank->transport)
            abort_run(rank, error);
        forkserver_stop(&rank->forkserver);
        free(executor);
        return MPP_FAILED;
    }
    if (rank->transport->rank != 0) {
        serve(rank);
        rank_loop_stop(rank);
        int failed = transport_close(rank->transport, error);
        free(executor);
        return failed ? MPP_FAILED : MPP_SERVED;
    }
    if (start_executor(executor, error))
        abort_run(rank, error);
    *executor_out = executor;
    return MPP_EXECUTOR;
}
