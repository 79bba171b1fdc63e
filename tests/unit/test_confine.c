/* SPDX-License-Identifier: MIT */
/* Which system calls and how much memory a confined worker process is allowed. File access is
 * tested in test_confine_paths.c. Each attempt runs in a child process that confines itself. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "confine.h"
#include "confine_paths.h"
#include "confine_syscalls.h"
#include "confined_child.h"

enum { MIB = 1 << 20 };

static const struct mpp_confine nothing = {0};
static const struct mpp_confine no_exec = {.no_exec = true};
static const struct mpp_confine no_sockets = {.no_sockets = true};
static const struct mpp_confine all = {.no_exec = true, .no_sockets = true, .paths = true};

/* ---- System calls ---- */

static int start_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int start_open_program(void)
{
    char *arguments[] = {"true", NULL};
    int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
    return (int)syscall(SYS_execveat, fd, "", arguments, environ, AT_EMPTY_PATH);
}

static int open_inet(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int open_pair(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

/* Opened before the child confines itself. */
static int listening_fd;

static int accept_connection(void)
{
    return accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK) < 0;
}

static int may_gain_privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0;
}

static void unconfined_may_do_everything(void **state)
{
    (void)state;
    const struct mpp_confine *const none[] = {NULL, &nothing};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(try_confined(none[i], 0, start_program), 0);
        assert_int_equal(try_confined(none[i], 0, start_open_program), 0);
        assert_int_equal(try_confined(none[i], 0, open_inet), 0);
        assert_int_equal(try_confined(none[i], 0, open_pair), 0);
        assert_int_equal(try_confined(none[i], 0, may_gain_privileges), 0);
    }
}

static void exec_is_refused(void **state)
{
    (void)state;
    assert_int_equal(try_confined(&no_sockets, 0, start_program), 0);
    assert_int_not_equal(try_confined(&no_sockets, 0, may_gain_privileges), 0);
    require_seccomp();
    assert_int_equal(try_confined(&no_exec, 0, start_program), EPERM);
    assert_int_equal(try_confined(&no_exec, 0, start_open_program), EPERM);
}

static void sockets_are_refused(void **state)
{
    (void)state;
    assert_int_equal(try_confined(&no_exec, 0, open_inet), 0);
    require_seccomp();
    listening_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listening_fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(short)),
                     0);
    assert_int_equal(listen(listening_fd, 1), 0);
    assert_int_equal(fcntl(listening_fd, F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(try_confined(&no_exec, 0, accept_connection), EAGAIN);
    assert_int_equal(try_confined(&no_sockets, 0, accept_connection), EPERM);
    assert_int_equal(try_confined(&no_sockets, 0, open_inet), EPERM);
    assert_int_equal(try_confined(&no_sockets, 0, open_pair), EPERM);
    close(listening_fd);
}

/* Calls that could get around the restrictions. Their arguments do no harm: without confinement the
 * call succeeds or fails with another errno. */
static int trace_me(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0;
}

static int unshare_files(void)
{
    return (int)syscall(SYS_unshare, CLONE_FILES);
}

static int enter_namespace(void)
{
    return (int)syscall(SYS_setns, -1, 0);
}

static int clone_namespace(void)
{
    return syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL) < 0;
}

static int clone_with_clone3(void)
{
    return syscall(SYS_clone3, NULL, (size_t)0) < 0;
}

static int type_into_terminal(void)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return (int)syscall(SYS_ioctl, fd, TIOCSTI | (UINT64_C(1) << 32), "x");
}

static int read_memory(void)
{
    return syscall(SYS_process_vm_readv, getpid(), NULL, 0L, NULL, 0L, 0L) < 0;
}

