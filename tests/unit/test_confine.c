/* What a confined worker process can and cannot do, each tried by a child that confines itself; and
 * how kills for want of memory are counted. Where the kernel lacks the means a case is skipped, and
 * says so. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "atomic_file.h"
#include "confine.h"
#include "oom_watch.h"
#include "scratch.h"

static const char *const readable[] = {"in", "in.txt", "not there", NULL};
static const char *const writable[] = {"out", NULL};

static int setup(void **state)
{
    if (scratch_setup(state))
        return -1;
    scratch_write("in/a.txt", "a");
    scratch_write("in.txt", "in");
    scratch_write("out/old.txt", "old");
    scratch_write("secret/s.txt", "s");
    return symlink("../secret/s.txt", "in/link.txt");
}

/* The child's answer: 0: it could; an errno: it could not; 255: it could not even be confined. */
static int confined(const struct mpp_confine *confine, size_t memory, int (*attempt)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct mpp_error error;
        if (confine_worker(confine, memory, &error)) {
            fprintf(stderr, "%s\n", error.text);
            _exit(255);
        }
        _exit(attempt() ? errno : 0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int run_a_program(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return -1;
}

static int open_a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int open_a_pair(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static void calls(void **state)
{
    (void)state;
    struct mpp_confine both = {.no_exec = true, .no_sockets = true};
    struct mpp_confine no_exec = {.no_exec = true}, nothing = {0};
    assert_int_equal(confined(&nothing, 0, run_a_program), 0);
    assert_int_equal(confined(NULL, 0, run_a_program), 0);
    assert_int_equal(confined(NULL, 0, open_a_socket), 0);
    if (!confine_calls_there()) {
        print_message("no seccomp here: calls are not refused\n");
        skip();
    }
    assert_int_equal(confined(&both, 0, run_a_program), EPERM);
    assert_int_equal(confined(&both, 0, open_a_socket), EPERM);
    assert_int_equal(confined(&both, 0, open_a_pair), EPERM);
    assert_int_equal(confined(&no_exec, 0, run_a_program), EPERM);
    assert_int_equal(confined(&no_exec, 0, open_a_socket), 0);
}

static int pipe_end[2];

static int use_open_socket(void)
{
    char byte;
    return send(pipe_end[0], "x", 1, 0) != 1 || recv(pipe_end[1], &byte, 1, 0) != 1;
}

static void open_sockets_stay(void **state)
{
    (void)state;
    struct mpp_confine all = {.no_exec = true, .no_sockets = true, .paths = true};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pipe_end), 0);
    assert_int_equal(confined(&all, 0, use_open_socket), 0);
    close(pipe_end[0]);
    close(pipe_end[1]);
}

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0666);
    return fd < 0 ? -1 : close(fd);
}

static int read_in(void)
{
    return try_open("in/a.txt", O_RDONLY) || try_open("in.txt", O_RDONLY) ||
           try_open("in", O_RDONLY | O_DIRECTORY);
}

static int read_secret(void)
{
    return try_open("secret/s.txt", O_RDONLY);
}

static int read_link(void)
{
    return try_open("in/link.txt", O_RDONLY);
}

static int read_system(void)
{
    return try_open("/etc/passwd", O_RDONLY);
}

static int write_in(void)
{
    return try_open("in/a.txt", O_WRONLY);
}

static int write_beside(void)
{
    return try_open("new.txt", O_WRONLY | O_CREAT);
}

static int truncate_in(void)
{
    return truncate("in/a.txt", 0);
}

static int remove_in(void)
{
    return unlink("in/a.txt");
}

static int output_root;

