/* SPDX-License-Identifier: MIT */
/* oom_watch: the parsers of the kernel's files, and the attribution of kills. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "oom_watch.h"
#include "temporary_directory.h"

static void counts_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool found;
        uint64_t kills;
    } cases[] = {
        {"low 0\nhigh 0\nmax 3\noom 2\noom_kill 5\noom_group_kill 1\n", true, 5},
        {"oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", true, 7},
        {"oom_kill 18446744073709551615", true, UINT64_MAX},
        {"oom_kill 18446744073709551616", false, 0},
        {"oom_kill_disable 0\nunder_oom 0\n", false, 0},
        {"drop_oom_kill 4\n", false, 0},
        {"oom_kill \n", false, 0},
        {"\n\n", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t kills = 0;
        assert_int_equal(oom_watch_parse_kills(cases[i].text, &kills), cases[i].found);
        assert_true(kills == cases[i].kills);
    }
}

static void groups_are_parsed(void **state)
{
    (void)state;
    static const char v1[] = "/sys/fs/cgroup/memory", v2[] = "/sys/fs/cgroup";
    static const struct {
        const char *text, *mount, *path;
    } cases[] = {
        {"0::/user.slice/a:b\n", v2, "/user.slice/a:b"},
        {"0::/\n", v2, "/"},
        {"12:cpu,cpuacct:/x\n4:hugetlb,memory:/slurm/job_3\n1:name=systemd:/y\n0::/z\n", v1,
         "/slurm/job_3"},
        {"0::/z\n4:memory:/m", v1, "/m"},
        {"4:memory2,xmemory:/m\n0::/z\n", v2, "/z"},
        {"4:mem:/m\n0::/z\n", v2, "/z"},
        {"10::/z\n", NULL, NULL},
        {"0:cpu:/z\n", NULL, NULL},
        {"4:memory", NULL, NULL},
        {"4\n:memory:/m\n", NULL, NULL},
        {"nonsense", NULL, NULL},
        {"", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oom_group group;
        assert_int_equal(oom_watch_parse_group(cases[i].text, &group), !!cases[i].mount);
        if (!cases[i].mount)
            continue;
        assert_string_equal(group.mount, cases[i].mount);
        assert_string_equal(group.path, cases[i].path);
        assert_string_equal(group.file,
                            cases[i].mount == v1 ? "memory.oom_control" : "memory.events");
    }
    struct oom_group group;
    char text[PATH_MAX + 16] = "0::/";
    memset(text + 4, 'x', PATH_MAX - 1);
    assert_false(oom_watch_parse_group(text, &group));
}

static void kills_are_taken_one_by_one(void **state)
{
    (void)state;
    struct oom_watch watch = {.path = "events", .kills = 3};
    assert_false(oom_watch_take_kill(&watch)); /* the file is missing */
    scratch_write("events", "oom_kill 3\n");
    assert_false(oom_watch_take_kill(&watch));
    scratch_write("events", "oom_kill 5\n");
    assert_true(oom_watch_take_kill(&watch));
    assert_true(oom_watch_take_kill(&watch));
    assert_false(oom_watch_take_kill(&watch));
    watch.path[0] = '\0';
    assert_false(oom_watch_take_kill(&watch));
}

static void this_kernel_counts(void **state)
{
    (void)state;
    struct oom_watch watch;
    oom_watch_init(&watch);
    print_message("kills are counted in: '%s'\n", watch.path);
    assert_false(oom_watch_take_kill(&watch));
    if (watch.path[0] && watch.kills) {
        watch.kills--;
        assert_true(oom_watch_take_kill(&watch));
    }
    assert_true(access("/proc/vmstat", R_OK) || watch.path[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_parsed),
        cmocka_unit_test(groups_are_parsed),
        cmocka_unit_test_setup_teardown(kills_are_taken_one_by_one, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test(this_kernel_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
