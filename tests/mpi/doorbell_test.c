/* SPDX-License-Identifier: MIT */
/*
 * doorbell_test SCENARIO: the ranks of one host exchange messages over the MPI transport and wait
 * as the pool does: transport_begin_wait, poll(2), transport_end_wait. No message may need the
 * backstop. A check fails if a rank slept for the whole second of the backstop although a message
 * to it had been sent before it went to sleep. That is no limit on speed: a rank that was rung does
 * not go to sleep at all.
 *
 * Every message is checked: its bytes, and its place among the messages of its sender. A rank that
 * finds a fault prints it and ends the run with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <mpp_error.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "poll_pace.h"
#include "shared_directory.h"
#include "transport.h"

enum {
    RANKS_MAX = 64,
    NS_PER_S = 1000000000,
    LARGE = 8 << 20,
    SKIPPED = 77,    /* exit status */
    LOOKS_MIN = 100, /* of a receiver, until its sender must have been woken */
};

/* In the memory that the ranks share. */
static struct shared {
    atomic_ulong sent[RANKS_MAX][RANKS_MAX];     /* messages, after the return of transport_send */
    atomic_ulong received[RANKS_MAX][RANKS_MAX]; /* by sender and receiver, as `sent` */
    atomic_ulong looks[RANKS_MAX];               /* for messages, in vain */
    atomic_int pid[RANKS_MAX];
} * shared;

struct message {
    uint64_t from, number; /* of the messages of one rank to another, from 0 */
    uint64_t size;
    uint8_t bytes[]; /* each is byte_at(message, index) */
};

static struct transport *transport;
static struct mpp_error error;
static int rank, ranks;
static bool has_doorbell = true;
static uint64_t sent[RANKS_MAX], received[RANKS_MAX];
static bool lost[RANKS_MAX];
static int stopped = -1; /* a rank that has been stopped: nobody waits for its messages */

/* ---- The call that rings ends the process: it replaces that of the C library ---- */

static bool dies_at_next_ring;

/* A ring goes to an abstract address. */
ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
               socklen_t to_size)
{
    bool is_ring = to && to->sa_family == AF_UNIX && !((const struct sockaddr_un *)to)->sun_path[0];
    if (is_ring && dies_at_next_ring)
        raise(SIGKILL);
    return syscall(SYS_sendto, fd, data, size, flags, to, to_size);
}

/* ---- Sending, receiving and waiting ---- */

static uint8_t byte_at(const struct message *message, size_t index)
{
    return (uint8_t)(index * 7 + (index >> 12) + message->number * 31 + message->from);
}

static int post(int to, size_t size)
{
    struct buf bytes = BUF_INIT;
    struct message *message = (struct message *)buf_reserve(&bytes, sizeof *message + size);
    CHECK(message, "out of memory");
    *message = (struct message){.from = (uint64_t)rank, .number = sent[to]++, .size = size};
    for (size_t i = 0; i < size; i++)
        message->bytes[i] = byte_at(message, i);
    bytes.size = sizeof *message + size;
    CHECK(transport_send(transport, to, &bytes, &error) == 0, "%s", error.text);
    atomic_store(&shared->sent[rank][to], sent[to]);
    return 0;
}

static int check_message(int from, const struct buf *bytes)
{
    const struct message *message = (const struct message *)bytes->data;
    CHECK(bytes->size >= sizeof *message, "%zu bytes from rank %d", bytes->size, from);
    CHECK(message->from == (uint64_t)from && message->size == bytes->size - sizeof *message,
          "a message of %zu bytes from rank %d", bytes->size, from);
    CHECK(message->number == received[from], "rank %d: message %llu instead of %llu", from,
          (unsigned long long)message->number, (unsigned long long)received[from]);
    for (size_t i = 0; i < message->size; i++)
        if (message->bytes[i] != byte_at(message, i))
            CHECK(false, "byte %zu of a message from rank %d", i, from);
    atomic_store(&shared->received[from][rank], ++received[from]);
    return 0;
}

