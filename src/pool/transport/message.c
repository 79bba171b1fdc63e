/* SPDX-License-Identifier: MIT */
/* Encodes and decodes every message between ranks, and between agent and workers: see message.h. */
#include "message.h"

#include <string.h>

#include "mppool.h"

enum {
    TASK_HEAD_BYTES = 8 + 4 + 4 + 4,
    RESULT_HEAD_BYTES = 8 + 4 + 1 + 4 + 4 + 8 + 8 + 2 + 4,
    MOVED_BYTES = 8 + 4,
};

enum message_type message_open(const void *bytes, size_t size, struct reader *fields)
{
    *fields = reader_over(bytes, size);
    uint8_t type = read_u8(fields);
    return fields->failed || type < MESSAGE_HELLO || type > MESSAGE_CLOCK ? MESSAGE_BAD
                                                                          : (enum message_type)type;
}

static int check(const struct reader *fields)
{
    return fields->failed ? -1 : 0;
}

void message_put_hello(struct buf *out, const struct message_hello *hello)
{
    size_t host_size = strnlen(hello->host, sizeof hello->host - 1);
    buf_put_u8(out, MESSAGE_HELLO);
    buf_put_u32(out, MESSAGE_PROTOCOL);
    buf_put_u64(out, hello->build);
    buf_put_u32(out, hello->workers);
    buf_put_u64(out, (uint64_t)hello->clock_ns);
    buf_put_u8(out, hello->polls_host);
    buf_put_u8(out, (uint8_t)host_size);
    buf_put(out, hello->host, host_size);
}

int message_get_hello(struct reader *fields, struct message_hello *hello)
{
    uint32_t protocol = read_u32(fields);
    uint64_t build = read_u64(fields);
    uint32_t workers = read_u32(fields);
    int64_t clock_ns = (int64_t)read_u64(fields);
    bool polls_host = read_u8(fields) != 0;
    uint8_t host_size = read_u8(fields);
    const uint8_t *host = read_bytes(fields, host_size);
    if (!host || protocol != MESSAGE_PROTOCOL || host_size >= sizeof hello->host)
        return -1;
    hello->build = build;
    hello->workers = workers;
    hello->clock_ns = clock_ns;
    hello->polls_host = polls_host;
    memcpy(hello->host, host, host_size);
    hello->host[host_size] = '\0';
    return 0;
}

void message_put_ping(struct buf *out)
{
    buf_put_u8(out, MESSAGE_PING);
}

void message_put_clock(struct buf *out, int64_t clock_ns)
{
    buf_put_u8(out, MESSAGE_CLOCK);
    buf_put_u64(out, (uint64_t)clock_ns);
}

int message_get_clock(struct reader *fields, int64_t *clock_ns)
{
    *clock_ns = (int64_t)read_u64(fields);
    return check(fields);
}

/* ---- Lists ---- */

static struct message_list begin_list(struct buf *out)
{
    struct message_list list = {.out = out, .count_at = out->size};
    buf_put_u32(out, 0);
    return list;
}

void message_end(struct message_list *list)
{
    buf_set_u32(list->out, list->count_at, list->count);
}

/* Rejects a count of more items than the remaining bytes can hold, so that no caller allocates by
 * it. `item_bytes_min` is the size of the smallest item. */
static int get_count(struct reader *fields, uint32_t *count, size_t item_bytes_min)
{
    *count = read_u32(fields);
    if (*count > (size_t)(fields->end - fields->next) / item_bytes_min)
        fields->failed = true;
    return check(fields);
}

struct message_list message_begin_tasks(struct buf *out)
{
    buf_put_u8(out, MESSAGE_TASKS);
    return begin_list(out);
}

void message_put_task(struct message_list *list, const struct message_task *task)
{
    uint8_t *to = buf_extend(list->out, TASK_HEAD_BYTES + (size_t)task->size);
    if (!to)
        return;
    to = store_u64(to, task->id);
    to = store_u32(to, task->dispatch);
    to = store_u32(to, task->job);
    to = store_u32(to, task->size);
    if (task->size)
        memcpy(to, task->payload, task->size);
    list->count++;
}

int message_get_tasks(struct reader *fields, uint32_t *count)
{
    return get_count(fields, count, TASK_HEAD_BYTES);
}

int message_get_task(struct reader *fields, struct message_task *task)
{
    task->id = read_u64(fields);
    task->dispatch = read_u32(fields);
    task->job = read_u32(fields);
    task->size = read_u32(fields);
    task->payload = read_bytes(fields, task->size);
    return check(fields);
}

struct message_list message_begin_done(struct buf *out, uint32_t workers_replaced)
{
    buf_put_u8(out, MESSAGE_DONE);
    buf_put_u32(out, workers_replaced);
    buf_put_u8(out, false);
    return begin_list(out);
}

void message_add_want(const struct message_list *done)
{
    if (!done->out->failed)
        done->out->data[done->count_at - 1] = true;
}

