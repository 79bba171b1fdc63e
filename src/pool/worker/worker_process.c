/* SPDX-License-Identifier: MIT */
/* The main loop of a worker process: see worker_process.h. */
#include "worker_process.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "confine.h"
#include "message.h"
#include "read_ahead.h"
#include "result_sender.h"

/* How much is read from the socket at once; a frame is usually smaller. */
enum { READ_BYTES = 1 << 16 };

/* Loads that wait longer than this on average are run ahead. For shorter ones, passing them to
 * another thread costs as much as it saves. */
#define SLOW_LOAD_NS 200000

/* What the public functions below give the job that runs. */
struct mpp_context {
    struct buf result;
    int rank, worker;
    void *loaded;      /* by the job's load function */
    bool awaits_flush; /* of the running task */
};

int mpp_context_set_result(struct mpp_context *context, const void *data, size_t size)
{
    buf_clear(&context->result);
    if (size > MESSAGE_DATA_MAX)
        return -1;
    buf_put(&context->result, data, size);
    return context->result.failed ? -1 : 0;
}

int mpp_context_rank(const struct mpp_context *context)
{
    return context->rank;
}

int mpp_context_worker(const struct mpp_context *context)
{
    return context->worker;
}

void mpp_context_await_flush(struct mpp_context *context)
{
    context->awaits_flush = true;
}

void *mpp_context_loaded(const struct mpp_context *context)
{
    return context->loaded;
}

struct job_state {
    bool open;
    void *state; /* from the job's open function */
};

/* Walks over the tasks that have been received but do not run yet, to begin their loads. */
struct lookahead {
    uint64_t number;      /* of the next task to look at */
    struct reader fields; /* stands at that task, in its frame */
    uint32_t left;        /* tasks left in that frame, with this one */
    size_t frame_end;     /* offset in worker.in */
};

struct worker {
    int fd;
    struct worker_slot *slot;
    const struct mpp_options *options;
    struct job_state *states; /* by job */
    size_t job_count;
    uint64_t number;    /* of the next task: see struct worker_slot */
    struct buf in;      /* bytes read from the socket */
    size_t in_done;     /* how many of them are processed */
    struct buf payload; /* a copy of the running task's, aligned for any type */
    struct mpp_context context;
    struct read_ahead *ahead; /* NULL: loads are not run ahead */
    struct lookahead lookahead;
    double load_wait_ns; /* moving average of the time a load waits */
    struct result_sender sender;
    uint32_t pid;
    int64_t now_ns; /* last reading of the clock: the end of a task is the beginning of the next */
};

/* ---- The socket ---- */

/* Reads until at least `wanted` unprocessed bytes are in `in`. False: the agent has closed the
 * socket or died, or memory ran out. */