/* Takes all messages that have arrived, and then notes ranks that have died. */
static int take_messages(void)
{
    struct transport_message message;
    enum transport_status status;
    while ((status = transport_poll(transport, &message, &error)) == TRANSPORT_MESSAGE) {
        int failed = check_message(message.from, &message.bytes);
        buf_release(&message.bytes);
        if (failed)
            return -1;
    }
    CHECK(status == TRANSPORT_EMPTY, "%s", error.text);
    atomic_fetch_add(&shared->looks[rank], 1);
    for (int died; (died = transport_next_lost(transport)) >= 0;) {
        CHECK(rank == 0, "rank %d is gone", died);
        transport_disconnect(transport, died);
        lost[died] = true;
    }
    return 0;
}

/* How many messages to this rank were sent and rung, but not received yet. */
static uint64_t count_outstanding(void)
{
    uint64_t count = 0;
    for (int from = 0; from < ranks; from++) {
        uint64_t known = atomic_load(&shared->sent[from][rank]);
        if (from != rank && from != stopped && !lost[from] && known > received[from])
            count += known - received[from];
    }
    return count;
}

/* As rank_loop_wait. */
static int wait_for_ring(void)
{
    struct pollfd fds[TRANSPORT_POLLFDS_MAX];
    uint64_t outstanding = count_outstanding();
    int64_t ns = transport_begin_wait(transport, false, monotonic_now_ns());
    int count = transport_fill_pollfds(transport, fds);
    struct timespec time = {.tv_sec = ns / NS_PER_S, .tv_nsec = ns % NS_PER_S};
    int ready = ppoll(fds, (nfds_t)count, &time, NULL);
    CHECK(ready >= 0, "%s", strerror(errno));
    transport_end_wait(transport, fds);
    CHECK(ready || !outstanding || ns < poll_pace_wait_ns(PACE_BACKSTOP, 0),
          "rank %d: %llu messages had been sent, but nothing woke it until the backstop", rank,
          (unsigned long long)outstanding);
    return 0;
}

/* Waits until `count` messages have arrived from rank `from`, in all. */
static int await(int from, uint64_t count)
{
    for (;;) {
        if (take_messages())
            return -1;
        if (received[from] >= count)
            return 0;
        if (wait_for_ring())
            return -1;
    }
}

/* Waits until `count` more messages have arrived from every rank below `end`. */
static int await_all(const uint64_t *before, int end, uint64_t count)
{
    for (int from = 0; from < end; from++)
        if (from != rank && await(from, before[from] + count))
            return -1;
    return 0;
}

/* ---- Exchanges. Their messages follow each other without a barrier: `due` counts those that have
 * been asked for so far. ---- */

static uint64_t due[RANKS_MAX];

static void add_due(int end, uint64_t count)
{
    for (int from = 0; from < end; from++)
        due[from] += count;
}

