/* SPDX-License-Identifier: MIT */
/*
 * mppool: Python's concurrent.futures.ProcessPoolExecutor for MPI programs in C.
 *
 * A job is a function that the program registers under a name. A task is one call of a job with a
 * payload of bytes. The pool runs tasks in worker processes on all ranks. A task ends with a result
 * (bytes) or an exception (an error message and where it happened). A future represents a submitted
 * task: through it the program waits for the task, cancels it, and gets its result or exception. A
 * worker process that crashes is replaced; the crash costs one attempt of one task.
 *
 * Every rank of `mpirun -n N program` calls mpp_open with the same options. On rank 0 it returns an
 * executor, which accepts tasks. On every other rank it runs tasks until rank 0 closes the pool and
 * then returns MPP_SERVED. Without mpirun the pool has one rank and does not use MPI.
 *
 *     static int run(void *state, struct mpp_bytes payload, struct mpp_context *context,
 *                    struct mpp_error *error) { ... }
 *     static const struct mpp_job hello = {.name = "hello", .run = run};
 *     static const struct mpp_job *const jobs[] = {&hello, NULL};
 *
 *     struct mpp_executor *executor;
 *     switch (mpp_open(&argc, &argv, &(struct mpp_options){.jobs = jobs}, &executor, &error)) {
 *     case MPP_FAILED:   ...
 *     case MPP_SERVED:   return 0;
 *     case MPP_EXECUTOR: break;
 *     }
 *     struct mpp_future *future = mpp_submit(executor, "hello", "you", 3, &error);
 *     mpp_future_result(future, MPP_FOREVER, &bytes, &error);
 *     mpp_future_free(future);
 *     mpp_close(executor, &error);
 *
 * Names and semantics are those of concurrent.futures wherever C allows it. Each task ends exactly
 * once. Its job may run more than once, because a task is repeated after a crash or the loss of a
 * rank; so a job should give the same result each time.
 *
 * Threads: on rank 0 a thread of the library drives the pool, so tasks make progress whatever the
 * program does. mpp_open and mpp_close must be called from the same thread. Other functions may be
 * called from any thread and concurrently, with three exceptions: no other thread may use an
 * executor during mpp_close or a future during mpp_future_free; only one thread at a time may use
 * an mpp_as_completed; and the functions for struct mpp_context may be called only by the thread
 * that called the job's run.
 *
 * MPI: mpp_open initialises MPI with MPI_THREAD_SERIALIZED, and mpp_close finalises it. On rank 0
 * the library's thread calls MPI in between, so the program must not.
 *
 * Errors: functions that can fail return -1, NULL or MPP_FAILED and write one line of text into
 * *error (mpp_error.h). The error may be NULL if the text is not wanted.
 */
#ifndef MPPOOL_H
#define MPPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ---- */

#define MPP_VERSION_MAJOR 0
#define MPP_VERSION_MINOR 2
#define MPP_VERSION_PATCH 0
#define MPP_VERSION       "0.2.0"

/* The version of the library that the program is linked with. MPP_VERSION is the version of the
 * header that it was compiled with. */
MPP_API const char *mpp_version(void);

/* ---- Bytes ---- */

/* A reference to memory that belongs to the side that provides it. Each use says how long it is
 * valid. */
struct mpp_bytes {
    const void *data; /* may be NULL if size is 0 */
    size_t size;      /* bytes */
};

/* ---- Jobs: what worker processes run ---- */

/* The context of a running task. It is valid only during the call of run that it is passed to. */
struct mpp_context;

/* Makes a copy of `size` bytes the result of the task. A second call replaces the first; without a
 * call the result is empty. Returns 0, or -1 if out of memory or if size is larger than 1 GiB; the
 * result is then empty. */
MPP_API int mpp_context_set_result(struct mpp_context *context, const void *data, size_t size);

/* The result must not be reported before the job's flush has returned 0: see struct mpp_job. */
MPP_API void mpp_context_await_flush(struct mpp_context *context);

/* The rank on which the task runs. */
MPP_API int mpp_context_rank(const struct mpp_context *context);

/* The number of the worker process that runs the task, among those of its rank: from 0 to one less
 * than the workers of the rank. A process that replaces another one takes over its number after the
 * other one has ended, so two worker processes of a rank never have one number at the same time. */
MPP_API int mpp_context_worker(const struct mpp_context *context);

