/*
 * oom_watch: has the kernel ended a process for want of memory? So a SIGKILL of its OOM killer is
 * told from another one.
 *
 * The kernel counts these kills for each control group (memory.events of version 2,
 * memory.oom_control of version 1) and for the machine (/proc/vmstat). Watched is the nearest group
 * around this process that has a count, else the machine: its worker processes are in the same
 * group. The kernel counts before it kills, so the count has grown when waitpid reports.
 *
 * Source: the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
 */
#ifndef OOM_WATCH_H
#define OOM_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct oom_watch {
    char path[PATH_MAX]; /* of the file with the count; "": there is none */
    uint64_t kills;      /* of them, those that are accounted for */
};

/* Takes what has been counted so far as accounted for. Where nothing is counted there is never a
 * kill. Both read a file or two of the kernel's, and do not block. */
void oom_watch_init(struct oom_watch *watch);

/* Has there been a kill since init that no earlier call has accounted for? One call takes one kill,
 * so that two workers which are killed together are both told. A kill of another process in the
 * group is taken for ours. */
bool oom_watch_again(struct oom_watch *watch);

/* ---- The parsers, for tests ---- */

/* The number behind "oom_kill" in lines of "name number". False: no such line. */
bool oom_watch_parse_count(const char *text, uint64_t *kills);

struct oom_group {
    const char *mount;   /* where its hierarchy is by custom, and */
    const char *file;    /* the name of the file in each group, with the count */
    char path[PATH_MAX]; /* of the group below the mount; begins with a slash */
};

/* The group of the memory controller in the text of /proc/self/cgroup. False: there is none, or its
 * path is too long. */
bool oom_watch_parse_group(const char *text, struct oom_group *group);

#endif
