/* The worker process: see worker.h. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "message.h"
#include "read_ahead.h"

/* While tasks run, the agent is told of results this often: it reads the ring by itself when it is
 * awake, and must not be woken for every one when it sleeps. */
#define BELL_NS 4000000

/* Read from the socket at once, where frames are small. */
enum { READ_BYTES = 1 << 16 };

/* Where loads wait longer than this, they are run ahead. Below it a thread would cost as much. */
#define SLOW_LOAD_NS 200000

struct mpp_context {
    struct buf data;
    int rank;
    void *loaded;
};

int mpp_context_set_result(struct mpp_context *result, const void *data, size_t size)
{
    buf_clear(&result->data);
    if (size > MESSAGE_DATA_MAX)
        return -1;
    buf_put(&result->data, data, size);
    return result->data.failed ? -1 : 0;
}

int mpp_context_rank(const struct mpp_context *result)
{
    return result->rank;
}

void *mpp_context_loaded(const struct mpp_context *result)
{
    return result->loaded;
}

struct job_state {
    bool open;
    void *state;
};

/* Which tasks have been looked at for their loads. */
struct lookahead {
    uint64_t number;      /* of the next one */
    struct reader fields; /* at it, in its frame; */
    uint32_t left;        /* so many are there */
    size_t behind;        /* that frame ends here, in `in` */
};

struct worker {
    int fd;
    struct worker_slot *slot;
    const struct mpp_options *options;
    struct job_state *states; /* by job */
    size_t job_count;
    uint64_t number;    /* of the next task, counted as the agent counts them */
    struct buf in;      /* read from the socket; */
    size_t in_done;     /* so much of it is done with */
    struct buf payload; /* a copy: aligned */
    struct mpp_context result;
    struct read_ahead *ahead; /* NULL: loads are not run ahead */
    struct lookahead lookahead;
    double load_ns; /* recent mean of what loads wait */
    struct buf out; /* a result being encoded */
    uint32_t pid;
    uint64_t
        now_ns; /* when it was last looked at: the end of a task is the beginning of the next */
    uint64_t rung_ns;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- The socket ---- */

/* Has at least so many bytes behind in_done; false: the rank has gone or has closed the socket. */
static bool fill(struct worker *worker, size_t wanted)
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
            return false; /* the agent sees a worker that ended, and reports the task */
        ssize_t got = read(worker->fd, to, room);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        worker->in.size += got > 0 ? (size_t)got : 0;
    }
    return true;
}

/* The next frame, in place until the next call; false at the end. */
static bool next_frame(struct worker *worker, struct mpp_bytes *frame)
{
    if (!fill(worker, FRAME_HEAD_BYTES))
        return false;
    struct reader head = reader_over(worker->in.data + worker->in_done, FRAME_HEAD_BYTES);
    size_t size = read_u32(&head);
    if (!fill(worker, FRAME_HEAD_BYTES + size))
        return false;
    *frame = (struct mpp_bytes){worker->in.data + worker->in_done + FRAME_HEAD_BYTES, size};
    worker->in_done += FRAME_HEAD_BYTES + size;
    return true;
}

