/* SPDX-License-Identifier: MIT */
/* The functions through which a job reports on its task: see mpbatch.h and batch_context.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "batch_context.h"
#include "json.h"
#include "read_write_full.h"

enum {
    LINE_SIZE = 12288, /* room for two paths and some words */
    FIELDS_MAX = 65536,
};

/* ---- A task ---- */

void batch_context_begin(struct mpb_context *context, struct mpp_context *pool,
                         const struct task_order *order, void *loaded)
{
    context->pool = pool;
    context->order = order;
    context->loaded = loaded;
    context->report = (struct task_report){.text = "", .line = "", .output = "", .size_bytes = -1};
    context->members = reader_over(order->members.data, order->members.size);
    context->member_next = 0;
    context->spooling = context->disk_full = false;
    buf_clear(&context->text);
    buf_clear(&context->line);
    buf_clear(&context->output);
    buf_clear(&context->fields);
    buf_clear(&context->result);
}

int batch_context_finish(struct mpb_context *context, struct mpp_error *error)
{
    struct task_report *report = &context->report;
    report->fields = (struct mpp_bytes){context->fields.data, context->fields.size};
    if (context->fields.size > FIELDS_MAX)
        return mpp_error_set(error, "its fields for the journal are longer than %d bytes",
                             FIELDS_MAX);
    if (context->result.failed)
        return mpp_error_set(error, "its result could not be stored");
    if (context->spooling) {
        context->spooling = false;
        if (spool_writer_finish(context->spool, &report->result, error)) {
            context->disk_full = concerns_all_files(errno);
            return -1;
        }
        mpp_context_await_flush(context->pool);
    } else if (context->spool_directory) { /* a result without bytes is a result, too */
        report->result = (struct result_ref){.place = RESULT_INLINE,
                                             .bytes = {context->result.data, context->result.size}};
    }
    return context->text.failed || context->line.failed || context->output.failed ||
                   context->fields.failed
               ? mpp_error_set(error, "out of memory")
               : 0;
}

int batch_context_flush(struct mpb_context *context, struct mpp_error *error)
{
    if (!context->spool || spool_writer_sync(context->spool, error) == 0)
        return 0;
    context->disk_full = concerns_all_files(errno);
    return -1;
}

void batch_context_drop(struct mpb_context *context)
{
    if (context->spooling)
        spool_writer_drop(context->spool);
    context->spooling = false;
}

void batch_context_release(struct mpb_context *context)
{
    spool_writer_free(context->spool);
    spool_reader_free(context->reader);
    buf_release(&context->text);
    buf_release(&context->line);
    buf_release(&context->output);
    buf_release(&context->fields);
    buf_release(&context->result);
    buf_release(&context->member);
    buf_release(&context->shared);
}

/* Copies a text into a buf. */
static const char *keep(struct buf *to, const char *text)
{
    buf_clear(to);
    buf_put(to, text, strlen(text) + 1);
    return to->failed ? "" : (const char *)to->data;
}

/* ---- The result ---- */

/* Opens the spool file of this worker slot. A worker process serves only one run. */
static int open_spool(struct mpb_context *context, struct mpp_error *error)
{
    if (!context->spool)
        context->spool = spool_writer_new(context->spool_directory, context->order->run,
                                          (uint32_t)mpp_context_rank(context->pool),
                                          (uint32_t)mpp_context_worker(context->pool), error);
    return context->spool ? 0 : -1;
}

static int spool(struct mpb_context *context, const void *bytes, size_t size,
                 struct mpp_error *error)
{
    if (!context->spooling) {
        if (open_spool(context, error))
            goto failed;
        context->spooling = true;
        if (spool_writer_put(context->spool, context->result.data, context->result.size, error))
            goto failed;
    }
    if (spool_writer_put(context->spool, bytes, size, error) == 0)
        return 0;
failed:
    context->disk_full = concerns_all_files(errno);
    context->result.failed = true; /* the result is incomplete, even if the job goes on */
    return -1;
}

int mpb_write(struct mpb_context *context, const void *bytes, size_t size, struct mpp_error *error)
{
    if (!context->spool_directory)
        return mpp_error_set(error, "this job has no results");
    if (context->spooling || size > RESULT_INLINE_MAX - context->result.size)
        return spool(context, bytes, size, error);
    if (!buf_reserve(&context->result, RESULT_INLINE_MAX))
        return mpp_error_set(error, "out of memory");
    buf_put(&context->result, bytes, size);
    return 0;
}

