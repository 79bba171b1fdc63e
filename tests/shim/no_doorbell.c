/* SPDX-License-Identifier: MIT */
/*
 * Simulates a rank that cannot make a Unix datagram socket, with LD_PRELOAD: socket(2) fails for
 * them on rank $NO_DOORBELL_RANK. Other ranks and mpirun are not affected.
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
    int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (!rank)
        rank = getenv("PMI_RANK");
    if (domain == AF_UNIX && kind == SOCK_DGRAM && without && rank && strcmp(without, rank) == 0) {
        errno = EACCES;
        return -1;
    }
    return (int)syscall(SYS_socket, domain, type, protocol);
}
