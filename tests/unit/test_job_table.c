/* SPDX-License-Identifier: MIT */
/* job_table: what a table of jobs must not lack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "job_registry.h"
#include "job_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    return 0;
}

static void output_path(const struct mpb_run *of, const void *settings, const struct mpb_task *task,
                        char *path, size_t size)
{
    (void)of, (void)settings, (void)task, (void)path, (void)size;
}

static int load(const struct mpb_run *of, const void *settings, const struct mpb_task *task,
                void **loaded, struct mpp_error *error)
{
    (void)of, (void)settings, (void)task, (void)loaded, (void)error;
    return 0;
}

static void unload(void *loaded)
{
    (void)loaded;
}

static const struct mpb_stage good[] = {{.name = "a name of 20 bytes..", .run = run}, {0}};
static const struct mpb_stage idle[] = {{.name = "merge", .run = run}, {.name = "sum"}, {0}};
static const struct mpb_stage longer[] = {{.name = "a name of 21 bytes...", .run = run}, {0}};

static void jobs(void **state)
{
    (void)state;
#define JOB      .name = "j", .summary = "s", .run = run
#define REQUIRED "' has no name, no summary or no run function"
    static const struct {
        struct mpb_job job;
        const char *message; /* "": it is sound */
    } cases[] = {
        {{JOB}, ""},
        {{JOB, .output = MPB_OUTPUT_FILES, .output_path = output_path}, ""},
        {{JOB, .load = load, .unload = unload, .stages = good}, ""},
        {{.summary = "s", .run = run}, "job '" REQUIRED},
        {{.name = "j", .run = run}, "job 'j" REQUIRED},
        {{.name = "j", .summary = "s"}, "job 'j" REQUIRED},
        {{JOB, .output = MPB_OUTPUT_FILES}, "job 'j' writes files and has no output_path function"},
        {{JOB, .load = load}, "job 'j' has only one of load and unload"},
        {{JOB, .unload = unload}, "job 'j' has only one of load and unload"},
        {{JOB, .stages = idle}, "stage 'sum' of job 'j' has no run function"},
        {{JOB, .stages = longer},
         "the name of stage 'a name of 21 bytes...' of job 'j' is longer than 20 bytes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct mpb_job *const table[] = {&cases[0].job, &cases[i].job, NULL};
        struct mpp_error error = {""};
        assert_int_equal(job_table_check(table, &error), *cases[i].message ? -1 : 0);
        assert_string_equal(error.text, cases[i].message);
    }
    assert_int_equal(job_table_check(job_registry, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
