/* SPDX-License-Identifier: MIT */
/*
 * The system calls that a confined worker is refused, with seccomp: see confine_syscalls.h.
 *
 * Every call is allowed unless it is listed here. A list of allowed calls would break with the next
 * version of the C library, since a job may do anything. A refused call fails with EPERM instead of
 * killing the process, so that the job's own error handling runs. A filter cannot read memory
 * behind pointer arguments.
 */
#include "confine_syscalls.h"

#ifdef MPP_HAS_SECCOMP

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* By name: an architecture or an old libseccomp may not know all of them. */
static const char *const exec_calls[] = {"execve", "execveat", NULL};

static const char *const socket_calls[] = {"socket", "socketpair", "connect", "bind",
                                           "listen", "accept",     "accept4", NULL};

/* Calls that could get around the two lists above or around the paths. No job needs them. */
static const char *const escape_calls[] = {
    /* access to other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    /* access to other namespaces and file systems */
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount",
    "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at",
    "fanotify_init", "quotactl", "quotactl_fd",
    /* requests that the kernel runs later, outside the filter */
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    /* parts of the kernel that have often had security bugs */
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "modify_ldt",
    "lookup_dcookie", "uselib",
    /* changes to the whole machine */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "swapon", "swapoff", "acct", "syslog", "iopl", "ioperm", "settimeofday", "clock_settime",
    "sethostname", "setdomainname", "vhangup", NULL};

bool confine_seccomp_available(void)
{
    /* With a null filter the call fails: with EFAULT if filters are supported, EINVAL if not. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

static int refuse_all(scmp_filter_ctx filter, const char *const *names)
{
    for (; *names; names++) {
        int call = seccomp_syscall_resolve_name(*names);
        if (call == __NR_SCMP_ERROR)
            continue;
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (failed)
            return failed;
    }
    return 0;
}

static int refuse_namespaces(scmp_filter_ctx filter)
{
    static const scmp_datum_t flags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                         CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};
#if defined __s390__ || defined __CRIS__
    const unsigned argument = 1; /* the first argument is the stack there */
#else
    const unsigned argument = 0;
#endif
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct scmp_arg_cmp has_flag = SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, flags[i], flags[i]);
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, has_flag);
        if (failed)
            return failed;
    }
    /* clone3 has its flags behind a pointer. On ENOSYS the C library falls back to clone. */
    int call = seccomp_syscall_resolve_name("clone3");
    return call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
}

/* Input typed into the terminal would run with the rights of the user's shell. The kernel uses only
 * the low 32 bits of the request, so only these are compared. */
static int refuse_terminal_input(scmp_filter_ctx filter)
{
    static const scmp_datum_t requests[] = {TIOCSTI, TIOCLINUX};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct scmp_arg_cmp is_request = SCMP_CMP(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, requests[i]);
        int failed =
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, is_request);
        if (failed)
            return failed;
    }
    return 0;
}

static int add_rules(scmp_filter_ctx filter, const struct mpp_confine *confine)
{
    /* Two optimisations; failure does not matter. CTL_SSB: before Linux 5.16 a filter disables
     * speculative store bypass, which protects interpreters from their scripts and would only cost
     * time here. CTL_OPTIMIZE 2: compile the rules to a binary tree. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    int failed = refuse_all(filter, escape_calls);
    if (!failed)
        failed = refuse_namespaces(filter);
    if (!failed)
        failed = refuse_terminal_input(filter);
    if (!failed && confine->no_exec)
        failed = refuse_all(filter, exec_calls);
    if (!failed && confine->no_sockets)
        failed = refuse_all(filter, socket_calls);
    return failed;
}

int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error)
{
    if ((!confine->no_exec && !confine->no_sockets && !confine->paths) ||
        !confine_seccomp_available())
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return mpp_error_set(error, "out of memory for a filter of system calls");
    int failed = add_rules(filter, confine);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    errno = -failed;
    return failed ? mpp_error_set_errno(error, "cannot filter a worker's system calls") : 0;
}

#else

bool confine_seccomp_available(void)
{
    return false;
}

int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error)
{
    (void)confine, (void)error;
    return 0;
}

#endif
