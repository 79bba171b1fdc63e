/* SPDX-License-Identifier: MIT */
/* output_directory: which directories are created and opened, and the errors if they cannot be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "output_directory.h"
#include "temporary_directory.h"

static void test_output_directory(void **state)
{
    (void)state;
    int fd;
    struct mpp_error error;
    assert_int_equal(output_directory_open("p//q/./r/", &fd, &error), 0);
    close(fd);
    assert_int_equal(symlink("p/q", "alias"), 0);
    assert_int_equal(output_directory_open("alias", &fd, &error), 0);
    close(fd);
    assert_int_equal(output_directory_open("alias/s", &fd, &error), 0);
    close(fd);
    assert_int_equal(scratch_count("p/q"), 2);
    scratch_write("file", "");
    assert_int_equal(output_directory_open("file", &fd, &error), -1);
    assert_int_equal(output_directory_open("file/x", &fd, &error), -1);
    assert_string_equal(error.text, "cannot open the directory 'file/x': Not a directory");
}

/* The error is that of mkdir, not that the directory does not exist afterwards. Root has permission
 * for everything, so it becomes another user here. */
static void test_no_permission_to_create_directory(void **state)
{
    (void)state;
    struct mpp_error error = {.text = ""};
    int fd;
    assert_int_equal(mkdir("closed", 0555), 0);
    bool is_root = geteuid() == 0;
    if (is_root)
        assert_int_equal(chmod(".", 0755) | seteuid(65534), 0);
    int result = output_directory_open("closed/out", &fd, &error);
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(result, -1);
    assert_string_equal(error.text, "cannot create the directory 'closed/out': Permission denied");
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_no_permission_to_create_directory),
        IN_SCRATCH(test_output_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
