/* SPDX-License-Identifier: MIT */
/* collector: whatever the order in which tasks end, their results are delivered in the order of
 * their numbers, and the memory for those that wait is counted. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "collector.h"
#include "failing_calls.h"

/* What was delivered: the expected text of each result is a function of its number. */
struct receiver {
    uint64_t last; /* number + 1 */
    size_t count;
    uint64_t fail_at; /* the number whose delivery fails */
};

enum kind { KIND_NULL, KIND_NONE, KIND_EMPTY, KIND_INLINE, KIND_SPOOLED, KIND_COUNT };

static enum kind kind_of(uint64_t number)
{
    return (enum kind)(number * 2654435761u % 4294967291u % KIND_COUNT);
}

static size_t text_of(uint64_t number, char text[64])
{
    return (size_t)snprintf(text, 64, "result of %" PRIu64, number);
}

static int receive(void *context, const char *input, const struct result_ref *ref,
                   struct mpp_error *error)
{
    struct receiver *receiver = context;
    char text[64];
    uint64_t number = strtoull(input, NULL, 10);
    size_t size = text_of(number, text);
    if (number == receiver->fail_at)
        return mpp_error_set(error, "no more");
    assert_true(number >= receiver->last);
    receiver->last = number + 1;
    receiver->count++;
    if (kind_of(number) == KIND_SPOOLED) {
        assert_int_equal(ref->place, RESULT_SPOOLED);
        assert_int_equal(ref->offset, number);
    } else {
        assert_int_equal(ref->place, RESULT_INLINE);
        assert_int_equal(ref->bytes.size, kind_of(number) == KIND_EMPTY ? 0 : size);
        assert_memory_equal(ref->bytes.data, text, ref->bytes.size);
    }
    return 0;
}

static int put(struct collector *collector, uint64_t number, struct mpp_error *error)
{
    char name[32], text[64];
    size_t size = text_of(number, text);
    const struct result_ref refs[KIND_COUNT] = {
        [KIND_NONE] = {.place = RESULT_NONE},
        [KIND_EMPTY] = {.place = RESULT_INLINE, .bytes = {NULL, 0}},
        [KIND_INLINE] = {.place = RESULT_INLINE, .bytes = {text, size}},
        [KIND_SPOOLED] = {.place = RESULT_SPOOLED, .offset = number, .size = 5},
    };
    snprintf(name, sizeof name, "%" PRIu64, number);
    enum kind kind = kind_of(number);
    int result =
        collector_put(collector, number, name, kind == KIND_NULL ? NULL : &refs[kind], error);
    memset(name, 'x', sizeof name); /* the collector must not refer to them any more */
    memset(text, 'x', sizeof text);
    return result;
}

static bool has_result(uint64_t number)
{
    return kind_of(number) > KIND_NONE;
}

static void test_random_orders(void **state)
{
    (void)state;
    enum { TASKS = 3000 };
    uint64_t seed = 1, numbers[TASKS];
    for (size_t window = 1; window <= TASKS; window = window * 3 + 1) {
        struct receiver receiver = {.fail_at = UINT64_MAX};
        struct collector collector;
        size_t expected = 0;
        collector_init(&collector, receive, &receiver);
        for (size_t i = 0; i < TASKS; i++) {
            numbers[i] = i;
            expected += has_result(i);
        }
        for (size_t i = 0; i < TASKS; i++) { /* shuffles the next `window` numbers */
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            size_t left = TASKS - i < window ? TASKS - i : window, j = i + (seed >> 33) % left;
            uint64_t number = numbers[j];
            numbers[j] = numbers[i];
            assert_int_equal(put(&collector, number, NULL), 0);
        }
        assert_int_equal(receiver.count, expected);
        assert_int_equal(collector.next, TASKS);
        assert_int_equal(collector.bytes, 0);
        collector_release(&collector);
    }
}

static void test_turn_is_not_copied(void **state)
{
    (void)state;
    struct receiver receiver = {.fail_at = UINT64_MAX};
    struct collector collector;
    collector_init(&collector, receive, &receiver);
    calls_arm(CALL_MEMORY, 0, 0);
    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(put(&collector, i, NULL), 0);
    assert_int_equal(calls_disarm(), 0);
    assert_false(collector_is_full(&collector));
    calls_arm(CALL_MEMORY, 0, 0);
    for (uint64_t i = 1001; i < 1060; i++) /* wait without a result */
        assert_int_equal(collector_put(&collector, i, "x", NULL, NULL), 0);
    assert_int_equal(calls_disarm(), 1); /* the ring */
    assert_int_equal(collector.bytes, 0);
    collector_release(&collector);
}

