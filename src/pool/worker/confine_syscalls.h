/* SPDX-License-Identifier: MIT */
/*
 * confine_syscalls: the part of confine_worker that refuses system calls (seccomp). It needs
 * PR_SET_NO_NEW_PRIVS, and does nothing if the build or the kernel has no filters.
 */
#ifndef CONFINE_SYSCALLS_H
#define CONFINE_SYSCALLS_H

#include <stdbool.h>

#include "mpp_error.h"
#include "mppool.h"

/* Installs the filter. What it refuses, and why, is listed in confine_syscalls.c. */
int confine_syscalls(const struct mpp_confine *confine, struct mpp_error *error);

bool confine_seccomp_available(void); /* the kernel has filters and the build has libseccomp */

#endif
