/*
 * mppool: Python's ProcessPoolExecutor for MPI.
 *
 * Every rank of `mpirun -n N program` calls mpp_open with the same arguments. On rank 0 it returns
 * the executor; on the others it serves until rank 0 closes the pool and then returns MPP_SERVED.
 * Started without mpirun the pool is one rank and MPI is not touched. On every rank, rank 0
 * included, worker processes run the tasks: one that crashes is replaced, and costs one attempt of
 * one task.
 *
 *     static int run(void *state, struct mpp_bytes payload, struct mpp_context *result,
 *                    struct mpp_error *error) { ... }
 *     static const struct mpp_job hello = {.name = "hello", .run = run};
 *     static const struct mpp_job *const jobs[] = {&hello, NULL};
 *
 *     struct mpp_executor *executor;
 *     switch (mpp_open(&argc, &argv, &(struct mpp_options){.jobs = jobs}, &executor, &error)) {
 *     case MPP_FAILED: ...  case MPP_SERVED: return 0;  case MPP_EXECUTOR: break;
 *     }
 *     struct mpp_future *future = mpp_submit(executor, "hello", "you", 3, &error);
 *     mpp_future_result(future, MPP_FOREVER, &bytes, &error);
 *     mpp_future_free(future);
 *     mpp_close(executor, &error);
 *
 * Names and semantics are those of Python's concurrent.futures wherever C allows it. A task runs at
 * least once and is accounted for exactly once: a job should give the same result when it is run
 * again.
 *
 * Threads: on rank 0 a thread of the library drives the pool, so tasks proceed whatever the program
 * does. Every function here may be called from any thread, except mpp_open and mpp_close, which
 * belong to one thread. mpp_open forks: call it before starting threads and before MPI_Init.
 *
 * Functions that can fail return -1, or NULL, and fill the error; a NULL error is allowed.
 */
#ifndef MPPOOL_H
#define MPPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

struct mpp_bytes {
    const void *data;
    size_t size; /* bytes */
};

/* ---- Jobs: what the worker processes can do ---- */

struct mpp_context; /* where a running task puts its result */

/* Copies `size` bytes as the task's result; a second call replaces the first. -1: out of memory. */
int mpp_context_set_result(struct mpp_context *result, const void *data, size_t size);

/* The rank on which the calling job runs. */
int mpp_context_rank(const struct mpp_context *result);

/* What the job's load has made for the task that runs; NULL: it has no load. */
void *mpp_context_loaded(const struct mpp_context *result);

struct mpp_job {
    const char *name;    /* as given to mpp_submit */
    const char *summary; /* one line for a person */

    /* Optional. Once in each worker process, before its first task of this job. `initargs` is that
     * of mpp_options; *state is handed to run and close. When it fails, so does the task that
     * wanted it. */
    int (*open)(void **state, const void *initargs, struct mpp_error *error);

    /* Optional. Fetches what a task will need, so that run need not wait for it: called before run,
     * with the option read_ahead also on other threads of the worker process, several at a time,
     * while earlier tasks run; so it reads `initargs` and touches nothing that run changes. What it
     * puts into *loaded is for run (mpp_context_loaded); unload gets it back afterwards, also where
     * run was never called, on the worker's thread. When it fails, that is the exception of this
     * task only. A crash in it counts for the task that was to be loaded. */
    int (*load)(const void *initargs, struct mpp_bytes payload, void **loaded,
                struct mpp_error *error);
    void (*unload)(void *loaded);

    /* One task. `payload` is the submitter's bytes, aligned for any type, valid until run returns.
     * Return 0, or -1 with the error filled: that becomes the exception of the task's future, and
     * any result is dropped. With errno ENOMEM on such a return the exception's kind is
     * MPP_EXCEPTION_MEMORY. Runs in a worker process: a crash here costs this attempt and nothing
     * else. */
    int (*run)(void *state, struct mpp_bytes payload, struct mpp_context *result,
               struct mpp_error *error);

    /* Optional. When the worker process ends in peace. */
    void (*close)(void *state);
};