/* What the job's load stored in *loaded for this task; NULL if the job has no load. */
MPP_API void *mpp_context_loaded(const struct mpp_context *context);

/* Only name and run are required. All functions are called in worker processes. */
struct mpp_job {
    const char *name;    /* mpp_submit and mpp_map refer to the job by it; unique in the pool */
    const char *summary; /* one line for users of the program; the library does not use it */

    /* Called in each worker process before its first task of this job. `initargs` comes from
     * mpp_options. Whatever open stores in *state is passed to run and close. Returns 0, or -1 with
     * the error filled: then this task fails, and the next task of the job calls open again. */
    int (*open)(void **state, const void *initargs, struct mpp_error *error);

    /* Fetches what run will need, such as the content of a file, and stores it in *loaded. Returns
     * 0, or -1 with the error filled: then this task fails. A crash in load counts as a crash of
     * this task.
     * load is called before run. With the option read_ahead it is also called while earlier tasks
     * run, on other threads of the worker process, several at a time, and possibly before open. So
     * it may read `initargs`, but must not touch anything that open or run changes. */
    int (*load)(const void *initargs, struct mpp_bytes payload, void **loaded,
                struct mpp_error *error);

    /* Frees what load stored. Called once for each successful load, after run, or instead of run if
     * the task does not run in this worker process; always on the thread that calls run. Not called
     * if the process crashes or is killed. */
    void (*unload)(void *loaded);

    /* Runs one task. `payload` is a copy of the submitted bytes. It is aligned for any type and
     * valid until run returns. Returns 0, or -1 with the error filled: the error becomes the
     * exception of the task, and a result that was set is dropped. If run returns -1 with errno
     * ENOMEM, the kind of the exception is MPP_EXCEPTION_MEMORY. A crash ends the worker process:
     * this attempt has failed, and no other task is affected. */
    int (*run)(void *state, struct mpp_bytes payload, struct mpp_context *context,
               struct mpp_error *error);

    /* Makes what tasks have done durable, for example by syncing a file. Called for one or several
     * tasks whose run has called mpp_context_await_flush; then their results are reported. They
     * wait for at most about 20 ms of further work, so that short tasks share a flush. Returns 0,
     * or -1 with the error filled: then all these tasks fail with it. If the process dies before,
     * the tasks run again. The time limit of tasks does not apply. */
    int (*flush)(void *state, struct mpp_error *error);

    /* Called before a worker process ends, if it has opened the job. Not called if the process
     * crashes or is killed. */
    void (*close)(void *state);
};

/* ---- Options ---- */

#define MPP_WORKERS_MAX    1024 /* upper limit of workers_per_rank */
#define MPP_READ_AHEAD_MAX 64   /* upper limit of read_ahead */

/* Restrictions on worker processes, in force once their initializer has run. The initializer must
 * not leave threads running. A restriction that the kernel does not support is not enforced;
 * mpp_confinement tells which ones are. If any restriction is set, system calls that could get
 * around it (ptrace, mount, io_uring and others) also fail with EPERM. */
struct mpp_confine {
    bool no_exec;    /* starting another program fails with EPERM (seccomp) */
    bool no_sockets; /* creating or connecting a socket fails with EPERM (seccomp) */
    bool paths;      /* opening a path that is not listed below fails with EACCES (Landlock) */

    /* Files and directories with everything below them, each list ending with NULL. A NULL list is
     * empty. Paths that do not exist are ignored. */
    const char *const *readable; /* may be read */
    const char *const *writable; /* may be read, written, created and removed */
};

enum mpp_isolation {
    /* Jobs run in worker processes. */
    MPP_ISOLATED,

    /* For debuggers: jobs run in one thread of each rank. A crash ends the whole run. Time limits,
     * memory limits and confinement have no effect. Cancelling a running task ends its future, but
     * not the task. */
    MPP_NOT_ISOLATED,
};

/* The options must be the same on every rank. Members left at zero mean the default. Everything
 * that the members point to must stay valid: on rank 0 until mpp_close, on other ranks until
 * mpp_open returns. */
struct mpp_options {
    const struct mpp_job *const *jobs; /* required; ends with NULL */

    int workers_per_rank; /* worker processes; 0: one for each core that this rank is bound to, but
                             not more than an even share of the cores of its host */
    int max_workers;      /* worker processes of all ranks together, spread evenly; if it is less
                             than the number of ranks, some ranks have none; 0: no limit */

