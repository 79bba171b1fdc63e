/* SPDX-License-Identifier: MIT */
/* Encodes and decodes orders and reports of tasks: see task_message.h. Pure. */
#include "task_message.h"

#include <string.h>

/* Which of the parts that most messages lack are there. */
enum order_part { ORDER_RECORDED = 1, ORDER_STAGE = 2, ORDER_OCCURRENCE = 4, ORDER_RUN = 8 };
enum report_part {
    REPORT_WARNED = 1,
    REPORT_TEXT = 2,
    REPORT_LINE = 4,
    REPORT_INPUT = 8,
    REPORT_OUTPUT = 16,
    REPORT_FIELDS = 32,
    REPORT_RESULT = 64,
};

static uint8_t *store_bytes(uint8_t *to, struct mpp_bytes bytes)
{
    to = store_u32(to, (uint32_t)bytes.size);
    if (bytes.size)
        memcpy(to, bytes.data, bytes.size);
    return to + bytes.size;
}

static void put_bytes(struct buf *to, struct mpp_bytes bytes)
{
    uint8_t *at = buf_extend(to, sizeof(uint32_t) + bytes.size);
    if (at)
        store_bytes(at, bytes);
}

static struct mpp_bytes get_bytes(struct reader *from)
{
    uint32_t size = read_u32(from);
    const uint8_t *data = read_bytes(from, size);
    return (struct mpp_bytes){data, data ? size : 0};
}

/* With the zero byte: a decoded string points into the message. */
static struct mpp_bytes string_bytes(const char *text)
{
    return (struct mpp_bytes){text, strlen(text) + 1};
}

static void put_string(struct buf *to, const char *text)
{
    put_bytes(to, string_bytes(text));
}

static const char *get_string(struct reader *from)
{
    struct mpp_bytes bytes = get_bytes(from);
    const char *text = bytes.data;
    if (!bytes.size || memchr(text, '\0', bytes.size) != text + bytes.size - 1) {
        from->failed = true;
        return "";
    }
    return text;
}

void task_order_put(struct buf *to, const struct task_order *order)
{
    const struct recorded_task *recorded = &order->recorded;
    unsigned parts =
        (order->is_recorded ? ORDER_RECORDED : 0) | (order->identity.stage ? ORDER_STAGE : 0) |
        (order->identity.occurrence ? ORDER_OCCURRENCE : 0) | (order->run ? ORDER_RUN : 0);
    struct mpp_bytes key = string_bytes(order->identity.key);
    /* What every order has is written at once: one check for room. */
    uint8_t *at = buf_extend(to, 1 + 2 * sizeof(uint32_t) + key.size + order->plan.size);
    if (!at)
        return;
    at = store_u8(at, (uint8_t)parts);
    at = store_bytes(at, key);
    store_bytes(at, order->plan);
    if (parts & ORDER_OCCURRENCE)
        buf_put_u64(to, order->identity.occurrence);
    if (parts & ORDER_RUN)
        buf_put_u32(to, order->run);
    if (parts & ORDER_STAGE) {
        buf_put_u32(to, order->identity.stage);
        buf_put_u32(to, order->member_count);
        put_bytes(to, order->members);
        result_ref_put(to, &order->shared);
    }
    if (parts & ORDER_RECORDED) {
        buf_put_u64(to, (uint64_t)recorded->size_bytes);
        buf_put_u64(to, (uint64_t)recorded->mtime_ns);
        buf_put_u64(to, recorded->xxh3);
        result_ref_put(to, &recorded->result);
    }
}

int task_order_get(struct mpp_bytes payload, struct task_order *order, struct mpp_error *error)
{
    struct reader from = reader_over(payload.data, payload.size);
    unsigned parts = read_u8(&from);
    *order = (struct task_order){0};
    order->identity.key = get_string(&from);
    order->plan = get_bytes(&from);
    order->is_recorded = parts & ORDER_RECORDED;
    if (parts & ORDER_OCCURRENCE)
        order->identity.occurrence = read_u64(&from);
    if (parts & ORDER_RUN)
        order->run = read_u32(&from);
    if (parts & ORDER_STAGE) {
        order->identity.stage = read_u32(&from);
        order->member_count = read_u32(&from);
        order->members = get_bytes(&from);
        result_ref_get(&from, &order->shared);
    }
    if (parts & ORDER_RECORDED) {
        order->recorded.size_bytes = (int64_t)read_u64(&from);
        order->recorded.mtime_ns = (int64_t)read_u64(&from);
        order->recorded.xxh3 = read_u64(&from);
        result_ref_get(&from, &order->recorded.result);
    }
    return from.failed ? mpp_error_set(error, "a damaged task of %zu bytes", payload.size) : 0;
}

void task_report_put(struct buf *to, const struct task_report *report)
{
    bool has_result = report->result.place != RESULT_NONE;
    unsigned parts = (report->warned ? REPORT_WARNED : 0) | (*report->text ? REPORT_TEXT : 0) |
                     (*report->line ? REPORT_LINE : 0) |
                     (report->size_bytes >= 0 ? REPORT_INPUT : 0) |
                     (*report->output ? REPORT_OUTPUT : 0) |
                     (report->fields.size ? REPORT_FIELDS : 0) | (has_result ? REPORT_RESULT : 0);
    buf_put_u16(to, (uint16_t)(report->status | parts << 8));
    if (parts & REPORT_TEXT)
        put_string(to, report->text);
    if (parts & REPORT_LINE)
        put_string(to, report->line);
    if (parts & REPORT_INPUT) {
        buf_put_u64(to, (uint64_t)report->size_bytes);
        buf_put_u64(to, (uint64_t)report->mtime_ns);
    }
    if (parts & REPORT_OUTPUT) {
        put_string(to, report->output);
        buf_put_u64(to, report->output_bytes);
        buf_put_u64(to, report->xxh3);
    }
    if (parts & REPORT_FIELDS)
        put_bytes(to, report->fields);
    if (parts & REPORT_RESULT)
        result_ref_put(to, &report->result);
}

int task_report_get(struct mpp_bytes result, struct task_report *report, struct mpp_error *error)
{
    struct reader from = reader_over(result.data, result.size);
    uint8_t status = read_u8(&from), parts = read_u8(&from);
    *report = (struct task_report){.status = (enum report_status)status,
                                   .warned = parts & REPORT_WARNED,
                                   .text = "",
                                   .line = "",
                                   .output = "",
                                   .size_bytes = -1};
    if (parts & REPORT_TEXT)
        report->text = get_string(&from);
    if (parts & REPORT_LINE)
        report->line = get_string(&from);
    if (parts & REPORT_INPUT) {
        report->size_bytes = (int64_t)read_u64(&from);
        report->mtime_ns = (int64_t)read_u64(&from);
    }
    if (parts & REPORT_OUTPUT) {
        report->output = get_string(&from);
        report->output_bytes = read_u64(&from);
        report->xxh3 = read_u64(&from);
    }
    if (parts & REPORT_FIELDS)
        report->fields = get_bytes(&from);
    if (parts & REPORT_RESULT)
        result_ref_get(&from, &report->result);
    if (from.failed || status > REPORT_STOP)
        return mpp_error_set(error, "a damaged result of %zu bytes", result.size);
    return 0;
}
