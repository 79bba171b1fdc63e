/* SPDX-License-Identifier: MIT */
/* task_message: orders and reports survive encoding with any of their parts, truncated ones are
 * refused, and no bytes make the decoders read beyond them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task_message.h"

enum { RANDOM_MESSAGES = 200000 };

#define BYTES(text) ((struct mpp_bytes){text, sizeof text - 1})

static const struct result_ref refs[] = {
    {.place = RESULT_NONE},
    {.place = RESULT_INLINE, .bytes = {"a\0b", 3}},
    {.place = RESULT_INLINE},
    {.place = RESULT_SPOOLED,
     .run = 1,
     .rank = 2,
     .slot = UINT32_MAX,
     .offset = UINT64_C(5000000000),
     .size = UINT64_MAX,
     .xxh3 = 7},
};

enum { REFS = sizeof refs / sizeof *refs };

static void expect_bytes(struct mpp_bytes found, struct mpp_bytes wanted)
{
    assert_int_equal(found.size, wanted.size);
    if (wanted.size)
        assert_memory_equal(found.data, wanted.data, wanted.size);
}

static void expect_ref(const struct result_ref *found, const struct result_ref *wanted)
{
    assert_int_equal(found->place, wanted->place);
    expect_bytes(found->bytes, wanted->bytes);
    assert_true(found->run == wanted->run && found->rank == wanted->rank &&
                found->slot == wanted->slot && found->offset == wanted->offset &&
                found->size == wanted->size && found->xxh3 == wanted->xxh3);
}

/* A copy of exactly these bytes, so that a sanitizer detects a read past their end. */
static struct mpp_bytes first_bytes(const struct buf *buf, size_t size, void **copy)
{
    *copy = malloc(size + !size);
    memcpy(*copy, buf->data, size);
    return (struct mpp_bytes){*copy, size};
}

/* ---- Orders ---- */

/* The parts that an order may have are the bits of `parts`. */
static struct task_order make_order(unsigned parts, const struct result_ref *ref)
{
    struct task_order order = {.identity.key = parts & 1 ? "a\n\xff/b" : ""};
    if (parts & 2)
        order.plan = BYTES("\1x\0y");
    if (parts & 4)
        order.identity.occurrence = UINT64_C(1) << 40;
    if (parts & 8)
        order.run = 77;
    if (parts & 16) {
        order.identity.stage = 3;
        order.member_count = 1000000;
        order.members = BYTES("members\0");
    }
    if (parts & 32) {
        order.is_recorded = true;
        order.recorded = (struct recorded_task){.size_bytes = parts & 1 ? -1 : 5000000000,
                                                .mtime_ns = -7,
                                                .xxh3 = UINT64_MAX - 1,
                                                .result = *ref};
    }
    return order;
}

static void expect_order(const struct task_order *found, const struct task_order *wanted)
{
    assert_string_equal(found->identity.key, wanted->identity.key);
    assert_int_equal(found->identity.stage, wanted->identity.stage);
    assert_true(found->identity.occurrence == wanted->identity.occurrence);
    assert_true(found->run == wanted->run && found->member_count == wanted->member_count);
    expect_bytes(found->plan, wanted->plan);
    expect_bytes(found->members, wanted->members);
    assert_int_equal(found->is_recorded, wanted->is_recorded);
    assert_true(found->recorded.size_bytes == wanted->recorded.size_bytes &&
                found->recorded.mtime_ns == wanted->recorded.mtime_ns &&
                found->recorded.xxh3 == wanted->recorded.xxh3);
    expect_ref(&found->recorded.result, &wanted->recorded.result);
}

static void orders(void **state)
{
    (void)state;
    struct buf encoded = BUF_INIT;
    struct task_order found;
    void *copy;
    for (unsigned each = 0; each < 64 * REFS; each++) {
        struct task_order order = make_order(each % 64, &refs[each / 64]);
        buf_clear(&encoded);
        task_order_put(&encoded, &order);
        for (size_t size = 0; size < encoded.size; size++) {
            struct mpp_error error = {""};
            struct mpp_bytes cut = first_bytes(&encoded, size, &copy);
            assert_int_equal(task_order_get(cut, &found, &error), -1);
            assert_int_equal(strncmp(error.text, "a damaged task of ", 18), 0);
            free(copy);
        }
        assert_int_equal(task_order_get(first_bytes(&encoded, encoded.size, &copy), &found, NULL),
                         0);
        expect_order(&found, &order);
        free(copy);
    }
    buf_release(&encoded);
}

/* ---- Reports ---- */

static struct task_report make_report(unsigned parts, const struct result_ref *ref)
{
    struct task_report report = {.status = (enum report_status)(parts % 4),
                                 .warned = parts & 2,
                                 .text = parts & 4 ? "no room\xff" : "",
                                 .line = parts & 8 ? "saved\nhere" : "",
                                 .size_bytes = -1,
                                 .output = "",
                                 .result = *ref};
    if (parts & 16) {
        report.size_bytes = parts & 1 ? 0 : 5000000000;
        report.mtime_ns = -7;
    }
    if (parts & 32) {
        report.output = "d/c.png";
        report.output_bytes = parts & 1 ? 0 : 1234;
        report.xxh3 = UINT64_MAX;
    }
    if (parts & 64)
        report.fields = BYTES("\"width\":50");
    return report;
}