    /* Called in each worker process before anything else. Returns 0, or -1 with the error filled:
     * then the pool is broken, and all tasks end with an exception of kind MPP_EXCEPTION_BROKEN
     * that contains this error. */
    int (*initializer)(const void *initargs, struct mpp_error *error);

    /* Argument of initializer, and of each job's open and load. Worker processes see the memory as
     * it was when mpp_open was called. */
    const void *initargs;

    int read_ahead; /* loads that a worker process may do ahead of the running task, at most
                       MPP_READ_AHEAD_MAX; 0: none. Worth it if loads are slow; each may cost
                       memory */

    int max_tasks_per_worker; /* a worker process runs at most this many tasks and is then
                                 replaced; 0: no limit */

    double timeout_s; /* time limit for one attempt of a task (open, load and run), in seconds:
                         after it the worker process is killed, and the task fails without a retry;
                         0: no limit */

    int retries; /* how often a task is tried again if its worker process crashes; 0: once;
                    negative: never */

    size_t memory_limit_bytes; /* address space that a worker process may map in addition to what
                                  it has when its initializer returns; 0: no limit */

    const struct mpp_confine *confine; /* NULL: no restrictions */
    enum mpp_isolation isolate;
};

/* What this kernel and this build of the library offer for mpp_confine, as a text for users:
 * "seccomp, Landlock 7", for example, or "nothing". It is valid until the same thread calls the
 * function again. */
MPP_API const char *mpp_confinement(void);

/* The MPI library that this program runs with, such as "Open MPI 4.1.4" or "MPICH 4.0.2". May be
 * called before mpp_open, and without a launcher. It is valid until the same thread calls the
 * function again. */
MPP_API const char *mpp_mpi_library(void);

/* ---- The executor ---- */

enum mpp_role {
    MPP_FAILED,   /* the error says why; nothing is left running on this rank */
    MPP_EXECUTOR, /* this is rank 0: *executor is open */
    MPP_SERVED,   /* this is another rank: it has run its tasks and the pool is closed. The program
                     should end with status 0 */
};

struct mpp_executor;

/* Opens the pool. Collective: every rank calls it. It forks, so call it before MPI_Init and before
 * starting threads; argc and argv are those of main. Unless it returns MPP_EXECUTOR, *executor is
 * set to NULL.
 *
 * Rank 0 does not wait for worker processes: they start, and other ranks join, in the background.
 * Other ranks block until rank 0 closes the pool. A process can have only one open pool at a time,
 * and with MPI only one in all, because MPI cannot be initialised again.
 *
 * If a rank cannot go on after MPI was initialised, for example because rank 0 has died, the
 * function does not return on this rank: it prints the reason on stderr and ends all ranks with
 * exit status 70. */
MPP_API enum mpp_role mpp_open(int *argc, char ***argv, const struct mpp_options *options,
                               struct mpp_executor **executor, struct mpp_error *error);

/* The rank that the launcher gave this process; 0 without a launcher. May be called before
 * mpp_open, for example to print a usage error only once. */
MPP_API int mpp_launch_rank(void);

/* Stops accepting tasks: from now on mpp_submit and the maps fail. A map in progress delivers the
 * tasks that it has read from its source and then fails. May be called again.
 *
 * wait: block until all tasks are done and all worker processes have ended. Otherwise return at
 * once.
 * cancel_futures: cancel the tasks that do not run yet.
 *
 * Returns 0, or -1 if the pool is broken, or if `wait` is true and the caller is a callback of the
 * library's thread; in this case the call has no effect. */
MPP_API int mpp_shutdown(struct mpp_executor *executor, bool wait, bool cancel_futures,
                         struct mpp_error *error);

/* Shuts down, waits for all tasks, ends the worker processes, finalises MPI, and frees the
 * executor. Futures stay valid until they are freed. Returns 0, or -1 if the pool was broken or
 * MPI_Finalize failed; the executor is freed in these cases too. Must not be called by a callback:
 * then it returns -1 and has no effect. NULL is allowed. */
MPP_API int mpp_close(struct mpp_executor *executor, struct mpp_error *error);

/* Sets the exit status for one case: MPI_Finalize does not return because a rank has died, and
 * mpp_close therefore ends the process itself. Default: 0. Call it before mpp_close. */
