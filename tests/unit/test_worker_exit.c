/* SPDX-License-Identifier: MIT */
/* worker_exit: the status and text of a task whose worker process died. */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "temporary_directory.h"
#include "worker_exit.h"

static void exits_are_described(void **state)
{
    (void)state;
    static const struct {
        int wait_status;
        bool no_memory;
        enum task_status status;
        int signal;
        const char *text;
    } cases[] = {
        {3 << 8, false, TASK_CRASHED, 0, "the worker process exited with status 3"},
        {0, true, TASK_CRASHED, 0, "the worker process exited with status 0"},
        {SIGSEGV, false, TASK_CRASHED, SIGSEGV,
         "the worker process was killed by signal 11 (SIGSEGV)"},
        {SIGSEGV, true, TASK_CRASHED_MEMORY, SIGSEGV,
         "the worker process was killed by signal 11 (SIGSEGV), after it could not get memory"},
        {SIGKILL, false, TASK_CRASHED, SIGKILL,
         "the worker process was killed by signal 9 (SIGKILL)"},
    };
    struct oom_watch oom = {.path = ""};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct worker_exit end =
            worker_exit_describe(cases[i].wait_status, cases[i].no_memory, &oom);
        assert_int_equal(end.status, cases[i].status);
        assert_int_equal(end.signal, cases[i].signal);
        assert_int_equal(worker_exit_signal(cases[i].wait_status), cases[i].signal);
        assert_string_equal(end.text, cases[i].text);
    }
}

static void oom_kills_are_attributed_once(void **state)
{
    (void)state;
    struct oom_watch oom = {.path = "events", .kills = 3};
    scratch_write("events", "oom_kill 4\n");
    assert_int_equal(worker_exit_describe(SIGTERM, false, &oom).status, TASK_CRASHED);
    struct worker_exit end = worker_exit_describe(SIGKILL, false, &oom);
    assert_int_equal(end.status, TASK_CRASHED_MEMORY);
    assert_string_equal(end.text,
                        "the worker process was killed by signal 9 (SIGKILL), sent by the "
                        "kernel because memory ran out");
    assert_int_equal(worker_exit_describe(SIGKILL, false, &oom).status, TASK_CRASHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exits_are_described),
        cmocka_unit_test_setup_teardown(oom_kills_are_attributed_once, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