void message_put_result(struct message_list *list, const struct message_result *result)
{
    uint8_t *to = buf_extend(list->out, RESULT_HEAD_BYTES + (size_t)result->size);
    if (!to)
        return;
    to = store_u64(to, result->id);
    to = store_u32(to, result->dispatch);
    to = store_u8(to, (uint8_t)result->status);
    to = store_u32(to, result->signal);
    to = store_u32(to, result->pid);
    to = store_u64(to, result->run_ns);
    to = store_u64(to, (uint64_t)result->ended_ns);
    to = store_u16(to, result->worker);
    to = store_u32(to, result->size);
    if (result->size)
        memcpy(to, result->data, result->size);
    list->count++;
}

int message_get_done(struct reader *fields, uint32_t *workers_replaced, bool *wants,
                     uint32_t *count)
{
    *workers_replaced = read_u32(fields);
    *wants = read_u8(fields) != 0;
    return get_count(fields, count, RESULT_HEAD_BYTES);
}

/* Checks once that the fixed fields are there: the compiler then drops the checks of the reads. */
int message_get_result(struct reader *fields, struct message_result *result)
{
    const uint8_t *bytes = read_bytes(fields, RESULT_HEAD_BYTES);
    if (!bytes)
        return -1;
    struct reader head = reader_over(bytes, RESULT_HEAD_BYTES);
    result->id = read_u64(&head);
    result->dispatch = read_u32(&head);
    uint8_t status = read_u8(&head);
    result->signal = read_u32(&head);
    result->pid = read_u32(&head);
    result->run_ns = read_u64(&head);
    result->ended_ns = (int64_t)read_u64(&head);
    result->worker = read_u16(&head);
    result->size = read_u32(&head);
    result->data = read_bytes(fields, result->size);
    if (status > TASK_DROPPED || result->worker >= MPP_WORKERS_MAX)
        fields->failed = true;
    result->status = (enum task_status)status;
    return check(fields);
}

struct message_list message_begin_moved(struct buf *out, uint32_t thief)
{
    buf_put_u8(out, MESSAGE_MOVED);
    buf_put_u32(out, thief);
    return begin_list(out);
}

void message_put_moved(struct message_list *list, uint64_t id, uint32_t dispatch)
{
    buf_put_u64(list->out, id);
    buf_put_u32(list->out, dispatch);
    list->count++;
}

int message_get_moved(struct reader *fields, uint32_t *thief, uint32_t *count)
{
    *thief = read_u32(fields);
    return get_count(fields, count, MOVED_BYTES);
}

int message_get_moved_task(struct reader *fields, uint64_t *id, uint32_t *dispatch)
{
    *id = read_u64(fields);
    *dispatch = read_u32(fields);
    return check(fields);
}

/* ---- Messages without a list ---- */

void message_put_want(struct buf *out)
{
    buf_put_u8(out, MESSAGE_WANT);
}

void message_put_steal(struct buf *out, const struct message_steal *steal)
{
    buf_put_u8(out, MESSAGE_STEAL);
    buf_put_u32(out, steal->thief);
    buf_put_u32(out, steal->count);
}

int message_get_steal(struct reader *fields, struct message_steal *steal)
{
    steal->thief = read_u32(fields);
    steal->count = read_u32(fields);
    return check(fields);
}

void message_put_stop(struct buf *out, bool discard)
{
    buf_put_u8(out, MESSAGE_STOP);
    buf_put_u8(out, discard);
}

int message_get_stop(struct reader *fields, bool *discard)
{
    *discard = read_u8(fields) != 0;
    return check(fields);
}

void message_put_bye(struct buf *out)
{
    buf_put_u8(out, MESSAGE_BYE);
}

void message_put_lost(struct buf *out, uint32_t rank)
{
    buf_put_u8(out, MESSAGE_LOST);
    buf_put_u32(out, rank);
}

int message_get_lost(struct reader *fields, uint32_t *rank)
{
    *rank = read_u32(fields);
    return check(fields);
}

void message_put_end(struct buf *out)
{
    buf_put_u8(out, MESSAGE_END);
}

void message_put_running(struct buf *out, uint64_t id, uint32_t dispatch)
{
    buf_put_u8(out, MESSAGE_RUNNING);
    buf_put_u64(out, id);
    buf_put_u32(out, dispatch);
}

int message_get_running(struct reader *fields, uint64_t *id, uint32_t *dispatch)
{
    *id = read_u64(fields);
    *dispatch = read_u32(fields);
    return check(fields);
}

void message_put_cancel(struct buf *out, uint64_t id)
{
    buf_put_u8(out, MESSAGE_CANCEL);
    buf_put_u64(out, id);
}

int message_get_cancel(struct reader *fields, uint64_t *id)
{
    *id = read_u64(fields);
    return check(fields);
}

void message_put_broken(struct buf *out, const char *text)
{
    size_t size = strlen(text);
    buf_put_u8(out, MESSAGE_BROKEN);
    buf_put_u32(out, (uint32_t)size);
    buf_put(out, text, size);
}

int message_get_broken(struct reader *fields, const char **text, uint32_t *size)
{
    *size = read_u32(fields);
    *text = (const char *)read_bytes(fields, *size);
    return check(fields);
}
