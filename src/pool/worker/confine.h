/* SPDX-License-Identifier: MIT */
/*
 * confine: sandboxes a worker process, so that an input which takes over a decoder can do little
 * harm. Resource limits always apply; system calls (seccomp) and file access (Landlock) are
 * restricted as the pool's options ask, where the kernel and the build support it.
 *
 * In a worker process: the fork server forks it, the program's initializer runs, then
 * confine_worker, then the first task.
 *
 * Open descriptors stay usable: the worker's socket and what the initializer has opened. Files that
 * the C library opens late (time zone, locale, modules loaded by dlopen) count as opened by the
 * job, so the initializer must make the library open them, or they must be listed as readable.
 *
 * Sources: landlock(7), seccomp_rule_add(3), seccomp(2), setrlimit(2). The list of system calls
 * follows what container engines refuse by default.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "mpp_error.h"
#include "mppool.h"

/* Restricts the calling process permanently. Does not block.
 *
 * Limits: no core dumps. The process may map memory_limit_bytes of address space beyond what it
 * uses now (0: no limit), but a lower limit that is already set is kept. Address space is counted
 * whether it is used or not; a thread counts its whole stack. In a build with the address, memory
 * or thread sanitizer, which map terabytes, memory is not limited.
 *
 * confine: NULL or no field set: limits only. With any field set, system calls that would get
 * around the restrictions are refused as well: ptrace, namespaces, mounts, io_uring, typing into
 * the terminal and others (confine_syscalls.c). Refused system calls fail with EPERM, refused paths
 * with EACCES. The process must have a single thread, because the kernel would leave other threads
 * unrestricted.
 *
 * -1: a restriction that this kernel supports could not be set, or there is more than one thread.
 * The process must not run jobs then. */
int confine_worker(const struct mpp_confine *confine, size_t memory_limit_bytes,
                   struct mpp_error *error);

/* Whether this build has one of the sanitizers named above. */
bool confine_has_sanitizer(void);

#endif
