/* Open, shut down and close: see mppool.h, and executor.h for the parts. */
#include "executor.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "fnv1a.h"
#include "log.h"

enum { EXIT_INTERNAL = 70 }; /* EX_SOFTWARE */

/* ---- Open ---- */

int mpp_launch_rank(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value)
            return atoi(value);
    }
    return 0;
}

/* The cores this rank may use; where a launcher has not bound the ranks of a node to cores of their
 * own, an even share of the node's. */
static int usable_cores(const struct transport *transport)
{
    cpu_set_t set;
    int bound = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    int share = (int)sysconf(_SC_NPROCESSORS_ONLN) / transport->node_ranks;
    int workers = bound < share ? bound : share;
    return workers < 1 ? 1 : workers > MPP_WORKERS_MAX ? MPP_WORKERS_MAX : workers;
}

/* max_workers is dealt out evenly, the first ranks get the rest: every rank can tell its part. */
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

static int check_options(const struct mpp_options *options, struct mpp_error *error)
{
    if (!options->jobs || !options->jobs[0])
        return mpp_error_set(error, "mpp_open: no jobs are registered");
    for (size_t i = 0; options->jobs[i]; i++)
        if (!options->jobs[i]->name || !options->jobs[i]->run)
            return mpp_error_set(error, "mpp_open: job %zu lacks its name or its run", i);
    if (options->workers_per_rank < 0 || options->workers_per_rank > MPP_WORKERS_MAX)
        return mpp_error_set(error, "mpp_open: %d workers a rank: 1 to %d, or 0 for the cores",
                             options->workers_per_rank, MPP_WORKERS_MAX);
    if (options->max_workers < 0)
        return mpp_error_set(error, "mpp_open: max_workers is %d: 1 or more, or 0 for no limit",
                             options->max_workers);
    if (options->read_ahead < 0 || options->read_ahead > MPP_READ_AHEAD_MAX)
        return mpp_error_set(error, "mpp_open: read_ahead is %d: 0 to %d", options->read_ahead,
                             MPP_READ_AHEAD_MAX);
    if (options->max_tasks_per_worker < 0)
        return mpp_error_set(error,
                             "mpp_open: max_tasks_per_worker is %d: 1 or more, or 0 for no limit",
                             options->max_tasks_per_worker);
    if (!(options->timeout_s >= 0))
        return mpp_error_set(error, "mpp_open: timeout_s is %g: seconds, or 0 for none",
                             options->timeout_s);
    return 0;
}

/* A number for the version and the names of the jobs (FNV-1a): what all ranks must agree on. */
static uint64_t build_of(const struct mpp_options *options)
{
    uint64_t hash = fnv1a(FNV1A_INIT, MPP_VERSION, strlen(MPP_VERSION));
    for (size_t i = 0; options->jobs[i]; i++)
        hash = fnv1a(hash, options->jobs[i]->name, strlen(options->jobs[i]->name));
    return hash;
}

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
    return rank->agent ? agent_send_hello(rank->agent, build_of(options), error) : -1;
}

/* A rank that cannot go on ends the run: the others would wait for it for ever. */
static _Noreturn void give_up(struct rank_loop *rank, const struct mpp_error *error)
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
            give_up(rank, &error);
        if (!progressed)
            rank_loop_wait(rank, -1);
    }
}

static int close_rank(struct rank_loop *rank, struct mpp_error *error)
{
    agent_free(rank->agent);
    forkserver_stop(&rank->forkserver);
    return transport_close(rank->transport, error);
}

static int start_progress(struct mpp_executor *executor, const struct mpp_options *options,
                          struct mpp_error *error)
{
    int retries = options->retries < 0 ? 0 : options->retries == 0 ? 1 : options->retries;
    struct rank_loop *rank = &executor->rank;
    executor->ranks = rank->transport->size;
    executor->accounts = calloc((size_t)executor->ranks, sizeof *executor->accounts);
    if (!executor->accounts)
        return mpp_error_set(error, "out of memory for %d ranks", rank->transport->size);
    struct coordinator_options coordinator = {.attempts = (uint32_t)retries + 1,
                                              .build = build_of(options),
                                              .complete = executor_gather,
                                              .accounts = executor->accounts,
                                              .context = executor};
    rank->coordinator = coordinator_new(rank->transport, &coordinator, error);
    if (!rank->coordinator)
        return -1;
    executor->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (executor->wake_fd < 0)
        return mpp_error_set_errno(error, "cannot make an eventfd");
    executor->references = 1;
    executor_cond_init(&executor->end);
    pthread_mutex_init(&executor->lock, NULL);
    future_list_init(&executor->inbox);
    future_list_init(&executor->settled);
    coordinator_stats(rank->coordinator, &executor->stats);
    errno = pthread_create(&executor->thread, NULL, executor_progress, executor);
    if (errno)
        return mpp_error_set_errno(error, "cannot start the progress thread");
    return 0;
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
            give_up(rank, error);
        forkserver_stop(&rank->forkserver);
        free(executor);
        return MPP_FAILED;
    }
    if (rank->transport->rank != 0) {
        serve(rank);
        int failed = close_rank(rank, error);
        free(executor);
        return failed ? MPP_FAILED : MPP_SERVED;
    }
    if (start_progress(executor, options, error))
        give_up(rank, error);
    *executor_out = executor;
    return MPP_EXECUTOR;
}