static bool read_at_least(struct worker *worker, size_t wanted)
{
    if (worker->in_done == worker->in.size) {
        buf_clear(&worker->in);
        worker->in_done = 0;
    }
    while (worker->in.size - worker->in_done < wanted) {
        size_t missing = wanted - (worker->in.size - worker->in_done);
        size_t room = missing > READ_BYTES ? missing : READ_BYTES;
        uint8_t *to = buf_reserve(&worker->in, room);
        if (!to)
            return false; /* the worker ends, and the agent reports that */
        ssize_t got = read(worker->fd, to, room);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        worker->in.size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* Waits for the next frame; it is valid until the next call. False: the socket is closed. */
static bool next_frame(struct worker *worker, struct mpp_bytes *frame)
{
    if (!read_at_least(worker, FRAME_HEAD_BYTES))
        return false;
    struct reader head = reader_over(worker->in.data + worker->in_done, FRAME_HEAD_BYTES);
    size_t size = read_u32(&head);
    if (!read_at_least(worker, FRAME_HEAD_BYTES + size))
        return false;
    *frame = (struct mpp_bytes){worker->in.data + worker->in_done + FRAME_HEAD_BYTES, size};
    worker->in_done += FRAME_HEAD_BYTES + size;
    return true;
}

/* ---- Tasks ---- */

/* A job may fork, and the child may return from run. It is not a worker: it must not touch the
 * memory and the socket that it shares with the worker, and exits. */
static bool in_forked_child;

static void note_fork(void)
{
    in_forked_child = true;
}

/* Gets what the task's load has made, from a reader thread or by loading now. */
static int load_task(struct worker *worker, const struct mpp_job *job, uint64_t number,
                     struct mpp_bytes payload, struct task_load *load, struct mpp_error *error)
{
    if (!worker->ahead || !read_ahead_take(worker->ahead, number, load))
        task_load_run(load, job, worker->options->initargs, payload);
    worker->load_wait_ns = 0.8 * worker->load_wait_ns + 0.2 * (double)load->waited_ns;
    if (!load->failed)
        return 0;
    *error = load->error;
    errno = load->no_memory ? ENOMEM : 0;
    return -1;
}

/* -1: *error is filled, and errno is ENOMEM if the job was out of memory. */
static int run_job(struct worker *worker, const struct message_task *task, uint64_t number,
                   struct mpp_error *error)
{
    if (task->job >= worker->job_count)
        return mpp_error_set(error, "job number %u is not registered here", task->job);
    const struct mpp_job *job = worker->options->jobs[task->job];
    struct job_state *state = &worker->states[task->job];
    if (!state->open && job->open && job->open(&state->state, worker->options->initargs, error))
        return -1;
    state->open = true;

    buf_clear(&worker->payload);
    buf_put(&worker->payload, task->payload, task->size);
    if (worker->payload.failed)
        return mpp_error_set(error, "out of memory for a payload of %u bytes", task->size);
    struct mpp_bytes payload = {worker->payload.data, task->size};
    struct task_load load;
    load.data = NULL;
    if (job->load && load_task(worker, job, number, payload, &load, error))
        return -1;
    worker->context.loaded = load.data;
    errno = 0;
    int failed = job->run(state->state, payload, &worker->context, error);
    if (job->load && !in_forked_child) {
        int saved = errno;
        task_load_release(&load, job);
        errno = saved;
    }
    return failed;
}

/* The agent is about to kill this process because of the task that has just ended. */
static _Noreturn void wait_for_kill(void)
{
    for (;;)
        pause();
}

static void run_task(struct worker *worker, const struct message_task *task, uint64_t number)
{
    int64_t begun_ns = worker->now_ns;
    struct mpp_error error;
    error.text[0] = '\0'; /* and not a kilobyte of zeros for each task */
    buf_clear(&worker->context.result);
    worker->context.awaits_flush = false;
    int failed = run_job(worker, task, number, &error);
    if (in_forked_child)
        _exit(0);
    bool no_memory = failed && errno == ENOMEM;
    int64_t ended_ns = worker->now_ns = monotonic_now_ns();
    uint64_t running = number + 1;
    if (!atomic_compare_exchange_strong(&worker->slot->running, &running, 0))
        wait_for_kill();

    if (failed && !error.text[0])
        mpp_error_set(&error, "the job failed without an error text");
    const struct buf *data = &worker->context.result;
    struct message_result result = {
        .id = task->id,
        .dispatch = task->dispatch,
        .status = no_memory ? TASK_FAILED_MEMORY
                  : failed  ? TASK_FAILED
                            : TASK_SUCCEEDED,
        .pid = worker->pid,
        .run_ns = (uint64_t)(ended_ns - begun_ns),
        .ended_ns = ended_ns,
        .worker = (uint16_t)worker->context.worker,
        .size = (uint32_t)(failed ? strlen(error.text) : data->size),
        .data = failed ? (const void *)error.text : data->data,
    };
    bool blocked = worker->context.awaits_flush && !failed
                       ? result_sender_hold(&worker->sender, worker->options->jobs[task->job],
                                            worker->states[task->job].state, &result)
                       : result_sender_send(&worker->sender, &result);
    if (blocked)
        worker->now_ns = monotonic_now_ns(); /* that was not the next task's time */
    result_sender_wake_sometimes(&worker->sender, ended_ns);
}

/* ---- Reading ahead ---- */

/* Reads what has arrived on the socket, without waiting and without moving the buffer: readers
 * point into it. */
static void read_available(struct worker *worker)
{
    size_t room = worker->in.capacity - worker->in.size;
    ssize_t got =
        room ? recv(worker->fd, worker->in.data + worker->in.size, room, MSG_DONTWAIT) : 0;
    worker->in.size += got > 0 ? (size_t)got : 0;
}

/* Moves on to the next frame. False: it has not arrived completely. */
static bool lookahead_next_frame(struct worker *worker)
{
    struct lookahead *lookahead = &worker->lookahead;
    read_available(worker);
    const uint8_t *at = worker->in.data + lookahead->frame_end;
    size_t size_left = worker->in.size - lookahead->frame_end;
    if (size_left < FRAME_HEAD_BYTES)
        return false;
    struct reader head = reader_over(at, FRAME_HEAD_BYTES);
    size_t size = read_u32(&head);
    if (size_left - FRAME_HEAD_BYTES < size)
        return false;
    lookahead->frame_end += FRAME_HEAD_BYTES + size;
    return message_open(at + FRAME_HEAD_BYTES, size, &lookahead->fields) == MESSAGE_TASKS &&
           !message_get_tasks(&lookahead->fields, &lookahead->left);
}

/* Starts the loads of the tasks after `number`. `fields` holds `left` tasks, the first of which is
 * `number`. */
static void begin_loads(struct worker *worker, uint64_t number, const struct reader *fields,
                        uint32_t left)
{
    struct lookahead *lookahead = &worker->lookahead;
    uint64_t end = number + 1 + (uint64_t)worker->options->read_ahead;
    if (worker->load_wait_ns < SLOW_LOAD_NS)
        return;
    if (lookahead->number <= number)
        *lookahead = (struct lookahead){number, *fields, left, worker->in_done};
    while (lookahead->number < end && (lookahead->left || lookahead_next_frame(worker))) {
        struct message_task task;
        if (message_get_task(&lookahead->fields, &task) || task.job >= worker->job_count)
            return; /* malformed: reported when its turn comes */
        const struct mpp_job *job = worker->options->jobs[task.job];
        if (lookahead->number > number && job->load &&
            atomic_load(&worker->slot->next) <= lookahead->number)
            read_ahead_begin(worker->ahead, lookahead->number, job,
                             (struct mpp_bytes){task.payload, task.size});
        lookahead->number++;
        lookahead->left--;
    }
}

/* Releases the load of a task that the agent has taken back. */
static void drop_load(struct worker *worker, const struct message_task *task, uint64_t number)
{
    struct task_load load;
    if (worker->ahead && read_ahead_take(worker->ahead, number, &load))
        task_load_release(&load, worker->options->jobs[task->job]);
}

/* ---- Frames ---- */

/* Whether the next frame has arrived, at least its beginning. */
static bool has_next_frame(struct worker *worker)
{
    if (worker->in_done == worker->in.size) {
        buf_clear(&worker->in);
        worker->in_done = 0;
        read_available(worker);
    }
    return worker->in_done < worker->in.size;
}

/* Runs the tasks of a frame, except those that the agent takes back. False: the frame is
 * malformed. */
static bool run_frame(struct worker *worker, struct mpp_bytes frame)
{
    struct reader fields;
    uint32_t count;
    if (message_open(frame.data, frame.size, &fields) != MESSAGE_TASKS ||
        message_get_tasks(&fields, &count))
        return false;
    worker->now_ns = monotonic_now_ns();
    for (uint32_t i = 0; i < count; i++) {
        struct message_task task;
        uint64_t number = worker->number++;
        uint64_t expected = number;
        if (worker->ahead)
            begin_loads(worker, number, &fields, count - i);
        if (message_get_task(&fields, &task))
            return false;
        atomic_store_explicit(&worker->slot->begun_ns, worker->now_ns, memory_order_relaxed);
        atomic_store_explicit(&worker->slot->running, number + 1, memory_order_release);
        if (atomic_compare_exchange_strong(&worker->slot->next, &expected, number + 1)) {
            run_task(worker, &task, number);
        } else {
            atomic_store(&worker->slot->running, 0);
            drop_load(worker, &task, number);
        }
    }
    if (!has_next_frame(worker))
        result_sender_flush(&worker->sender);
    result_sender_wake(&worker->sender, worker->now_ns);
    return true;
}

/* ---- Start and end ---- */

static struct worker_slot *own_slot; /* for the signal handler; a process has one worker */

/* Records the circumstances of a crash for the agent. errno is ENOMEM when the job has dereferenced
 * the null pointer of a failed allocation. In a reader thread the crash belongs to the task that
 * was being loaded, not to the one that runs. */
static void note_crash(int number)
{
    if (errno == ENOMEM)
        atomic_store(&own_slot->no_memory, true);
    if (read_ahead_current())
        atomic_store(&own_slot->crashed_load, read_ahead_current());
    signal(number, SIG_DFL);
    raise(number); /* delivered when this handler returns */
}

static void install_crash_handler(struct worker_slot *slot)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
    own_slot = slot;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], note_crash);
}

