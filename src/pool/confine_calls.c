/* System calls that a job has no business with, by seccomp: see confine.h. A refused call fails
 * with EPERM, so that a job's own handling of errors gets its chance. */
#include "confine.h"

#ifdef MPP_HAS_SECCOMP

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

bool confine_calls_there(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

/* Never needed by a job, and the usual way out of a decoder that has been taken over. */
static const int dangerous[] = {
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(kexec_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
};

static const int execs[] = {SCMP_SYS(execve), SCMP_SYS(execveat)};

/* Calls on a socket that is open already stay allowed: the worker has one. */
static const int sockets[] = {
    SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind),
    SCMP_SYS(listen), SCMP_SYS(accept),     SCMP_SYS(accept4),
};

static int refuse(scmp_filter_ctx filter, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
        if (failed)
            return failed;
    }
    return 0;
}

int confine_calls(const struct mpp_confine *confine, struct mpp_error *error)
{
    if ((!confine->no_exec && !confine->no_sockets) || !confine_calls_there())
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return mpp_error_set(error, "out of memory for a filter of system calls");
    int failed = refuse(filter, dangerous, sizeof dangerous / sizeof *dangerous);
    if (!failed && confine->no_exec)
        failed = refuse(filter, execs, sizeof execs / sizeof *execs);
    if (!failed && confine->no_sockets)
        failed = refuse(filter, sockets, sizeof sockets / sizeof *sockets);
    if (!failed)
        failed = seccomp_load(filter);
    seccomp_release(filter);
    errno = -failed;
    return failed ? mpp_error_set_errno(error, "cannot filter a worker's system calls") : 0;
}

#else

bool confine_calls_there(void)
{
    return false;
}

int confine_calls(const struct mpp_confine *confine, struct mpp_error *error)
{
    (void)confine, (void)error;
    return 0;
}

#endif