struct arguments {
    int *argc;
    char ***argv;
};

static struct transport *connect_launched(void *context, struct mpp_error *error)
{
    struct arguments *arguments = context;
    return transport_mpi_launched() ? transport_mpi_new(arguments->argc, arguments->argv, error)
                                    : transport_single_rank_new(error);
}

/* A second pool beside the first would take its messages. */
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

/* ---- Shutdown ---- */

static int say_broken(const struct mpp_executor *executor, struct mpp_error *error)
{
    return mpp_error_set(error, "the pool broke: %s", executor->broken_error.text);
}

int mpp_shutdown(struct mpp_executor *executor, bool wait, bool cancel_futures,
                 struct mpp_error *error)
{
    if (wait && executor_is_progress(executor))
        return mpp_error_set(error, "a callback must not wait for the pool to end");
    pthread_mutex_lock(&executor->lock);
    executor->stop = true;
    executor->discard |= cancel_futures;
    executor_wake(executor);
    while (wait && !executor->ended)
        executor_wait(executor, &executor->end, -1);
    int result = executor->broken ? say_broken(executor, error) : 0;
    pthread_mutex_unlock(&executor->lock);
    return result;
}

int mpp_close(struct mpp_executor *executor, struct mpp_error *error)
{
    struct mpp_error unwanted;
    if (!executor)
        return 0;
    if (executor_is_progress(executor))
        return mpp_error_set(error, "a callback must not close the pool");
    int result = mpp_shutdown(executor, true, false, error);
    pthread_join(executor->thread, NULL);
    if (executor->lost) {
        /* MPI is left as it is: the launcher ends the other ranks when this program exits. */
        agent_free(executor->rank.agent);
        forkserver_stop(&executor->rank.forkserver);
    } else if (close_rank(&executor->rank, result || !error ? &unwanted : error)) {
        result = -1;
    }
    atomic_store(&is_open, false);
    executor_drop(executor);
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

void executor_drop(struct mpp_executor *executor)
{
    if (atomic_fetch_sub(&executor->references, 1) != 1)
        return;
    close(executor->wake_fd);
    free(executor->accounts);
    pthread_cond_destroy(&executor->end);
    pthread_mutex_destroy(&executor->lock);
    free(executor);
}

void mpp_executor_stats(struct mpp_executor *executor, struct mpp_stats *stats)
{
    pthread_mutex_lock(&executor->lock);
    *stats = executor->stats;
    pthread_mutex_unlock(&executor->lock);
}

int mpp_executor_rank(struct mpp_executor *executor, int rank, struct mpp_rank_stats *stats)
{
    if (rank < 0 || rank >= executor->ranks)
        return -1;
    const struct rank_account *account = &executor->accounts[rank];
    *stats = (struct mpp_rank_stats){.host = account->workers ? account->host : "",
                                     .workers = account->workers,
                                     .tasks = account->tasks,
                                     .busy_s = (double)account->busy_ns * 1e-9};
    return 0;
}

/* ---- Meeting the progress thread ---- */

int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error)
{
    const struct mpp_job *const *jobs = executor->config.options.jobs;
    for (int i = 0; jobs[i]; i++)
        if (!strcmp(jobs[i]->name, name))
            return i;
    return mpp_error_set(error, "no job named '%s' is registered with mpp_open", name);
}

bool executor_is_progress(const struct mpp_executor *executor)
{
    return pthread_equal(pthread_self(), executor->thread);
}

int executor_post(struct mpp_executor *executor, struct future_list *futures,
                  struct mpp_error *error)
{
    if (executor->broken)
        return say_broken(executor, error);
    if (executor->stop)
        return mpp_error_set(error, "the executor is shut down");
    future_list_move(futures, &executor->inbox);
    return 0;
}

void executor_wake(struct mpp_executor *executor)
{
    if (!executor->sleeping)
        return;
    executor->sleeping = false;
    uint64_t one = 1;
    ssize_t ignored = write(executor->wake_fd, &one, sizeof one);
    (void)ignored; /* it can only be full, and then the thread is being woken already */
}

void executor_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

double executor_until(double timeout_s)
{
    if (timeout_s < 0)
        return -1;
    return monotonic_now_s() + timeout_s;
}

bool executor_wait(struct mpp_executor *executor, pthread_cond_t *condition, double until_s)
{
    if (until_s < 0 || until_s > 1e9) /* 31 years after the machine started */
        return pthread_cond_wait(condition, &executor->lock) == 0;
    struct timespec until = {.tv_sec = (time_t)until_s};
    until.tv_nsec = (long)((until_s - (double)until.tv_sec) * 1e9);
    return pthread_cond_timedwait(condition, &executor->lock, &until) == 0;
}
