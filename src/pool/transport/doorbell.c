/* SPDX-License-Identifier: MIT */
/* Ranks of one host wake each other: see doorbell.h. */
#include "doorbell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "namespace_id.h"

enum {
    NAME_BYTES = 6,      /* the kernel chooses a null byte and five hexadecimal digits */
    UNANSWERED_MAX = 8,  /* rings to a rank from which nothing has been heard since */
    RINGS_PER_READ = 16, /* in one system call */
};

/* What a ring says: the datagram. */
struct ring {
    uint64_t cookie;
    uint64_t posted; /* messages from its sender to its receiver */
    uint64_t number; /* of this ring, from 1 */
    uint64_t heard;  /* number of the last ring in the other direction */
    uint32_t from;   /* rank of the sender */
    bool wants_answer;
    bool reminds; /* the sender waits for a message that the receiver has posted */
    uint8_t unused[2];
};

/* Another rank of this host. */
struct peer {
    int rank;
    bool dropped;
    bool due; /* a ring to it is still to be sent */
    struct sockaddr_un address;
    uint64_t cookie;
    uint64_t posted;              /* messages to it */
    uint64_t announced, received; /* messages from it: what it has said, what was found */
    uint64_t rung, heard;         /* rings to it, and how many of them it has heard */
    uint64_t heard_from;          /* number of its last ring */
    uint64_t missed;              /* number of its last message that the backstop found before it
                                     was announced; 0: none */
};

struct doorbell {
    int fd;
    struct doorbell_id id;
    struct peer *peers;
    int count;
    int *index_of;     /* by rank: index in peers, or -1 */
    int rank_limit;    /* size of index_of */
    int due;           /* peers with a due ring */
    int64_t under_way; /* messages announced minus messages received, where that is positive */
    uint64_t missed;
};

static const socklen_t address_size = sizeof(sa_family_t) + NAME_BYTES;

struct doorbell *doorbell_new(int rank)
{
    struct doorbell *bell = calloc(1, sizeof *bell);
    if (!bell)
        return NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    bell->id = (struct doorbell_id){.space = namespace_id("net"), .rank = rank};
    bell->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* Bound without a name: the kernel chooses an abstract one. */
    if (bell->fd < 0 || !bell->id.space ||
        bind(bell->fd, (struct sockaddr *)&address, sizeof(sa_family_t)) ||
        getsockname(bell->fd, (struct sockaddr *)&address, &size) || size != address_size ||
        getrandom(&bell->id.cookie, sizeof bell->id.cookie, 0) != sizeof bell->id.cookie) {
        doorbell_free(bell);
        return NULL;
    }
    memcpy(bell->id.name, address.sun_path, NAME_BYTES);
    return bell;
}

void doorbell_free(struct doorbell *bell)
{
    if (!bell)
        return;
    if (bell->fd >= 0)
        close(bell->fd);
    free(bell->peers);
    free(bell->index_of);
    free(bell);
}

struct doorbell_id doorbell_id(const struct doorbell *bell)
{
    return bell->id;
}

int doorbell_fd(const struct doorbell *bell)
{
    return bell->fd;
}

static struct peer *find_peer(const struct doorbell *bell, int64_t rank)
{
    int index = rank >= 0 && rank < bell->rank_limit ? bell->index_of[rank] : -1;
    return index < 0 ? NULL : &bell->peers[index];
}

/* ---- Ringing ---- */

static void set_due(struct doorbell *bell, struct peer *peer, bool due)
{
    bell->due += due - peer->due;
    peer->due = due;
}

/* Whether sending failed for now only, because a socket is full or memory is short. */
static bool may_succeed_later(int code)
{
    return code == EAGAIN || code == ENOBUFS || code == ENOMEM || code == EINTR;
}

/* Sends a ring, or leaves it due. -1: the peer cannot be reached; errno says why. */
static int ring(struct doorbell *bell, struct peer *peer, bool reminds)
{
    uint64_t unanswered = peer->rung - peer->heard;
    set_due(bell, peer, !peer->dropped);
    if (peer->dropped || unanswered >= UNANSWERED_MAX)
        return 0; /* its answer will bring this ring about */
    struct ring ring = {.cookie = peer->cookie,
                        .posted = peer->posted,
                        .number = peer->rung + 1,
                        .heard = peer->heard_from,
                        .from = (uint32_t)bell->id.rank,
                        .wants_answer = unanswered >= UNANSWERED_MAX / 2,
                        .reminds = reminds};
    ssize_t sent = sendto(bell->fd, &ring, sizeof ring, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&peer->address, address_size);
    if (sent < 0 && may_succeed_later(errno))
        return 0;
    set_due(bell, peer, false);
    peer->rung++;
    return sent < 0 ? -1 : 0;
}

