/* SPDX-License-Identifier: MIT */
/* run_directory: the names of the journal, the summary and the spool, for each kind of job and
 * option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "run_directory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    return 0;
}

static const struct mpb_stage stages[] = {{.name = "merge", .run = run}, {0}};
static const struct mpb_job files = {.name = "thumbnail", .output = MPB_OUTPUT_FILES};
static const struct mpb_job staged = {.name = "pack", .output = MPB_OUTPUT_FILES, .stages = stages};
static const struct mpb_job stream = {.name = "digest", .output = MPB_OUTPUT_STREAM};
static const struct mpb_job merged = {.name = "merge", .stages = stages};
static const struct mpb_job none = {.name = "noop"};

static void expect_name(size_t i, const char *found, const char *wanted)
{
    if (wanted && wanted[strlen(wanted) - 1] == '*' && found &&
        strncmp(found, wanted, strlen(wanted) - 1) == 0)
        return;
    if (!found != !wanted || (found && strcmp(found, wanted) != 0))
        fail_msg("case %zu: '%s' is not '%s'", i, found ? found : "NULL", wanted ? wanted : "NULL");
}

/* Below --spool-dir each run has a directory of its own, the same on every rank. */
static void shared_spools(void **state)
{
    (void)state;
    static const struct run_options options[] = {
        {.run.output = "f", .spool = "/s"},
        {.run.output = "g", .spool = "/s"},
        {.run.output = "f", .spool = "/s", .shard = {1, 2}},
        {.run.output = "f", .spool = "/s", .journal = "j"},
        {.run.output = "f", .spool = "/s", .journal = "/j"},
    };
    struct run_directory found[sizeof options / sizeof *options], again;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        assert_int_equal(run_directory_init(&found[i], &options[i], &stream, NULL), 0);
        assert_int_equal(run_directory_init(&again, &options[i], &stream, NULL), 0);
        assert_string_equal(found[i].spool, again.spool);
        assert_int_equal(strncmp(found[i].spool, "/s/spool-", 9), 0);
        assert_int_equal(strlen(found[i].spool), 9 + 16);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(found[i].spool, found[k].spool);
        run_directory_release(&again);
    }
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        run_directory_release(&found[i]);
}

