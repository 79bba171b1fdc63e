/* SPDX-License-Identifier: MIT */
/* recorded_output: which changes of an input or an output are noticed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

#include "recorded_output.h"
#include "temporary_directory.h"

static void set_mtime(const char *path, time_t seconds, long nanoseconds)
{
    const struct timespec times[] = {{.tv_sec = seconds}, {seconds, nanoseconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void times_before_and_after_1970(void **state)
{
    (void)state;
    struct stat status = {.st_mtim = {1700000000, 123456789}};
    assert_true(file_mtime_ns(&status) == 1700000000123456789);
    status.st_mtim = (struct timespec){-1, 999999999};
    assert_int_equal(file_mtime_ns(&status) + 1, 0);
}

static void an_input_that_changed(void **state)
{
    (void)state;
    const int64_t mtime = 1600000000000000005;
    scratch_write("d/a", "12345");
    set_mtime("d/a", 1600000000, 5);
    assert_int_equal(symlink("d/a", "link") || symlink("gone", "dangling"), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_true(recorded_input_unchanged("d/a", 5, mtime));
    assert_true(recorded_input_unchanged("link", 5, mtime)); /* the file counts, not the link */
    assert_false(recorded_input_unchanged("d/a", 4, mtime));
    assert_false(recorded_input_unchanged("d/a", -1, mtime));
    assert_false(recorded_input_unchanged("d/a", 5, mtime + 1));
    assert_false(recorded_input_unchanged("gone", 5, mtime));
    assert_false(recorded_input_unchanged("dangling", 5, mtime));
    assert_false(recorded_input_unchanged("d/a/b", 5, mtime));

    struct stat status;
    static const char *const others[] = {"d", "fifo", "/dev/null"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(stat(others[i], &status), 0);
        assert_false(recorded_input_unchanged(others[i], status.st_size, file_mtime_ns(&status)));
    }
    assert_int_equal(truncate("d/a", 6), 0);
    set_mtime("d/a", 1600000000, 5);
    assert_false(recorded_input_unchanged("d/a", 5, mtime));
    assert_true(recorded_input_unchanged("d/a", 6, mtime));
}

/* Larger than the part that is read at once, so that parts count in their order. */
static void an_output_that_changed(void **state)
{
    (void)state;
    enum { SIZE = 200001 };
    char *bytes = malloc(SIZE + 1);
    for (int i = 0; i < SIZE; i++)
        bytes[i] = (char)('a' + i % 23);
    bytes[SIZE] = '\0';
    scratch_write("out", bytes);
    const uint64_t xxh3 = XXH3_64bits(bytes, SIZE);
    struct mpp_error why = {""};
    assert_true(recorded_output_intact("out", &xxh3, &why));
    assert_true(recorded_output_intact("out", NULL, &why));
    assert_string_equal(why.text, "");
    for (int at = 0; at < SIZE; at += SIZE - 1) {
        bytes[at] ^= 1;
        scratch_write("out", bytes);
        assert_false(recorded_output_intact("out", &xxh3, &why));
        assert_string_equal(why.text,
                            "its output 'out' does not match the checksum in the journal");
        assert_true(recorded_output_intact("out", NULL, &why));
        bytes[at] ^= 1;
    }
    bytes[SIZE - 1] = '\0'; /* is shorter */
    scratch_write("out", bytes);
    assert_false(recorded_output_intact("out", &xxh3, &why));
    free(bytes);
}

static void an_output_that_is_missing(void **state)
{
    (void)state;
    static const char *const paths[] = {"gone", "dir", "link", "dangling", "fifo", "empty", "a/b"};
    const uint64_t checksums[] = {XXH3_64bits("text", 4), XXH3_64bits("", 0)};
    scratch_write("a", "text");
    scratch_write("empty", "");
    assert_int_equal(mkdir("dir", 0777) || symlink("a", "link") || symlink("gone", "dangling") ||
                         mkfifo("fifo", 0666),
                     0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (int with = 0; with < 3; with++) {
            struct mpp_error why = {""};
            char wanted[100];
            snprintf(wanted, sizeof wanted, "its output '%s' is missing", paths[i]);
            assert_false(
                recorded_output_intact(paths[i], with < 2 ? &checksums[with] : NULL, &why));
            assert_string_equal(why.text, wanted);
        }
}

static void an_output_that_may_not_be_read(void **state)
{
    (void)state;
    const uint64_t xxh3 = XXH3_64bits("text", 4);
    bool root = geteuid() == 0; /* may read everything */
    struct mpp_error why = {""};
    scratch_write("a", "text");
    assert_int_equal(chmod("a", 0) || chmod(".", 0755), 0);
    if (root && seteuid(65534))
        skip();
    bool exists = recorded_output_intact("a", NULL, &why);
    bool intact = recorded_output_intact("a", &xxh3, &why);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_true(exists && !intact);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_before_and_after_1970),
        IN_SCRATCH(an_input_that_changed),
        IN_SCRATCH(an_output_that_changed),
        IN_SCRATCH(an_output_that_is_missing),
        IN_SCRATCH(an_output_that_may_not_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
