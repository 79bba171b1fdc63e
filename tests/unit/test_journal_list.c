/* SPDX-License-Identifier: MIT */
/* journal_list, failure_summary, early_stop: names by status, failures by cause, and the reserve
 * before a time limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "early_stop.h"
#include "failure_summary.h"
#include "journal_fixture.h"
#include "journal_list.h"

/* ---- journal_list ---- */

static void expect_names(const char *of, int status, char separator, const char *names, size_t size)
{
    char *text;
    size_t text_size;
    struct mpp_error error;
    FILE *out = open_memstream(&text, &text_size);
    if (journal_list_names(of, status, separator, out, &error))
        fail_msg("%s", error.text);
    fclose(out);
    assert_int_equal(text_size, size);
    assert_memory_equal(text, names, size);
    free(text);
}

#define EXPECT_NAMES(of, status, separator, names)                                                 \
    expect_names(of, status, separator, names, sizeof(names) - 1)
#define LINE(source, status) "{\"source\":\"" source "\",\"status\":\"" status "\"}\n"

static void names_are_listed_by_their_last_status(void **state)
{
    (void)state;
    static const char text[] = HEADER_2("\"format\":2,\"job\":\"x\"", "\"--blur\":\"9\"")
        LINE("a", "failed") LINE("\\udce4\\n", "failed") LINE("b", "failed") LINE("c", "done")
            LINE("s", "skipped") "damaged\n" HEADER_2("\"format\":2,\"job\":\"x\"", "")
                LINE("c", "failed") LINE("a", "done") LINE("b", "failed")
                    LINE("b\",\"occurrence\":\"1", "failed") /* damaged, too */
        "{\"source\":\"b\",\"occurrence\":1,\"status\":\"failed\"}\n"
        "{\"source\":\"t\",\"occurrence\":1,\"status\":\"failed\"}\n"
        "{\"source\":\"stage\",\"stage\":1,\"status\":\"failed\"}\n" LINE("t", "done")
            LINE("a", "failed");
    scratch_write("out/.mpthumb/journal.jsonl", text);
    static const char *const paths[] = {"out", "out/.mpthumb", "out/.mpthumb/journal.jsonl"};
    for (size_t i = 0; i < COUNT(paths); i++) {
        EXPECT_NAMES(paths[i], JOURNAL_FAILED, '\0', "\xe4\n\0c\0b\0t\0a\0");
        EXPECT_NAMES(paths[i], JOURNAL_FAILED, '\n', "\xe4\n\nc\nb\nt\na\n");
        EXPECT_NAMES(paths[i], JOURNAL_DONE, '\n', "t\n");
        EXPECT_NAMES(paths[i], JOURNAL_SKIPPED, '\n', "s\n");
        EXPECT_NAMES(paths[i], -1, ' ', "\xe4\n s c b t a ");
    }
}

static void all_shards_are_listed(void **state)
{
    (void)state;
    scratch_write("run/journal-2-of-2.jsonl", HEADER_1("") LINE("c", "done") LINE("a", "done"));
    scratch_write("run/journal-1-of-2.jsonl", HEADER_1("") LINE("a", "done") LINE("b", "failed"));
    scratch_write("run/journal-1-of-2.jsonl.old", "not read");
    scratch_write("run/journal.txt", "not read");
    EXPECT_NAMES("run", JOURNAL_DONE, '\n', "a\nc\n");
    EXPECT_NAMES("run", -1, '\n', "a\nb\nc\n");
}

static void what_cannot_be_listed(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"none", "the journal 'none' cannot be read: No such file or directory"},
        {"empty", "there is no journal in 'empty'"},
        {"text", "the journal 'text' is not a journal: its first line is not a header; use another "
                 "file with --journal"},
        {"later", "the journal 'later/journal.jsonl' has format 3; this program reads formats 1 "
                  "and 2"},
        {"fifo", "the journal 'fifo' is not a regular file"},
    };
    struct mpp_error error;
    scratch_write("empty/x", "");
    scratch_write("text", "text\n");
    assert_int_equal(mkfifo("fifo", 0666), 0);
    scratch_write("later/journal.jsonl", HEADER_2("\"format\":3", ""));
    FILE *out = tmpfile();
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(journal_list_names(cases[i][0], -1, '\n', out, &error), -1);
        assert_string_equal(error.text, cases[i][1]);
    }
    fclose(out);
}

/* ---- failure_summary ---- */

static void failures_are_counted_by_cause(void **state)
{
    (void)state;
    struct failure_summary failures = {0};
    assert_int_equal(failure_summary_add(&failures, "no such file", "a"), 0);
    assert_int_equal(failure_summary_add(&failures, "width 70000 is above 65500", "b"), 0);
    assert_int_equal(failure_summary_add(&failures, "width 9 is above 65500", "c"), 1);
    assert_int_equal(failure_summary_add(&failures, "would replace 'x 1' here", "d"), 0);
    assert_int_equal(failure_summary_add(&failures, "would replace 'y' here", "e"), 1);
    assert_int_equal(failure_summary_add(&failures, "width 10 is above 65500", "f"), 2);
    assert_int_equal(failure_summary_add(&failures, "an odd 'quote", "g"), 0);
    failure_summary_sort(&failures);
    assert_int_equal(failures.count, 4);
    assert_string_equal(failures.list[0].text, "width 70000 is above 65500");
    assert_int_equal(failures.list[0].count, 3);
    assert_string_equal(failures.list[0].examples[2], "f");
    for (int i = 0; i < 200; i++) {
        char text[32];
        snprintf(text, sizeof text, "%c%c", 'a' + i / 26, 'a' + i % 26);
        failure_summary_add(&failures, text, "h");
    }
    assert_int_equal(failures.count, FAILURE_SUMMARY_MAX);
    assert_int_equal(failures.others, 204 - FAILURE_SUMMARY_MAX);
    failure_summary_release(&failures);
}

/* ---- early_stop ---- */

static void reserve_before_the_time_limit(void **state)
{
    (void)state;
    static const struct {
        double limit_s, slowest_s, reserve_s;
    } cases[] = {{3600, 0, 10}, {3600, 20, 40}, {100, 0, 5},
                 {10, 1, 2},    {10, 60, 5},    {3600, 9000, 1800}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(early_stop_reserve_s(cases[i].limit_s, cases[i].slowest_s) ==
                    cases[i].reserve_s);
    assert_true(early_stop_remaining_s("1000", 400) == 600);
    assert_true(early_stop_remaining_s("1000", 1000) > 0);
    assert_true(early_stop_remaining_s("1000", 2000) < 1);
    assert_true(early_stop_remaining_s(NULL, 400) == 0 && early_stop_remaining_s("soon", 400) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(names_are_listed_by_their_last_status),
        IN_SCRATCH(all_shards_are_listed),
        IN_SCRATCH(what_cannot_be_listed),
        cmocka_unit_test(failures_are_counted_by_cause),
        cmocka_unit_test(reserve_before_the_time_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
