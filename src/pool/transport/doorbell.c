/* SPDX-License-Identifier: MIT */
/* Ranks of one host wake each other: see doorbell.h. */
#include "doorbell.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "namespace_id.h"

enum {
    NAME_BYTES = 6,        /* the kernel chooses a null byte and five hexadecimal digits */
    DATAGRAM_BYTES = 1024, /* what the kernel charges for a short one, at most */
};

/* A message that was posted so long ago and has not been rung for will not be any more. */
#define RING_TIMEOUT_NS 100000000

/* The shared memory: a line for each rank, and then for each pair of ranks a count of messages. */
struct bell_line {
    _Alignas(64) _Atomic uint64_t sleeps; /* odd while the rank sleeps; grows at each change */
    _Atomic int64_t posted_ns;            /* when the last message to it was posted */
    atomic_bool reminded;                 /* somebody waits for a message from this rank */
};

/* Another rank of this host. */
struct peer {
    struct sockaddr_un address;
    uint64_t rung;     /* its line's `sleeps` when it was last rung */
    uint64_t received; /* messages from it */
    uint64_t unasked;  /* the last of them that was found although none was expected */
    bool dropped;
    bool due; /* it is to be rung as soon as a socket has room */
};

struct doorbell {
    int fd;
    struct doorbell_id id;
    struct peer *peers; /* by index, in the order of the ids; own_index is this rank's */
    int count, own_index;
    int *index_of; /* by rank: index in peers, or -1 */
    int rank_limit;
    struct bell_line *lines;     /* by index; in the shared memory, as the next one */
    _Atomic uint64_t *posted_by; /* by index of the receiver times count plus the sender's */
    int due;                     /* peers to be rung */
    bool expected_nothing;       /* when it fell asleep */
    uint64_t rings_missed;
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

static size_t memory_size(const struct doorbell *bell)
{
    size_t count = (size_t)bell->count;
    return count * sizeof *bell->lines + count * count * sizeof *bell->posted_by;
}

void doorbell_free(struct doorbell *bell)
{
    if (!bell)
        return;
    if (bell->lines)
        munmap(bell->lines, memory_size(bell));
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

/* ---- Connecting ---- */

static bool know_peers(struct doorbell *bell, const struct doorbell_id *ids, int count,
                       int rank_limit)
{
    bell->peers = calloc((size_t)count, sizeof *bell->peers);
    bell->index_of = malloc((size_t)rank_limit * sizeof *bell->index_of);
    if (!bell->peers || !bell->index_of)
        return false;
    bell->count = count;
    bell->rank_limit = rank_limit;
    for (int rank = 0; rank < rank_limit; rank++)
        bell->index_of[rank] = -1;
    for (int i = 0; i < count; i++) {
        if (ids[i].space != bell->id.space)
            return false;
        if (ids[i].rank == bell->id.rank)
            bell->own_index = i;
        else
            bell->index_of[ids[i].rank] = i;
        bell->peers[i].address.sun_family = AF_UNIX;
        memcpy(bell->peers[i].address.sun_path, ids[i].name, NAME_BYTES);
    }
    /* Datagrams that were not read yet are charged to their sender. The kernel limits this. */
    int room, wanted = count * DATAGRAM_BYTES;
    socklen_t size = sizeof room;
    if (!getsockopt(bell->fd, SOL_SOCKET, SO_SNDBUF, &room, &size) && room < wanted)
        setsockopt(bell->fd, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted);
    return true;
}

static bool map_memory(struct doorbell *bell, int memory_fd)
{
    void *memory = mmap(NULL, memory_size(bell), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
    if (memory == MAP_FAILED)
        return false;
    bell->lines = memory;
    bell->posted_by = (_Atomic uint64_t *)(bell->lines + bell->count);
    return true;
}

/* The datagram that carries the descriptor of the memory. */
struct offer {
    struct msghdr head;
    struct iovec part;
    uint64_t cookie;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static void offer_init(struct offer *offer)
{
    *offer = (struct offer){.part = {.iov_base = &offer->cookie, .iov_len = sizeof offer->cookie}};
    offer->head = (struct msghdr){.msg_iov = &offer->part,
                                  .msg_iovlen = 1,
                                  .msg_control = offer->control,
                                  .msg_controllen = sizeof offer->control};
}

static bool hand_over(struct doorbell *bell, int index, uint64_t cookie, int memory_fd)
{
    struct offer offer;
    offer_init(&offer);
    offer.cookie = cookie;
    offer.head.msg_name = &bell->peers[index].address;
    offer.head.msg_namelen = address_size;
    struct cmsghdr *control = CMSG_FIRSTHDR(&offer.head);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof memory_fd);
    memcpy(CMSG_DATA(control), &memory_fd, sizeof memory_fd);
    return sendmsg(bell->fd, &offer.head, MSG_NOSIGNAL) == sizeof offer.cookie;
}

bool doorbell_offer(struct doorbell *bell, const struct doorbell_id *ids, int count, int rank_limit)
{
    if (!know_peers(bell, ids, count, rank_limit))
        return false;
    if (bell->own_index != 0)
        return true;
    int memory_fd = memfd_create("doorbell", MFD_CLOEXEC);
    bool offered = memory_fd >= 0 && ftruncate(memory_fd, (off_t)memory_size(bell)) == 0 &&
                   map_memory(bell, memory_fd);
    for (int i = 1; offered && i < count; i++)
        offered = hand_over(bell, i, ids[i].cookie, memory_fd);
    if (memory_fd >= 0)
        close(memory_fd);
    return offered;
}

/* Takes the next datagram. Returns the descriptor of the memory, -1 if it is from somebody else, or
 * -2 if there is none. */
static int take_offer(struct doorbell *bell)
{
    struct offer offer;
    int fd = -1;
    offer_init(&offer);
    ssize_t size = recvmsg(bell->fd, &offer.head, MSG_CMSG_CLOEXEC);
    if (size < 0)
        return -2;
    struct cmsghdr *control = CMSG_FIRSTHDR(&offer.head);
    if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(control), sizeof fd);
    if (fd < 0 || (size == sizeof offer.cookie && offer.cookie == bell->id.cookie))
        return fd;
    close(fd);
    return -1;
}

bool doorbell_accept(struct doorbell *bell)
{
    int fd = -1;
    if (bell->own_index == 0)
        return true;
    while (fd == -1)
        fd = take_offer(bell);
    bool mapped = fd >= 0 && map_memory(bell, fd);
    if (fd >= 0)
        close(fd);
    return mapped;
}

/* ---- Messages ---- */

/* -1: a rank of another host, or this one. */
static int index_of(const struct doorbell *bell, int rank)
{
    return rank >= 0 && rank < bell->rank_limit ? bell->index_of[rank] : -1;
}

static uint64_t posted_by(const struct doorbell *bell, int from)
{
    return atomic_load(&bell->posted_by[bell->own_index * bell->count + from]);
}

/* Whether a message of this peer is under way. One that was found before it was counted is not. */
static bool expects_from(const struct doorbell *bell, int from)
{
    const struct peer *peer = &bell->peers[from];
    return posted_by(bell, from) > peer->received && !peer->dropped;
}

/* Wakes a rank, if it sleeps and was not rung since it began to. */
static void ring(struct doorbell *bell, int to)
{
    struct peer *peer = &bell->peers[to];
    uint64_t sleeps = atomic_load(&bell->lines[to].sleeps);
    bool rings = sleeps % 2 == 1 && sleeps != peer->rung && !peer->dropped;
    /* If it fails for good, the rank has died. */
    bool due = rings &&
               sendto(bell->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&peer->address, address_size) < 0 &&
               (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR);
    if (rings && !due)
        peer->rung = sleeps;
    bell->due += due - peer->due;
    peer->due = due;
}

bool doorbell_retry(struct doorbell *bell)
{
    for (int i = 0; bell->due && i < bell->count; i++)
        if (bell->peers[i].due)
            ring(bell, i);
    return bell->due;
}

bool doorbell_posted(struct doorbell *bell, int to, int64_t date_ns)
{
    int index = index_of(bell, to);
    if (index < 0)
        return false;
    atomic_store(&bell->lines[index].posted_ns, date_ns);
    atomic_fetch_add(&bell->posted_by[index * bell->count + bell->own_index], 1);
    ring(bell, index);
    return true;
}

void doorbell_received(struct doorbell *bell, int from, bool by_backstop)
{
    int index = index_of(bell, from);
    if (index < 0)
        return;
    struct peer *peer = &bell->peers[index];
    peer->received++;
    if (by_backstop)
        peer->unasked = peer->received;
}

bool doorbell_expects(const struct doorbell *bell)
{
    for (int i = 0; i < bell->count; i++)
        if (expects_from(bell, i))
            return true;
    return false;
}

void doorbell_remind(struct doorbell *bell)
{
    for (int i = 0; i < bell->count; i++)
        if (expects_from(bell, i)) {
            atomic_store(&bell->lines[i].reminded, true);
            ring(bell, i);
        }
}

bool doorbell_reminded(struct doorbell *bell)
{
    struct bell_line *own = &bell->lines[bell->own_index];
    return atomic_load(&own->reminded) && atomic_exchange(&own->reminded, false);
}

void doorbell_drop(struct doorbell *bell, int rank)
{
    int index = index_of(bell, rank);
    if (index < 0)
        return;
    bell->peers[index].dropped = true;
    bell->index_of[rank] = -1;
    ring(bell, index); /* it is not due any more */
}

/* ---- Sleeping ---- */

int doorbell_fd(const struct doorbell *bell)
{
    return bell->fd;
}

bool doorbell_sleep(struct doorbell *bell)
{
    struct bell_line *own = &bell->lines[bell->own_index];
    atomic_fetch_add(&own->sleeps, 1);
    bell->expected_nothing = !doorbell_expects(bell);
    return bell->expected_nothing && !atomic_load(&own->reminded);
}

void doorbell_wake(struct doorbell *bell, bool rung, int64_t date_ns)
{
    char ring[16];
    struct bell_line *own = &bell->lines[bell->own_index];
    atomic_fetch_add(&own->sleeps, 1);
    if (!rung && bell->expected_nothing && doorbell_expects(bell) &&
        date_ns - atomic_load(&own->posted_ns) > RING_TIMEOUT_NS)
        bell->rings_missed++;
    while (rung && recv(bell->fd, ring, sizeof ring, MSG_DONTWAIT) >= 0)
        ;
}

uint64_t doorbell_missed(const struct doorbell *bell)
{
    uint64_t missed = bell->rings_missed;
    for (int i = 0; i < bell->count; i++)
        if (!bell->peers[i].dropped && bell->peers[i].unasked > posted_by(bell, i))
            missed += bell->peers[i].unasked - posted_by(bell, i);
    return missed;
}
