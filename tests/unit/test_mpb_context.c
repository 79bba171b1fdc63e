/* SPDX-License-Identifier: MIT */
/* mpb_context: where the results go that a job writes, what a failure leaves behind, what a job
 * says about its task, and the members of a stage's task. Without the pool. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "batch_context.h"
#include "failing_calls.h"
#include "temporary_directory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { LARGEST = 300000, MAX = RESULT_INLINE_MAX };

/* ---- The pool ---- */

int mpp_context_rank(const struct mpp_context *pool)
{
    (void)pool;
    return 3;
}

int mpp_context_worker(const struct mpp_context *pool)
{
    (void)pool;
    return 5;
}

static int flushes_awaited;

void mpp_context_await_flush(struct mpp_context *pool)
{
    (void)pool;
    flushes_awaited++;
}

/* ---- A worker ---- */

static struct mpb_context context;
static struct task_order order;
static uint8_t pattern[LARGEST];

static int setup(void **state)
{
    for (size_t i = 0; i < LARGEST; i++)
        pattern[i] = (uint8_t)(i * 31 + (i >> 8));
    context = (struct mpb_context){.spool_directory = "s"};
    order = (struct task_order){.identity.key = "a", .run = 1};
    return scratch_setup(state) || mkdir("s", 0777) ? -1 : 0;
}

static int teardown(void **state)
{
    batch_context_release(&context);
    return scratch_teardown(state);
}

/* A worker of a run begins: its spool file is not open yet. */
static void begin_run(uint32_t run)
{
    batch_context_release(&context);
    context = (struct mpb_context){.spool_directory = "s"};
    order.run = run;
}

/* Writes parts of these sizes. */
static int write_parts(const size_t sizes[4], struct mpp_error *error)
{
    size_t at = 0;
    batch_context_begin(&context, NULL, &order, NULL);
    for (size_t i = 0; i < 4; at += sizes[i++])
        if (mpb_write(&context, pattern + at, sizes[i], error))
            return -1;
    return 0;
}

static off_t spool_size(const char *path)
{
    struct stat status;
    return stat(path, &status) ? -1 : status.st_size;
}

/* Reads a reference as the only member of a stage's task. */
static void expect_result(const struct result_ref *ref, size_t size)
{
    struct buf encoded = BUF_INIT;
    struct mpp_bytes bytes;
    struct mpp_error error = {""};
    struct mpb_context reader = {.spool_directory = "s"};
    result_ref_put(&encoded, ref);
    const struct task_order stage = {.identity = {.key = "k", .stage = 1},
                                     .member_count = 1,
                                     .members = {encoded.data, encoded.size}};
    batch_context_begin(&reader, NULL, &stage, NULL);
    if (mpb_member(&reader, 0, &bytes, &error))
        fail_msg("%s", error.text);
    assert_int_equal(bytes.size, size);
    if (size)
        assert_memory_equal(bytes.data, pattern, size);
    batch_context_release(&reader);
    buf_release(&encoded);
}

/* ---- Results ---- */

/* The border between inline and spooled, and no bytes lost at it. One worker writes all of them. */
static void results_of_many_sizes(void **state)
{
    (void)state;
    static const size_t cases[][4] = {
        {0},           {1},        {MAX - 1},   {MAX},         {MAX + 1},          {MAX - 1, 1},
        {1, MAX - 1},  {MAX, 1},   {1, MAX},    {0, MAX},      {600, 424},         {600, 424, 1},
        {600, 600, 0}, {1, 70000}, {70000, 1},  {MAX, MAX, 1}, {600, 70000, 0, 9}, {LARGEST},
        {0, 0, 0, 1},  {MAX, 0},   {0, MAX + 1}};
    struct result_ref spooled[COUNT(cases)] = {0};
    size_t sizes[COUNT(cases)];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpp_error error = {""};
        struct task_report *report = &context.report;
        sizes[i] = cases[i][0] + cases[i][1] + cases[i][2] + cases[i][3];
        off_t before = spool_size("s/1-3-5.spool");
        assert_int_equal(write_parts(cases[i], &error), 0);
        assert_int_equal(batch_context_finish(&context, &error), 0);
        assert_int_equal(report->status, REPORT_DONE);
        assert_int_equal(report->result.place, sizes[i] > MAX ? RESULT_SPOOLED : RESULT_INLINE);
        expect_result(&report->result, sizes[i]);
        if (sizes[i] > MAX) {
            assert_int_equal(report->result.rank, 3);
            assert_int_equal(report->result.slot, 5);
            spooled[i] = report->result;
        } else {
            assert_int_equal(spool_size("s/1-3-5.spool"), before);
        }
    }
    for (size_t i = 0; i < COUNT(cases); i++) /* the earlier ones are still there */
        if (spooled[i].place)
            expect_result(&spooled[i], sizes[i]);
}

