/*
 * oom_watch: tells whether the kernel has ended a process for want of memory, so that such a
 * SIGKILL is told from others. The kernel counts these kills for a control group (memory.events of
 * version 2, memory.oom_control of version 1) or, where no group has a count, for the machine
 * (/proc/vmstat).
 */
#ifndef OOM_WATCH_H
#define OOM_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oom_watch {
    char path[PATH_MAX]; /* of the file with the count; "": there is none */
    uint64_t kills;      /* when it was read last */
};

void oom_watch_init(struct oom_watch *watch);

/* Have there been more since the last call? */
bool oom_watch_again(struct oom_watch *watch);

/* The parsers, for tests. Finds the number behind the word oom_kill on a line of its own; false: no
 * such line. */
bool oom_watch_parse(const char *text, uint64_t *kills);

/* The path of this process's group in the text of /proc/self/cgroup: "0::PATH" of version 2, or the
 * one of the memory controller of version 1. False: neither. */
bool oom_watch_parse_group(const char *text, char *path, size_t size);

#endif
