/* The loop of a rank: see rank.h. */
#include "rank.h"

#include <time.h>

/* How long a rank may sleep without looking for messages: an eighth of the time for which nothing
 * has happened, so that what comes after a pause is late by little beside the pause itself, within
 * these bounds. With tasks at hand a thief may be waiting for an answer; without, the rank itself
 * waits, and must cost next to nothing beside the workers that share its core. */
enum {
    SLEEP_LEAST_NS = 20000,
    SLEEP_BUSY_NS = 1000000,
    SLEEP_IDLE_NS = 10000000,
    SLEEP_SHARE = 8,
};

/* So that a flood of messages does not keep the workers waiting. */
enum { MESSAGES_A_STEP = 256 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int dispatch(struct rank *rank, struct transport_message *message, struct mpp_error *error)
{
    if (rank->coordinator && coordinator_wants(&message->bytes))
        return coordinator_message(rank->coordinator, message->from, &message->bytes, error);
    return agent_message(rank->agent, message->from, &message->bytes, error);
}

static int take_messages(struct rank *rank, bool *progressed, struct mpp_error *error)
{
    for (int i = 0; i < MESSAGES_A_STEP; i++) {
        struct transport_message message;
        switch (transport_poll(rank->transport, &message, error)) {
        case TRANSPORT_EMPTY:
            return 0;
        case TRANSPORT_FAILED:
            return -1;
        case TRANSPORT_MESSAGE:
            break;
        }
        *progressed = true;
        int failed = dispatch(rank, &message, error);
        buf_release(&message.bytes);
        if (failed)
            return -1;
    }
    return 0;
}

int rank_step(struct rank *rank, bool *progressed, struct mpp_error *error)
{
    if (take_messages(rank, progressed, error))
        return -1;
    if (rank->coordinator && coordinator_flush(rank->coordinator, progressed, error))
        return -1;
    if (agent_step(rank->agent, progressed, error))
        return -1;
    if (*progressed)
        rank->idle_since_ns = 0;
    return 0;
}

void rank_wait(struct rank *rank, int wake_fd)
{
    int count = agent_poll_set(rank->agent, rank->poll_set);
    if (wake_fd >= 0)
        rank->poll_set[count++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    if (rank->transport->size == 1) {
        poll(rank->poll_set, (nfds_t)count, -1);
        return;
    }
    int64_t now = now_ns();
    if (!rank->idle_since_ns)
        rank->idle_since_ns = now;
    int64_t sleep_ns = (now - rank->idle_since_ns) / SLEEP_SHARE;
    int64_t most_ns = agent_idle(rank->agent) ? SLEEP_IDLE_NS : SLEEP_BUSY_NS;
    if (sleep_ns > most_ns)
        sleep_ns = most_ns;
    if (sleep_ns < SLEEP_LEAST_NS || rank->transport->unsent)
        sleep_ns = SLEEP_LEAST_NS;
    ppoll(rank->poll_set, (nfds_t)count, &(struct timespec){.tv_nsec = sleep_ns}, NULL);
}