static void each_run_has_its_spool(void **state)
{
    (void)state;
    static const uint32_t runs[] = {1, 1, 2, 7};
    static const char *const paths[] = {"s/1-3-5.spool", "s/1-3-5.spool", "s/2-3-5.spool",
                                        "s/7-3-5.spool"};
    static const off_t spool_sizes[] = {2000, 4000, 2000, 2000};
    for (size_t i = 0; i < COUNT(runs); i++) {
        begin_run(runs[i]);
        assert_int_equal(write_parts((size_t[4]){2000}, NULL), 0);
        assert_int_equal(batch_context_finish(&context, NULL), 0);
        assert_int_equal(context.report.result.run, runs[i]);
        assert_int_equal(spool_size(paths[i]), spool_sizes[i]);
        expect_result(&context.report.result, 2000);
    }
}

static void a_job_without_results(void **state)
{
    (void)state;
    struct mpp_error error;
    context.spool_directory = NULL;
    batch_context_begin(&context, NULL, &order, NULL);
    assert_int_equal(mpb_write(&context, "a", 1, &error), -1);
    assert_string_equal(error.text, "this job has no results");
    assert_int_equal(batch_context_finish(&context, &error), 0);
    assert_int_equal(context.report.result.place, RESULT_NONE);
}

/* A task that fails leaves nothing: neither in the spool nor in the next task's result. */
static void a_dropped_result(void **state)
{
    (void)state;
    static const size_t cases[][4] = {{10}, {2000}, {LARGEST}, {MAX, 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(write_parts((size_t[4]){1500}, NULL), 0);
        assert_int_equal(batch_context_finish(&context, NULL), 0);
        off_t before = spool_size("s/1-3-5.spool");
        assert_int_equal(write_parts(cases[i], NULL), 0);
        batch_context_drop(&context);
        assert_int_equal(spool_size("s/1-3-5.spool"), before);
        assert_int_equal(write_parts((size_t[4]){5}, NULL), 0);
        assert_int_equal(batch_context_finish(&context, NULL), 0);
        expect_result(&context.report.result, 5);
    }
}

/* Each call fails in turn while a result is written. The task fails, also if the job takes no
 * notice, and the worker does the next task as if nothing had happened. */
static void calls_that_fail(void **state)
{
    (void)state;
    static const size_t cases[][4] = {{1000, 1000}, {2000}, {100, 70000, 70000}};
    static const int numbers[] = {ENOSPC, EIO, EDQUOT, EROFS, EMFILE};
    static const unsigned kinds = CALL_WRITE | CALL_SYNC | CALL_SEEK | CALL_OPEN | CALL_MEMORY;
    unsigned failures = 0;
    for (size_t i = 0; i < 2 * COUNT(cases) * COUNT(numbers); i++) {
        bool ignores = i % 2;
        const size_t *sizes = cases[i / 2 % COUNT(cases)];
        int number = numbers[i / 2 / COUNT(cases)];
        for (unsigned at = 1, calls = 1; calls >= at - 1; at++) {
            size_t begin = 0;
            int failed = 0;
            struct mpp_error error = {""};
            begin_run(order.run + 1);
            calls_arm(kinds, at, number);
            batch_context_begin(&context, NULL, &order, NULL);
            for (size_t k = 0; k < 4 && (!failed || ignores); begin += sizes[k++])
                failed |= mpb_write(&context, pattern + begin, sizes[k], &error);
            if (!failed || ignores) {
                int finished =
                    batch_context_finish(&context, &error) || batch_context_flush(&context, &error)
                        ? -1
                        : 0;
                assert_true(finished || !failed);
                failed = finished;
            }
            if (failed)
                batch_context_drop(&context);
            calls = calls_disarm();
            assert_int_equal(failed != 0, at <= calls && (number != EROFS || failed));
            assert_true(!failed || error.text[0]);
            if (failed && number == EIO)
                assert_false(context.disk_full);
            failures += failed != 0;

            assert_int_equal(write_parts(sizes, &error), 0);
            assert_int_equal(batch_context_finish(&context, &error), 0);
            assert_false(context.disk_full);
            expect_result(&context.report.result, begin ? sizes[0] + sizes[1] + sizes[2] : 0);
        }
    }
    assert_in_range(failures, 101, 100000);
}

static void a_full_disk(void **state)
{
    (void)state;
    static const int numbers[] = {ENOSPC, EDQUOT, EROFS, EIO};
    static const struct {
        unsigned call;
        size_t size; /* 2000 bytes are buffered until the task ends */
    } cases[] = {{CALL_OPEN, 70000}, {CALL_WRITE, 70000}, {CALL_WRITE, 2000}};
    for (size_t i = 0; i < COUNT(numbers) * COUNT(cases); i++) {
        int number = numbers[i / COUNT(cases)];
        struct mpp_error error;
        begin_run(order.run + 1);
        calls_arm(cases[i % COUNT(cases)].call, 1, number);
        int failed = write_parts((size_t[4]){cases[i % COUNT(cases)].size}, &error) ||
                     batch_context_finish(&context, &error);
        calls_disarm();
        assert_true(failed);
        assert_int_equal(context.disk_full, number != EIO);
        batch_context_drop(&context);
    }
}

/* Only a result in the spool has to be synced before it is reported. */
static void results_that_await_a_flush(void **state)
{
    (void)state;
    static const size_t sizes[][4] = {{0}, {MAX}, {MAX + 1}, {70000, 5}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        flushes_awaited = 0;
        calls_arm(CALL_SYNC, 0, 0);
        assert_int_equal(write_parts(sizes[i], NULL), 0);
        assert_int_equal(batch_context_finish(&context, NULL), 0);
        assert_int_equal(flushes_awaited, i >= 2);
        assert_int_equal(batch_context_flush(&context, NULL), 0);
        assert_int_equal(calls_disarm(), i >= 2);
    }
    assert_int_equal(write_parts(sizes[2], NULL), 0);
    assert_int_equal(batch_context_finish(&context, NULL), 0);
    calls_arm(CALL_SYNC, 1, ENOSPC);
    assert_int_equal(batch_context_flush(&context, NULL), -1);
    calls_disarm();
    assert_true(context.disk_full);
}

/* ---- The report ---- */

static void what_a_job_says(void **state)
{
    (void)state;
    int loaded;
    const struct task_report *report = &context.report;
    batch_context_begin(&context, NULL, &order, &loaded);
    assert_ptr_equal(mpb_loaded(&context), &loaded);
    assert_int_equal(mpb_rank(&context), 3);
    mpb_line(&context, "%s is %d%%", "it", 5);
    mpb_output_file(&context, "d/o.png", 7, UINT64_MAX);
    mpb_field_int(&context, "width", -5);
    mpb_field_text(&context, "why", "a \"b\"");
    mpb_warn(&context);
    assert_int_equal(batch_context_finish(&context, NULL), 0);
    assert_int_equal(report->status, REPORT_DONE);
    assert_string_equal(report->line, "it is 5%");
    assert_string_equal(report->output, "d/o.png");
    assert_true(report->output_bytes == 7 && report->xxh3 == UINT64_MAX && report->warned);
    static const char fields[] = "\"width\":-5,\"why\":\"a \\\"b\\\"\"";
    assert_int_equal(report->fields.size, sizeof fields - 1);
    assert_memory_equal(report->fields.data, fields, sizeof fields - 1);

    batch_context_begin(&context, NULL, &order, NULL); /* nothing of it is left */
    assert_null(mpb_loaded(&context));
    assert_int_equal(batch_context_finish(&context, NULL), 0);
    assert_true(!*report->line && !*report->output && !*report->text && !report->warned &&
                !report->fields.size && report->size_bytes == -1 && !report->xxh3);

    char why[] = "not one";
    batch_context_begin(&context, NULL, &order, NULL);
    assert_int_equal(mpb_skip(&context, why), 0);
    why[0] = 'h'; /* the text is copied */
    assert_int_equal(report->status, REPORT_SKIPPED);
    assert_string_equal(report->text, "not one");
    assert_int_equal(mpb_stop(&context, "full"), 0);
    assert_int_equal(report->status, REPORT_STOP);
    assert_string_equal(report->text, "full");

    char *line = malloc(20000);
    memset(line, 'x', 19999);
    line[19999] = '\0';
    mpb_line(&context, "%s", line); /* is cut off */
    assert_int_equal(strlen(report->line), 12287);
    free(line);
}

/* A task that runs out of memory for what it says fails; the tasks after it do not. */
static void a_report_without_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        begin_run(1); /* without memory of an earlier report */
        struct mpp_error error = {""};
        batch_context_begin(&context, NULL, &order, NULL);
        calls_arm(CALL_MEMORY, 1, ENOMEM);
        if (i == 0)
            mpb_line(&context, "a line");
        else if (i == 1)
            mpb_output_file(&context, "o", 1, 1);
        else if (i == 2)
            mpb_field_int(&context, "a", 1);
        else
            mpb_skip(&context, "a reason");
        assert_int_equal(calls_disarm(), 1);
        assert_int_equal(batch_context_finish(&context, &error), -1);
        assert_string_equal(error.text, "out of memory");
        batch_context_begin(&context, NULL, &order, NULL);
        assert_int_equal(batch_context_finish(&context, &error), 0);
    }
}

