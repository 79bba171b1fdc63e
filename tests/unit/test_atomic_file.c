/* SPDX-License-Identifier: MIT */
/* atomic_file: what a directory contains after each way in which writing a file can succeed or
 * fail. All failures except one are provoked in ways that affect root, too. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "atomic_file.h"
#include "output_directory.h"
#include "temporary_directory.h"

static int root;

static int setup(void **state)
{
    return scratch_setup(state) || output_directory_open("out", &root, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    close(root);
    return scratch_teardown(state);
}

enum write_result { WRITTEN, EXISTS, FAILED };

/* Opens, writes and commits a file. `named`: with a temporary name, as without O_TMPFILE. */
static enum write_result put_as(bool named, const char *path, const char *text, bool replace,
                                struct mpp_error *error)
{
    struct atomic_file file;
    enum write_result result = FAILED;
    bool exists;
    if (atomic_file_open(&file, root, path, error) == 0) {
        if (named && !file.named) {
            close(file.fd);
            strcpy(file.temporary, ATOMIC_FILE_PREFIX "test");
            file.fd = openat(file.directory, file.temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
            assert_true(file.fd >= 0);
            file.named = true;
        }
        if (atomic_file_write(&file, text, strlen(text), error) == 0 &&
            atomic_file_commit(&file, replace, &exists, error) == 0)
            result = exists ? EXISTS : WRITTEN;
    }
    atomic_file_abandon(&file);
    return result;
}

static enum write_result put(const char *path, const char *text, bool replace)
{
    struct mpp_error error;
    return put_as(false, path, text, replace, &error);
}

static void test_commit_both_ways(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        const char *path = named ? "x/named" : "x/unnamed";
        const char *full = named ? "out/x/named" : "out/x/unnamed";
        assert_int_equal(put_as(named, path, "one", false, NULL), WRITTEN);
        scratch_expect(full, "one");
        assert_int_equal(put_as(named, path, "two", false, NULL), EXISTS);
        scratch_expect(full, "one");
        assert_int_equal(put_as(named, path, "three", true, NULL), WRITTEN);
        scratch_expect(full, "three");
    }
    assert_int_equal(scratch_count("out/x"), 2); /* no temporary files */
}

static void test_mode_follows_umask(void **state)
{
    (void)state;
    struct stat status;
    mode_t before = umask(027);
    assert_int_equal(put("a", "x", true), WRITTEN);
    umask(before);
    assert_int_equal(stat("out/a", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void test_abandon_leaves_nothing(void **state)
{
    (void)state;
    struct atomic_file file = ATOMIC_FILE_INIT;
    atomic_file_abandon(&file);
    assert_int_equal(atomic_file_open(&file, root, "a", NULL), 0);
    assert_int_equal(atomic_file_write(&file, "half", 4, NULL), 0);
    assert_int_equal(access("out/a", F_OK), -1);
    atomic_file_abandon(&file);
    atomic_file_abandon(&file);
    assert_int_equal(scratch_count("out"), 0);
}

static void test_write_error_leaves_nothing(void **state)
{
    (void)state;
    struct rlimit before, small = {.rlim_cur = 10};
    struct mpp_error error;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum write_result unnamed = put_as(false, "a", "more than ten bytes", true, &error);
    enum write_result named = put_as(true, "a", "more than ten bytes", true, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(unnamed, FAILED);
    assert_int_equal(named, FAILED);
    assert_string_equal(error.text, "cannot write 'a': File too large");
    assert_int_equal(scratch_count("out"), 0);
}

static void test_unusable_paths_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *path, *message;
    } cases[] = {
        {"directory", "'directory' exists and is a directory"},
        {"link", "'link' exists and is a symbolic link"},
        {"fifo", "'fifo' exists and is not a regular file"},
        {"file/a", "'file' in the output directory is not a directory"},
        {"x/../a", "'x/../a' is not a path below the output directory"},
        {"../a", "'../a' is not a path below the output directory"},
        {"/a", "'/a' is not a path below the output directory"},
        {"x/", "'x/' is not a path below the output directory"},
        {"x//a", "'x//a' is not a path below the output directory"},
        {"outside/a",
         "'outside' in the output directory is a symbolic link, which is not followed"},
        {"x/up/a", "'x/up' in the output directory is a symbolic link, which is not followed"},
    };
    scratch_write("precious", "mine");
    scratch_write("out/file", "");
    scratch_write("out/x/y", "");
    assert_int_equal(mkdir("out/directory", 0777) || mkdir("elsewhere", 0777), 0);
    assert_int_equal(mkfifo("out/fifo", 0666), 0);
    assert_int_equal(symlink("../precious", "out/link"), 0);
    assert_int_equal(symlink("../elsewhere", "out/outside"), 0);
    assert_int_equal(symlink("..", "out/x/up"), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int replace = 0; replace < 2; replace++) {
            struct mpp_error error;
            assert_int_equal(put_as(false, cases[i].path, "new", replace, &error), FAILED);
            assert_string_equal(error.text, cases[i].message);
            assert_int_equal(put_as(true, cases[i].path, "new", replace, &error), FAILED);
            assert_string_equal(error.text, cases[i].message);
        }
    scratch_expect("precious", "mine");
    assert_int_equal(scratch_count("elsewhere"), 0);
    assert_int_equal(scratch_count("out"), 6);
    assert_int_equal(scratch_count("out/x"), 2);
}

static void test_name_too_long(void **state)
{
    (void)state;
    char path[400];
    memset(path, 'n', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(put(path, "x", true), FAILED);
    path[300] = '/';
    assert_int_equal(put(path, "x", true), FAILED);
    path[255] = '\0';
    assert_int_equal(put(path, "x", true), WRITTEN);
    assert_int_equal(scratch_count("out"), 1);
}

static void test_is_at_and_holds(void **state)
{
    (void)state;
    struct atomic_file file;
    struct stat same, other;
    bool exists;
    scratch_write("out/a", "text");
    scratch_write("b", "text");
    assert_int_equal(stat("out/a", &same) || stat("b", &other), 0);
    assert_int_equal(atomic_file_open(&file, root, "a", NULL), 0);
    assert_true(atomic_file_is_at(&file, &same));
    assert_false(atomic_file_is_at(&file, &other));
    assert_int_equal(atomic_file_commit(&file, false, &exists, NULL), 0);
    assert_true(exists);
    assert_true(atomic_file_holds(&file, "text", 4));
    assert_false(atomic_file_holds(&file, "tex", 3));
    assert_false(atomic_file_holds(&file, "texts", 5));
    assert_false(atomic_file_holds(&file, "tent", 4));
    atomic_file_abandon(&file);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_commit_both_ways),
        IN_SCRATCH(test_mode_follows_umask),
        IN_SCRATCH(test_abandon_leaves_nothing),
        IN_SCRATCH(test_write_error_leaves_nothing),
        IN_SCRATCH(test_unusable_paths_are_refused),
        IN_SCRATCH(test_name_too_long),
        IN_SCRATCH(test_is_at_and_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