/* Runs the initializer and confines the process. False: failed; the agent is told why. */
static bool prepare(struct worker *worker)
{
    const struct mpp_options *options = worker->options;
    struct mpp_error error = {.text = ""};
    bool isolated = options->isolate == MPP_ISOLATED;
    int failed = options->initializer ? options->initializer(options->initargs, &error) : 0;
    if (failed && !error.text[0])
        mpp_error_set(&error, "the initializer failed without an error text");
    if (!failed && isolated)
        failed = confine_worker(options->confine, options->memory_limit_bytes, &error);
    if (isolated) {
        install_crash_handler(worker->slot);
        pthread_atfork(NULL, NULL, note_fork);
    }
    if (!failed)
        return true;
    struct buf out = BUF_INIT;
    message_put_broken(&out, error.text);
    result_sender_frame(&worker->sender, &out);
    buf_release(&out);
    return false;
}

/* Whether any job has a load function that may run on other threads. */
static bool reads_ahead(const struct mpp_options *options)
{
    bool loads = false;
    for (size_t i = 0; options->jobs[i]; i++)
        if (options->jobs[i]->load)
            loads = true;
    return loads && options->read_ahead > 0 && options->isolate == MPP_ISOLATED;
}

static void release(struct worker *worker)
{
    read_ahead_free(worker->ahead);
    for (size_t i = 0; i < worker->job_count; i++)
        if (worker->states[i].open && worker->options->jobs[i]->close)
            worker->options->jobs[i]->close(worker->states[i].state);
    free(worker->states);
    buf_release(&worker->in);
    buf_release(&worker->payload);
    buf_release(&worker->context.result);
    result_sender_release(&worker->sender);
}

void worker_main(int fd, struct worker_slot *slot, const struct mpp_options *options)
{
    struct worker worker = {.fd = fd,
                            .slot = slot,
                            .options = options,
                            .pid = (uint32_t)getpid(),
                            .sender = {fd, slot, .agent_woken_ns = monotonic_now_ns()}};
    struct mpp_bytes frame;
    worker.context.rank = slot->rank;
    worker.context.worker = slot->worker;
    while (options->jobs[worker.job_count])
        worker.job_count++;
    worker.states = calloc(worker.job_count, sizeof *worker.states);
    if (reads_ahead(options)) /* out of memory: each load runs when its task does */
        worker.ahead = read_ahead_new(options->read_ahead, options->initargs);
    if (worker.states && prepare(&worker))
        while (next_frame(&worker, &frame) && run_frame(&worker, frame))
            ;
    release(&worker);
}