/* ---- Options ---- */

#define MPP_WORKERS_MAX    1024 /* worker processes of one rank */
#define MPP_READ_AHEAD_MAX 64

/* What a worker process is kept from, once its initializer has run. Where the kernel lacks the
 * means (mpp_confinement says), it is not kept from it. */
struct mpp_confine {
    bool no_exec;    /* no other program is started (seccomp) */
    bool no_sockets; /* no connection is made or taken (seccomp) */
    bool paths;      /* files are opened below the directories and files listed only (Landlock): */
    const char *const *readable; /* for reading; ends with NULL; NULL: none */
    const char *const *writable; /* for reading and writing */
};

enum mpp_isolation {
    MPP_ISOLATED,     /* jobs run in worker processes */
    MPP_NOT_ISOLATED, /* for debuggers: in one thread of each rank. A crash ends the run, and
                         limits, timeouts, confinement and cancelling a running task have no effect
                       */
};

struct mpp_options {
    const struct mpp_job *const *jobs; /* ends with NULL; the same on every rank */
    int workers_per_rank; /* 0: the cores this rank may use, divided among a node's ranks */
    int max_workers;      /* on all ranks together, 0: no limit. Ranks beyond it get none */

    /* Once in each worker process, before anything else. When it fails the pool is broken, and
     * every task's exception has its message. */
    int (*initializer)(const void *initargs, struct mpp_error *error);
    const void *initargs; /* for it and for each job's open, in memory that the fork shares */

    int read_ahead; /* loads of so many further tasks may be under way or done while one runs, where
                       loads are slow; 0: none. Each may cost memory */
    int max_tasks_per_worker;  /* a worker process is replaced after so many; 0: never */
    double timeout_s;          /* for one run of one task: its worker process is ended; 0: none */
    int retries;               /* further attempts for a task whose worker crashed; 0: one retry;
                                  negative: none */
    size_t memory_limit_bytes; /* of address space beyond what a worker starts with; 0: none */
    const struct mpp_confine *confine; /* NULL: not */
    enum mpp_isolation isolate;
};

/* What this kernel can confine, for people: "seccomp, Landlock 7"; "nothing". */
const char *mpp_confinement(void);

/* ---- The executor ---- */

enum mpp_role {
    MPP_FAILED,   /* error says why; nothing is left behind */
    MPP_EXECUTOR, /* this is rank 0: *executor is open */
    MPP_SERVED,   /* another rank: it has served, the pool is closed; end with status 0 */
};

struct mpp_executor;

/* Collective over all ranks. On rank 0 returns once its own workers are being started; the other
 * ranks are waited for in the background. Blocks on the others until the pool is closed. One pool
 * at a time; where MPI is used, one in the life of the program. */
enum mpp_role mpp_open(int *argc, char ***argv, const struct mpp_options *options,
                       struct mpp_executor **executor, struct mpp_error *error);

/* The rank the launcher gave this process, 0 without one: known before mpp_open, so that usage
 * errors can be reported once. */
int mpp_launch_rank(void);

/* No more tasks are taken: mpp_submit and the maps fail from now on; a map that is under way
 * delivers what the pool has of it and then fails. cancel_futures: those not yet running are
 * cancelled. wait: blocks until all others are done; otherwise returns at once. May be
 * called again. -1: the pool has broken. */
int mpp_shutdown(struct mpp_executor *executor, bool wait, bool cancel_futures,
                 struct mpp_error *error);

/* Shuts down, waiting, ends the workers and MPI, and frees the executor. Futures stay valid until
 * they are freed. NULL is fine. -1: the pool had broken. */
int mpp_close(struct mpp_executor *executor, struct mpp_error *error);

/* What the program will end with, told before mpp_close. It is used only where MPI cannot be ended,
 * for a rank died while it was ending: then mpp_close ends the process with this status, or else 0.
 */
void mpp_executor_exit_status(struct mpp_executor *executor, int exit_status);