/* ---- The report ---- */

void mpb_line(struct mpb_context *context, const char *format, ...)
{
    char text[LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    context->report.line = keep(&context->line, text);
}

void mpb_output_file(struct mpb_context *context, const char *name, uint64_t size_bytes,
                     uint64_t xxh3)
{
    context->report.output = keep(&context->output, name);
    context->report.output_bytes = size_bytes;
    context->report.xxh3 = xxh3;
}

void mpb_field_int(struct mpb_context *context, const char *name, int64_t value)
{
    json_put_int_member(&context->fields, name, value);
}

void mpb_field_text(struct mpb_context *context, const char *name, const char *text)
{
    json_put_string_member(&context->fields, name, text);
}

void mpb_warn(struct mpb_context *context)
{
    context->report.warned = true;
}

int mpb_skip(struct mpb_context *context, const char *why)
{
    context->report.status = REPORT_SKIPPED;
    context->report.text = keep(&context->text, why);
    return 0;
}

int mpb_stop(struct mpb_context *context, const char *why)
{
    context->report.status = REPORT_STOP;
    context->report.text = keep(&context->text, why);
    return 0;
}

void *mpb_loaded(struct mpb_context *context)
{
    return context->loaded;
}

int mpb_rank(const struct mpb_context *context)
{
    return mpp_context_rank(context->pool);
}

/* ---- Members ---- */

/* Finds the reference of a member; one after the other is cheap. */
static int find_member(struct mpb_context *context, size_t index, struct result_ref *ref,
                       struct mpp_error *error)
{
    const struct task_order *order = context->order;
    if (index < context->member_next) {
        context->members = reader_over(order->members.data, order->members.size);
        context->member_next = 0;
    }
    do
        result_ref_get(&context->members, ref);
    while (context->member_next++ < index && !context->members.failed);
    return index >= order->member_count || context->members.failed
               ? mpp_error_set(error, "there is no member %zu", index)
               : 0;
}

/* Reads a whole result and compares its checksum; a spooled one is stored in `to`. */
static int read_result(struct mpb_context *context, const struct result_ref *ref, struct buf *to,
                       struct mpp_bytes *bytes, struct mpp_error *error)
{
    *bytes = ref->bytes;
    if (ref->place != RESULT_SPOOLED)
        return 0;
    if (!context->reader && !(context->reader = spool_reader_new(context->spool_directory, error)))
        return -1;
    buf_clear(to);
    uint8_t *data = ref->size <= SIZE_MAX ? buf_extend(to, (size_t)ref->size) : NULL;
    if (!data)
        return mpp_error_set(error, "out of memory for a result of %llu bytes",
                             (unsigned long long)ref->size);
    *bytes = (struct mpp_bytes){data, to->size};
    int failed = spool_read(context->reader, ref, 0, data, to->size, error);
    if (!failed && XXH3_64bits(data, to->size) != ref->xxh3)
        failed = mpp_error_set(error, "a result in the spool is damaged");
    if (failed)
        mpb_stop(context, error->text); /* --resume finds out which task has to run again */
    return failed;
}

int mpb_member(struct mpb_context *context, size_t index, struct mpp_bytes *bytes,
               struct mpp_error *error)
{
    struct result_ref ref;
    return find_member(context, index, &ref, error)
               ? -1
               : read_result(context, &ref, &context->member, bytes, error);
}

int mpb_shared(struct mpb_context *context, struct mpp_bytes *bytes, struct mpp_error *error)
{
    const struct result_ref *ref = &context->order->shared, *read = &context->shared_ref;
    bool known = ref->place == RESULT_SPOOLED && read->place == RESULT_SPOOLED &&
                 read->run == ref->run && read->offset == ref->offset && read->xxh3 == ref->xxh3;
    *bytes = (struct mpp_bytes){context->shared.data, context->shared.size};
    if (known)
        return 0;
    context->shared_ref = (struct result_ref){0};
    if (read_result(context, ref, &context->shared, bytes, error))
        return -1;
    context->shared_ref = *ref;
    return 0;
}
