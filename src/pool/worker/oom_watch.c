/* SPDX-License-Identifier: MIT */
/* Reads the kernel's counters of out-of-memory kills: see oom_watch.h. */
#include "oom_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

bool oom_watch_parse_kills(const char *text, uint64_t *kills)
{
    static const char name[] = "oom_kill ";
    for (const char *line = text; *line; line = next_line(line)) {
        char *end;
        if (strncmp(line, name, sizeof name - 1))
            continue;
        line += sizeof name - 1;
        errno = 0;
        uint64_t count = strtoull(line, &end, 10);
        if (end == line || errno)
            return false;
        *kills = count;
        return true;
    }
    return false;
}

/* Whether a list such as "cpu,memory", of `size` bytes, names the memory controller. */
static bool has_memory(const char *controllers, size_t size)
{
    static const char name[] = "memory";
    for (size_t i = 0; i < size;) {
        size_t length = strcspn(controllers + i, ",:");
        if (length == sizeof name - 1 && !memcmp(controllers + i, name, length))
            return true;
        i += length + 1;
    }
    return false;
}

/* Lines are "NUMBER:CONTROLLERS:PATH". The line of cgroup v2 has number 0 and no controllers. When
 * both versions are mounted and a v1 line names the memory controller, v1 controls memory. */
bool oom_watch_parse_group(const char *text, struct oom_group *group)
{
    bool found = false;
    for (const char *line = text; *line; line = next_line(line)) {
        const char *controllers = strchr(line, ':');
        const char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path || path > line + strcspn(line, "\n"))
            return found;
        size_t size = (size_t)(path - ++controllers);
        bool version_1 = has_memory(controllers, size);
        if (!version_1 && (size || strncmp(line, "0:", 2)))
            continue;
        int length = snprintf(group->path, sizeof group->path, "%.*s", (int)strcspn(path + 1, "\n"),
                              path + 1);
        found = length > 0 && (size_t)length < sizeof group->path;
        group->mount = version_1 ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
        group->file = version_1 ? "memory.oom_control" : "memory.events";
        if (version_1)
            break;
    }
    return found;
}

static bool read_file(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    close(fd);
    text[used] = '\0';
    return used > 0;
}

static bool read_kills(const char *path, uint64_t *kills)
{
    char text[1 << 14]; /* /proc/vmstat is a third of this */
    return read_file(path, text, sizeof text) && oom_watch_parse_kills(text, kills);
}

/* Finds the nearest group with a counter: this one or one above it. Not every group has one, and in
 * a container the path may be the host's. */
static bool find_counter(struct oom_watch *watch, struct oom_group *group)
{
    for (;;) {
        int length = snprintf(watch->path, sizeof watch->path, "%s%s/%s", group->mount, group->path,
                              group->file);
        if ((size_t)length < sizeof watch->path && read_kills(watch->path, &watch->kills))
            return true;
        char *slash = strrchr(group->path, '/');
        if (!slash)
            return false;
        *slash = '\0';
    }
}

void oom_watch_init(struct oom_watch *watch)
{
    struct oom_group group;
    char text[1 << 13];
    watch->kills = 0;
    if (read_file("/proc/self/cgroup", text, sizeof text) && oom_watch_parse_group(text, &group) &&
        find_counter(watch, &group))
        return;
    snprintf(watch->path, sizeof watch->path, "/proc/vmstat");
    if (!read_kills(watch->path, &watch->kills))
        watch->path[0] = '\0';
}

bool oom_watch_take_kill(struct oom_watch *watch)
{
    uint64_t kills;
    if (!watch->path[0] || !read_kills(watch->path, &kills) || kills <= watch->kills)
        return false;
    watch->kills++;
    return true;
}
