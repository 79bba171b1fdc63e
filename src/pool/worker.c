/* The worker process: see worker.h. */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

/* Results are sent together when tasks are short, but none is kept back longer than this while
 * others run. */
#define FLUSH_NS 500000

/* A batch of results larger than this is sent at once. */
#define FLUSH_BYTES 65536

struct mpp_result {
    struct buf data;
};

int mpp_result_set(struct mpp_result *result, const void *data, size_t size)
{
    buf_clear(&result->data);
    if (size > MESSAGE_DATA_MAX)
        return -1;
    buf_put(&result->data, data, size);
    return result->data.failed ? -1 : 0;
}

struct job_state {
    bool open;
    void *state;
};

struct worker {
    int fd;
    struct worker_slot *slot;
    const struct worker_config *config;
    struct job_state *states; /* by job */
    size_t job_count;
    uint64_t number; /* of the next task, counted as the agent counts them */
    struct buf frame;
    struct buf payload; /* a copy: aligned, and the frame stays whole */
    struct mpp_result result;
    struct buf out; /* the frame of results being built */
    struct message_list done;
    uint64_t flushed_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The rank has gone or has closed the socket: nothing is left to do, and nobody to tell. */
static _Noreturn void leave(struct worker *worker)
{
    for (size_t i = 0; i < worker->job_count; i++)
        if (worker->states[i].open && worker->config->jobs[i]->close)
            worker->config->jobs[i]->close(worker->states[i].state);
    fflush(stdout); /* jobs may print */
    _exit(0);
}

static void read_exactly(struct worker *worker, uint8_t *to, size_t size)
{
    while (size) {
        ssize_t got = read(worker->fd, to, size);
        if (got == 0 || (got < 0 && errno != EINTR))
            leave(worker);
        if (got > 0) {
            to += got;
            size -= (size_t)got;
        }
    }
}

static _Noreturn void die(const char *reason)
{
    ssize_t ignored = write(STDERR_FILENO, reason, strlen(reason));
    (void)ignored;
    _exit(70);
}

static void read_frame(struct worker *worker)
{
    uint8_t head[FRAME_HEAD_BYTES];
    read_exactly(worker, head, sizeof head);
    struct reader reader = reader_over(head, sizeof head);
    size_t size = read_u32(&reader);
    buf_clear(&worker->frame);
    uint8_t *to = buf_reserve(&worker->frame, size);
    if (!to)
        die("mpp-worker: out of memory for a task\n");
    read_exactly(worker, to, size);
    worker->frame.size = size;
}

static void begin_results(struct worker *worker)
{
    buf_clear(&worker->out);
    buf_put_u32(&worker->out, 0);
    worker->done = message_begin_done(&worker->out, 0);
}

static void flush_results(struct worker *worker)
{
    worker->flushed_ns = now_ns();
    if (!worker->done.count)
        return;
    message_end(&worker->done);
    buf_set_u32(&worker->out, 0, (uint32_t)(worker->out.size - FRAME_HEAD_BYTES));
    if (worker->out.failed)
        die("mpp-worker: out of memory for a result\n");
    for (size_t sent = 0; sent < worker->out.size;) {
        ssize_t n =
            send(worker->fd, worker->out.data + sent, worker->out.size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            leave(worker);
        sent += n > 0 ? (size_t)n : 0;
    }
    begin_results(worker);
}

static int run_job(struct worker *worker, const struct message_task *task, struct mpp_error *error)
{
    if (task->job >= worker->job_count)
        return mpp_error_set(error, "job number %u is not registered here", task->job);
    const struct mpp_job *job = worker->config->jobs[task->job];
    struct job_state *state = &worker->states[task->job];
    if (!state->open && job->open && job->open(&state->state, worker->config->initargs, error))
        return -1;
    state->open = true;

    buf_clear(&worker->payload);
    buf_put(&worker->payload, task->payload, task->size);
    if (worker->payload.failed)
        return mpp_error_set(error, "out of memory for a payload of %u bytes", task->size);
    struct mpp_bytes payload = {worker->payload.data, task->size};
    return job->run(state->state, payload, &worker->result, error);
}

static void run_task(struct worker *worker, const struct message_task *task, uint64_t number)
{
    static struct mpp_error error; /* large; one task at a time */
    error.text[0] = '\0';
    buf_clear(&worker->result.data);

    atomic_store(&worker->slot->running, number + 1);
    uint64_t begun_ns = now_ns();
    int failed = run_job(worker, task, &error);
    uint64_t ended_ns = now_ns();
    atomic_store(&worker->slot->running, 0);

    if (failed && !error.text[0])
        mpp_error_set(&error, "the job failed without saying why");
    const struct buf *data = &worker->result.data;
    message_put_result(&worker->done,
                       &(struct message_result){
                           .id = task->id,
                           .handout = task->handout,
                           .status = failed ? TASK_FAILED : TASK_SUCCEEDED,
                           .pid = (uint32_t)getpid(),
                           .run_ns = ended_ns - begun_ns,
                           .size = (uint32_t)(failed ? strlen(error.text) : data->size),
                           .data = failed ? (const void *)error.text : data->data,
                       });
    if (ended_ns - worker->flushed_ns > FLUSH_NS || worker->out.size > FLUSH_BYTES)
        flush_results(worker);
}

static void run_frame(struct worker *worker)
{
    struct reader fields;
    uint32_t count;
    if (message_open(worker->frame.data, worker->frame.size, &fields) != MESSAGE_TASKS ||
        message_get_tasks(&fields, &count))
        die("mpp-worker: the agent sent something that is not a list of tasks\n");
    for (uint32_t i = 0; i < count; i++) {
        struct message_task task;
        if (message_get_task(&fields, &task))
            die("mpp-worker: the agent sent a damaged task\n");
        uint64_t number = worker->number++;
        uint64_t unclaimed = number;
        if (atomic_compare_exchange_strong(&worker->slot->next, &unclaimed, number + 1))
            run_task(worker, &task, number);
    }
    flush_results(worker);
}

_Noreturn void worker_main(int fd, struct worker_slot *slot, const struct worker_config *config)
{
    struct worker worker = {.fd = fd, .slot = slot, .config = config, .flushed_ns = now_ns()};
    while (config->jobs[worker.job_count])
        worker.job_count++;
    worker.states = calloc(worker.job_count + 1, sizeof *worker.states);
    if (!worker.states)
        die("mpp-worker: out of memory\n");
    begin_results(&worker);
    for (;;) {
        read_frame(&worker);
        run_frame(&worker);
    }
}
