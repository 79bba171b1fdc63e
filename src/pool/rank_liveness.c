/* Which processes are gone: see rank_liveness.h. */
#include "rank_liveness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GONE = -2, UNWATCHED = -1 }; /* instead of a pidfd; poll passes over both */

struct rank_liveness {
    int count;
    struct pollfd *watched;
    int *gone; /* not yet told */
    int gone_count;
};

/* A number for the machine's boot and the namespace of pids (FNV-1a). */
static uint64_t place(void)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char id[64];
    struct stat space;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, id, sizeof id);
    if (fd >= 0)
        close(fd);
    if (size <= 0 || stat("/proc/self/ns/pid", &space))
        return 0;
    for (ssize_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)id[i]) * UINT64_C(0x100000001b3);
    return hash ^ (uint64_t)space.st_ino * UINT64_C(0x9e3779b97f4a7c15);
}

struct rank_liveness_id rank_liveness_self(void)
{
    return (struct rank_liveness_id){.place = place(), .pid = getpid()};
}

static int watch(const struct rank_liveness_id *id, const struct rank_liveness_id *self)
{
    if (!id->place || id->place != self->place || id->pid == self->pid)
        return UNWATCHED;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)id->pid, 0);
    return fd >= 0 ? fd : errno == ESRCH ? GONE : UNWATCHED;
}

struct rank_liveness *rank_liveness_new(const struct rank_liveness_id *ids, int count)
{
    struct rank_liveness_id self = rank_liveness_self();
    struct rank_liveness *liveness = calloc(1, sizeof *liveness);
    if (!liveness)
        return NULL;
    liveness->watched = calloc((size_t)count, sizeof *liveness->watched);
    liveness->gone = calloc((size_t)count, sizeof *liveness->gone);
    if (!liveness->watched || !liveness->gone) {
        rank_liveness_free(liveness);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        int fd = watch(&ids[i], &self);
        liveness->watched[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (fd == GONE)
            liveness->gone[liveness->gone_count++] = i;
        liveness->count++;
    }
    return liveness;
}

void rank_liveness_free(struct rank_liveness *liveness)
{
    if (!liveness)
        return;
    for (int i = 0; i < liveness->count; i++)
        if (liveness->watched[i].fd >= 0)
            close(liveness->watched[i].fd);
    free(liveness->watched);
    free(liveness->gone);
    free(liveness);
}

int rank_liveness_gone(struct rank_liveness *liveness)
{
    if (!liveness->gone_count && poll(liveness->watched, (nfds_t)liveness->count, 0) > 0)
        for (int i = 0; i < liveness->count; i++)
            if (liveness->watched[i].fd >= 0 && liveness->watched[i].revents) {
                close(liveness->watched[i].fd);
                liveness->watched[i].fd = GONE;
                liveness->gone[liveness->gone_count++] = i;
            }
    return liveness->gone_count ? liveness->gone[--liveness->gone_count] : -1;
}
