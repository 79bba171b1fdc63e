/* SPDX-License-Identifier: MIT */
/*
 * Simulates a rank that cannot make its doorbell, with LD_PRELOAD: socket(2) fails on rank
 * $NO_DOORBELL_RANK for a Unix datagram socket with the flags that doorbell.c uses. Other ranks and
 * other sockets, such as MPI's own, are not affected.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int socket(int domain, int type, int protocol)
{
    const char *without = getenv("NO_DOORBELL_RANK"), *rank = getenv("PMIX_RANK");
    int of_doorbell = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (!rank)
        rank = getenv("PMI_RANK");
    if (domain == AF_UNIX && type == of_doorbell && without && rank && strcmp(without, rank) == 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
