/*
 * confine: what a worker process takes away from itself before it runs jobs, so that a hostile
 * input that takes a decoder over can do little with it: limits always; system calls (seccomp) and
 * paths (Landlock) as asked for and where the kernel has the means.
 *
 * The fork server forks, the initializer runs, confine_worker follows, then the first task is
 * taken.
 *
 * What is open stays usable: the worker's socket, descriptors of the initializer. What the C
 * library opens late (time zone, locale, what dlopen loads) counts as opened by the job: the
 * initializer touches it first, or it is listed.
 *
 * Sources: landlock(7), seccomp_rule_add(3), seccomp(2), setrlimit(2), and for the list of system
 * calls what container engines refuse by default.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "mpp_error.h"
#include "mppool.h"

/* For good, and for the calling process alone. It must have one thread if it is to be confined:
 * others would stay free, and make it fail. Does not block.
 *
 * Limits: no core is dumped; memory_limit_bytes of address space on top of what is in use (0: no
 * limit), but never above a limit that is set already. Address space is what a process maps, used
 * or not: a thread takes its whole stack. With an address, memory or thread sanitizer, which map
 * terabytes, memory is not limited.
 *
 * confine: NULL and one that asks for nothing are the same: limits only. Whatever it asks for, the
 * calls go that lead around it: ptrace, namespaces, mounts, io_uring, typing into the terminal and
 * more (confine_syscalls.c). Refused calls fail with EPERM, refused paths with EACCES.
 *
 * -1: something that this kernel can do could not be done; the process must not run jobs then. */
int confine_worker(const struct mpp_confine *confine, size_t memory_limit_bytes,
                   struct mpp_error *error);

/* Is this build one with such a sanitizer? */
bool confine_has_sanitizer(void);

/* ---- The parts of confine_worker; each does nothing where the build or the kernel lacks it ----
 */

/* Readable: files are read, directories listed, and programs run unless no_exec. Writable: the
 * same, and files and directories are made, changed, renamed and removed below it; no devices. A
 * listed file goes by its inode: one that replaces it later is not listed. A path that is missing
 * is left out, for an input may vanish. Before version 2 of Landlock no file is moved to another
 * directory; before version 3 truncate(2) is not refused. Needs PR_SET_NO_NEW_PRIVS, as do the
 * calls. */
int confine_paths(const struct mpp_confine *confine, struct mpp_error *error);
int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error);

int confine_paths_version(void);   /* of Landlock in this kernel; 0: none */
bool confine_syscalls_there(void); /* has this kernel seccomp filters, and this build libseccomp? */

#endif