static void expect_report(const struct task_report *found, const struct task_report *wanted)
{
    assert_int_equal(found->status, wanted->status);
    assert_int_equal(found->warned, wanted->warned);
    assert_string_equal(found->text, wanted->text);
    assert_string_equal(found->line, wanted->line);
    assert_string_equal(found->output, wanted->output);
    assert_true(found->size_bytes == wanted->size_bytes && found->mtime_ns == wanted->mtime_ns &&
                found->output_bytes == wanted->output_bytes && found->xxh3 == wanted->xxh3);
    expect_bytes(found->fields, wanted->fields);
    expect_ref(&found->result, &wanted->result);
}

static void reports(void **state)
{
    (void)state;
    struct buf encoded = BUF_INIT;
    struct task_report found;
    void *copy;
    for (unsigned each = 0; each < 128 * REFS; each++) {
        struct task_report report = make_report(each % 128, &refs[each / 128]);
        buf_clear(&encoded);
        task_report_put(&encoded, &report);
        for (size_t size = 0; size < encoded.size; size++) {
            struct mpp_error error = {""};
            struct mpp_bytes cut = first_bytes(&encoded, size, &copy);
            assert_int_equal(task_report_get(cut, &found, &error), -1);
            assert_int_equal(strncmp(error.text, "a damaged result of ", 20), 0);
            free(copy);
        }
        assert_int_equal(task_report_get(first_bytes(&encoded, encoded.size, &copy), &found, NULL),
                         0);
        expect_report(&found, &report);
        free(copy);
    }
    encoded.data[0] = REPORT_STOP + 1; /* not a status */
    assert_int_equal(task_report_get(first_bytes(&encoded, encoded.size, &copy), &found, NULL), -1);
    free(copy);
    buf_release(&encoded);
}

/* ---- Damage ---- */

/* Reads all that the message refers to. */
static uint64_t sum_bytes(struct mpp_bytes bytes)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes.size; i++)
        sum += ((const uint8_t *)bytes.data)[i];
    return sum;
}

static uint64_t touch(struct mpp_bytes message, unsigned *decoded)
{
    struct task_order order;
    struct task_report report;
    uint64_t sum = 0;
    if (task_order_get(message, &order, NULL) == 0) {
        sum += strlen(order.identity.key) + sum_bytes(order.plan) + sum_bytes(order.members) +
               sum_bytes(order.recorded.result.bytes);
        ++*decoded;
    }
    if (task_report_get(message, &report, NULL) == 0) {
        sum += strlen(report.text) + strlen(report.line) + strlen(report.output) +
               sum_bytes(report.fields) + sum_bytes(report.result.bytes);
        ++*decoded;
    }
    return sum;
}

static uint32_t random_below(uint32_t limit)
{
    static uint32_t value = 1;
    value = value * 1664525 + 1013904223;
    return (value >> 8) % limit;
}

/* Random bytes, mostly small ones, and good messages with some bytes replaced. */
static void random_bytes_are_read_within_bounds(void **state)
{
    (void)state;
    unsigned decoded = 0;
    struct buf encoded = BUF_INIT;
    for (unsigned i = 0; i < RANDOM_MESSAGES; i++) {
        void *copy;
        buf_clear(&encoded);
        unsigned kind = random_below(3), changes = 1 + random_below(3);
        struct task_order order = make_order(random_below(64), &refs[random_below(REFS)]);
        struct task_report report = make_report(random_below(128), &refs[random_below(REFS)]);
        if (kind == 0)
            task_order_put(&encoded, &order);
        else if (kind == 1)
            task_report_put(&encoded, &report);
        else
            for (unsigned size = random_below(60); encoded.size < size;)
                buf_put_u8(&encoded,
                           (uint8_t)(random_below(3) ? random_below(4) : random_below(256)));
        for (unsigned k = 0; k < changes && encoded.size; k++)
            encoded.data[random_below((uint32_t)encoded.size)] = (uint8_t)random_below(256);
        touch(first_bytes(&encoded, encoded.size, &copy), &decoded);
        free(copy);
    }
    assert_true(decoded > RANDOM_MESSAGES / 20); /* not all of them are refused at once */
    buf_release(&encoded);
}

static void strings_end_at_their_end(void **state)
{
    (void)state;
    struct buf encoded = BUF_INIT;
    const struct task_order order = {.identity.key = "name"};
    struct task_order found;
    task_order_put(&encoded, &order);
    const struct mpp_bytes message = {encoded.data, encoded.size};
    assert_int_equal(task_order_get(message, &found, NULL), 0);
    encoded.data[6] = '\0'; /* a zero byte within the name */
    assert_int_equal(task_order_get(message, &found, NULL), -1);
    encoded.data[6] = 'a';
    encoded.data[9] = 'x'; /* no zero byte at its end */
    assert_int_equal(task_order_get(message, &found, NULL), -1);
    encoded.data[1] = 0; /* a string without its zero byte */
    assert_int_equal(task_order_get(message, &found, NULL), -1);
    buf_release(&encoded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders),
        cmocka_unit_test(reports),
        cmocka_unit_test(random_bytes_are_read_within_bounds),
        cmocka_unit_test(strings_end_at_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
