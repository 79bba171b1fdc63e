/* SPDX-License-Identifier: MIT */
/* Detects processes that have died: see rank_liveness.h. */
#include "rank_liveness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fnv1a.h"

enum { DEAD = -2, UNWATCHED = -1 }; /* instead of a pidfd; poll(2) ignores negative descriptors */

struct rank_liveness {
    int count;
    struct pollfd *pidfds; /* by index; a pidfd is readable when its process has ended */
    int *dead;             /* indices not returned yet */
    int dead_count;
};

/* A hash of the boot's id and the PID namespace; 0: not known. */
static uint64_t pid_space(void)
{
    char boot_id[64];
    struct stat pid_namespace;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, boot_id, sizeof boot_id);
    if (fd >= 0)
        close(fd);
    if (size <= 0 || stat("/proc/self/ns/pid", &pid_namespace))
        return 0;
    return fnv1a(FNV1A_INIT, boot_id, (size_t)size) ^
           (uint64_t)pid_namespace.st_ino * UINT64_C(0x9e3779b97f4a7c15);
}

struct rank_liveness_id rank_liveness_self(void)
{
    return (struct rank_liveness_id){.pid_space = pid_space(), .pid = getpid()};
}

/* A pidfd for the process, or DEAD or UNWATCHED. */
static int open_pidfd(const struct rank_liveness_id *id, const struct rank_liveness_id *self)
{
    if (!id->pid_space || id->pid_space != self->pid_space || id->pid == self->pid)
        return UNWATCHED;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)id->pid, 0);
    return fd >= 0 ? fd : errno == ESRCH ? DEAD : UNWATCHED;
}

struct rank_liveness *rank_liveness_new(const struct rank_liveness_id *ids, int count)
{
    struct rank_liveness_id self = rank_liveness_self();
    struct rank_liveness *liveness = calloc(1, sizeof *liveness);
    if (!liveness)
        return NULL;
    liveness->pidfds = calloc((size_t)count, sizeof *liveness->pidfds);
    liveness->dead = calloc((size_t)count, sizeof *liveness->dead);
    if (!liveness->pidfds || !liveness->dead) {
        rank_liveness_free(liveness);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        int fd = open_pidfd(&ids[i], &self);
        liveness->pidfds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        if (fd == DEAD)
            liveness->dead[liveness->dead_count++] = i;
        liveness->count++;
    }
    return liveness;
}

void rank_liveness_free(struct rank_liveness *liveness)
{
    if (!liveness)
        return;
    for (int i = 0; i < liveness->count; i++)
        if (liveness->pidfds[i].fd >= 0)
            close(liveness->pidfds[i].fd);
    free(liveness->pidfds);
    free(liveness->dead);
    free(liveness);
}

int rank_liveness_next_dead(struct rank_liveness *liveness)
{
    if (!liveness->dead_count && poll(liveness->pidfds, (nfds_t)liveness->count, 0) > 0)
        for (int i = 0; i < liveness->count; i++)
            if (liveness->pidfds[i].fd >= 0 && liveness->pidfds[i].revents) {
                close(liveness->pidfds[i].fd);
                liveness->pidfds[i].fd = DEAD;
                liveness->dead[liveness->dead_count++] = i;
            }
    return liveness->dead_count ? liveness->dead[--liveness->dead_count] : -1;
}
