/* SPDX-License-Identifier: MIT */
/* The event loop of one rank: see rank_loop.h. */
#include "rank_loop.h"

#include "clock.h"
#include "coordinator_messages.h"

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
    /* A rank that is always busy never waits, so its workers are polled here now and then. */
    if (*progressed && ++rank->busy_steps % STEPS_PER_POLL == 0) {
        int count = agent_fill_pollfds(rank->agent, rank->poll_set);
        if (poll(rank->poll_set, (nfds_t)count, 0) > 0)
            agent_read_pollfds(rank->agent, rank->poll_set);
    }
    return 0;
}

/* The earlier of two times to wait; -1: no limit. */
static int64_t shorter_wait_ns(int64_t ns, int64_t other_ns)
{
    return ns < 0 || (other_ns >= 0 && other_ns < ns) ? other_ns : ns;
}

/* How long the agent may sleep; -1: no limit. */
static int64_t agent_wait_ns(const struct rank_loop *rank, int64_t now_ns)
{
    return rank->next_step_ns == INT64_MAX ? -1
           : rank->next_step_ns > now_ns   ? rank->next_step_ns - now_ns
                                           : 0;
}

void rank_loop_wait(struct rank_loop *rank, int wake_fd)
{
    struct pollfd *fds = rank->poll_set;
    int64_t now_ns = monotonic_now_ns();
    int64_t ns =
        shorter_wait_ns(agent_wait_ns(rank, now_ns),
                        transport_begin_wait(rank->transport, agent_starves(rank->agent), now_ns));
    int of_transport = transport_fill_pollfds(rank->transport, fds);
    int count = of_transport + agent_fill_pollfds(rank->agent, fds + of_transport);
    if (wake_fd >= 0)
        fds[count++] = (struct pollfd){.fd = wake_fd, .events = POLLIN};
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    int ready = ppoll(fds, (nfds_t)count, ns < 0 ? NULL : &time, NULL);
    transport_end_wait(rank->transport, fds);
    if (ready > 0)
        agent_read_pollfds(rank->agent, fds + of_transport);
}

void rank_loop_stop(struct rank_loop *rank)
{
    agent_free(rank->agent);
    forkserver_stop(&rank->forkserver);
}
