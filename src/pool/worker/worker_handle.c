/* SPDX-License-Identifier: MIT */
/* The agent's handle on one worker process: see worker_handle.h. */
#include "worker_handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "result_sender.h"

enum { READ_BYTES = 1 << 18 };

void worker_handle_init(struct worker_handle *worker, struct worker_slot *slot)
{
    *worker = (struct worker_handle){.state = WORKER_ABSENT, .fd = -1, .slot = slot};
    task_list_init(&worker->tasks);
}

static void close_socket(struct worker_handle *worker)
{
    if (worker->fd >= 0)
        close(worker->fd);
    worker->fd = -1;
    worker->state = WORKER_CLOSED;
}

void worker_handle_close(struct worker_handle *worker)
{
    worker->closed_by_agent = true;
    close_socket(worker);
}

void worker_handle_release(struct worker_handle *worker)
{
    close_socket(worker);
    task_list_release(&worker->tasks);
    buf_release(&worker->out);
    buf_release(&worker->in);
    worker_handle_init(worker, worker->slot);
}

void worker_handle_started(struct worker_handle *worker, pid_t pid, int fd)
{
    worker->state = WORKER_READY;
    worker->pid = pid;
    worker->fd = fd;
    worker->sent = 0;
}

int worker_handle_assign(struct worker_handle *worker, struct task_list *list, uint32_t count,
                         struct mpp_error *error)
{
    size_t head_at = worker->out.size;
    buf_put_u32(&worker->out, 0);
    struct message_list tasks = message_begin_tasks(&worker->out);
    for (; count && list->count && worker->out.size - head_at < MESSAGE_DATA_MAX; count--) {
        struct agent_task *task = task_list_take(list);
        struct message_task fields = agent_task_message(task);
        message_put_task(&tasks, &fields);
        task->number = worker->sent++;
        task_list_append(&worker->tasks, task);
    }
    message_end(&tasks);
    buf_set_u32(&worker->out, head_at, (uint32_t)(worker->out.size - head_at - FRAME_HEAD_BYTES));
    if (worker->out.failed)
        return mpp_error_set(error, "out of memory for tasks to a worker");
    return 0;
}

uint32_t worker_handle_unstarted(const struct worker_handle *worker)
{
    return worker->state == WORKER_READY
               ? (uint32_t)(worker->sent - atomic_load(&worker->slot->next))
               : 0;
}

void worker_handle_take_back_all(struct worker_handle *worker, struct task_list *to)
{
    if (worker->state != WORKER_READY)
        return;
    uint64_t next = atomic_exchange(&worker->slot->next, worker->sent);
    task_list_move_tail(&worker->tasks, worker->sent - next, to);
}

void worker_handle_take_back(struct worker_handle *worker, struct task_list *to)
{
    if (worker_handle_unstarted(worker) < worker->tasks.count)
        worker_handle_take_back_all(worker, to);
}