static void escapes_are_refused(void **state)
{
    (void)state;
    static const struct {
        int (*attempt)(void);
        int unconfined_errno, confined_errno;
    } cases[] = {
        {trace_me, 0, EPERM},
        {unshare_files, 0, EPERM},
        {enter_namespace, EBADF, EPERM},
        {clone_namespace, EINVAL, EPERM},
        {clone_with_clone3, EINVAL, ENOSYS},
        {type_into_terminal, ENOTTY, EPERM},
        {read_memory, 0, EPERM},
    };
    const struct mpp_confine only_paths = {.paths = true,
                                           .readable = (const char *[]){"/", NULL},
                                           .writable = (const char *[]){"/dev/null", NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(try_confined(&nothing, 0, cases[i].attempt), cases[i].unconfined_errno);
    require_seccomp();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(try_confined(&no_exec, 0, cases[i].attempt), cases[i].confined_errno);
        assert_int_equal(try_confined(&only_paths, 0, cases[i].attempt), cases[i].confined_errno);
    }
}

static void *set_flag(void *flag)
{
    *(bool *)flag = true;
    return NULL;
}

/* What workers and jobs usually do. */
static int socket_pair[2];

static int work_as_usual(void)
{
    char byte = 0;
    bool flag = false;
    pthread_t thread;
    if (send(socket_pair[0], "x", 1, MSG_NOSIGNAL) != 1 || recv(socket_pair[1], &byte, 1, 0) != 1 ||
        write(socket_pair[1], "y", 1) != 1 || read(socket_pair[0], &byte, 1) != 1 || byte != 'y')
        return -1;
    errno = pthread_create(&thread, NULL, set_flag, &flag);
    if (errno || pthread_join(thread, NULL) || !flag)
        return -1;
    void *map = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || munmap(map, MIB))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(10);
        pause();
    }
    return pid < 0 || kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid;
}

static void usual_work_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_pair), 0);
    assert_int_equal(try_confined(&all, 1024 * (size_t)MIB, work_as_usual), 0);
    close(socket_pair[0]);
    close(socket_pair[1]);
}

/* ---- Failures ---- */

static void *sleep_forever(void *unused)
{
    pause();
    return unused;
}

static int confine_with_a_second_thread(void)
{
    struct mpp_error error = {.text = ""};
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_forever, NULL);
    return confine_worker(&no_exec, 0, &error) == 0 || !strstr(error.text, "2 threads");
}

static void a_second_thread_is_an_error(void **state)
{
    (void)state;
    if (confine_has_sanitizer()) {
        print_message("A SANITIZER MAY RUN A THREAD: the refusal of threads is not tested\n");
        skip();
    }
    assert_int_equal(try_confined(NULL, 0, confine_with_a_second_thread), 0);
}

/* ---- Limits ---- */

static int allocate_little(void)
{
    char *volatile bytes = malloc(8 * MIB);
    return bytes ? 0 : -1;
}

static int allocate_much(void)
{
    char *volatile bytes = malloc(256 * (size_t)MIB);
    return bytes ? 0 : -1;
}

static int allocate_much_under_two_limits(void)
{
    return confine_worker(NULL, 1024 * (size_t)MIB, NULL) || allocate_much();
}

static void memory_is_limited(void **state)
{
    (void)state;
    if (confine_has_sanitizer()) {
        print_message("A SANITIZER NEEDS ADDRESS SPACE: the memory limit is not tested\n");
        skip();
    }
    assert_int_equal(try_confined(NULL, 0, allocate_much), 0);
    assert_int_equal(try_confined(NULL, SIZE_MAX, allocate_much), 0);
    assert_int_equal(try_confined(NULL, 512 * (size_t)MIB, allocate_much), 0);
    assert_int_equal(try_confined(NULL, 64 * MIB, allocate_little), 0);
    assert_int_equal(try_confined(NULL, 64 * MIB, allocate_much), ENOMEM);
    assert_int_equal(try_confined(&all, 64 * MIB, allocate_much), ENOMEM);
    assert_int_equal(try_confined(NULL, 64 * MIB, allocate_much_under_two_limits), ENOMEM);
}

static int may_dump_core(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) || limit.rlim_cur || limit.rlim_max;
}

static void no_core_is_dumped(void **state)
{
    (void)state;
    assert_int_equal(try_confined(NULL, 0, may_dump_core), 0);
}

static void confinement_is_described(void **state)
{
    (void)state;
    char expected[64] = "nothing";
    if (confine_landlock_version())
        snprintf(expected, sizeof expected, "%sLandlock %d",
                 confine_seccomp_available() ? "seccomp, " : "", confine_landlock_version());
    else if (confine_seccomp_available())
        strcpy(expected, "seccomp");
    assert_string_equal(mpp_confinement(), expected);
    print_message("this kernel confines with: %s\n", mpp_confinement());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unconfined_may_do_everything),
        cmocka_unit_test(exec_is_refused),
        cmocka_unit_test(sockets_are_refused),
        cmocka_unit_test(escapes_are_refused),
        cmocka_unit_test(usual_work_is_allowed),
        cmocka_unit_test(a_second_thread_is_an_error),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(no_core_is_dumped),
        cmocka_unit_test(confinement_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
