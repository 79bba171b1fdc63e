/* The public calls over one rank: see mppool.h, and executor.h for how they meet the progress
 * thread. */
#include "executor.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "message.h"

enum { EXIT_INTERNAL = 70 }; /* EX_SOFTWARE */

/* ---- The progress thread ---- */

/* coordinator_complete: gathered, and made known once a round. */
static void gather(void *context, struct mpp_future *future)
{
    struct mpp_executor *executor = context;
    future_list_append(&executor->ended, future);
}

static void make_known(struct mpp_executor *executor)
{
    if (!executor->ended.count)
        return;
    for (struct mpp_future *future; (future = future_list_take(&executor->ended));) {
        struct future_list *completed = future->completed;
        atomic_store(&future->done, true);
        if (completed)
            future_list_append(completed, future);
        else
            future_drop(future);
    }
    pthread_cond_broadcast(&executor->changed);
}

void executor_post(struct mpp_executor *executor, struct future_list *futures)
{
    for (struct mpp_future *future; (future = future_list_take(futures));)
        future_list_append(&executor->inbox, future);
    if (executor->sleeping) {
        executor->sleeping = false;
        uint64_t one = 1;
        ssize_t ignored = write(executor->wake_fd, &one, sizeof one);
        (void)ignored; /* it can only be full, and then the thread is being woken already */
    }
}

static int submit_all(struct mpp_executor *executor, struct future_list *posted, bool *progressed,
                      struct mpp_error *error)
{
    for (struct mpp_future *future; (future = future_list_take(posted));) {
        *progressed = true;
        if (coordinator_submit(executor->rank.coordinator, future, error)) {
            future_list_append(posted, future);
            return -1;
        }
    }
    return 0;
}

/* One exchange with the callers. True when the thread may sleep, which it then has announced. */
static bool meet_callers(struct mpp_executor *executor, struct future_list *posted, bool idle,
                         bool *stop, bool *discard)
{
    pthread_mutex_lock(&executor->lock);
    make_known(executor);
    if (!idle)
        coordinator_stats(executor->rank.coordinator, &executor->stats);
    *posted = executor->inbox;
    if (!posted->first)
        posted->last = &posted->first;
    future_list_init(&executor->inbox);
    bool news = posted->first || executor->stop != *stop || executor->discard != *discard;
    *stop = executor->stop;
    *discard = executor->discard;
    executor->sleeping = idle && !news;
    bool may_sleep = executor->sleeping;
    pthread_mutex_unlock(&executor->lock);
    return may_sleep;
}

static void sleep_until_news(struct mpp_executor *executor)
{
    rank_wait(&executor->rank, executor->wake_fd);
    uint64_t count;
    ssize_t ignored = read(executor->wake_fd, &count, sizeof count);
    (void)ignored;
}

static int tell_stop(struct mpp_executor *executor, bool stop, bool discard, bool *told_stop,
                     bool *told_discard, struct mpp_error *error)
{
    struct coordinator *coordinator = executor->rank.coordinator;
    if (discard && !*told_discard) {
        *told_discard = true;
        return coordinator_stop(coordinator, true, error);
    }
    if (stop && !*told_stop) {
        *told_stop = true;
        return coordinator_stop(coordinator, false, error);
    }
    return 0;
}

static int drive_until_stopped(struct mpp_executor *executor, struct future_list *posted,
                               struct mpp_error *error)
{
    bool idle = false, stop = false, discard = false, told_stop = false, told_discard = false;
    while (!coordinator_all_stopped(executor->rank.coordinator)) {
        if (meet_callers(executor, posted, idle, &stop, &discard))
            sleep_until_news(executor);
        bool progressed = false;
        if (submit_all(executor, posted, &progressed, error) ||
            tell_stop(executor, stop, discard, &told_stop, &told_discard, error) ||
            rank_step(&executor->rank, &progressed, error))
            return -1;
        idle = !progressed;
    }
    return 0;
}

/* Whatever is left comes to its end here: cancelled after a shutdown, or broken with the pool. */
static void end_all(struct mpp_executor *executor, struct future_list *posted, const char *reason)
{
    coordinator_stats(executor->rank.coordinator, &executor->stats);
    coordinator_free(executor->rank.coordinator, reason);
    executor->rank.coordinator = NULL;
    for (struct mpp_future *future; (future = future_list_take(posted));) {
        const char *text = reason ? reason : "cancelled: the executor was shut down";
        struct mpp_exception exception = {
            .kind = reason ? MPP_EXCEPTION_BROKEN : MPP_EXCEPTION_CANCELLED, .rank = -1};
        future_set_exception(future, &exception, text, strlen(text));
        gather(executor, future);
    }
}

