/* The loop of a rank: see rank_loop.h. */
#include "rank_loop.h"

#include "clock.h"

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
enum { MESSAGES_A_STEP = 256, STEPS_A_POLL = 8 };

static int dispatch(struct rank_loop *rank, struct transport_message *message,
                    struct mpp_error *error)
{
    if (rank->coordinator && coordinator_wants(&message->bytes))
        return coordinator_message(rank->coordinator, message->from, &message->bytes, error);
    return agent_handle_message(rank->agent, message->from, &message->bytes, error);
}

static int take_messages(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
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

/* What a rank sent before it was lost has been taken by now. */
static int note_lost(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
{
    for (int lost; (lost = transport_next_lost(rank->transport)) >= 0;) {
        *progressed = true;
        if (!rank->coordinator)
            return mpp_error_set(error, "rank %d is gone", lost);
        if (coordinator_lost(rank->coordinator, lost, error))
            return -1;
    }
    return 0;
}

int rank_loop_step(struct rank_loop *rank, bool *progressed, struct mpp_error *error)
{
    if (take_messages(rank, progressed, error) ||
        (!*progressed && note_lost(rank, progressed, error)))
        return -1;
    if (rank->coordinator && coordinator_flush(rank->coordinator, progressed, error))
        return -1;
    if (agent_step(rank->agent, progressed, &rank->look_at_ns, error))
        return -1;
    if (*progressed)
        rank->idle_since_ns = 0;
    /* A rank that has always something to do never waits, and must hear its workers too. */
    if (*progressed && ++rank->busy_steps % STEPS_A_POLL == 0) {
        int count = agent_fill_pollfds(rank->agent, rank->poll_set);
        if (poll(rank->poll_set, (nfds_t)count, 0) > 0)
            agent_read_pollfds(rank->agent, rank->poll_set);
    }
    return 0;
}

/* How long the next wait may be; -1: until something happens. */
static int64_t wait_ns(struct rank_loop *rank)
{
    int64_t now = monotonic_now_ns();
    int64_t to_look = rank->look_at_ns == INT64_MAX ? INT64_MAX
                      : rank->look_at_ns > now      ? rank->look_at_ns - now
                                                    : 0;
    if (rank->transport->size == 1)
        return to_look == INT64_MAX ? -1 : to_look;
    if (!rank->idle_since_ns)
        rank->idle_since_ns = now;
    int64_t sleep_ns = (now - rank->idle_since_ns) / SLEEP_SHARE;
    int64_t most_ns = agent_idle(rank->agent) ? SLEEP_IDLE_NS : SLEEP_BUSY_NS;
    if (sleep_ns > most_ns)
        sleep_ns = most_ns;
    if (sleep_ns < SLEEP_LEAST_NS || rank->transport->unsent)
        sleep_ns = SLEEP_LEAST_NS;
    return to_look < sleep_ns ? to_look : sleep_ns;
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
