/* Kills for want of memory: see oom_watch.h. */
#include "oom_watch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool oom_watch_parse(const char *text, uint64_t *kills)
{
    static const char word[] = "oom_kill ";
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, word, sizeof word - 1)) {
            *kills = strtoull(line + sizeof word - 1, NULL, 10);
            return true;
        }
    }
    return false;
}

/* "4:memory,hugetlb:/path": is memory among the controllers? */
static bool names_memory(const char *controllers, const char *end)
{
    while (controllers < end) {
        size_t size = strcspn(controllers, ",:");
        if (size == 6 && !memcmp(controllers, "memory", 6))
            return true;
        controllers += size + 1;
    }
    return false;
}

bool oom_watch_parse_group(const char *text, char *path, size_t size)
{
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *controllers = strchr(line, ':');
        const char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            return false;
        int length = (int)strcspn(group + 1, "\n");
        int written = -1;
        if (names_memory(controllers + 1, group))
            written = snprintf(path, size, "/sys/fs/cgroup/memory%.*s/memory.oom_control", length,
                               group + 1);
        else if (controllers + 1 == group && line[0] == '0')
            written = snprintf(path, size, "/sys/fs/cgroup%.*s/memory.events", length, group + 1);
        if (written >= 0)
            return (size_t)written < size;
    }
    return false;
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
    char text[1 << 14];
    return path[0] && read_file(path, text, sizeof text) && oom_watch_parse(text, kills);
}

void oom_watch_init(struct oom_watch *watch)
{
    char text[4096];
    *watch = (struct oom_watch){.path = ""};
    if (read_file("/proc/self/cgroup", text, sizeof text) &&
        oom_watch_parse_group(text, watch->path, sizeof watch->path) &&
        read_kills(watch->path, &watch->kills))
        return;
    snprintf(watch->path, sizeof watch->path, "/proc/vmstat");
    if (!read_kills(watch->path, &watch->kills))
        watch->path[0] = '\0';
}

bool oom_watch_again(struct oom_watch *watch)
{
    uint64_t kills;
    if (!read_kills(watch->path, &kills) || kills == watch->kills)
        return false;
    watch->kills = kills;
    return true;
}