static void *progress_main(void *argument)
{
    struct mpp_executor *executor = argument;
    struct future_list posted;
    struct mpp_error error;
    future_list_init(&posted);
    bool broken = drive_until_stopped(executor, &posted, &error) != 0;

    pthread_mutex_lock(&executor->lock);
    executor->broken = broken;
    if (broken)
        executor->broken_error = error;
    for (struct mpp_future *future; (future = future_list_take(&executor->inbox));)
        future_list_append(&posted, future);
    end_all(executor, &posted, broken ? error.text : NULL);
    make_known(executor);
    pthread_cond_broadcast(&executor->changed);
    pthread_mutex_unlock(&executor->lock);
    return NULL;
}

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
static int default_workers(const struct transport *transport)
{
    cpu_set_t set;
    int bound = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
    int share = (int)sysconf(_SC_NPROCESSORS_ONLN) / transport->node_ranks;
    int workers = bound < share ? bound : share;
    return workers < 1 ? 1 : workers > MPP_WORKERS_MAX ? MPP_WORKERS_MAX : workers;
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
    return 0;
}

static int open_rank(struct rank *rank, int *argc, char ***argv, const struct mpp_options *options,
                     struct mpp_error *error)
{
    rank->transport = transport_mpi_launched() ? transport_mpi_new(argc, argv, error)
                                               : transport_local_new(error);
    if (!rank->transport)
        return -1;
    int workers =
        options->workers_per_rank ? options->workers_per_rank : default_workers(rank->transport);
    rank->agent = agent_new(rank->transport, &rank->forkserver, workers, error);
    return rank->agent ? agent_hello(rank->agent, error) : -1;
}

/* A rank that cannot go on ends the run: the others would wait for it for ever. */
static _Noreturn void give_up(struct rank *rank, const struct mpp_error *error)
{
    log_line("rank %d: %s", rank->transport->rank, error->text);
    forkserver_stop(&rank->forkserver);
    transport_abort(rank->transport, EXIT_INTERNAL);
}

static void serve(struct rank *rank)
{
    struct mpp_error error;
    while (!agent_said_bye(rank->agent)) {
        bool progressed = false;
        if (rank_step(rank, &progressed, &error))
            give_up(rank, &error);
        if (!progressed)
            rank_wait(rank, -1);
    }
}

static int close_rank(struct rank *rank, struct mpp_error *error)
{
    agent_free(rank->agent);
    forkserver_stop(&rank->forkserver);
    return transport_close(rank->transport, error);
}

static int start_progress(struct mpp_executor *executor, int retries, struct mpp_error *error)
{
    uint32_t attempts = retries < 0 ? 1 : retries == 0 ? 2 : (uint32_t)retries + 1;
    struct rank *rank = &executor->rank;
    rank->coordinator = coordinator_new(rank->transport, attempts, gather, executor, error);
    if (!rank->coordinator)
        return -1;
    executor->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (executor->wake_fd < 0)
        return mpp_error_set_errno(error, "cannot make an eventfd");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&executor->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&executor->lock, NULL);
    future_list_init(&executor->inbox);
    future_list_init(&executor->ended);
    coordinator_stats(rank->coordinator, &executor->stats);
    errno = pthread_create(&executor->thread, NULL, progress_main, executor);
    if (errno)
        return mpp_error_set_errno(error, "cannot start the progress thread");
    return 0;
}

