/*
 * System calls that a job is kept from, by seccomp: see confine.h.
 *
 * All is allowed but what is listed, for a job may be anything: a list of what is allowed would
 * break with the next C library. A refused call fails with EPERM and does not kill, so that a job's
 * own handling of errors gets its chance. Arguments behind a pointer cannot be looked at: an open
 * socket stays usable, and none can be opened.
 */
#include "confine.h"

#ifdef MPP_HAS_SECCOMP

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

/* By name: which of them the architecture and the library know is found out at run time. */
static const char *const exec_calls[] = {"execve", "execveat", NULL};

static const char *const socket_calls[] = {"socket", "socketpair", "connect", "bind",
                                           "listen", "accept",     "accept4", NULL};

/* The usual ways around the two lists above and around the paths; no job needs them. */
static const char *const escape_calls[] = {
    /* into other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    /* into other namespaces and file systems */
    "unshare", "setns", "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount",
    "open_tree", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr", "open_by_handle_at",
    "fanotify_init", "quotactl", "quotactl_fd",
    /* calls that are made elsewhere than here */
    "io_uring_setup", "io_uring_enter", "io_uring_register",
    /* parts of the kernel that attackers like */
    "bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "modify_ldt",
    "lookup_dcookie", "uselib",
    /* the machine */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "swapon", "swapoff", "acct", "syslog", "iopl", "ioperm", "settimeofday", "clock_settime",
    "sethostname", "setdomainname", "vhangup", NULL};

bool confine_syscalls_there(void)
{
    /* No filter is at address 0: EFAULT where there are filters, EINVAL where not. */
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
    const unsigned argument = 1; /* the stack comes first there */
#else
    const unsigned argument = 0;
#endif
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        struct scmp_arg_cmp has_flag = SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, flags[i], flags[i]);
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, has_flag);
        if (failed)
            return failed;
    }
    /* Its flags are behind a pointer. Without it the C library makes its threads by clone. */
    int call = seccomp_syscall_resolve_name("clone3");
    return call == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
}

/* Who types into the terminal that the run was started from is its user. The kernel looks at the
 * low half of the request only, and so do we. */
static int refuse_typing(scmp_filter_ctx filter)
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

static int fill(scmp_filter_ctx filter, const struct mpp_confine *confine)
{
    /* For speed; where they cannot be had, nothing is lost. Before 5.16 the kernel takes
     * speculation past stores from a process with a filter, unless told otherwise: that guards
     * what an interpreter hides from its scripts, and a worker has no such thing. And the rules
     * become a tree. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    int failed = refuse_all(filter, escape_calls);
    if (!failed)
        failed = refuse_namespaces(filter);
    if (!failed)
        failed = refuse_typing(filter);
    if (!failed && confine->no_exec)
        failed = refuse_all(filter, exec_calls);
    if (!failed && confine->no_sockets)
        failed = refuse_all(filter, socket_calls);
    return failed;
}

int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error)
{
    if ((!confine->no_exec && !confine->no_sockets && !confine->paths) || !confine_syscalls_there())
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return mpp_error_set(error, "out of memory for a filter of system calls");
    int failed = fill(filter, confine);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    errno = -failed;
    return failed ? mpp_error_set_errno(error, "cannot filter a worker's system calls") : 0;
}

#else

bool confine_syscalls_there(void)
{
    return false;
}

int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error)
{
    (void)confine, (void)error;
    return 0;
}

#endif
