/* SPDX-License-Identifier: MIT */
/* The event loop of one rank: see rank_loop.h. */
#include "rank_loop.h"

#include "clock.h"
#include "coordinator_messages.h"

/* The next wait is an eighth of the time for which nothing has happened: so a message is delayed by
 * little compared with the pause before it. While the rank has tasks the wait is at most 1 ms,
 * because a thief may be waiting for an answer. While it has none the wait may be longer, because
 * each poll takes time on a core that other processes may need. */
enum {
    WAIT_MIN_NS = 20000,
    WAIT_MAX_BUSY_NS = 1000000,
    WAIT_MAX_IDLE_NS = 10000000,
    WAIT_FRACTION = 8,
};

/* Bounds that keep a flood of messages from starving the workers. */
enum { MESSAGES_PER_STEP = 256, STEPS_PER_POLL = 8 };

static int handle_message(struct rank_loop *rank, struct transport_message *message,
                          struct mpp_error *error)
{
    if (rank->coordinator && coordinator_takes_message(&message->bytes))
        return coordinator_take_message(rank->coordinator, message->from, &message->bytes, error);
    return agent_handle_message(rank->agent, message->from, &message->bytes, error);
}

static int take_messages(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
{
    for (int i = 0; i < MESSAGES_PER_STEP; i++) {
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
        int failed = handle_message(rank, &message, error);
        buf_release(&message.bytes);
        if (failed)
            return -1;
    }
    return 0;
}

/* Call it only when no message is left, so that everything that a rank sent before it died has been
 * received. */
static int handle_lost_ranks(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
{
    for (int lost; (lost = transport_next_lost(rank->transport)) >= 0;) {
        *progressed = true;
        if (!rank->coordinator)
            return mpp_error_set(error, "rank %d is gone", lost);
        if (coordinator_rank_lost(rank->coordinator, lost, error))
            return -1;
    }
    return 0;
}

int rank_loop_step(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
{
    if (take_messages(rank, progressed, error) ||
        (!*progressed && handle_lost_ranks(rank, progressed, error)))
        return -1;
    if (rank->coordinator && coordinator_flush(rank->coordinator, progressed, error))
        return -1;
    if (agent_step(rank->agent, progressed, &rank->next_step_ns, error))
        return -1;
    if (*progressed)
        rank->idle_since_ns = 0;
    /* A rank that is always busy never waits, so its workers are polled here now and then. */
    if (*progressed && ++rank->busy_steps % STEPS_PER_POLL == 0) {
        int count = agent_fill_pollfds(rank->agent, rank->poll_set);
        if (poll(rank->poll_set, (nfds_t)count, 0) > 0)
            agent_read_pollfds(rank->agent, rank->poll_set);
    }
    return 0;
}

/* The length of the next wait; -1: no limit. */
static int64_t wait_ns(struct rank_loop *rank)
{
    int64_t now = monotonic_now_ns();
    int64_t to_step = rank->next_step_ns == INT64_MAX ? INT64_MAX
                      : rank->next_step_ns > now      ? rank->next_step_ns - now
                                                      : 0;
    if (rank->transport->size == 1)
        return to_step == INT64_MAX ? -1 : to_step;
    if (!rank->idle_since_ns)
        rank->idle_since_ns = now;
    int64_t ns = (now - rank->idle_since_ns) / WAIT_FRACTION;
    int64_t max_ns = agent_idle(rank->agent) ? WAIT_MAX_IDLE_NS : WAIT_MAX_BUSY_NS;
    if (ns > max_ns)
        ns = max_ns;
    if (ns < WAIT_MIN_NS || rank->transport->unsent)
        ns = WAIT_MIN_NS;
    return to_step < ns ? to_step : ns;
}

void rank_loop_wait(struct rank_loop *rank, int wake_fd)
{
    int count = agent_fill_pollfds(rank->agent, rank->poll_set);
    if (wake_fd >= 0)
        rank->poll_set[count++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    int64_t ns = wait_ns(rank);
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    if (ppoll(rank->poll_set, (nfds_t)count, ns < 0 ? NULL : &time, NULL) > 0)
        agent_read_pollfds(rank->agent, rank->poll_set);
}

void rank_loop_stop(struct rank_loop *rank)
{
    agent_free(rank->agent);
    forkserver_stop(&rank->forkserver);
}