enum mpp_role mpp_open(int *argc, char ***argv, const struct mpp_options *options,
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
    struct rank *rank = &executor->rank;
    executor->config = (struct worker_config){.jobs = options->jobs, .initargs = options->initargs};
    if (forkserver_start(&rank->forkserver, &executor->config, error)) {
        free(executor);
        return MPP_FAILED;
    }
    if (open_rank(rank, argc, argv, options, error)) {
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
    if (start_progress(executor, options->retries, error))
        give_up(rank, error);
    *executor_out = executor;
    return MPP_EXECUTOR;
}

/* ---- Shutdown and statistics ---- */

int mpp_shutdown(struct mpp_executor *executor, bool wait, struct mpp_error *error)
{
    struct future_list nothing;
    future_list_init(&nothing);
    pthread_mutex_lock(&executor->lock);
    executor->stop = true;
    executor->discard = !wait;
    executor_post(executor, &nothing);
    pthread_mutex_unlock(&executor->lock);
    pthread_join(executor->thread, NULL);

    int result = 0;
    if (executor->broken) {
        /* The other ranks may not answer any more: MPI is left as it is, and the launcher ends them
         * when this program exits. */
        agent_free(executor->rank.agent);
        forkserver_stop(&executor->rank.forkserver);
        result = mpp_error_set(error, "the pool broke: %s", executor->broken_error.text);
    } else {
        result = close_rank(&executor->rank, error);
    }
    close(executor->wake_fd);
    pthread_cond_destroy(&executor->changed);
    pthread_mutex_destroy(&executor->lock);
    free(executor);
    return result;
}

void mpp_executor_stats(struct mpp_executor *executor, struct mpp_stats *stats)
{
    pthread_mutex_lock(&executor->lock);
    *stats = executor->stats;
    pthread_mutex_unlock(&executor->lock);
}

/* ---- Submit and futures ---- */

int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error)
{
    const struct mpp_job *const *jobs = executor->config.jobs;
    for (int i = 0; jobs[i]; i++)
        if (!strcmp(jobs[i]->name, name))
            return i;
    return mpp_error_set(error, "no job named '%s' is registered with mpp_open", name);
}

struct mpp_future *mpp_submit(struct mpp_executor *executor, const char *job, const void *payload,
                              size_t size, struct mpp_error *error)
{
    int index = executor_find_job(executor, job, error);
    if (index < 0)
        return NULL;
    if (size > MESSAGE_DATA_MAX) {
        mpp_error_set(error, "a payload of %zu bytes is too large: at most %u", size,
                      MESSAGE_DATA_MAX);
        return NULL;
    }
    struct mpp_future *future = future_new(executor, (uint32_t)index, payload, size);
    if (!future) {
        mpp_error_set(error, "out of memory for a task of %zu bytes", size);
        return NULL;
    }
    struct future_list one;
    future_list_init(&one);
    future_list_append(&one, future);
    pthread_mutex_lock(&executor->lock);
    bool open = !executor->stop && !executor->broken;
    if (open)
        executor_post(executor, &one);
    else
        mpp_error_set(error, "the executor is %s", executor->stop ? "shut down" : "broken");
    pthread_mutex_unlock(&executor->lock);
    if (open)
        return future;
    free(future);
    return NULL;
}

bool executor_wait(struct mpp_executor *executor, double timeout_s)
{
    if (timeout_s < 0)
        return pthread_cond_wait(&executor->changed, &executor->lock) == 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    if (timeout_s > 1e9)
        timeout_s = 1e9; /* 31 years */
    until.tv_sec += (time_t)timeout_s;
    until.tv_nsec += (long)((timeout_s - (double)(time_t)timeout_s) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return pthread_cond_timedwait(&executor->changed, &executor->lock, &until) == 0;
}

bool mpp_future_done(struct mpp_future *future)
{
    return atomic_load(&future->done);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Until it is done, its executor is there: shutdown ends every future before it frees. */
static int wait_done(struct mpp_future *future, double timeout_s, struct mpp_error *error)
{
    if (atomic_load(&future->done))
        return 0;
    struct mpp_executor *executor = future->executor;
    double until = seconds_now() + timeout_s;
    pthread_mutex_lock(&executor->lock);
    while (!atomic_load(&future->done)) {
        double left = timeout_s < 0 ? MPP_FOREVER : until - seconds_now();
        if (timeout_s >= 0 && left <= 0)
            break;
        executor_wait(executor, left);
    }
    pthread_mutex_unlock(&executor->lock);
    if (!atomic_load(&future->done))
        return mpp_error_set(error, "no result after %g s", timeout_s);
    return 0;
}

int mpp_future_result(struct mpp_future *future, double timeout_s, struct mpp_bytes *result,
                      struct mpp_error *error)
{
    if (wait_done(future, timeout_s, error))
        return -1;
    if (future->failed)
        return mpp_error_set(error, "%s", future->exception.message);
    *result = (struct mpp_bytes){.data = future->result, .size = future->result_size};
    return 0;
}

int mpp_future_exception(struct mpp_future *future, double timeout_s,
                         const struct mpp_exception **exception, struct mpp_error *error)
{
    if (wait_done(future, timeout_s, error))
        return -1;
    *exception = future->failed ? &future->exception : NULL;
    return 0;
}

void mpp_future_free(struct mpp_future *future)
{
    future_drop(future);
}