/* Declares an executor that is closed when its block ends, in gcc and clang:
 *     MPP_SCOPED struct mpp_executor *executor = NULL; */
#define MPP_SCOPED __attribute__((cleanup(mpp_close_scoped)))
void mpp_close_scoped(struct mpp_executor **executor);

struct mpp_stats {
    int ranks;                 /* of the run */
    int workers;               /* worker processes on all ranks that have reported so far */
    uint64_t tasks_done;       /* with a result or an exception */
    uint64_t steals;           /* times a rank handed tasks to another one */
    uint64_t tasks_stolen;     /* tasks that moved that way */
    uint64_t workers_replaced; /* worker processes that died and were started anew */
    uint64_t retries;          /* attempts begun again after a crash */
    int ranks_lost;            /* that were gone before the end; others took over their tasks */
};

/* A snapshot; does not block. */
void mpp_executor_stats(struct mpp_executor *executor, struct mpp_stats *stats);

struct mpp_rank_stats {
    const char *host; /* "" until the rank has reported; valid until mpp_close */
    int workers;      /* worker processes */
    uint64_t tasks;   /* that came to their end there */
    double busy_s;    /* in jobs' run, of all its workers */
};

/* The same for one rank. Does not block. -1: there is no such rank. */
int mpp_executor_rank(struct mpp_executor *executor, int rank, struct mpp_rank_stats *stats);

/* ---- Futures ---- */

enum mpp_exception_kind {
    MPP_EXCEPTION_JOB,       /* run (or open) returned -1 */
    MPP_EXCEPTION_CRASH,     /* the worker process died under the task, at every attempt */
    MPP_EXCEPTION_MEMORY,    /* the job was out of memory, or the kernel ended it for that */
    MPP_EXCEPTION_TIMEOUT,   /* it ran longer than timeout_s */
    MPP_EXCEPTION_CANCELLED, /* by mpp_future_cancel or mpp_shutdown */
    MPP_EXCEPTION_BROKEN,    /* the pool itself failed */
};

struct mpp_exception {
    enum mpp_exception_kind kind;
    int signal;       /* CRASH: the signal that ended the worker process; 0: it exited by itself */
    int rank;         /* where the last attempt ran; -1: nowhere */
    int64_t pid;      /* of its worker process */
    int attempts;     /* how often the task was begun */
    const char *host; /* name of the rank's host; "" for rank -1 */
    const char *message; /* one line; for a crash it names the signal */
};

#define MPP_FOREVER (-1.0) /* as a timeout in seconds */

struct mpp_future;

/* Copies the payload and returns at once; a pending task costs at most 256 bytes and its payload on
 * rank 0. The future is the caller's, to be freed by mpp_future_free. NULL: the job's name is not
 * registered, the executor is shut down or broken, the payload is above 1 GiB, or memory is out. */
struct mpp_future *mpp_submit(struct mpp_executor *executor, const char *job, const void *payload,
                              size_t size, struct mpp_error *error);

/* A future may be freed before it is done: the task still runs, its result is dropped, callbacks
 * are called. NULL is fine. */
void mpp_future_free(struct mpp_future *future);

/* These do not block. */
bool mpp_future_done(struct mpp_future *future);    /* has a result or an exception */
bool mpp_future_running(struct mpp_future *future); /* seen in the job's run and not yet done; a
                                                       rank looks every few milliseconds */
bool mpp_future_cancelled(struct mpp_future *future);

/* Cancels: the future is done with an exception of kind CANCELLED when this returns. Where the task
 * is running, its worker process is ended (SIGTERM, after a second SIGKILL) and replaced. False: it
 * was done already, otherwise than by being cancelled. Does not block. */
bool mpp_future_cancel(struct mpp_future *future);

/* Blocks until the task is done or timeout_s is over. 0: *result is the task's result, which
 * belongs to the future. -1: error has the exception's message, or says that the time is over. */
int mpp_future_result(struct mpp_future *future, double timeout_s, struct mpp_bytes *result,
                      struct mpp_error *error);

