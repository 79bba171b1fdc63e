/* SPDX-License-Identifier: MIT */
/* Ranks that are threads of one process: see sim_transport.h. */
#include "sim_transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { RANKS_MAX = 64, DELAY_MAX = 12 /* polls */ };

struct sim_message {
    struct sim_message *next;
    int from;
    int delay; /* polls of the receiver until it arrives */
    struct buf bytes;
};

struct sim_rank {
    struct transport base;
    struct sim_network *network;
    struct sim_message *inbox; /* sent to this rank and not received, in order of sending */
    pthread_t thread;
    const struct mpp_options *options;
    bool failed;
};

struct sim_network {
    int size;
    pthread_mutex_t lock;
    uint64_t random;
    int opening;            /* the rank that forks its fork server now; -1: all have */
    int closed;             /* ranks that have closed */
    pthread_cond_t changed; /* one of these two */
    struct sim_rank ranks[];
};

static uint32_t random_below(struct sim_network *network, uint32_t limit)
{
    network->random = network->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(network->random >> 33) % limit;
}

static int sim_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error)
{
    struct sim_rank *rank = (struct sim_rank *)transport;
    struct sim_network *network = rank->network;
    struct sim_message *message = malloc(sizeof *message);
    if (!message)
        return mpp_error_set(error, "out of memory for a message");
    *message = (struct sim_message){.from = transport->rank, .bytes = *bytes};
    *bytes = BUF_INIT;
    pthread_mutex_lock(&network->lock);
    message->delay = (int)random_below(network, DELAY_MAX);
    struct sim_message **last = &network->ranks[to].inbox;
    while (*last)
        last = &(*last)->next;
    *last = message;
    pthread_mutex_unlock(&network->lock);
    return 0;
}

/* The first message that has arrived and is not preceded by one of the same sender. */
static struct sim_message *take_arrived(struct sim_rank *rank)
{
    bool blocked[RANKS_MAX] = {false};
    for (struct sim_message **at = &rank->inbox; *at; at = &(*at)->next) {
        struct sim_message *message = *at;
        if (message->delay > 0)
            message->delay--;
        if (!blocked[message->from] && message->delay == 0) {
            *at = message->next;
            return message;
        }
        blocked[message->from] = true;
    }
    return NULL;
}

static enum transport_status sim_poll(struct transport *transport,
                                      struct transport_message *message, struct mpp_error *error)
{
    (void)error;
    struct sim_rank *rank = (struct sim_rank *)transport;
    pthread_mutex_lock(&rank->network->lock);
    struct sim_message *arrived = take_arrived(rank);
    transport->unsent = !!rank->inbox; /* it may not say BYE before it has read them */
    pthread_mutex_unlock(&rank->network->lock);
    if (!arrived)
        return TRANSPORT_EMPTY;
    *message = (struct transport_message){arrived->from, arrived->bytes};
    free(arrived);
    return TRANSPORT_MESSAGE;
}

/* Nothing wakes a rank when a message is sent to it. */
static int64_t sim_begin_wait(struct transport *transport, bool starving, int64_t now_ns)
{
    (void)starving, (void)now_ns;
    return transport->unsent ? 20000 : 200000;
}

/* Blocks until every rank has closed, as MPI_Finalize may. */
static int sim_close_rank(struct transport *transport, struct mpp_error *error)
{
    (void)error;
    struct sim_network *network = ((struct sim_rank *)transport)->network;
    pthread_mutex_lock(&network->lock);
    network->closed++;
    pthread_cond_broadcast(&network->changed);
    while (network->closed < network->size)
        pthread_cond_wait(&network->changed, &network->lock);
    pthread_mutex_unlock(&network->lock);
    return 0;
}

static void sim_abort(struct transport *transport, int status)
{
    (void)transport;
    _exit(status);
}

static struct transport *connect_rank(void *context, struct mpp_error *error)
{
    static const struct transport_ops ops = {.send = sim_send,
                                             .poll = sim_poll,
                                             .close = sim_close_rank,
                                             .abort = sim_abort,
                                             .begin_wait = sim_begin_wait};
    (void)error;
    struct sim_rank *rank = context;
    struct sim_network *network = rank->network;
    rank->base = (struct transport){.ops = &ops,
                                    .rank = (int)(rank - network->ranks),
                                    .size = network->size,
                                    .node_ranks = network->size};
    /* This rank has forked: it is the turn of the next one. No rank goes on before all have forked,
     * because a later fork would inherit the sockets of workers and keep them open. */
    pthread_mutex_lock(&network->lock);
    network->opening--;
    pthread_cond_broadcast(&network->changed);
    while (network->opening >= 0)
        pthread_cond_wait(&network->changed, &network->lock);
    pthread_mutex_unlock(&network->lock);
    return &rank->base;
}

static void wait_for_turn(struct sim_network *network, int rank)
{
    pthread_mutex_lock(&network->lock);
    while (network->opening != rank)
        pthread_cond_wait(&network->changed, &network->lock);
    pthread_mutex_unlock(&network->lock);
}

static void *serve(void *argument)
{
    struct sim_rank *rank = argument;
    struct executor_link link = {connect_rank, rank};
    struct mpp_executor *executor;
    struct mpp_error error;
    wait_for_turn(rank->network, (int)(rank - rank->network->ranks));
    rank->failed = executor_open(&link, rank->options, &executor, &error) != MPP_SERVED;
    return NULL;
}

struct sim_network *sim_network_new(int ranks, uint64_t seed)
{
    struct sim_network *network =
        calloc(1, sizeof *network + (size_t)ranks * sizeof *network->ranks);
    if (!network)
        return NULL;
    network->size = ranks;
    network->random = seed;
    network->opening = ranks - 1;
    pthread_mutex_init(&network->lock, NULL);
    pthread_cond_init(&network->changed, NULL);
    for (int i = 0; i < ranks; i++)
        network->ranks[i].network = network;
    return network;
}

void sim_network_free(struct sim_network *network)
{
    if (!network)
        return;
    for (int i = 0; i < network->size; i++)
        for (struct sim_message *message, *next = network->ranks[i].inbox; (message = next);) {
            next = message->next;
            buf_release(&message->bytes);
            free(message);
        }
    pthread_cond_destroy(&network->changed);
    pthread_mutex_destroy(&network->lock);
    free(network);
}

enum mpp_role sim_open(struct sim_network *network, const struct mpp_options *options,
                       struct mpp_executor **executor, struct mpp_error *error)
{
    struct executor_link link = {connect_rank, &network->ranks[0]};
    for (int i = network->size - 1; i > 0; i--) {
        network->ranks[i].options = options;
        if (pthread_create(&network->ranks[i].thread, NULL, serve, &network->ranks[i]))
            abort();
    }
    wait_for_turn(network, 0);
    return executor_open(&link, options, executor, error);
}

int sim_close(struct sim_network *network)
{
    int result = 0;
    for (int i = 1; i < network->size; i++) {
        pthread_join(network->ranks[i].thread, NULL);
        result |= network->ranks[i].failed ? -1 : 0;
    }
    return result;
}
