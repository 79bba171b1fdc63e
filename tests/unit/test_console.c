/* SPDX-License-Identifier: MIT */
/* console: the lines of the summary that it formats for given counts and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console.h"

#define IMAGES .unit = "images", .warned = "with decoder warnings"

static void test_count_lines(void **state)
{
    (void)state;
    char text[256];
    console_format_counts(&(struct tally){IMAGES, .done = 194}, 0.79, text, sizeof text);
    assert_string_equal(text,
                        "194 done, 0 failed, 245.6 images/s. It took 0.79 second(s) to finish");
    console_format_counts(&(struct tally){IMAGES, .done = 1, .failed = 2, .skipped = 3}, 2, text,
                          sizeof text);
    assert_string_equal(
        text, "1 done, 2 failed, 3 skipped, 0.5 images/s. It took 2.00 second(s) to finish");
    console_format_counts(&(struct tally){.unit = "tasks", .done = 8}, 2, text, sizeof text);
    assert_string_equal(text, "8 done, 0 failed, 4.0 tasks/s. It took 2.00 second(s) to finish");
    console_format_counts(&(struct tally){IMAGES, .done = 8, .warnings = 3, .kept = 1}, 2, text,
                          sizeof text);
    assert_string_equal(text, "8 done (3 with decoder warnings), 1 done before, 0 failed, "
                              "4.0 images/s. It took 2.00 second(s) to finish");
    console_format_counts(&(struct tally){IMAGES}, 0, text, sizeof text);
    assert_string_equal(text, "0 done, 0 failed, 0.0 images/s. It took 0.00 second(s) to finish");
}

static void test_pool_lines(void **state)
{
    (void)state;
    char text[256];
    console_format_pool(&(struct mpp_stats){.ranks = 16, .workers = 16}, NULL, text, sizeof text);
    assert_string_equal(text, "");
    console_format_pool(
        &(struct mpp_stats){.ranks = 16, .workers = 16, .steals = 12, .tasks_stolen = 340}, NULL,
        text, sizeof text);
    assert_string_equal(text, "16 ranks, 16 workers, 12 steals (340 tasks)");
    console_format_pool(
        &(struct mpp_stats){.ranks = 1, .workers = 1, .workers_replaced = 1, .retries = 1}, NULL,
        text, sizeof text);
    assert_string_equal(text, "1 rank, 1 worker, 1 worker replaced, 1 task tried again");
    console_format_pool(&(struct mpp_stats){.ranks = 2, .workers = 8}, "seccomp, Landlock 3", text,
                        sizeof text);
    assert_string_equal(text, "2 ranks, 8 workers; confined by seccomp, Landlock 3");
    console_format_pool(&(struct mpp_stats){.ranks = 4, .workers = 4, .ranks_polling = 3}, NULL,
                        text, sizeof text);
    assert_string_equal(text, "4 ranks, 4 workers; 3 ranks cannot be woken by others of the same "
                              "host and look for messages on a timer");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count_lines),
        cmocka_unit_test(test_pool_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
