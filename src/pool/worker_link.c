/* An agent's end of one worker process: see worker_link.h. */
#include "worker_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker.h"

enum { READ_BYTES = 1 << 18 };

void worker_link_init(struct worker_link *link, struct worker_slot *slot)
{
    *link = (struct worker_link){.state = WORKER_ABSENT, .fd = -1, .slot = slot};
    task_list_init(&link->tasks);
}

static void close_socket(struct worker_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
    link->state = WORKER_CLOSED;
}

void worker_link_dismiss(struct worker_link *link)
{
    link->dismissed = true;
    close_socket(link);
}

void worker_link_release(struct worker_link *link)
{
    close_socket(link);
    task_list_release(&link->tasks);
    buf_release(&link->out);
    buf_release(&link->in);
    worker_link_init(link, link->slot);
}

void worker_link_started(struct worker_link *link, pid_t pid, int fd)
{
    link->state = WORKER_READY;
    link->pid = pid;
    link->fd = fd;
    link->sent = 0;
}

int worker_link_assign(struct worker_link *link, struct task_list *list, uint32_t count,
                       struct mpp_error *error)
{
    size_t head_at = link->out.size;
    buf_put_u32(&link->out, 0);
    struct message_list tasks = message_begin_tasks(&link->out);
    for (; count && list->count; count--) {
        struct agent_task *task = task_list_take(list);
        struct message_task fields = agent_task_message(task);
        message_put_task(&tasks, &fields);
        task->number = link->sent++;
        task_list_append(&link->tasks, task);
    }
    message_end(&tasks);
    buf_set_u32(&link->out, head_at, (uint32_t)(link->out.size - head_at - FRAME_HEAD_BYTES));
    if (link->out.failed)
        return mpp_error_set(error, "out of memory for tasks to a worker");
    return 0;
}

uint32_t worker_link_unstarted(const struct worker_link *link)
{
    return link->state == WORKER_READY ? (uint32_t)(link->sent - atomic_load(&link->slot->next))
                                       : 0;
}

void worker_link_recall(struct worker_link *link, struct task_list *to)
{
    if (link->state != WORKER_READY)
        return;
    uint64_t next = atomic_exchange(&link->slot->next, link->sent);
    task_list_move_tail(&link->tasks, link->sent - next, to);
}

void worker_link_take_back(struct worker_link *link, struct task_list *to)
{
    /* A worker that is about to begin its first is left alone: taking that back again and again
     * would starve it. */
    if (worker_link_unstarted(link) < link->tasks.count)
        worker_link_recall(link, to);
}

