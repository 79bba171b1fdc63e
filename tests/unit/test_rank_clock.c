/* SPDX-License-Identifier: MIT */
/* Clocks of ranks: tables of times in, offsets and ends of tasks out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rank_clock.h"

#define DAY INT64_C(86400000000000)

/* One rank joins. `skew` is its clock minus that of rank 0. Times are true ones on rank 0's clock;
 * answered 0: the answer was lost. The estimate may be wrong by `error` at most. */
static const struct {
    int64_t skew, said_hello, hello_arrived, answered, answer_arrived;
    int64_t error;
} joins[] = {
    {0, 100, 100, 100, 100, 0},
    {DAY, 1000, 1200, 1300, 1400, 100},          /* symmetric: the midpoint is exact, */
    {-DAY, 1000, 1400, 1500, 1600, 100},         /* in both directions */
    {3 * DAY, 1000, 1100, 1900, 1900, 400},      /* the ping was slow */
    {-3 * DAY, 1000, 1100, 1101, 9100, 51},      /* the answer was slow: HELLO bounds the offset */
    {DAY, 1000, 500000, 500001, 900000, 200000}, /* both were slow */
    {DAY, 1000, 1250, 0, 0, 250},                /* lost: the time that HELLO took */
    {-DAY, DAY + 7, DAY + 8, 0, 0, 1},
};

static void offsets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        struct rank_clock clock = {0};
        rank_clock_start(&clock, joins[i].said_hello + joins[i].skew, joins[i].hello_arrived);
        if (joins[i].answered)
            rank_clock_answer(&clock, joins[i].answered + joins[i].skew, joins[i].answer_arrived);
        int64_t error = clock.offset_ns + joins[i].skew;
        if (error > joins[i].error || error < -joins[i].error)
            fail_msg("join %zu: the offset is wrong by %lld ns", i, (long long)error);
    }
}

static void midpoint_is_exact(void **state)
{
    (void)state;
    struct rank_clock clock = {0};
    rank_clock_start(&clock, 5000, DAY);
    assert_int_equal(clock.offset_ns, DAY - 5000);
    rank_clock_answer(&clock, 5100, DAY + 40); /* HELLO took 80 and each of the others 20 */
    assert_int_equal(clock.offset_ns, DAY + 20 - 5100);
}

/* The pool was opened at 1000, and the message arrived at 9000. */
static const struct {
    int64_t offset, ended;
    uint64_t run;
    int64_t end;
} ends[] = {
    {0, 5000, 100, 5000},
    {-DAY, DAY + 5000, 100, 5000},
    {DAY, 5000 - DAY, 100, 5000},
    {0, 9000, 8000, 9000},
    {0, 9001, 100, 9000},   /* not in the future, */
    {DAY, 5000, 100, 9000}, /* however wrong the offset is */
    {0, 1050, 100, 1100},   /* it did not begin before the pool was opened */
    {-DAY, 5000, 100, 1100},
    {0, 5000, 8001, 9000}, /* it took longer than the pool has been open: impossible */
    {0, 5000, UINT64_MAX, 9000},
    {INT64_MAX, INT64_MAX, 0, 1000}, /* the sum is out of range */
    {INT64_MIN, INT64_MIN + 2, 0, 1000},
};

static void ends_of_tasks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct rank_clock clock = {.offset_ns = ends[i].offset};
        int64_t end = rank_clock_task_end(&clock, ends[i].ended, ends[i].run, 1000, 9000);
        if (end != ends[i].end)
            fail_msg("end %zu is %lld", i, (long long)end);
    }
}

/* A damaged time of a rank must not overflow a calculation: sanitizers would see it. */
static void extreme_times(void **state)
{
    (void)state;
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
    enum { COUNT = sizeof extremes / sizeof *extremes };
    for (int i = 0; i < COUNT * COUNT * COUNT; i++) {
        struct rank_clock clock = {0};
        rank_clock_start(&clock, extremes[i % COUNT], 5000);
        rank_clock_answer(&clock, extremes[i / COUNT % COUNT], 6000);
        int64_t end = rank_clock_task_end(&clock, extremes[i / COUNT / COUNT], 0, 1000, 9000);
        assert_true(end >= 1000 && end <= 9000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets),
        cmocka_unit_test(midpoint_is_exact),
        cmocka_unit_test(ends_of_tasks),
        cmocka_unit_test(extreme_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