/* ---- Members ---- */

enum { MEMBERS = 7 };

static const size_t member_sizes[MEMBERS] = {5, 2000, 0, LARGEST, MAX, MAX + 1, 70000};

/* Makes results of these sizes, and a task that gets them. The caller releases `encoded`. */
static struct task_order make_members(struct buf *encoded)
{
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_int_equal(write_parts((size_t[4]){member_sizes[i]}, NULL), 0);
        assert_int_equal(batch_context_finish(&context, NULL), 0);
        result_ref_put(encoded, &context.report.result);
    }
    return (struct task_order){.identity = {.key = "k", .stage = 1},
                               .run = order.run,
                               .member_count = MEMBERS,
                               .members = {encoded->data, encoded->size}};
}

static void expect_member(size_t index)
{
    struct mpp_bytes bytes;
    struct mpp_error error = {""};
    if (mpb_member(&context, index, &bytes, &error))
        fail_msg("member %zu: %s", index, error.text);
    assert_int_equal(bytes.size, member_sizes[index]);
    if (bytes.size)
        assert_memory_equal(bytes.data, pattern, bytes.size);
}

static void members_in_any_order(void **state)
{
    (void)state;
    struct buf encoded = BUF_INIT;
    struct task_order stage = make_members(&encoded);
    struct mpp_bytes bytes;
    struct mpp_error error;
    batch_context_begin(&context, NULL, &stage, NULL);
    for (size_t i = 0; i < MEMBERS; i++)
        expect_member(i);
    for (size_t i = 0; i < MEMBERS * MEMBERS; i++) { /* each after each */
        expect_member(i / MEMBERS);
        expect_member(i % MEMBERS);
    }
    static const size_t beyond[] = {MEMBERS, MEMBERS + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT(beyond); i++) {
        assert_int_equal(mpb_member(&context, beyond[i], &bytes, &error), -1);
        assert_non_null(strstr(error.text, "there is no member "));
        assert_int_equal(context.report.status, REPORT_DONE); /* the job's mistake only */
        expect_member(MEMBERS - 1);
        assert_int_equal(mpb_member(&context, beyond[i], &bytes, &error), -1);
        expect_member(0);
    }
    batch_context_begin(&context, NULL, &stage, NULL); /* the next task begins at the first */
    expect_member(3);
    batch_context_begin(&context, NULL, &stage, NULL);
    expect_member(6);
    stage.member_count--;
    batch_context_begin(&context, NULL, &stage, NULL);
    assert_int_equal(mpb_member(&context, 6, &bytes, &error), -1);
    assert_string_equal(error.text, "there is no member 6");
    batch_context_begin(&context, NULL, &order, NULL);
    assert_int_equal(mpb_member(&context, 0, &bytes, &error), -1); /* not in a stage */
    buf_release(&encoded);
}

