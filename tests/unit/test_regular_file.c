/* SPDX-License-Identifier: MIT */
/* regular_file: a regular file is opened at its beginning; everything else is named in the error,
 * and nothing blocks. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "regular_file.h"
#include "temporary_directory.h"

static void a_regular_file(void **state)
{
    (void)state;
    static const char *const paths[] = {"a", "link"};
    scratch_write("a", "bytes");
    assert_int_equal(symlink("a", "link"), 0);
    for (size_t i = 0; i < 2; i++) {
        struct stat status;
        struct mpp_error error = {""};
        char bytes[8] = "";
        int fd = regular_file_open(paths[i], &status, &error);
        assert_true(fd >= 0);
        assert_true(S_ISREG(status.st_mode) && status.st_size == 5);
        assert_int_equal(read(fd, bytes, sizeof bytes), 5);
        assert_string_equal(bytes, "bytes");
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_string_equal(error.text, "");
        close(fd);
    }
}

static void other_things(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int number; /* errno */
        const char *message;
    } cases[] = {
        {"dir", 0, "a directory, not a regular file"},
        {"to-dir", 0, "a directory, not a regular file"},
        {"fifo", 0, "a FIFO, not a regular file"},
        {"/dev/null", 0, "a device, not a regular file"},
        {"socket", ENXIO, "a socket or a device, not a regular file"},
        {"gone", ENOENT, "no such file"},
        {"", ENOENT, "no such file"},
        {"gone/a", ENOENT, "no such file"},
        {"dangling", ENOENT, "a dangling symbolic link"},
        {"loop", ELOOP, "a loop of symbolic links"},
        {"a/b", ENOTDIR, "cannot open: Not a directory"},
    };
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    scratch_write("a", "");
    assert_int_equal(mkdir("dir", 0777) || symlink("dir", "to-dir") || symlink("no", "dangling") ||
                         symlink("loop", "loop") || mkfifo("fifo", 0666) ||
                         bind(listening, (struct sockaddr *)&address, sizeof address),
                     0);
    int next = dup(0);
    close(next);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stat status;
        struct mpp_error error = {""};
        errno = EIO;
        assert_int_equal(regular_file_open(cases[i].path, &status, &error), -1);
        assert_int_equal(errno, cases[i].number);
        assert_string_equal(error.text, cases[i].message);
    }
    int still_next = dup(0);
    assert_int_equal(still_next, next); /* no descriptor is left open */
    close(still_next);
    close(listening);
}

static void a_file_that_may_not_be_read(void **state)
{
    (void)state;
    struct stat status;
    struct mpp_error error = {""};
    bool root = geteuid() == 0; /* may read everything */
    scratch_write("a", "");
    assert_int_equal(chmod("a", 0) || chmod(".", 0755), 0);
    if (root && seteuid(65534))
        skip();
    int result = regular_file_open("a", &status, &error), number = errno;
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(result, -1);
    assert_int_equal(number, EACCES);
    assert_string_equal(error.text, "permission denied");
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(a_regular_file),
        IN_SCRATCH(other_things),
        IN_SCRATCH(a_file_that_may_not_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