static void test_full_of_bytes(void **state)
{
    (void)state;
    static char bytes[RESULT_INLINE_MAX];
    struct receiver receiver = {.fail_at = UINT64_MAX};
    struct collector collector;
    const struct result_ref ref = {.place = RESULT_INLINE, .bytes = {bytes, sizeof bytes}};
    uint64_t number = 1;
    collector_init(&collector, receive, &receiver);
    assert_false(collector_is_full(&collector));
    for (; !collector_is_full(&collector); number++)
        assert_int_equal(collector_put(&collector, number, "x", &ref, NULL), 0);
    assert_in_range(number * sizeof bytes, COLLECTOR_BYTES_MAX * 8 / 10, COLLECTOR_BYTES_MAX);
    assert_true(collector.bytes > COLLECTOR_BYTES_MAX);
    assert_int_equal(collector_put(&collector, number, "x", &ref, NULL), 0); /* still accepted */
    collector_release(&collector);
}

static void test_full_of_numbers(void **state)
{
    (void)state;
    struct receiver receiver = {.fail_at = UINT64_MAX};
    struct collector collector;
    collector_init(&collector, receive, &receiver);
    for (uint64_t i = 1; i < COLLECTOR_NUMBERS_MAX; i++)
        assert_int_equal(collector_put(&collector, i, "x", NULL, NULL), 0);
    assert_false(collector_is_full(&collector));
    assert_int_equal(collector_put(&collector, COLLECTOR_NUMBERS_MAX, "x", NULL, NULL), 0);
    assert_true(collector_is_full(&collector));
    assert_int_equal(collector_put(&collector, 0, "x", NULL, NULL), 0);
    assert_false(collector_is_full(&collector));
    assert_int_equal(collector.next, COLLECTOR_NUMBERS_MAX + 1);
    collector_release(&collector);
}

/* After a failed delivery there would be a gap: nothing more is delivered. */
static void test_delivery_fails(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        struct mpp_error error;
        struct receiver receiver = {0};
        struct collector collector;
        uint64_t bad = 20, above = 0;
        while (!has_result(bad))
            bad++;
        receiver.fail_at = bad;
        collector_init(&collector, receive, &receiver);
        for (uint64_t i = 1; i < 40; i++)
            if (!direct || i != bad)
                assert_int_equal(put(&collector, i, &error), 0);
        assert_int_equal(put(&collector, 0, &error), direct ? 0 : -1);
        if (direct)
            assert_int_equal(put(&collector, bad, &error), -1);
        assert_string_equal(error.text, "no more");
        receiver.fail_at = UINT64_MAX;
        for (uint64_t i = 0; i < bad; i++)
            above += has_result(i);
        for (uint64_t i = 40; i < 60; i++)
            put(&collector, i, &error);
        assert_int_equal(receiver.count, above);
        collector_release(&collector);
        collector_release(&collector);
    }
}

static void test_delivery_fails_with_none_waiting(void **state)
{
    (void)state;
    struct receiver receiver = {0};
    struct collector collector;
    uint64_t bad = 0;
    while (!has_result(bad) || !has_result(bad + 1))
        bad++;
    receiver.fail_at = bad;
    collector_init(&collector, receive, &receiver);
    for (uint64_t i = 0; i < bad; i++)
        assert_int_equal(put(&collector, i, NULL), 0);
    size_t count = receiver.count;
    assert_int_equal(put(&collector, bad, NULL), -1);
    put(&collector, bad + 1, NULL);
    assert_int_equal(receiver.count, count);
    collector_release(&collector);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (unsigned at = 1;; at++) {
        struct mpp_error error = {""};
        struct receiver receiver = {.fail_at = UINT64_MAX};
        struct collector collector;
        int failures = 0;
        collector_init(&collector, receive, &receiver);
        calls_arm(CALL_MEMORY, at, ENOMEM);
        for (uint64_t i = 300; i-- > 0;)
            if (put(&collector, i, &error)) {
                failures++;
                assert_int_equal(put(&collector, i, &error), 0); /* it can be repeated */
            }
        unsigned calls = calls_disarm();
        assert_int_equal(failures, calls >= at);
        assert_string_equal(error.text, calls >= at ? "out of memory" : "");
        assert_int_equal(collector.next, 300);
        collector_release(&collector);
        if (calls < at)
            break;
    }
}

static void test_a_number_comes_once(void **state)
{
    (void)state;
    struct receiver receiver = {.fail_at = UINT64_MAX};
    struct collector collector;
    collector_init(&collector, receive, &receiver);
    assert_int_equal(put(&collector, 0, NULL), 0);
    assert_int_equal(put(&collector, 0, NULL), -1);
    assert_int_equal(put(&collector, 4, NULL), 0);
    assert_int_equal(put(&collector, 4, NULL), -1);
    assert_int_equal(put(&collector, UINT64_MAX - 1, NULL), -1); /* no memory for such a ring */
    collector_release(&collector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_orders),
        cmocka_unit_test(test_turn_is_not_copied),
        cmocka_unit_test(test_full_of_bytes),
        cmocka_unit_test(test_full_of_numbers),
        cmocka_unit_test(test_delivery_fails),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_a_number_comes_once),
        cmocka_unit_test(test_delivery_fails_with_none_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