/* A stage's task can read members while it writes a large result itself. */
static void members_while_writing(void **state)
{
    (void)state;
    struct buf encoded = BUF_INIT;
    const struct task_order stage = make_members(&encoded);
    batch_context_begin(&context, NULL, &stage, NULL);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct mpp_bytes bytes;
        assert_int_equal(mpb_member(&context, i, &bytes, NULL), 0);
        assert_int_equal(mpb_write(&context, bytes.data, bytes.size, NULL), 0);
    }
    assert_int_equal(batch_context_finish(&context, NULL), 0);
    assert_true(context.report.result.size == 5 + 2000 + LARGEST + MAX + MAX + 1 + 70000);
    assert_int_equal(context.report.result.run, order.run);
    buf_release(&encoded);
}

/* The run stops, because --resume has to run the member's task again. */
static void members_that_are_damaged(void **state)
{
    (void)state;
    static const size_t damaged[] = {1, 3, 6};
    for (size_t i = 0; i < 2 * COUNT(damaged); i++) {
        struct buf encoded = BUF_INIT;
        struct mpp_bytes bytes;
        struct mpp_error error = {""};
        struct result_ref ref;
        begin_run(order.run + 1);
        const struct task_order stage = make_members(&encoded);
        struct reader from = reader_over(encoded.data, encoded.size);
        for (size_t k = 0; k <= damaged[i / 2]; k++)
            result_ref_get(&from, &ref);
        char path[40];
        snprintf(path, sizeof path, "s/%u-3-5.spool", ref.run);
        int fd = open(path, O_WRONLY);
        if (i % 2) /* its last byte is missing, or another one */
            assert_int_equal(ftruncate(fd, (off_t)(ref.offset + ref.size - 1)), 0);
        else
            assert_int_equal(pwrite(fd, "\0\xff", 2, (off_t)(ref.offset + ref.size - 2)), 2);
        close(fd);
        batch_context_begin(&context, NULL, &stage, NULL);
        expect_member(0);
        assert_int_equal(context.report.status, REPORT_DONE);
        assert_int_equal(mpb_member(&context, damaged[i / 2], &bytes, &error), -1);
        assert_int_equal(context.report.status, REPORT_STOP);
        assert_string_equal(context.report.text, error.text);
        assert_non_null(strstr(error.text, "spool"));
        buf_release(&encoded);
    }
}

#define IN_SPOOL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SPOOL(results_of_many_sizes),
        IN_SPOOL(each_run_has_its_spool),
        IN_SPOOL(a_job_without_results),
        IN_SPOOL(a_dropped_result),
        IN_SPOOL(calls_that_fail),
        IN_SPOOL(a_full_disk),
        IN_SPOOL(results_that_await_a_flush),
        IN_SPOOL(what_a_job_says),
        IN_SPOOL(a_report_without_memory),
        IN_SPOOL(members_in_any_order),
        IN_SPOOL(members_while_writing),
        IN_SPOOL(members_that_are_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