bool doorbell_connect(struct doorbell *bell, const struct doorbell_id *ids, int count,
                      int rank_limit)
{
    bell->peers = calloc((size_t)count, sizeof *bell->peers);
    bell->index_of = malloc((size_t)rank_limit * sizeof *bell->index_of);
    if (!bell->peers || !bell->index_of)
        return false;
    bell->rank_limit = rank_limit;
    for (int rank = 0; rank < rank_limit; rank++)
        bell->index_of[rank] = -1;
    for (int i = 0; i < count; i++) {
        if (ids[i].rank == bell->id.rank)
            continue;
        struct peer *peer = &bell->peers[bell->count];
        peer->rank = (int)ids[i].rank;
        peer->cookie = ids[i].cookie;
        peer->address.sun_family = AF_UNIX;
        memcpy(peer->address.sun_path, ids[i].name, NAME_BYTES);
        bell->index_of[peer->rank] = bell->count++;
        if (ids[i].space != bell->id.space || ring(bell, peer, false))
            return false;
    }
    return true;
}

bool doorbell_posted(struct doorbell *bell, int to)
{
    struct peer *peer = find_peer(bell, to);
    if (!peer)
        return false;
    peer->posted++;
    ring(bell, peer, false); /* that a rank has died is told by transport_next_lost */
    return true;
}

bool doorbell_retry(struct doorbell *bell)
{
    bool full = false;
    for (int i = 0; bell->due && i < bell->count; i++) {
        struct peer *peer = &bell->peers[i];
        if (peer->due)
            ring(bell, peer, false);
        if (peer->due && peer->rung - peer->heard < UNANSWERED_MAX)
            full = true;
    }
    return full;
}

void doorbell_remind(struct doorbell *bell)
{
    for (int i = 0; i < bell->count; i++)
        if (bell->peers[i].announced > bell->peers[i].received)
            ring(bell, &bell->peers[i], true);
}

/* ---- Listening ---- */

static int64_t expected_from(const struct peer *peer)
{
    return peer->announced > peer->received ? (int64_t)(peer->announced - peer->received) : 0;
}

/* Returns whether the ring was a reminder. */
static bool hear(struct doorbell *bell, const struct ring *heard)
{
    struct peer *peer = find_peer(bell, heard->from);
    if (heard->cookie != bell->id.cookie || !peer || peer->dropped)
        return false;
    bell->under_way -= expected_from(peer);
    peer->announced = heard->posted;
    bell->under_way += expected_from(peer);
    peer->heard_from = heard->number;
    peer->heard = heard->heard;
    if (peer->missed && peer->announced >= peer->missed) {
        peer->missed = 0; /* its ring was only late */
        bell->missed--;
    }
    if (heard->wants_answer || peer->due)
        ring(bell, peer, false);
    return heard->reminds;
}

bool doorbell_listen(struct doorbell *bell)
{
    struct ring rings[RINGS_PER_READ];
    struct iovec parts[RINGS_PER_READ];
    struct mmsghdr heads[RINGS_PER_READ];
    bool reminded = false;
    int count;
    do {
        memset(heads, 0, sizeof heads);
        for (int i = 0; i < RINGS_PER_READ; i++) {
            parts[i] = (struct iovec){&rings[i], sizeof rings[i]};
            heads[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        }
        count = recvmmsg(bell->fd, heads, RINGS_PER_READ, MSG_DONTWAIT, NULL);
        for (int i = 0; i < count; i++)
            if (heads[i].msg_len == sizeof rings[i])
                reminded |= hear(bell, &rings[i]);
    } while (count == RINGS_PER_READ);
    return reminded;
}

bool doorbell_expects(const struct doorbell *bell)
{
    return bell->under_way > 0;
}

void doorbell_received(struct doorbell *bell, int from, bool by_backstop)
{
    struct peer *peer = find_peer(bell, from);
    if (!peer || peer->dropped)
        return;
    bell->under_way -= expected_from(peer);
    peer->received++;
    bell->under_way += expected_from(peer);
    if (by_backstop && peer->received > peer->announced) {
        peer->missed = peer->received;
        bell->missed++;
    }
}

void doorbell_drop(struct doorbell *bell, int rank)
{
    struct peer *peer = find_peer(bell, rank);
    if (!peer)
        return;
    bell->under_way -= expected_from(peer);
    peer->received = peer->announced;
    peer->dropped = true;
    set_due(bell, peer, false);
}

uint64_t doorbell_missed(const struct doorbell *bell)
{
    return bell->missed;
}