/* Writes it all, however long the agent takes; when the agent is gone, reading will tell. */
static void write_all(struct worker *worker, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size) {
        ssize_t n = send(worker->fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

static void write_frame(struct worker *worker, struct buf *message)
{
    struct buf head = BUF_INIT;
    buf_put_u32(&head, (uint32_t)message->size);
    if (!head.failed && !message->failed) {
        write_all(worker, head.data, head.size);
        write_all(worker, message->data, message->size);
    }
    buf_release(&head);
    atomic_store(&worker->slot->bell, true);
}

/* Wakes the agent, unless it has been told since it last listened. */
static void ring_bell(struct worker *worker, uint64_t at_ns)
{
    static const uint8_t empty_frame[FRAME_HEAD_BYTES];
    worker->rung_ns = at_ns;
    if (!atomic_exchange(&worker->slot->bell, true))
        write_all(worker, empty_frame, sizeof empty_frame);
}

/* ---- Tasks ---- */

/* A job may fork, and its child come back from run as if it were the worker: it is none, and must
 * touch nothing that the two share. */
static bool is_copy;

static void note_fork(void)
{
    is_copy = true;
}

static int load(struct worker *worker, const struct mpp_job *job, uint64_t number,
                struct mpp_bytes payload, struct loaded *loaded, struct mpp_error *error)
{
    if (!worker->ahead || !read_ahead_take(worker->ahead, number, loaded))
        load_now(job, worker->options->initargs, payload, loaded);
    worker->load_ns = 0.8 * worker->load_ns + 0.2 * (double)loaded->waited_ns;
    if (!loaded->failed)
        return 0;
    *error = loaded->error;
    errno = loaded->no_memory ? ENOMEM : 0;
    return -1;
}

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
    struct loaded loaded = {.data = NULL};
    if (job->load && load(worker, job, number, payload, &loaded, error))
        return -1;
    worker->result.loaded = loaded.data;
    errno = 0;
    int failed = job->run(state->state, payload, &worker->result, error);
    if (job->load && !is_copy) {
        int kept = errno;
        loaded_drop(&loaded, job);
        errno = kept;
    }
    return failed;
}

/* Into the ring; what does not fit there waits until the agent has read it off the socket. */
static void give_result(struct worker *worker, const struct message_result *result)
{
    buf_clear(&worker->out);
    struct message_list done = message_begin_done(&worker->out, 0);
    message_put_result(&done, result);
    message_end(&done);
    if (worker->out.failed) {
        static const char text[] = "out of memory for the result";
        struct message_result failure = *result;
        failure.status = TASK_FAILED_MEMORY;
        failure.size = sizeof text - 1;
        failure.data = text;
        buf_release(&worker->out);
        done = message_begin_done(&worker->out, 0);
        message_put_result(&done, &failure);
        message_end(&done);
    }
    if (result_ring_put(&worker->slot->results, worker->out.data, worker->out.size))
        return;
    write_frame(worker, &worker->out);
    worker->now_ns = now_ns(); /* that was the agent's time, not the next task's */
}

/* The agent is ending this process, for the task that has just run. */
static void wait_for_the_end(void)
{
    for (;;)
        pause();
}

static void run_task(struct worker *worker, const struct message_task *task, uint64_t number)
{
    uint64_t begun_ns = worker->now_ns;
    struct mpp_error error = {.text = ""};
    buf_clear(&worker->result.data);
    int failed = run_job(worker, task, number, &error);
    if (is_copy)
        _exit(0);
    bool no_memory = failed && errno == ENOMEM;
    uint64_t ended_ns = worker->now_ns = now_ns();
    uint64_t running = number + 1;
    if (!atomic_compare_exchange_strong(&worker->slot->running, &running, 0))
        wait_for_the_end();

    if (failed && !error.text[0])
        mpp_error_set(&error, "the job failed without saying why");
    const struct buf *data = &worker->result.data;
    give_result(worker, &(struct message_result){
                            .id = task->id,
                            .handout = task->handout,
                            .status = no_memory ? TASK_FAILED_MEMORY
                                      : failed  ? TASK_FAILED
                                                : TASK_SUCCEEDED,
                            .pid = worker->pid,
                            .run_ns = ended_ns - begun_ns,
                            .size = (uint32_t)(failed ? strlen(error.text) : data->size),
                            .data = failed ? (const void *)error.text : data->data,
                        });
    if (ended_ns - worker->rung_ns > BELL_NS)
        ring_bell(worker, ended_ns);
}

/* ---- Reading ahead ---- */

/* Takes in what frames have come meanwhile, without waiting, as long as that moves nothing. */
static void take_in_more(struct worker *worker)
{
    size_t room = worker->in.capacity - worker->in.size;
    ssize_t got =
        room ? recv(worker->fd, worker->in.data + worker->in.size, room, MSG_DONTWAIT) : 0;
    worker->in.size += got > 0 ? (size_t)got : 0;
}

/* To the frame behind the one that was looked through; false: it is not there yet. */
static bool look_at_next_frame(struct worker *worker)
{
    struct lookahead *lookahead = &worker->lookahead;
    take_in_more(worker);
    const uint8_t *at = worker->in.data + lookahead->behind;
    size_t there = worker->in.size - lookahead->behind;
    if (there < FRAME_HEAD_BYTES)
        return false;
    struct reader head = reader_over(at, FRAME_HEAD_BYTES);
    size_t size = read_u32(&head);
    if (there - FRAME_HEAD_BYTES < size)
        return false;
    lookahead->behind += FRAME_HEAD_BYTES + size;
    return message_open(at + FRAME_HEAD_BYTES, size, &lookahead->fields) == MESSAGE_TASKS &&
           !message_get_tasks(&lookahead->fields, &lookahead->left);
}

/* Begins the loads of the tasks that follow this one, which is at the front of `fields`. */
static void look_ahead(struct worker *worker, uint64_t number, const struct reader *fields,
                       uint32_t left)
{
    struct lookahead *lookahead = &worker->lookahead;
    uint64_t end = number + 1 + (uint64_t)worker->options->read_ahead;
    if (worker->load_ns < SLOW_LOAD_NS)
        return;
    if (lookahead->number <= number)
        *lookahead = (struct lookahead){number, *fields, left, worker->in_done};
    while (lookahead->number < end && (lookahead->left || look_at_next_frame(worker))) {
        struct message_task task;
        if (message_get_task(&lookahead->fields, &task) || task.job >= worker->job_count)
            return; /* nonsense, which will be found when its turn comes */
        const struct mpp_job *job = worker->options->jobs[task.job];
        if (lookahead->number > number && job->load &&
            atomic_load(&worker->slot->next) <= lookahead->number)
            read_ahead_begin(worker->ahead, lookahead->number, job,
                             (struct mpp_bytes){task.payload, task.size});
        lookahead->number++;
        lookahead->left--;
    }
}

/* What was loaded for a task that the agent has taken back. */
static void drop_load(struct worker *worker, const struct message_task *task, uint64_t number)
{
    struct loaded loaded;
    if (worker->ahead && read_ahead_take(worker->ahead, number, &loaded))
        loaded_drop(&loaded, worker->options->jobs[task->job]);
}

/* ---- Frames ---- */

/* Runs what is left of a frame of tasks when their turn comes. False: the agent sent nonsense. */
static bool run_frame(struct worker *worker, struct mpp_bytes frame)
{
    struct reader fields;
    uint32_t count;
    if (message_open(frame.data, frame.size, &fields) != MESSAGE_TASKS ||
        message_get_tasks(&fields, &count))
        return false;
    worker->now_ns = now_ns();
    for (uint32_t i = 0; i < count; i++) {
        struct message_task task;
        uint64_t number = worker->number++;
        uint64_t unclaimed = number;
        if (worker->ahead)
            look_ahead(worker, number, &fields, count - i);
        if (message_get_task(&fields, &task))
            return false;
        atomic_store_explicit(&worker->slot->begun_ns, worker->now_ns, memory_order_relaxed);
        atomic_store_explicit(&worker->slot->running, number + 1, memory_order_release);
        if (atomic_compare_exchange_strong(&worker->slot->next, &unclaimed, number + 1)) {
            run_task(worker, &task, number);
        } else {
            atomic_store(&worker->slot->running, 0);
            drop_load(worker, &task, number);
        }
    }
    ring_bell(worker, worker->now_ns);
    return true;
}

/* ---- Life ---- */

static struct worker_slot *own_slot; /* for the handler below: a worker process has one */

/* Tells a crash for want of memory from others: a failed allocation leaves ENOMEM behind, and a
 * job that does not look at it soon meets its null pointer. */
static void note_crash(int number)
{
    if (errno == ENOMEM)
        atomic_store(&own_slot->no_memory, true);
    if (load_under_way()) /* not the running task is to blame, which goes on until the signal */
        atomic_store(&own_slot->crashed, load_under_way());
    signal(number, SIG_DFL);
    raise(number); /* is delivered when this returns */
}

static void watch_crashes(struct worker_slot *slot)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
    own_slot = slot;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        signal(numbers[i], note_crash);
}