MPP_API void mpp_executor_exit_status(struct mpp_executor *executor, int exit_status);

/* Declares an executor that is closed at the end of its block. An error of mpp_close is printed on
 * stderr.
 *     MPP_SCOPED struct mpp_executor *executor = NULL; */
#define MPP_SCOPED __attribute__((cleanup(mpp_close_scoped)))
MPP_API void mpp_close_scoped(struct mpp_executor **executor);

struct mpp_stats {
    int ranks;                 /* in the run, including lost ones */
    int workers;               /* worker processes of the ranks that have joined and are not lost */
    uint64_t tasks_done;       /* tasks that ended; not those cancelled right after mpp_submit */
    uint64_t steals;           /* how often a rank sent tasks from its queue to another rank */
    uint64_t tasks_stolen;     /* tasks that were sent in this way */
    uint64_t workers_replaced; /* worker processes that crashed or were killed, and were replaced */
    uint64_t retries;          /* how often a task was queued again: after a crash of its worker
                                  process or the loss of its rank */
    int ranks_lost;            /* ranks that died; other ranks took over their tasks */
    int ranks_polling;         /* ranks that other ranks of their host cannot wake, because Unix
                                  sockets do not reach between them: they look for messages on a
                                  timer, which takes CPU time */
};

/* Takes a snapshot. Does not block. */
MPP_API void mpp_executor_stats(struct mpp_executor *executor, struct mpp_stats *stats);

struct mpp_rank_stats {
    const char *host; /* "" until the rank has joined with workers; valid until mpp_close */
    int workers;      /* worker processes */
    uint64_t tasks;   /* tasks that ended on this rank */
    double busy_s;    /* seconds spent on these tasks: the sum of run_s of struct mpp_outcome */
};

/* Takes a snapshot for one rank. Does not block. Returns 0, or -1 if there is no such rank. */
MPP_API int mpp_executor_rank(struct mpp_executor *executor, int rank,
                              struct mpp_rank_stats *stats);

/* ---- Futures ---- */

enum mpp_exception_kind {
    MPP_EXCEPTION_JOB,       /* open, load or run returned -1 */
    MPP_EXCEPTION_CRASH,     /* the worker process crashed in this task, at every attempt */
    MPP_EXCEPTION_MEMORY,    /* out of memory: the job failed with errno ENOMEM, or it crashed, at
                                every attempt, after a failed allocation or because the kernel
                                killed the process to free memory */
    MPP_EXCEPTION_TIMEOUT,   /* the task ran longer than timeout_s of mpp_options */
    MPP_EXCEPTION_CANCELLED, /* by mpp_future_cancel or mpp_shutdown */
    MPP_EXCEPTION_BROKEN,    /* the pool failed, for example because its initializer did */
};

struct mpp_exception {
    enum mpp_exception_kind kind;
    int signal;          /* the signal that ended the worker process; 0: none, for example because
                            the process called exit. TIMEOUT: SIGTERM, or SIGKILL if the process
                            had not ended one second after SIGTERM */
    int rank;            /* where the last attempt ran; -1: CANCELLED and BROKEN */
    int64_t pid;         /* of the worker process of that attempt; 0 if rank is -1 */
    int attempts;        /* how many attempts were made; 0 if rank is -1 */
    const char *host;    /* host name of the rank; "" if rank is -1 */
    const char *message; /* JOB: the text that the job stored; CRASH: it names the signal */
};

/* What functions that wait return. Zero is success, so `if (mpp_future_result(...))` catches both
 * other cases. In both the error is filled. */
enum mpp_wait_status {
    MPP_WAIT_FAILED = -1, /* it failed, as the function describes */
    MPP_WAIT_OK = 0,
    MPP_WAIT_TIMEOUT = 1, /* timeout_s passed first; waiting again is possible */
};

/* A value for timeout_s of the functions that wait for futures: no time limit. Any negative number
 * means the same. With 0 they do not wait and only look. NaN counts as 0. */
#define MPP_FOREVER (-1.0)

struct mpp_future;

/* Submits a task. Copies the payload and returns at once. A pending task takes at most 256 bytes of
 * memory on rank 0 in addition to its payload. The future belongs to the caller, who frees it with
 * mpp_future_free. `job` must not be NULL. Returns NULL if no job has this name, if the executor is
 * shut down or broken, if the payload is larger than 1 GiB, or if out of memory. */
