/* SPDX-License-Identifier: MIT */
/* Which files a confined worker process can open and change. Each attempt runs in a child process
 * that confines itself. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "atomic_file.h"
#include "confine.h"
#include "confine_paths.h"
#include "confined_child.h"
#include "output_directory.h"
#include "temporary_directory.h"

static const char *const readable[] = {"in", "in.txt", "not there", "in.txt/nor there", NULL};
static const char *const writable[] = {"out", "log.txt", NULL};
static const struct mpp_confine no_paths = {.no_exec = true, .no_sockets = true};
static const struct mpp_confine all = {
    .no_exec = true, .no_sockets = true, .paths = true, .readable = readable, .writable = writable};

static int setup(void **state)
{
    if (scratch_setup(state))
        return -1;
    scratch_write("in/a.txt", "a");
    scratch_write("in/deep/b.txt", "b");
    scratch_write("in.txt", "in");
    scratch_write("log.txt", "log");
    scratch_write("out/old.txt", "old");
    scratch_write("secret/s.txt", "s");
    return symlink("../secret/s.txt", "in/link.txt");
}

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0666);
    return fd < 0 ? -1 : close(fd);
}

static int read_listed(void)
{
    return try_open("in/a.txt", O_RDONLY) || try_open("in/deep/b.txt", O_RDONLY) ||
           try_open("in/deep", O_RDONLY | O_DIRECTORY) || try_open("in.txt", O_RDONLY);
}

static int read_outside(void)
{
    return try_open("secret/s.txt", O_RDONLY);
}

static int read_by_dots(void)
{
    return try_open("in/../secret/s.txt", O_RDONLY);
}

static int read_by_link(void)
{
    return try_open("in/link.txt", O_RDONLY);
}

static int list_outside(void)
{
    return try_open("secret", O_RDONLY | O_DIRECTORY);
}

static int write_outside(void)
{
    return try_open("secret/s.txt", O_WRONLY);
}

static int make_outside(void)
{
    return try_open("new.txt", O_WRONLY | O_CREAT);
}

static int write_input(void)
{
    return try_open("in/a.txt", O_WRONLY);
}

static int make_beside_input(void)
{
    return try_open("in/new.txt", O_WRONLY | O_CREAT);
}

static int make_unnamed_beside_input(void)
{
    return try_open("in", O_WRONLY | O_TMPFILE);
}

static int remove_input(void)
{
    return unlink("in/a.txt");
}

static int move_input_away(void)
{
    return rename("in/a.txt", "out/a.txt");
}

static int link_input_away(void)
{
    return link("in/a.txt", "out/a.txt");
}

static int truncate_input(void)
{
    return truncate("in/a.txt", 0);
}

static int make_device(void)
{
    return mknod("out/device", S_IFCHR | 0666, 0);
}

static int call_ioctl_on_device(void)
{
    struct winsize size;
    return ioctl(open("/dev/null", O_RDWR | O_CLOEXEC), TIOCGWINSZ, &size);
}

static void outside_is_refused(void **state)
{
    (void)state;
    static int (*const attempts[])(void) = {
        read_outside, read_by_dots,      read_by_link,
        list_outside, write_outside,     make_outside,
        write_input,  make_beside_input, make_unnamed_beside_input,
        remove_input, make_device,
    };
    const struct mpp_confine nowhere = {.paths = true};
    const struct mpp_confine device = {.paths = true,
                                       .writable = (const char *[]){"/dev/null", NULL}};
    assert_int_equal(try_confined(&all, 0, read_listed), 0);
    assert_int_equal(try_confined(&no_paths, 0, read_outside), 0);
    require_landlock();
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (try_confined(&all, 0, attempts[i]) != EACCES)
            fail_msg("attempt %zu is not refused", i);
    if (confine_landlock_version() >= 3)
        assert_int_equal(try_confined(&all, 0, truncate_input), EACCES);
    if (confine_landlock_version() >= 5)
        assert_int_equal(try_confined(&device, 0, call_ioctl_on_device), EACCES);
    assert_int_not_equal(try_confined(&all, 0, move_input_away), 0);
    assert_int_not_equal(try_confined(&all, 0, link_input_away), 0);
    assert_int_equal(try_confined(&nowhere, 0, read_listed), EACCES);
    scratch_expect("in/a.txt", "a");
    assert_int_equal(scratch_count("in"), 3);
    assert_int_equal(scratch_count("."), 5);
}

/* The steps by which the thumbnail job writes its output. */
static int output_root;

