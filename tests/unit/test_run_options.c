/* SPDX-License-Identifier: MIT */
/* run_options: the values of the engine's options, which of them mean something for which kind of
 * job, and rules that the tables of all jobs keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command_line.h"
#include "job_registry.h"
#include "option_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Values ---- */

static const struct mpb_option *find(const char *name)
{
    const struct mpb_option *option = run_option_table;
    while (option->name && strcmp(option->name, name) != 0)
        option++;
    assert_non_null(option->name);
    return option;
}

/* Values, and the texts that they are written as: values of the option again. */
static void values_of_special_forms(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        {"shard", "1/1", "1/1"},
        {"shard", "3/0016", "3/16"},
        {"shard", "2147483647/2147483647", "2147483647/2147483647"},
        {"count", "1000000000000000", "1000000000000000"},
        {"memory-limit", "2G", "2147483648"},
        {"journal-sync", "0.1", "0.10000000000000001"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct mpb_option *option = find(cases[i].name);
        for (int again = 0; again < 2; again++) {
            const char *value = again ? cases[i].text : cases[i].value;
            struct run_options options = {0};
            const struct option_table table = {run_option_table, &options};
            char text[OPTION_VALUE_SIZE];
            assert_int_equal(option_table_set(&table, option, value, NULL), 0);
            option_table_format(&table, option, text);
            assert_string_equal(text, cases[i].text);
        }
    }
}

static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        struct run_options options;
    } cases[] = {
        {"max-failures", "1", {.failures.count = 1}},
        {"max-failures", "2147483647", {.failures.count = 2147483647}},
        {"max-failures", "5%", {.failures.percent = 5}},
        {"max-failures", "100%", {.failures.percent = 100}},
        {"time-limit", "auto", {.time_limit_s = TIME_LIMIT_AUTO}},
        {"time-limit", "90.", {.time_limit_s = 90}},
        {"time-limit", "0", {.time_limit_s = 0}},
        {"time-limit", ".5", {.time_limit_s = 0.5}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run_options options = {0};
        const struct option_table table = {run_option_table, &options};
        assert_int_equal(option_table_set(&table, find(cases[i].name), cases[i].value, NULL), 0);
        assert_int_equal(options.failures.count, cases[i].options.failures.count);
        assert_int_equal(options.failures.percent, cases[i].options.failures.percent);
        assert_true(options.time_limit_s == cases[i].options.time_limit_s);
    }
}