MPP_API struct mpp_future *mpp_submit(struct mpp_executor *executor, const char *job,
                                      const void *payload, size_t size, struct mpp_error *error);

/* Frees a future. If its task is not done, the task still runs; its callbacks are called and its
 * result is dropped. NULL is allowed. */
MPP_API void mpp_future_free(struct mpp_future *future);

/* These three do not block. */
MPP_API bool mpp_future_done(struct mpp_future *future);    /* it has a result or an exception */
MPP_API bool mpp_future_running(struct mpp_future *future); /* see below */
MPP_API bool mpp_future_cancelled(struct mpp_future *future);

/* mpp_future_running becomes true some 50 ms after a worker process has begun the task, and
 * stays true until the task is done, even if it has to be tried again. A task that is done earlier
 * is never reported as running. */

/* Cancels the task. When this returns true, the future is done with an exception of kind
 * MPP_EXCEPTION_CANCELLED. If the task is running, its worker process is killed (by SIGTERM, and by
 * SIGKILL one second later) and replaced. Returns false if it comes too late, because the task has
 * ended in another way. Does not block, except for callbacks of the future, which it calls. */
MPP_API bool mpp_future_cancel(struct mpp_future *future);

/* Waits until the task is done, for at most timeout_s seconds.
 *
 * MPP_WAIT_OK:      the task succeeded. *result is its result, which belongs to the future.
 * MPP_WAIT_FAILED:  the task has an exception, whose message is stored in *error; or the caller is
 *                   a callback, which must not wait.
 * MPP_WAIT_TIMEOUT: the task is not done after timeout_s.
 *
 * *result is changed only on MPP_WAIT_OK. `result` may be NULL if the bytes are not wanted. */
MPP_API enum mpp_wait_status mpp_future_result(struct mpp_future *future, double timeout_s,
                                               struct mpp_bytes *result, struct mpp_error *error);

/* Waits in the same way, for the exception.
 *
 * MPP_WAIT_OK:      the task is done. *exception belongs to the future; NULL: the task succeeded.
 * MPP_WAIT_FAILED:  the caller is a callback, which must not wait.
 * MPP_WAIT_TIMEOUT: the task is not done after timeout_s. */
MPP_API enum mpp_wait_status mpp_future_exception(struct mpp_future *future, double timeout_s,
                                                  const struct mpp_exception **exception,
                                                  struct mpp_error *error);

/* Calls callback(future, context) once the future is done. If it is already done, the callback is
 * called at once, by this thread. Otherwise it is called by the library's thread, or by the thread
 * that cancels the future; callbacks that were added before the future was done are called in the
 * order in which they were added. The future is valid during the call, even if it was freed before.
 *
 * A callback may submit and cancel tasks. It must not wait for futures, maps or the shutdown, and
 * should return soon: while the library's thread is in a callback, the pool makes no progress.
 *
 * Returns 0, or -1 if out of memory. */
MPP_API int mpp_future_add_done_callback(struct mpp_future *future,
                                         void (*callback)(struct mpp_future *future, void *context),
                                         void *context, struct mpp_error *error);

/* ---- Waiting for several futures ---- */

enum mpp_return_when {
    MPP_ALL_COMPLETED,   /* all are done */
    MPP_FIRST_COMPLETED, /* at least one is done */
    MPP_FIRST_EXCEPTION, /* one has an exception whose kind is not CANCELLED, or all are done */
};

/* Waits for that condition, for at most timeout_s seconds. mpp_future_done then tells which futures
 * are done. All futures must belong to one executor. Does not wait if the list is empty.
 *
 * MPP_WAIT_OK:      the condition holds.
 * MPP_WAIT_FAILED:  out of memory; or the caller is a callback, which must not wait.
 * MPP_WAIT_TIMEOUT: the condition does not hold after timeout_s. */
MPP_API enum mpp_wait_status mpp_wait(struct mpp_future *const *futures, size_t count,
                                      double timeout_s, enum mpp_return_when when,
                                      struct mpp_error *error);

/* Makes an iterator that returns futures in the order in which they are done; those already done
 * come first. A future that is in the list twice is returned once. All futures must belong to one
 * executor. A future must not be freed until the iterator has returned it or has been freed. The
 * list itself is not needed after the call. Returns NULL if out of memory. */
