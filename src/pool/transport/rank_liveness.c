/* SPDX-License-Identifier: MIT */
/* Detects processes that have died: see rank_liveness.h. */
#include "rank_liveness.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "namespace_id.h"

enum { DEAD = -2, UNWATCHED = -1 }; /* instead of a pidfd */

struct rank_liveness {
    int epoll_fd; /* of all pidfds; a pidfd is readable when its process has ended */
    int count;
    int *pidfds; /* by index */
    int *dead;   /* indices not returned yet */
    int dead_count;
};

struct rank_liveness_id rank_liveness_self(void)
{
    return (struct rank_liveness_id){.pid_space = namespace_id("pid"), .pid = getpid()};
}

/* A pidfd for the process, or DEAD or UNWATCHED. */
static int open_pidfd(const struct rank_liveness_id *id, const struct rank_liveness_id *self)
{
    if (!id->pid_space || id->pid_space != self->pid_space || id->pid == self->pid)
        return UNWATCHED;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)id->pid, 0);
    return fd >= 0 ? fd : errno == ESRCH ? DEAD : UNWATCHED;
}

/* Begins to watch the process with this index. -1: out of descriptors or memory. */
static int watch(struct rank_liveness *liveness, int index, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = index};
    liveness->pidfds[index] = fd;
    if (fd == DEAD)
        liveness->dead[liveness->dead_count++] = index;
    return fd >= 0 ? epoll_ctl(liveness->epoll_fd, EPOLL_CTL_ADD, fd, &event) : 0;
}

struct rank_liveness *rank_liveness_new(const struct rank_liveness_id *ids, int count)
{
    struct rank_liveness_id self = rank_liveness_self();
    struct rank_liveness *liveness = calloc(1, sizeof *liveness);
    if (!liveness)
        return NULL;
    liveness->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    liveness->pidfds = calloc((size_t)count, sizeof *liveness->pidfds);
    liveness->dead = calloc((size_t)count, sizeof *liveness->dead);
    bool failed = liveness->epoll_fd < 0 || !liveness->pidfds || !liveness->dead;
    while (!failed && liveness->count < count) {
        int index = liveness->count++;
        failed = watch(liveness, index, open_pidfd(&ids[index], &self)) != 0;
    }
    if (!failed)
        return liveness;
    rank_liveness_free(liveness);
    return NULL;
}

void rank_liveness_free(struct rank_liveness *liveness)
{
    if (!liveness)
        return;
    for (int i = 0; i < liveness->count; i++)
        if (liveness->pidfds[i] >= 0)
            close(liveness->pidfds[i]);
    if (liveness->epoll_fd >= 0)
        close(liveness->epoll_fd);
    free(liveness->pidfds);
    free(liveness->dead);
    free(liveness);
}

int rank_liveness_fd(const struct rank_liveness *liveness)
{
    return liveness->epoll_fd;
}

int rank_liveness_next_dead(struct rank_liveness *liveness)
{
    struct epoll_event event;
    if (liveness->dead_count)
        return liveness->dead[--liveness->dead_count];
    if (epoll_wait(liveness->epoll_fd, &event, 1, 0) <= 0)
        return -1;
    int index = event.data.fd;
    close(liveness->pidfds[index]); /* epoll forgets it, too */
    liveness->pidfds[index] = DEAD;
    return index;
}