void worker_link_write(struct worker_link *link, bool *progressed)
{
    while (link->fd >= 0 && link->out_done < link->out.size) {
        ssize_t n = send(link->fd, link->out.data + link->out_done, link->out.size - link->out_done,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return; /* full: poll says when; or broken: the exit is on its way */
        link->out_done += (size_t)n;
        *progressed = true;
    }
    if (link->out_done == link->out.size) {
        buf_clear(&link->out);
        link->out_done = 0;
    }
}

static int take_results(struct worker_link *link, const void *bytes, size_t size,
                        const struct worker_link_callbacks *callbacks, struct mpp_error *error)
{
    struct reader fields;
    uint32_t replaced, count;
    bool wants; /* these two are between agent and coordinator */
    if (message_open(bytes, size, &fields) != MESSAGE_DONE ||
        message_get_done(&fields, &replaced, &wants, &count))
        return mpp_error_set(error, "a worker sent something that is not a list of results");
    for (uint32_t i = 0; i < count; i++) {
        struct message_result result;
        if (message_get_result(&fields, &result))
            return mpp_error_set(error, "a worker sent a damaged result");
        struct agent_task *task = task_list_take_id(&link->tasks, result.id);
        if (!task)
            return mpp_error_set(error, "a worker sent a result of a task it does not have");
        callbacks->result(callbacks->context, task, &result);
    }
    return 0;
}

static int take_frame(struct worker_link *link, const void *bytes, size_t size,
                      const struct worker_link_callbacks *callbacks, struct mpp_error *error)
{
    struct reader fields;
    const char *text;
    uint32_t text_size;
    if (!size)
        return 0; /* the bell */
    if (message_open(bytes, size, &fields) != MESSAGE_BROKEN)
        return take_results(link, bytes, size, callbacks, error);
    if (message_get_broken(&fields, &text, &text_size))
        return mpp_error_set(error, "a worker sent a damaged report");
    callbacks->broken(callbacks->context, text, text_size);
    return 0;
}

static int take_frames(struct worker_link *link, const struct worker_link_callbacks *callbacks,
                       struct mpp_error *error)
{
    size_t done = 0;
    for (;;) {
        struct reader head = reader_over(link->in.data + done, link->in.size - done);
        size_t size = read_u32(&head);
        const uint8_t *bytes = read_bytes(&head, size);
        if (!bytes)
            break;
        if (take_frame(link, bytes, size, callbacks, error))
            return -1;
        done += FRAME_HEAD_BYTES + size;
    }
    if (done) {
        memmove(link->in.data, link->in.data + done, link->in.size - done);
        link->in.size -= done;
    }
    return 0;
}

static int read_ring(struct worker_link *link, const struct worker_link_callbacks *callbacks,
                     bool *progressed, struct mpp_error *error)
{
    struct result_ring *ring = &link->slot->results;
    size_t size;
    for (const void *bytes; (bytes = result_ring_peek(ring, &size));) {
        *progressed = true;
        if (take_results(link, bytes, size, callbacks, error))
            return -1;
        result_ring_drop(ring);
    }
    return size ? mpp_error_set(error, "a worker has damaged the memory for its results") : 0;
}

static int read_socket(struct worker_link *link, const struct worker_link_callbacks *callbacks,
                       bool *progressed, struct mpp_error *error)
{
    link->readable = false;
    while (link->fd >= 0) {
        uint8_t *to = buf_reserve(&link->in, READ_BYTES);
        if (!to)
            return mpp_error_set(error, "out of memory for a worker's results");
        ssize_t n = recv(link->fd, to, READ_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            close_socket(link); /* it is ending: nothing more will come */
        if (n <= 0)
            break;
        atomic_store(&link->slot->bell, false); /* before the ring is read */
        link->in.size += (size_t)n;
        *progressed = true;
        if (take_frames(link, callbacks, error))
            return -1;
        if (n < READ_BYTES)
            break;
    }
    return 0;
}

int worker_link_read(struct worker_link *link, const struct worker_link_callbacks *callbacks,
                     bool *progressed, struct mpp_error *error)
{
    if (!link->pid)
        return 0;
    if (link->readable && read_socket(link, callbacks, progressed, error))
        return -1;
    return read_ring(link, callbacks, progressed, error);
}

static struct agent_task **find_number(const struct worker_link *link, uint64_t number)
{
    struct agent_task *const *at = &link->tasks.first;
    while (*at && (*at)->number != number)
        at = &(*at)->next;
    return (struct agent_task **)at;
}

struct agent_task *worker_link_running(const struct worker_link *link, int64_t *begun_ns)
{
    uint64_t running = atomic_load(&link->slot->running);
    *begun_ns = (int64_t)atomic_load(&link->slot->begun_ns);
    if (!running || running & WORKER_CONDEMNED || running != atomic_load(&link->slot->running))
        return NULL;
    return *find_number(link, running - 1);
}

bool worker_link_condemn(struct worker_link *link, const struct agent_task *task,
                         enum worker_doom doom)
{
    uint64_t running = task->number + 1;
    if (!atomic_compare_exchange_strong(&link->slot->running, &running, running | WORKER_CONDEMNED))
        return false;
    link->doom = doom;
    return true;
}

struct agent_task *worker_link_culprit(struct worker_link *link)
{
    uint64_t running = atomic_load(&link->slot->running);
    uint64_t crashed = atomic_load(&link->slot->crashed);
    uint64_t blamed = crashed && !(running & WORKER_CONDEMNED) ? crashed : running;
    blamed &= ~WORKER_CONDEMNED;
    struct agent_task *task = blamed ? *find_number(link, blamed - 1) : NULL;
    return task ? task_list_take_id(&link->tasks, task->id) : NULL;
}