struct mpp_as_completed;
MPP_API struct mpp_as_completed *mpp_as_completed(struct mpp_future *const *futures, size_t count,
                                                  struct mpp_error *error);

/* Waits for the next one, for at most timeout_s seconds.
 *
 * MPP_WAIT_OK:      *future is the next one; NULL: all have been returned.
 * MPP_WAIT_FAILED:  the caller is a callback, which must not wait. *future is NULL.
 * MPP_WAIT_TIMEOUT: no other future is done after timeout_s. *future is NULL. */
MPP_API enum mpp_wait_status mpp_as_completed_next(struct mpp_as_completed *iterator,
                                                   double timeout_s, struct mpp_future **future,
                                                   struct mpp_error *error);
MPP_API void mpp_as_completed_free(struct mpp_as_completed *iterator); /* NULL is allowed */

/* ---- Maps: a job over many tasks ---- */

/* What a source returns. */
enum mpp_source_status {
    MPP_SOURCE_ITEM, /* *payload is the next task; it is copied before the source is called again */
    MPP_SOURCE_LATER, /* no task yet: the source is called again about 20 ms later, or earlier if a
                         task ends */
    MPP_SOURCE_END,   /* there are no more tasks */
    MPP_SOURCE_ERROR, /* the error is filled; the map fails with it */
};

/* How one task of a map ended. Valid only during the call of the sink. */
struct mpp_outcome {
    uint64_t index;                        /* position of the task in the source, from 0 */
    struct mpp_bytes payload;              /* as the source gave it */
    struct mpp_bytes result;               /* empty if there is an exception */
    const struct mpp_exception *exception; /* NULL: the task succeeded */
    int rank;                              /* where the last attempt ran; -1: it was cancelled */
    const char *host;                      /* of that rank, valid until mpp_close; "" for -1 */
    int attempts;                          /* how many attempts were made; 0 if rank is -1 */
    double run_s;     /* seconds that the worker process spent on it: open, load and run; 0 if the
                         process was killed or crashed */
    int worker;       /* number of the worker process of the last attempt, which the job gets from
                         mpp_context_worker; -1 if rank is -1 */
    int64_t ended_ms; /* when the last attempt ended, or, if its process was killed or crashed, when
                         its rank noticed: milliseconds since 1970 by the clock of rank 0, whatever
                         the clocks of other hosts show; 0 if rank is -1 */
};

struct mpp_map {
    const char *job; /* name of the job to run */

    /* Gives the tasks one after the other. While it blocks, the map delivers no outcomes: it should
     * return MPP_SOURCE_LATER instead. */
    enum mpp_source_status (*source)(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error);

    /* Receives the outcomes. Returns 0 to go on, or -1 with the error filled to stop the map. */
    int (*sink)(void *context, const struct mpp_outcome *outcome, struct mpp_error *error);

    void *context;     /* passed to source and sink */
    size_t buffersize; /* how many tasks the source may be ahead of the sink; 0: 65536 */
    size_t chunksize;  /* how many tasks may be sent to a rank together; 0: adaptive */
    double timeout_s;  /* for the whole map, in seconds; 0 or negative: no limit; NaN: refused */
};

/* Runs a job over all tasks that the source gives and passes each outcome to the sink. The source
 * is read lazily, so the number of tasks is not limited by memory. Source and sink are called on
 * the calling thread, which blocks until the map ends. mpp_map delivers outcomes in the order of
 * the source, mpp_map_unordered in the order in which tasks end. The exception of a task is an
 * outcome and does not end the map.
 *
 * MPP_WAIT_OK:      every task was delivered.
 * MPP_WAIT_FAILED:  the source, the sink or the pool failed; or no job has this name, or timeout_s
 *                   is NaN, or out of memory; or the caller is a callback, which must not wait.
 * MPP_WAIT_TIMEOUT: the map was not finished after timeout_s.
 *
 * After FAILED or TIMEOUT, tasks that were already submitted still run, and their outcomes are
 * dropped. */
MPP_API enum mpp_wait_status mpp_map(struct mpp_executor *executor, const struct mpp_map *map,
                                     struct mpp_error *error);
MPP_API enum mpp_wait_status mpp_map_unordered(struct mpp_executor *executor,
                                               const struct mpp_map *map, struct mpp_error *error);

#ifdef __cplusplus
}
#endif

#endif