static int write_atomically(void)
{
    static const char *const places[] = {"deep/down/new.txt", "old.txt"};
    for (int i = 0; i < 2; i++) {
        struct atomic_file file;
        struct mpp_error error;
        bool exists;
        if (atomic_file_open(&file, output_root, places[i], &error) ||
            atomic_file_write(&file, "new", 3, &error) ||
            atomic_file_commit(&file, true, &exists, &error)) {
            fprintf(stderr, "%s\n", error.text);
            return -1;
        }
        if (!atomic_file_holds(&file, "new", 3))
            return -1;
        atomic_file_abandon(&file);
    }
    return 0;
}

static int open_and_write_atomically(void)
{
    return output_directory_open("out", &output_root, NULL) || write_atomically();
}

/* Other ways to write that a job may use. */
static int write_in_other_ways(void)
{
    int fd = open("out", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (fd >= 0 && /* not every file system has O_TMPFILE */
        (write(fd, "x", 1) != 1 || linkat(AT_FDCWD, self, AT_FDCWD, "out/x", AT_SYMLINK_FOLLOW) ||
         unlink("out/x")))
        return -1;
    if (mkdir("out/a", 0777) || try_open("out/a/b", O_RDWR | O_CREAT | O_EXCL) ||
        rename("out/a/b", "out/a/c") || truncate("out/a/c", 1) || symlink("c", "out/a/d") ||
        try_open("out/a/d", O_RDONLY) || unlink("out/a/d") ||
        try_open("log.txt", O_WRONLY | O_APPEND))
        return -1;
    if (confine_landlock_version() == 1) /* files cannot be moved to another directory */
        return unlink("out/a/c") || rmdir("out/a");
    return rename("out/a/c", "out/c") || rmdir("out/a") || unlink("out/c");
}

static void output_is_written(void **state)
{
    (void)state;
    assert_int_equal(output_directory_open("out", &output_root, NULL), 0);
    assert_int_equal(try_confined(&all, 0, write_atomically), 0);
    scratch_expect("out/deep/down/new.txt", "new");
    scratch_expect("out/old.txt", "new");
    close(output_root);
    scratch_write("out/old.txt", "old");
    assert_int_equal(try_confined(&all, 0, open_and_write_atomically), 0);
    scratch_expect("out/old.txt", "new");
    assert_int_equal(try_confined(&all, 0, write_in_other_ways), 0);
    assert_int_equal(scratch_count("out"), 2);
}

static int inherited_fd;

static int use_inherited(void)
{
    char bytes[2];
    return write(inherited_fd, "t", 1) != 1 || pread(inherited_fd, bytes, 2, 0) != 2 ||
           bytes[0] != 's' || bytes[1] != 't';
}

static void open_files_stay_usable(void **state)
{
    (void)state;
    inherited_fd = open("secret/s.txt", O_RDWR | O_APPEND | O_CLOEXEC);
    assert_int_equal(try_confined(&all, 0, use_inherited), 0);
    close(inherited_fd);
    scratch_expect("secret/s.txt", "st");
}

static int run_true(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static void programs_count_as_paths(void **state)
{
    (void)state;
    const struct mpp_confine anywhere = {.paths = true, .readable = (const char *[]){"/", NULL}};
    const struct mpp_confine here = {.paths = true, .readable = readable};
    assert_int_equal(try_confined(&anywhere, 0, run_true), 0);
    require_landlock();
    assert_int_equal(try_confined(&here, 0, run_true), EACCES);
}

/* One descriptor for the rule set and none for a path. Confinement must fail: a worker without its
 * paths would fail on every input. */
static int confine_with_one_descriptor(void)
{
    struct mpp_error error = {.text = ""};
    rlim_t next = (rlim_t)dup(STDIN_FILENO);
    close((int)next);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){next + 1, next + 1});
    return confine_worker(&all, 0, &error) == 0 || !strstr(error.text, "'in'");
}

static void lack_of_descriptors_is_an_error(void **state)
{
    (void)state;
    require_landlock();
    assert_int_equal(try_confined(NULL, 0, confine_with_one_descriptor), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outside_is_refused, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(output_is_written, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(open_files_stay_usable, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(programs_count_as_paths, setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(lack_of_descriptors_is_an_error, setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
