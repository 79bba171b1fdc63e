/*
 * confine: what a worker process takes away from itself before it runs jobs, so that a hostile
 * input that takes a decoder over can do little: limits always, system calls (seccomp) and paths
 * (Landlock) as asked for and where the kernel has the means.
 *
 * Sources: seccomp_rule_add(3), landlock(7), setrlimit(2).
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stddef.h>

#include "mpp_error.h"
#include "mppool.h"

/* For good, and for the calling process alone; it must have one thread. confine: NULL for limits
 * only. memory_limit_bytes: of address space on top of what is in use; 0: none. Descriptors that
 * are open stay usable. -1: error says what could not be done. */
int confine_worker(const struct mpp_confine *confine, size_t memory_limit_bytes,
                   struct mpp_error *error);

/* The parts: see confine_worker. Each does nothing where the kernel or the build lacks it. */
int confine_paths(const struct mpp_confine *confine, struct mpp_error *error);
int confine_calls(const struct mpp_confine *confine, struct mpp_error *error);

int confine_paths_version(void); /* of Landlock; 0: none */
bool confine_calls_there(void);

#endif
