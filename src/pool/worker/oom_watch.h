/* SPDX-License-Identifier: MIT */
/*
 * oom_watch: tells whether the kernel's out-of-memory (OOM) killer has killed a process, so that a
 * worker's SIGKILL can be reported as "out of memory".
 *
 * The kernel counts OOM kills for each control group (memory.events in cgroup v2,
 * memory.oom_control in v1) and for the whole machine (/proc/vmstat). The watch reads the nearest
 * group of this process that has a counter, otherwise the machine's; the worker processes are in
 * the same group. The kernel increments the counter before it kills, so the counter has grown by
 * the time waitpid reports the death.
 *
 * Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst of the kernel.
 */
#ifndef OOM_WATCH_H
#define OOM_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct oom_watch {
    char path[PATH_MAX]; /* the file with the counter; "": there is none */
    uint64_t kills;      /* the part of the counter that is already attributed */
};

/* Finds the counter and treats all kills so far as attributed. Without a counter,
 * oom_watch_take_kill always returns false. */
void oom_watch_init(struct oom_watch *watch);

/* Whether there is a kill that is not attributed yet; if so, attributes one. When two workers are
 * killed, two calls return true. A kill of any other process in the group counts as well. Reads a
 * file of the kernel's, does not block. */
bool oom_watch_take_kill(struct oom_watch *watch);

/* ---- The parsers, public for the tests ---- */

/* Finds the line "oom_kill NUMBER". False: there is no such line or the number is malformed. */
bool oom_watch_parse_kills(const char *text, uint64_t *kills);

struct oom_group {
    const char *mount;   /* the usual mount point of its hierarchy */
    const char *file;    /* name of the file with the counter, in each group's directory */
    char path[PATH_MAX]; /* of the group, below the mount point; begins with a slash */
};

/* Finds the group of the memory controller in the text of /proc/self/cgroup. False: there is none,
 * or its path is too long. */
bool oom_watch_parse_group(const char *text, struct oom_group *group);

#endif
