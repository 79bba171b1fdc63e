/* SPDX-License-Identifier: MIT */
/*
 * Encodes and decodes the payload and the result of the thumbnail job: see thumbnail_message.h.
 */
#include "thumbnail_message.h"

#include <string.h>

static void put_string(struct buf *to, const char *text)
{
    size_t size = strlen(text) + 1; /* with the zero byte: a decoded string points into the bytes */
    buf_put_u32(to, (uint32_t)size);
    buf_put(to, text, size);
}

static const char *get_string(struct reader *from)
{
    uint32_t size = read_u32(from);
    const uint8_t *text = read_bytes(from, size);
    if (!text || !size || memchr(text, '\0', size) != text + size - 1) {
        from->failed = true;
        return "";
    }
    return (const char *)text;
}

/* The format with the number that was sent. NULL: none. A number without a format is an error. */
static const struct image_codec *get_format(struct reader *from)
{
    unsigned number = read_u8(from);
    if (number > image_codec_count())
        from->failed = true;
    return image_codec_by_number(number);
}

void thumbnail_task_encode(const struct thumbnail_task *task, struct buf *to)
{
    buf_put_u8(to, (uint8_t)task->flags);
    put_string(to, task->source);
    put_string(to, task->output);
    if (task->flags & THUMBNAIL_RECORDED) {
        buf_put_u64(to, (uint64_t)task->recorded.size_bytes);
        buf_put_u64(to, (uint64_t)task->recorded.mtime_ns);
        buf_put_u64(to, task->recorded.xxh3);
    }
}

int thumbnail_task_decode(struct mpp_bytes payload, struct thumbnail_task *task,
                          struct mpp_error *error)
{
    struct reader from = reader_over(payload.data, payload.size);
    task->flags = read_u8(&from);
    task->source = get_string(&from);
    task->output = get_string(&from);
    task->recorded = (struct thumbnail_record){0};
    if (task->flags & THUMBNAIL_RECORDED) {
        task->recorded.size_bytes = (int64_t)read_u64(&from);
        task->recorded.mtime_ns = (int64_t)read_u64(&from);
        task->recorded.xxh3 = read_u64(&from);
    }
    return from.failed ? mpp_error_set(error, "a damaged task of %zu bytes", payload.size) : 0;
}

void thumbnail_outcome_encode(const struct thumbnail_outcome *outcome, struct buf *to)
{
    const struct thumbnail_info *info = &outcome->info;
    buf_put_u8(to, (uint8_t)outcome->status);
    buf_put_u8(to, outcome->mismatch);
    buf_put_u64(to, outcome->source_bytes);
    buf_put_u64(to, (uint64_t)outcome->source_mtime_ns);
    buf_put_u64(to, outcome->output_bytes);
    buf_put_u64(to, outcome->output_xxh3);
    put_string(to, outcome->text ? outcome->text : "");
    buf_put_u8(to, (uint8_t)image_codec_number(info->source_format));
    buf_put_u8(to, (uint8_t)image_codec_number(info->format));
    buf_put_u32(to, (uint32_t)info->source_width_px);
    buf_put_u32(to, (uint32_t)info->source_height_px);
    buf_put_u32(to, (uint32_t)info->width_px);
    buf_put_u32(to, (uint32_t)info->height_px);
    buf_put_u32(to, (uint32_t)info->warnings);
}

int thumbnail_outcome_decode(struct mpp_bytes result, struct thumbnail_outcome *outcome,
                             struct mpp_error *error)
{
    struct reader from = reader_over(result.data, result.size);
    struct thumbnail_info *info = &outcome->info;
    uint8_t status = read_u8(&from);
    outcome->status = (enum thumbnail_status)status;
    outcome->mismatch = read_u8(&from);
    outcome->source_bytes = read_u64(&from);
    outcome->source_mtime_ns = (int64_t)read_u64(&from);
    outcome->output_bytes = read_u64(&from);
    outcome->output_xxh3 = read_u64(&from);
    outcome->text = get_string(&from);
    info->source_format = get_format(&from);
    info->format = get_format(&from);
    info->source_width_px = (int)read_u32(&from);
    info->source_height_px = (int)read_u32(&from);
    info->width_px = (int)read_u32(&from);
    info->height_px = (int)read_u32(&from);
    info->warnings = (int)read_u32(&from);
    if (from.failed || status > THUMBNAIL_CANNOT_WRITE)
        return mpp_error_set(error, "a damaged result of %zu bytes", result.size);
    return 0;
}