void worker_handle_write(struct worker_handle *worker, bool *progressed)
{
    while (worker->fd >= 0 && worker->out_done < worker->out.size) {
        ssize_t n = send(worker->fd, worker->out.data + worker->out_done,
                         worker->out.size - worker->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* full: poll(2) will tell; or closed: the exit will be reported */
        worker->out_done += (size_t)n;
        *progressed = true;
    }
    if (worker->out_done == worker->out.size) {
        buf_clear(&worker->out);
        worker->out_done = 0;
    }
}

static int take_results(struct worker_handle *worker, const void *bytes, size_t size,
                        const struct worker_handle_callbacks *callbacks, struct mpp_error *error)
{
    struct reader fields;
    uint32_t replaced, count;
    bool wants; /* this and `replaced` have a meaning only on the way to the coordinator */
    if (message_open(bytes, size, &fields) != MESSAGE_DONE ||
        message_get_done(&fields, &replaced, &wants, &count))
        return mpp_error_set(error, "a worker sent a message that is not a list of results");
    for (uint32_t i = 0; i < count; i++) {
        struct message_result result;
        if (message_get_result(&fields, &result))
            return mpp_error_set(error, "a worker sent a damaged result");
        struct agent_task *task = task_list_take_id(&worker->tasks, result.id);
        if (!task)
            return mpp_error_set(error, "a worker sent a result for a task that it does not have");
        callbacks->result(callbacks->context, task, &result);
    }
    return 0;
}

static int take_frame(struct worker_handle *worker, const void *bytes, size_t size,
                      const struct worker_handle_callbacks *callbacks, struct mpp_error *error)
{
    struct reader fields;
    const char *text;
    uint32_t text_size;
    if (!size)
        return 0; /* it only wakes the agent: the results are in the ring */
    if (message_open(bytes, size, &fields) != MESSAGE_BROKEN)
        return take_results(worker, bytes, size, callbacks, error);
    if (message_get_broken(&fields, &text, &text_size))
        return mpp_error_set(error, "a worker sent a damaged report");
    callbacks->broken(callbacks->context, text, text_size);
    return 0;
}

static int take_frames(struct worker_handle *worker,
                       const struct worker_handle_callbacks *callbacks, struct mpp_error *error)
{
    size_t done = 0;
    for (;;) {
        struct reader head = reader_over(worker->in.data + done, worker->in.size - done);
        size_t size = read_u32(&head);
        const uint8_t *bytes = read_bytes(&head, size);
        if (!bytes)
            break;
        if (take_frame(worker, bytes, size, callbacks, error))
            return -1;
        done += FRAME_HEAD_BYTES + size;
    }
    if (done) {
        memmove(worker->in.data, worker->in.data + done, worker->in.size - done);
        worker->in.size -= done;
    }
    return 0;
}

static int read_ring(struct worker_handle *worker, const struct worker_handle_callbacks *callbacks,
                     bool *progressed, struct mpp_error *error)
{
    struct result_ring *ring = &worker->slot->results;
    size_t size;
    for (const void *bytes; (bytes = result_ring_peek(ring, &size));) {
        *progressed = true;
        if (take_results(worker, bytes, size, callbacks, error))
            return -1;
        result_ring_drop(ring);
    }
    return size ? mpp_error_set(error, "a worker has overwritten the shared memory for its results")
                : 0;
}

static int read_socket(struct worker_handle *worker,
                       const struct worker_handle_callbacks *callbacks, bool *progressed,
                       struct mpp_error *error)
{
    worker->readable = false;
    while (worker->fd >= 0) {
        uint8_t *to = buf_reserve(&worker->in, READ_BYTES);
        if (!to)
            return mpp_error_set(error, "out of memory for a worker's results");
        ssize_t n = recv(worker->fd, to, READ_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            close_socket(worker); /* the worker is ending and sends nothing more */
        if (n <= 0)
            break;
        /* Before the ring is read, so that no result is missed. */
        atomic_store(&worker->slot->agent_woken, false);
        worker->in.size += (size_t)n;
        *progressed = true;
        if (take_frames(worker, callbacks, error))
            return -1;
        if (n < READ_BYTES)
            break;
    }
    return 0;
}

int worker_handle_read(struct worker_handle *worker,
                       const struct worker_handle_callbacks *callbacks, bool *progressed,
                       struct mpp_error *error)
{
    if (!worker->pid)
        return 0;
    if (worker->readable && read_socket(worker, callbacks, progressed, error))
        return -1;
    return read_ring(worker, callbacks, progressed, error);
}

static struct agent_task *find_number(const struct worker_handle *worker, uint64_t number)
{
    struct agent_task *task = worker->tasks.first;
    while (task && task->number != number)
        task = task->next;
    return task;
}

struct agent_task *worker_handle_running(const struct worker_handle *worker, int64_t *begun_ns)
{
    uint64_t running = atomic_load(&worker->slot->running);
    *begun_ns = atomic_load(&worker->slot->begun_ns);
    if (!running || running & WORKER_TERMINATING || running != atomic_load(&worker->slot->running))
        return NULL;
    return find_number(worker, running - 1);
}

bool worker_handle_mark_terminated(struct worker_handle *worker, const struct agent_task *task,
                                   enum worker_termination termination)
{
    uint64_t running = task->number + 1;
    if (!atomic_compare_exchange_strong(&worker->slot->running, &running,
                                        running | WORKER_TERMINATING))
        return false;
    worker->termination = termination;
    return true;
}

struct agent_task *worker_handle_take_interrupted(struct worker_handle *worker)
{
    uint64_t running = atomic_load(&worker->slot->running);
    uint64_t crashed = atomic_load(&worker->slot->crashed_load);
    /* If a load crashed, blame its task and not the one that was running, unless the agent killed
     * the worker. */
    uint64_t cause = crashed && !(running & WORKER_TERMINATING) ? crashed : running;
    cause &= ~WORKER_TERMINATING;
    struct agent_task *task = cause ? find_number(worker, cause - 1) : NULL;
    return task ? task_list_take_id(&worker->tasks, task->id) : NULL;
}
