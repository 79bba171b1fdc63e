/* SPDX-License-Identifier: MIT */
/* progress: the texts that it formats for given counts and times, and when a line is due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "progress.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define IMAGES       .unit = "images", .input_unit = "files"

static void test_times(void **state)
{
    (void)state;
    static const struct {
        double seconds;
        const char *text;
    } cases[] = {{0, "0:00"},         {-5, "0:00"},      {0.6, "0:01"},
                 {59.4, "0:59"},      {59.6, "1:00"},    {3599, "59:59"},
                 {3599.7, "1:00:00"}, {7325, "2:02:05"}, {1e300, "999:59:59"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];
        progress_format_time(cases[i].seconds, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        struct tally tally;
        double elapsed_s;
        const char *text;
    } cases[] = {
        {{IMAGES}, 0, "0 files, 0.0 images/s"},
        {{IMAGES, .done = 90, .failed = 5, .skipped = 5}, 10, "100 files, 5 failed, 9.0 images/s"},
        {{IMAGES, .done = 50, .total = 200}, 10, "50 of 200 files, 5.0 images/s, 0:30 left"},
        {{IMAGES, .failed = 1, .total = 3}, 10, "1 of 3 files, 1 failed, 0.0 images/s, 0:20 left"},
        {{IMAGES, .total = 3}, 10, "0 of 3 files, 0.0 images/s"},
        {{IMAGES, .done = 3, .total = 3}, 10, "3 of 3 files, 0.3 images/s"},
        {{.unit = "tasks", .input_unit = "tasks", .done = 3, .total = 4},
         1,
         "3 of 4 tasks, 3.0 tasks/s, 0:00 left"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[256];
        progress_format_line(&cases[i].tally, cases[i].elapsed_s, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_bars(void **state)
{
    (void)state;
    char text[256];
    struct tally half = {IMAGES, .done = 50, .total = 100};
    progress_format_bar(&half, 10, 100, text, sizeof text);
    assert_string_equal(text, "[###############               ]  50% "
                              "50 of 100 files, 5.0 images/s, 0:10 left");
    progress_format_bar(&half, 10, 65, text, sizeof text); /* less room: a shorter bar, then none */
    assert_string_equal(text, "[########         ]  50% "
                              "50 of 100 files, 5.0 images/s, 0:10 left");
    assert_int_equal(strlen(text), 65);
    progress_format_bar(&half, 10, 57, text, sizeof text);
    assert_string_equal(text, "50 of 100 files, 5.0 images/s, 0:10 left");
    progress_format_bar(&half, 10, 12, text, sizeof text);
    assert_string_equal(text, "50 of 100 fi");
    progress_format_bar(&half, 10, 0, text, sizeof text);
    assert_string_equal(text, "");
    struct tally all = {IMAGES, .done = 7, .total = 7};
    progress_format_bar(&all, 10, 100, text, sizeof text);
    assert_non_null(strstr(text, "[##############################] 100% "));
    struct tally unknown = {IMAGES, .done = 7};
    progress_format_bar(&unknown, 7, 100, text, sizeof text);
    assert_string_equal(text, "7 files, 1.0 images/s");
}

static void test_due_times(void **state)
{
    (void)state;
    static const double due_s[] = {10, 20, 40, 100, 160, 220};
    for (int i = 0; i < (int)COUNT(due_s); i++)
        assert_true(progress_due_s(i) == due_s[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_due_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