/* The very steps of a thumbnail, and what else a job may do to its output. */
static int write_out(void)
{
    struct atomic_file file;
    struct mpp_error error;
    bool exists;
    if (atomic_file_open(&file, output_root, "deep/down/new.txt", &error) ||
        atomic_file_write(&file, "new", 3, &error) ||
        atomic_file_commit(&file, true, &exists, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return -1;
    }
    return rename("out/old.txt", "out/older.txt") || truncate("out/older.txt", 1) ||
           unlink("out/older.txt") || try_open("out/deep/down/new.txt", O_RDONLY);
}

static void paths(void **state)
{
    (void)state;
    struct mpp_confine confine = {.no_exec = true,
                                  .no_sockets = true,
                                  .paths = true,
                                  .readable = readable,
                                  .writable = writable};
    struct mpp_confine nowhere = {.paths = true};
    assert_int_equal(output_directory_open("out", &output_root, NULL), 0);
    assert_int_equal(confined(&confine, 0, write_out), 0);
    assert_int_equal(confined(&confine, 0, read_in), 0);
    assert_int_equal(confined(NULL, 0, read_system), 0);
    if (!confine_paths_version()) {
        print_message("no Landlock here: files are not refused\n");
        skip();
    }
    assert_int_equal(confined(&confine, 0, read_secret), EACCES);
    assert_int_equal(confined(&confine, 0, read_link), EACCES);
    assert_int_equal(confined(&confine, 0, read_system), EACCES);
    assert_int_equal(confined(&confine, 0, write_in), EACCES);
    assert_int_equal(confined(&confine, 0, write_beside), EACCES);
    assert_int_equal(confined(&confine, 0, remove_in), EACCES);
    if (confine_paths_version() >= 3)
        assert_int_equal(confined(&confine, 0, truncate_in), EACCES);
    assert_int_equal(confined(&nowhere, 0, read_in), EACCES);
    close(output_root);
}

enum { MIB = 1 << 20 };

static int take_a_little(void)
{
    char *bytes = malloc(8 * MIB);
    if (!bytes)
        return -1;
    memset(bytes, 1, 8 * MIB);
    return bytes[MIB] != 1;
}

static int take_much(void)
{
    char *volatile bytes = malloc(256 * MIB);
    return bytes ? 0 : -1;
}

static void memory(void **state)
{
    (void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    print_message("a sanitizer needs the address space: memory is not limited\n");
    skip();
#endif
    assert_int_equal(confined(NULL, 64 * MIB, take_a_little), 0);
    assert_int_equal(confined(NULL, 64 * MIB, take_much), ENOMEM);
    assert_int_equal(confined(NULL, 0, take_much), 0);
}

static void counts_of_kills(void **state)
{
    (void)state;
    char path[64];
    uint64_t kills = 7;
    assert_true(oom_watch_parse("low 0\nhigh 0\nmax 3\noom 2\noom_kill 5\n", &kills));
    assert_int_equal(kills, 5);
    assert_true(oom_watch_parse("oom_kill 12", &kills));
    assert_int_equal(kills, 12);
    assert_false(oom_watch_parse("oom_kill_disable 0\nunder_oom 0\n", &kills));
    assert_false(oom_watch_parse("", &kills));
    assert_true(oom_watch_parse_group("0::/user.slice/job\n", path, sizeof path));
    assert_string_equal(path, "/sys/fs/cgroup/user.slice/job/memory.events");
    assert_true(oom_watch_parse_group("5:cpu,cpuacct:/x\n4:hugetlb,memory:/slurm/job_3\n0::/\n",
                                      path, sizeof path));
    assert_string_equal(path, "/sys/fs/cgroup/memory/slurm/job_3/memory.oom_control");
    assert_false(oom_watch_parse_group("nonsense", path, sizeof path));
    assert_false(oom_watch_parse_group("0::/too/long/for/the/room/that/is/there/in/this/path", path,
                                       sizeof path));
    struct oom_watch watch;
    oom_watch_init(&watch);
    assert_false(oom_watch_again(&watch));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls),
        cmocka_unit_test(open_sockets_stay),
        cmocka_unit_test_setup_teardown(paths, setup, scratch_teardown),
        cmocka_unit_test(memory),
        cmocka_unit_test(counts_of_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