static void names(void **state)
{
    (void)state;
    static const struct {
        const struct mpb_job *job;
        struct run_options options;
        const char *path, *journal, *summary, *spool;
    } cases[] = {
#define TO        .run.output
#define BESIDE    .run.writes_beside_inputs = true
#define OF(i, n)  .shard = { i, n }
#define J(prefix) prefix "/journal.jsonl", prefix "/summary.json"
        /* The kinds of jobs. */
        {&files, {TO = "thumbs"}, "thumbs/.mpthumb", J("thumbs/.mpthumb"), NULL},
        {&staged, {TO = "/d"}, "/d/.mpthumb", J("/d/.mpthumb"), "/d/.mpthumb/spool"},
        {&stream, {.count = 1}, "digest.run", J("digest.run"), "digest.run/spool"},
        {&stream, {TO = "-"}, "digest.run", J("digest.run"), "digest.run/spool"},
        {&stream, {TO = "a/sums"}, "a/sums.run", J("a/sums.run"), "a/sums.run/spool"},
        {&merged, {.count = 1}, "merge.run", J("merge.run"), "merge.run/spool"},
        {&none, {.count = 1}, "noop.run", J("noop.run"), NULL},
        /* Shards. */
        {&files,
         {TO = "t", OF(2, 16)},
         "t/.mpthumb",
         "t/.mpthumb/journal-2-of-16.jsonl",
         "t/.mpthumb/summary-2-of-16.json",
         NULL},
        {&stream,
         {TO = "f", OF(1, 1)},
         "f.run",
         "f.run/journal-1-of-1.jsonl",
         "f.run/summary-1-of-1.json",
         "f.run/spool-1-of-1"},
        {&stream,
         {TO = "f", OF(2147483646, 2147483647)},
         "f.run",
         "f.run/journal-2147483646-of-2147483647.jsonl",
         "f.run/summary-2147483646-of-2147483647.json",
         "f.run/spool-2147483646-of-2147483647"},
        /* Named places. */
        {&files, {TO = "t", .run_directory = "r"}, "r", J("r"), NULL},
        {&stream, {TO = "f", .run_directory = "r/"}, "r/", J("r/"), "r//spool"},
        {&stream, {TO = "f", .run_directory = "r", .spool = "s"}, "r", J("r"), "s/spool-*"},
        {&stream,
         {TO = "f", .spool = "s", OF(1, 2)},
         "f.run",
         "f.run/journal-1-of-2.jsonl",
         "f.run/summary-1-of-2.json",
         "s/spool-*"},
        {&stream, {TO = "f", .journal = "j"}, "f.run", "j", "j.summary.json", "f.run/spool"},
        {&files, {TO = "t", .journal = "j", OF(1, 2)}, "t/.mpthumb", "j", "j.summary.json", NULL},
        {&files,
         {TO = "t", .journal = "j", .run_directory = "r"},
         "r",
         "j",
         "j.summary.json",
         NULL},
        /* No journal. */
        {&files, {TO = "t", .no_journal = true}, "t/.mpthumb", NULL, NULL, NULL},
        {&stream, {TO = "f", .no_journal = true}, "f.run", NULL, NULL, "f.run/spool"},
        {&none, {.no_journal = true, .run_directory = "r"}, "r", NULL, NULL, NULL},
        {&files, {TO = "t", .run.dry_run = true}, "t/.mpthumb", NULL, NULL, NULL},
        {&files,
         {TO = "t", .run.dry_run = true, .run.resume = true},
         "t/.mpthumb",
         J("t/.mpthumb"),
         NULL},
        {&stream,
         {TO = "f", .run.dry_run = true, .journal = "j"},
         "f.run",
         NULL,
         NULL,
         "f.run/spool"},
        /* Outputs beside the inputs. */
        {&files, {BESIDE}, NULL, NULL, NULL, NULL},
        {&files, {BESIDE, .journal = "j"}, NULL, "j", "j.summary.json", NULL},
        {&files, {BESIDE, .journal = "j", .run.resume = true}, NULL, "j", "j.summary.json", NULL},
        {&files, {BESIDE, .run_directory = "r", .run.verify = true}, "r", J("r"), NULL},
        {&staged, {BESIDE, .run_directory = "r"}, "r", J("r"), "r/spool"},
        {&staged, {BESIDE, .spool = "s"}, NULL, NULL, NULL, "s/spool-*"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run_directory found;
        struct mpp_error error = {""};
        if (run_directory_check(&cases[i].options, cases[i].job, &error) ||
            run_directory_init(&found, &cases[i].options, cases[i].job, &error))
            fail_msg("case %zu: %s", i, error.text);
        expect_name(i, found.path, cases[i].path);
        expect_name(i, found.journal, cases[i].journal);
        expect_name(i, found.summary, cases[i].summary);
        expect_name(i, found.spool, cases[i].spool);
        run_directory_release(&found);
        assert_null(found.path);
        run_directory_release(&found);
    }
}

static void a_directory_that_nobody_named(void **state)
{
    (void)state;
    static const struct {
        const struct mpb_job *job;
        struct run_options options;
    } cases[] = {
        {&files, {BESIDE, .run.resume = true}},
        {&files, {BESIDE, .run.verify = true}},
        {&staged, {BESIDE}},
        {&staged, {BESIDE, .journal = "j"}},
        {&files, {.count = 1}},
        {&files, {.run.resume = true}},
        {&staged, {.journal = "j"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpp_error error = {""};
        if (run_directory_check(&cases[i].options, cases[i].job, &error) == 0)
            fail_msg("case %zu", i);
        assert_non_null(strstr(error.text, "--run-dir"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(shared_spools),
        cmocka_unit_test(a_directory_that_nobody_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