/* No task is run by a worker that could not be prepared: the pool is told why. */
static bool prepare(struct worker *worker)
{
    const struct mpp_options *options = worker->options;
    struct mpp_error error = {.text = ""};
    bool isolated = options->isolate == MPP_ISOLATED;
    int failed = options->initializer ? options->initializer(options->initargs, &error) : 0;
    if (failed && !error.text[0])
        mpp_error_set(&error, "the initializer failed without saying why");
    if (!failed && isolated)
        failed = confine_worker(options->confine, options->memory_limit_bytes, &error);
    if (isolated) {
        watch_crashes(worker->slot);
        pthread_atfork(NULL, NULL, note_fork);
    }
    if (!failed)
        return true;
    struct buf out = BUF_INIT;
    message_put_broken(&out, error.text);
    write_frame(worker, &out);
    buf_release(&out);
    return false;
}

static bool is_read_ahead(const struct mpp_options *options)
{
    bool loads = false;
    for (size_t i = 0; options->jobs[i]; i++)
        loads |= options->jobs[i]->load != NULL;
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
    buf_release(&worker->result.data);
    buf_release(&worker->out);
}

void worker_main(int fd, struct worker_slot *slot, const struct mpp_options *options)
{
    struct worker worker = {
        .fd = fd, .slot = slot, .options = options, .pid = (uint32_t)getpid(), .rung_ns = now_ns()};
    struct mpp_bytes frame;
    worker.result.rank = slot->rank;
    while (options->jobs[worker.job_count])
        worker.job_count++;
    worker.states = calloc(worker.job_count, sizeof *worker.states);
    if (is_read_ahead(options)) /* without memory for it, each load waits for its turn */
        worker.ahead = read_ahead_new(options->read_ahead, options->initargs);
    if (worker.states && prepare(&worker))
        while (next_frame(&worker, &frame) && run_frame(&worker, frame))
            ;
    release(&worker);
}