static void wrong_values_are_explained(void **state)
{
    (void)state;
#define FAILURES "--max-failures takes N of at least 1, or N% from 1% to 100%, not '"
#define LIMIT    "--time-limit takes seconds as a decimal number, such as 90 or 0.5, or auto, not '"
    static const struct {
        const char *name, *message, *values[12];
    } cases[] = {
        {"shard",
         "--shard takes I/N with I from 1 to N, not '",
         {"0/1", "2/1", "1", "1/", "/2", "1/2/3", "1/2 ", " 1/2", "-1/2", "1/2147483648",
          "1/99999999999999999999", ""}},
        {"max-failures",
         FAILURES,
         {"0", "0%", "101%", "-1", "", "x", "5%%", "5 %", "%", "1.5%", "2147483648"}},
        {"time-limit", LIMIT, {"1e5", "-1", "", ".", "1.2.3", "Auto", "auto ", "inf", "nan", "1s"}},
        {"count",
         "--count takes a whole number from 1 to 1000000000000000, not '",
         {"0", "-1", "1e3", "x", "1000000000000001"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t k = 0; k < COUNT(cases[i].values) && cases[i].values[k]; k++) {
            struct run_options options = {0};
            const struct option_table table = {run_option_table, &options};
            struct mpp_error error = {""};
            char message[256];
            snprintf(message, sizeof message, "%s%s'", cases[i].message, cases[i].values[k]);
            assert_int_equal(
                option_table_set(&table, find(cases[i].name), cases[i].values[k], &error), -1);
            assert_string_equal(error.text, message);
        }

    /* Far more digits than a double can hold are no number of seconds. */
    char digits[401] = "";
    struct run_options options = {0};
    const struct option_table table = {run_option_table, &options};
    memset(digits, '9', 400);
    assert_int_equal(option_table_set(&table, find("time-limit"), digits, NULL), -1);
}

static void patterns_are_collected(void **state)
{
    (void)state;
    struct run_options options = {0};
    const struct option_table table = {run_option_table, &options};
    struct mpp_error error;
    assert_int_equal(option_table_set(&table, find("include"), "", &error), -1);
    assert_string_equal(error.text, "--include and --exclude take a pattern that is not empty");
    for (int i = 0; i < PATTERNS_MAX; i++)
        assert_int_equal(option_table_set(&table, find("include"), "*.jpeg.png", &error), 0);
    assert_int_equal(options.include.count, PATTERNS_MAX);
    assert_int_equal(options.exclude.count, 0);
    assert_int_equal(option_table_set(&table, find("include"), "x", &error), -1);
    assert_string_equal(error.text, "more than 64 patterns");
    assert_int_equal(option_table_set(&table, find("exclude"), "a b/[c]", &error), 0);
    assert_string_equal(options.exclude.patterns[0], "a b/[c]");
}

/* ---- What means something for a job ---- */

static int nothing(void *state, const struct mpb_task *task, struct mpb_context *context,
                   struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    return 0;
}

static int load(const struct mpb_run *run, const void *settings, const struct mpb_task *task,
                void **loaded, struct mpp_error *error)
{
    (void)run, (void)settings, (void)task, (void)loaded, (void)error;
    return 0;
}

static const struct mpb_stage stages[] = {{.name = "merge", .run = nothing}, {0}};

static void options_that_mean_nothing(void **state)
{
    (void)state;
    enum { FILES = 1, WORDS = 2, OUTPUT = 4, EACH = 8, RESULTS = 16, LOAD = 32 };
    static const char *const names[] = {"include",   "exclude",    "count",
                                        "output",    "verify",     "skip-existing",
                                        "spool-dir", "keep-spool", "read-ahead"};
    static const char *const reasons[] = {"its inputs are not files",
                                          "its inputs are not files",
                                          "its inputs are files",
                                          "it writes no output",
                                          "it does not write a file for each input",
                                          "it does not write a file for each input",
                                          "it has no results to collect",
                                          "it has no results to collect",
                                          "it reads nothing ahead"};
    static const int needs[] = {FILES, FILES, WORDS, OUTPUT, EACH, EACH, RESULTS, RESULTS, LOAD};
    static const struct {
        struct mpb_job job;
        int has;
    } kinds[] = {
        {{.inputs = MPB_INPUT_FILES}, FILES},
        {{.inputs = MPB_INPUT_WORDS}, WORDS},
        {{.inputs = MPB_INPUT_WORDS, .stages = stages}, WORDS | RESULTS},
        {{.output = MPB_OUTPUT_FILES}, FILES | OUTPUT | EACH},
        {{.output = MPB_OUTPUT_FILES, .stages = stages}, FILES | OUTPUT | EACH | RESULTS},
        {{.output = MPB_OUTPUT_STREAM}, FILES | OUTPUT | RESULTS},
        {{.output = MPB_OUTPUT_STREAM, .stages = stages}, FILES | OUTPUT | RESULTS},
        {{.output = MPB_OUTPUT_STREAM, .load = load}, FILES | OUTPUT | RESULTS | LOAD},
    };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        assert_int_equal(job_has_results(&kinds[k].job), (kinds[k].has & RESULTS) != 0);
        for (const struct mpb_option *option = run_option_table; option->name; option++) {
            const char *why = run_option_refusal(&kinds[k].job, option);
            size_t i = 0;
            while (i < COUNT(names) && strcmp(names[i], option->name) != 0)
                i++;
            if (i == COUNT(names) || needs[i] & kinds[k].has)
                assert_null(why);
            else
                assert_string_equal(why, reasons[i]);
        }
    }
}

static void combinations(void **state)
{
    (void)state;
    static const struct {
        struct run_options options;
        const char *message; /* NULL: it is allowed */
        enum mpb_inputs inputs;
    } cases[] = {
#define ONE .run.input_count = 1
        {{ONE}, NULL, MPB_INPUT_FILES},
        {{.run.files_from = "f", .null = true}, NULL, MPB_INPUT_FILES},
        {{.count = 1}, NULL, MPB_INPUT_WORDS},
        {{.count = 1, ONE}, "--count and inputs cannot be used together", MPB_INPUT_WORDS},
        {{.count = 1, .run.files_from = "f"},
         "--count and inputs cannot be used together",
         MPB_INPUT_WORDS},
        {{.count = 0},
         "nothing to do: use --count, name inputs, or use --files-from",
         MPB_INPUT_WORDS},
        {{ONE, .null = true}, "--null needs --files-from", MPB_INPUT_FILES},
        {{ONE, .quiet = true, .run.verbose = true},
         "--verbose and --quiet cannot be used together",
         MPB_INPUT_FILES},
#define WITHOUT "--no-journal cannot be used with --journal, --resume, --retry-failed or --verify"
        {{ONE, .no_journal = true}, NULL, MPB_INPUT_FILES},
        {{ONE, .no_journal = true, .journal = "j"}, WITHOUT, MPB_INPUT_FILES},
        {{ONE, .no_journal = true, .run.resume = true}, WITHOUT, MPB_INPUT_FILES},
        {{ONE, .no_journal = true, .retry_failed = true}, WITHOUT, MPB_INPUT_FILES},
        {{ONE, .no_journal = true, .run.verify = true}, WITHOUT, MPB_INPUT_FILES},
        {{ONE, .run.skip_existing = true, .run.verify = true},
         "--skip-existing and --verify cannot be used together",
         MPB_INPUT_FILES},
        {{ONE, .run.resume = true, .run.verify = true}, NULL, MPB_INPUT_FILES},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct run_options options = cases[i].options;
        const struct mpb_job job = {.inputs = cases[i].inputs};
        struct mpp_error error = {""};
        assert_int_equal(run_options_check(&options, &job, &error), cases[i].message ? -1 : 0);
        assert_string_equal(error.text, cases[i].message ? cases[i].message : "");
        assert_true(options.run.resume || !options.retry_failed);
        assert_int_equal(run_options_only_verify(&options),
                         options.run.verify && !options.run.resume);
    }
}

/* ---- The tables of all jobs ---- */

static void check_option(const struct mpb_option *option)
{
    bool flag = option->type == MPB_FLAG;
    if (!option->help || !*option->help || !option->group || !*option->group)
        fail_msg("--%s has no help or no group", option->name);
    assert_int_equal(flag, !option->argument);
    assert_false(flag && option->initial);
    assert_int_equal(option->type != MPB_CUSTOM, !option->parse);
    assert_int_equal(option->type != MPB_CUSTOM || !option->decides, !option->format);
    assert_int_equal(option->type != MPB_CHOICE, !option->choices);
    assert_true(strlen(option->name) == strspn(option->name, "abcdefghijklmnopqrstuvwxyz-"));
    assert_true(option->help[strlen(option->help) - 1] != '.');
}

static void tables_are_sound(void **state)
{
    (void)state;
    for (const struct mpb_job *const *job = job_registry; *job; job++) {
        struct mpb_option *engine = run_options_table(*job);
        struct run_options options = {0};
        void *settings = calloc(1, (*job)->settings_size + 1);
        const struct mpb_option *all[128];
        const struct option_table tables[] = {{engine, &options}, {(*job)->options, settings}};
        struct mpp_error error = {""};
        size_t count = 0;
        for (size_t i = 0; i < 2; i++) {
            if (option_table_set_defaults(&tables[i], &error))
                fail_msg("%s: %s", (*job)->name, error.text);
            for (const struct mpb_option *each = tables[i].options; each && each->name; each++) {
                assert_true(count < COUNT(all));
                all[count++] = each;
            }
        }
        for (size_t i = 0; i < count; i++) {
            check_option(all[i]);
            for (size_t k = 0; k < i; k++)
                if (strcmp(all[i]->name, all[k]->name) == 0 ||
                    (all[i]->letter && all[i]->letter == all[k]->letter))
                    fail_msg("%s: --%s and --%s", (*job)->name, all[k]->name, all[i]->name);
        }
        for (const struct mpb_default *each = (*job)->defaults; each && each->name; each++) {
            const struct mpb_option *option = find(each->name);
            assert_null(run_option_refusal(*job, option));
            assert_string_equal(engine[option - run_option_table].initial, each->value);
        }
        assert_string_equal(engine[find("output") - run_option_table].argument,
                            (*job)->output == MPB_OUTPUT_FILES ? "DIR" : "FILE");
        free(engine);
        free(settings);
    }
}

/* Each option that means something for the job has one line in its --help, no other has. */
static void help_has_each_option_once(void **state)
{
    (void)state;
    for (const struct mpb_job *const *job = job_registry; *job; job++) {
        char *argv[] = {"mpbatch", (char *)(*job)->name, "--help", NULL};
        struct command_line command;
        struct mpp_error error;
        assert_int_equal(command_line_parse(3, argv, job_registry, &command, &error), COMMAND_TEXT);
        buf_put_u8(&command.text, '\0');
        const struct mpb_option *const tables[] = {run_option_table, (*job)->options};
        for (size_t i = 0; i < 2; i++)
            for (const struct mpb_option *each = tables[i]; each && each->name; each++) {
                char start[64];
                int lines = 0;
                const char *at = (const char *)command.text.data;
                snprintf(start, sizeof start, "\n  %c%c%c --%s", each->letter ? '-' : ' ',
                         each->letter ? each->letter : ' ', each->letter ? ',' : ' ', each->name);
                for (; (at = strstr(at, start)); lines += *at == ' ' || *at == '\n')
                    at += strlen(start);
                assert_int_equal(lines, i || !run_option_refusal(*job, each));
            }
        command_line_release(&command);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_special_forms),    cmocka_unit_test(limits),
        cmocka_unit_test(wrong_values_are_explained), cmocka_unit_test(patterns_are_collected),
        cmocka_unit_test(options_that_mean_nothing),  cmocka_unit_test(combinations),
        cmocka_unit_test(tables_are_sound),           cmocka_unit_test(help_has_each_option_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