/* Around the limits at which MPI changes the way that it sends a message. */
static const size_t sizes[] = {0,    1,    100,  1000, 3900, 4000, 4030, 4040, 4050,
                               4056, 4060, 4064, 4068, 4072, 4080, 4096, 5000, 70000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Rank 0 and each other rank below `end` in turn. */
static int ping_pong(int end, int rounds)
{
    for (int i = 0; i < rounds; i++)
        for (int with = 1; with < end; with++) {
            size_t size = sizes[(i + with) % SIZES];
            if (rank == 0 && (post(with, size) || await(with, ++due[with])))
                return -1;
            if (rank == with && (await(0, ++due[0]) || post(0, size)))
                return -1;
        }
    return 0;
}

/* All ranks below `end` to all. `listening`: looks for messages between two sends. */
static int all_to_all(int end, int rounds, bool listening, size_t size_max)
{
    for (int i = 0; i < rounds; i++)
        for (int distance = 1; distance < end; distance++) {
            size_t size = sizes[(i + distance) % SIZES];
            if (post((rank + distance) % end, size < size_max ? size : size_max))
                return -1;
            if (listening && take_messages())
                return -1;
        }
    int failed = await_all(due, end, (uint64_t)rounds);
    add_due(end, (uint64_t)rounds);
    return failed;
}

static int all_to_one(int end, int rounds)
{
    for (int i = 0; rank && i < rounds; i++)
        if (post(0, sizes[i % SIZES]))
            return -1;
    if (rank == 0) {
        int failed = await_all(due, end, (uint64_t)rounds);
        add_due(end, (uint64_t)rounds);
        return failed;
    }
    return 0;
}

static int exchange(int end, int rounds)
{
    return ping_pong(end, rounds) || all_to_all(end, rounds, false, SIZE_MAX) ||
                   all_to_all(end, rounds, true, SIZE_MAX) ||
                   all_to_all(end, 2 * rounds, false, 1000) || all_to_one(end, 5 * rounds) ||
                   ping_pong(end, rounds)
               ? -1
               : 0;
}

/* ---- Scenarios ---- */

/* When all messages have arrived everywhere, a rank sleeps as long as it can. If it never does, the
 * test runs into its time limit. */
static int check_rest(void)
{
    int64_t ns = 0, backstop_ns = poll_pace_wait_ns(PACE_BACKSTOP, 0);
    while (has_doorbell && ns < backstop_ns) {
        struct pollfd fds[TRANSPORT_POLLFDS_MAX];
        if (take_messages())
            return -1;
        ns = transport_begin_wait(transport, false, monotonic_now_ns());
        int count = transport_fill_pollfds(transport, fds);
        struct timespec time = {.tv_nsec = ns < backstop_ns ? ns : 0};
        ppoll(fds, (nfds_t)count, &time, NULL);
        transport_end_wait(transport, fds);
    }
    return 0;
}

static int scenario_small(void)
{
    return exchange(ranks, ranks > 16 ? 3 : ranks > 4 ? 20 : 200) || check_rest() ? -1 : 0;
}

/* Large messages in all directions at once, with small ones between them. */
static int scenario_large(void)
{
    static const size_t each[] = {100, LARGE, 0, 1000, LARGE / 8 + 1, 5000, 3, LARGE - 1, 7};
    enum { COUNT = sizeof each / sizeof *each };
    for (int i = 0; i < COUNT; i++)
        for (int distance = 1; distance < ranks; distance++)
            if (post((rank + distance) % ranks, each[i]))
                return -1;
    int failed = await_all(due, ranks, COUNT);
    add_due(ranks, COUNT);
    return failed ? -1 : ping_pong(ranks, 10);
}

/* A rank dies while it rings. The others go on, and rank 0 learns of the loss after the rank's last
 * message, for which nobody has rung. */
static int scenario_dies(void)
{
    enum { COUNT = 20 };
    int victim = ranks - 1;
    if (rank == victim) {
        for (int i = 0; i < COUNT; i++)
            for (int to = 0; to < victim; to++)
                if (post(to, 100))
                    return -1;
        if (await(0, 1)) /* has received all of them: so this one is not held back */
            return -1;
        dies_at_next_ring = true;
        while (post(0, 100) == 0) /* until rank 0 sleeps */
            sched_yield();
        CHECK(false, "it lives");
    }
    if (ping_pong(victim, 20) || await(victim, COUNT))
        return -1;
    if (rank == 0 && post(victim, 0))
        return -1;
    while (rank == 0 && !lost[victim])
        if (take_messages() || (!lost[victim] && wait_for_ring()))
            return -1;
    if (rank == 0)
        CHECK(received[victim] == atomic_load(&shared->sent[victim][0]) + 1,
              "%llu messages before the loss", (unsigned long long)received[victim]);
    for (int other = 0; other < victim; other++)
        CHECK(!lost[other], "rank %d", other);
    return ping_pong(victim, 20) || all_to_all(victim, 50, false, SIZE_MAX) ? -1 : 0;
}

static bool is_stopped(int pid)
{
    char path[32], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *stat = fopen(path, "r");
    if (!stat || fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (stat)
        fclose(stat);
    return state == 'T';
}

/* The last rank is stopped while the others exchange messages and post hundreds to it. */
static int scenario_stopped(void)
{
    const uint64_t count = ranks > 4 ? 40 : 200; /* from each of the others */
    int last = ranks - 1;
    if (rank == last) {
        if (post(0, 0))
            return -1;
        for (int from = 0; from < last; from++)
            if (await(from, count) || post(from, 0))
                return -1;
        return 0;
    }
    if (rank == 0) {
        if (await(last, ++due[last]))
            return -1;
        int pid = atomic_load(&shared->pid[last]);
        CHECK(kill(pid, SIGSTOP) == 0, "%s", strerror(errno));
        while (!is_stopped(pid))
            sched_yield();
    }
    stopped = last;
    if (ping_pong(last, 1)) /* begins when rank 0 has stopped it */
        return -1;
    for (uint64_t i = 0; i < count; i++)
        if (post(last, sizes[i % 4]))
            return -1;
    if (exchange(last, 10) || all_to_one(last, 1)) /* the last message says that a rank is ready */
        return -1;
    stopped = -1;
    if (rank == 0)
        CHECK(kill(atomic_load(&shared->pid[last]), SIGCONT) == 0, "%s", strerror(errno));
    return await(last, ++due[last]);
}

/* One rank cannot be rung: it looks for messages on a timer, as do the others. */
static int scenario_separate(void)
{
    return exchange(ranks, ranks > 16 ? 3 : ranks > 4 ? 20 : 200);
}

/* ---- main ---- */

/* In the scenario `separate_networks` rank 1 gets a network namespace of its own. MPI starts before
 * that, because it could not reach its launcher any more. Returns 0, -1, or 1 without the right. */
static int separate_networks(int *argc, char ***argv)
{
    int level, own_rank, failed = 0, any_failed;
    CHECK(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level) == MPI_SUCCESS, "MPI_Init");
    MPI_Comm_rank(MPI_COMM_WORLD, &own_rank);
    if (own_rank == 1 && unshare(CLONE_NEWNET))
        failed = 1;
    MPI_Allreduce(&failed, &any_failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    if (any_failed)
        MPI_Finalize();
    return any_failed;
}

static const struct scenario {
    const char *name;
    int (*run)(void);
} scenarios[] = {
    {"small", scenario_small},       {"large", scenario_large},
    {"dies", scenario_dies},         {"stopped", scenario_stopped},
    {"separate", scenario_separate}, {"separate_networks", scenario_separate},
};

/* Memory that all ranks of the host share. */
static int share_memory(void)
{
    char path[200];
    const char *directory = shared_directory_make();
    CHECK(directory, "%s", strerror(errno));
    snprintf(path, sizeof path, "%s/memory", directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && ftruncate(fd, sizeof *shared) == 0, "%s: %s", path, strerror(errno));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED, "%s: %s", path, strerror(errno));
    close(fd);
    atomic_store(&shared->pid[rank], getpid());
    return 0;
}

static int run(const struct scenario *scenario)
{
    rank = transport->rank;
    ranks = transport->size;
    CHECK(ranks <= RANKS_MAX, "%d ranks", ranks);
    CHECK(transport->polls_host != has_doorbell, "polls_host is %d", transport->polls_host);
    return share_memory() ? -1 : scenario->run();
}

int main(int argc, char **argv)
{
    const struct scenario *scenario = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(argv[1], scenarios[i].name))
            scenario = &scenarios[i];
    if (!scenario) {
        fprintf(stderr, "usage: doorbell_test SCENARIO\n");
        return 2;
    }
    has_doorbell = scenario->run != scenario_separate;
    bool starts_mpi = strcmp(scenario->name, "separate_networks") == 0;
    if (starts_mpi) {
        int failed = separate_networks(&argc, &argv);
        if (failed)
            return failed < 0 ? 1 : SKIPPED;
    }
    transport = transport_mpi_new(&argc, &argv, &error);
    if (!transport) {
        fprintf(stderr, "doorbell_test: %s\n", error.text);
        return 1;
    }
    int failed = run(scenario);
    if (rank == 0 || failed)
        shared_directory_remove();
    if (failed)
        transport_abort(transport, 1);
    if (transport_close(transport, &error)) {
        fprintf(stderr, "doorbell_test: %s\n", error.text);
        return 1;
    }
    if (starts_mpi)
        MPI_Finalize();
    return 0;
}