/* The same for the exception: *exception is NULL when the task succeeded, else it belongs to the
 * future. -1 when the time is over. */
int mpp_future_exception(struct mpp_future *future, double timeout_s,
                         const struct mpp_exception **exception, struct mpp_error *error);

/* Calls callback(future, context) once the future is done, in the order of adding: at once, on the
 * calling thread, where it is done already; otherwise on the thread that makes it done, which is
 * the pool's own or one that cancels. A callback may submit and cancel; it must not wait for
 * another future, and while it runs the pool on rank 0 stands still. The future is valid during the
 * call. -1: out of memory. */
int mpp_future_add_done_callback(struct mpp_future *future,
                                 void (*callback)(struct mpp_future *future, void *context),
                                 void *context, struct mpp_error *error);

/* ---- Many futures ---- */

enum mpp_return_when { MPP_ALL_COMPLETED, MPP_FIRST_COMPLETED, MPP_FIRST_EXCEPTION };

/* Blocks until that is so for the list, or timeout_s is over; what is done tells mpp_future_done.
 * FIRST_EXCEPTION without any is ALL_COMPLETED; one that was cancelled is no exception there. 0;
 * -1: the time is over, or memory is out. */
int mpp_wait(struct mpp_future *const *futures, size_t count, double timeout_s,
             enum mpp_return_when when, struct mpp_error *error);

/* Gives each future of a list once, as they are done, those already done first; a future that is in
 * the list twice comes once. The futures must not be freed before they have come, or before
 * mpp_as_completed_free. NULL: out of memory. */
struct mpp_as_completed;
struct mpp_as_completed *mpp_as_completed(struct mpp_future *const *futures, size_t count,
                                          struct mpp_error *error);

/* Blocks until there is a next one: *future is NULL when all have come. -1: the time is over. */
int mpp_as_completed_next(struct mpp_as_completed *iterator, double timeout_s,
                          struct mpp_future **future, struct mpp_error *error);
void mpp_as_completed_free(struct mpp_as_completed *iterator);

/* ---- map ---- */

enum mpp_source_status {
    MPP_SOURCE_ITEM,  /* *payload is the next task; copied before the source is called again */
    MPP_SOURCE_LATER, /* nothing yet: deliver results meanwhile and ask again soon */
    MPP_SOURCE_END,
    MPP_SOURCE_ERROR, /* error is filled; the map ends with it */
};

struct mpp_outcome {
    uint64_t index;                        /* position of the task in the source, from 0 */
    struct mpp_bytes payload;              /* as the source gave it */
    struct mpp_bytes result;               /* empty when there is an exception */
    const struct mpp_exception *exception; /* NULL: success */
    int rank;                              /* where it ran; -1: nowhere */
    const char *host;                      /* of that rank, valid until mpp_close; "" for -1 */
    int attempts;
    double run_s; /* seconds in the job's run */
};

struct mpp_map {
    const char *job;
    enum mpp_source_status (*source)(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error);
    /* Gets each outcome, valid during the call. 0: go on; -1: stop the map with this error. */
    int (*sink)(void *context, const struct mpp_outcome *outcome, struct mpp_error *error);
    void *context;
    size_t buffersize; /* tasks pulled ahead of the sink at most; 0: 65536 */
    size_t chunksize;  /* tasks that travel to a rank together at most; 0: adaptive */
    double timeout_s;  /* of the whole map, counted from the call; 0: none */
};

/* Runs the job over all that the source gives, pulling lazily, and hands each outcome to the sink;
 * both are called on the calling thread, which blocks until the end. mpp_map delivers in the order
 * of the source, mpp_map_unordered as tasks complete. -1, at once: the source, the sink or the pool
 * failed, or the time is over; tasks already pulled still run, and their outcomes are dropped. A
 * task's own failure is an outcome, not an error of the map. */
int mpp_map(struct mpp_executor *executor, const struct mpp_map *map, struct mpp_error *error);
int mpp_map_unordered(struct mpp_executor *executor, const struct mpp_map *map,
                      struct mpp_error *error);

#endif
