/* A network of threads: see sim_transport.h. */
#include "sim_transport.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { DELAY_MAX = 12 }; /* looks */

struct letter {
    struct letter *next;
    int from;
    int delay; /* looks of the receiver until it is there */
    struct buf bytes;
};

struct sim_rank {
    struct transport base;
    struct sim_network *network;
    struct letter *letters; /* on their way to this rank, in the order they were sent */
    pthread_t thread;
    const struct mpp_options *options;
    bool failed;
};

struct sim_network {
    int size;
    pthread_mutex_t lock;
    uint64_t random;
    int opening; /* the rank whose turn it is to fork */
    pthread_cond_t opened;
    int closed; /* ranks that have closed */
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
    struct letter *letter = malloc(sizeof *letter);
    if (!letter)
        return mpp_error_set(error, "out of memory for a message");
    *letter = (struct letter){.from = transport->rank, .bytes = *bytes};
    *bytes = BUF_INIT;
    pthread_mutex_lock(&network->lock);
    letter->delay = (int)random_below(network, DELAY_MAX);
    struct letter **last = &network->ranks[to].letters;
    while (*last)
        last = &(*last)->next;
    *last = letter;
    pthread_mutex_unlock(&network->lock);
    return 0;
}

/* The first letter that is there and has none of its sender before it. */
static struct letter *take_letter(struct sim_rank *rank)
{
    bool blocked[64] = {false};
    for (struct letter **at = &rank->letters; *at; at = &(*at)->next) {
        struct letter *letter = *at;
        if (letter->delay > 0)
            letter->delay--;
        if (!blocked[letter->from] && letter->delay == 0) {
            *at = letter->next;
            return letter;
        }
        blocked[letter->from] = true;
    }
    return NULL;
}

static enum transport_status sim_poll(struct transport *transport,
                                      struct transport_message *message, struct mpp_error *error)
{
    (void)error;
    struct sim_rank *rank = (struct sim_rank *)transport;
    pthread_mutex_lock(&rank->network->lock);
    struct letter *letter = take_letter(rank);
    transport->unsent = rank->letters != NULL; /* look again soon */
    pthread_mutex_unlock(&rank->network->lock);
    if (!letter)
        return TRANSPORT_EMPTY;
    *message = (struct transport_message){letter->from, letter->bytes};
    free(letter);
    return TRANSPORT_MESSAGE;
}

/* Collective, as with MPI. */
static int sim_close_rank(struct transport *transport, struct mpp_error *error)
{
    (void)error;
    struct sim_network *network = ((struct sim_rank *)transport)->network;
    pthread_mutex_lock(&network->lock);
    network->closed++;
    pthread_cond_broadcast(&network->opened);
    while (network->closed < network->size)
        pthread_cond_wait(&network->opened, &network->lock);
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
    static const struct transport_ops ops = {
        .send = sim_send, .poll = sim_poll, .close = sim_close_rank, .abort = sim_abort};
    (void)error;
    struct sim_rank *rank = context;
    struct sim_network *network = rank->network;
    rank->base = (struct transport){.ops = &ops,
                                    .rank = (int)(rank - network->ranks),
                                    .size = network->size,
                                    .node_ranks = network->size};
    /* It has forked: it is the next one's turn. None goes on before all have, for a process that is
     * forked later would keep the sockets of the earlier ones' workers open. */
    pthread_mutex_lock(&network->lock);
    network->opening--;
    pthread_cond_broadcast(&network->opened);
    while (network->opening >= 0)
        pthread_cond_wait(&network->opened, &network->lock);
    pthread_mutex_unlock(&network->lock);
    return &rank->base;
}

static void await_turn(struct sim_network *network, int rank)
{
    pthread_mutex_lock(&network->lock);
    while (network->opening != rank)
        pthread_cond_wait(&network->opened, &network->lock);
    pthread_mutex_unlock(&network->lock);
}

static void *serve(void *argument)
{
    struct sim_rank *rank = argument;
    struct executor_link link = {connect_rank, rank};
    struct mpp_executor *executor;
    struct mpp_error error;
    await_turn(rank->network, (int)(rank - rank->network->ranks));
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
    pthread_cond_init(&network->opened, NULL);
    for (int i = 0; i < ranks; i++)
        network->ranks[i].network = network;
    return network;
}

void sim_network_free(struct sim_network *network)
{
    if (!network)
        return;
    for (int i = 0; i < network->size; i++)
        for (struct letter *letter, *next = network->ranks[i].letters; (letter = next);) {
            next = letter->next;
            buf_release(&letter->bytes);
            free(letter);
        }
    pthread_cond_destroy(&network->opened);
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
    await_turn(network, 0);
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
