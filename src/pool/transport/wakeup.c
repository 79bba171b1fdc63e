/* SPDX-License-Identifier: MIT */
/* When a rank has to call MPI, and how long it may sleep: see wakeup.h. */
#include "wakeup.h"

#include <inttypes.h>

#include "clock.h"
#include "log.h"
#include "poll_pace.h"

#define REMIND_NS 200000 /* a message that was posted and has not arrived by then needs help */

void wakeup_release(struct wakeup *wakeup, int rank)
{
    uint64_t missed = wakeup->bell ? doorbell_missed(wakeup->bell) : 0;
    if (missed)
        log_line("rank %d: %" PRIu64
                 " messages arrived without a ring of the doorbell; please report this",
                 rank, missed);
    doorbell_free(wakeup->bell);
    wakeup->bell = NULL;
}

static bool expects_message(const struct wakeup *wakeup)
{
    return wakeup->bell && doorbell_expects(wakeup->bell);
}

bool wakeup_must_look(struct wakeup *wakeup, bool under_way)
{
    bool expects = expects_message(wakeup);
    bool reminded = wakeup->bell && doorbell_reminded(wakeup->bell); /* clears it, too */
    bool asked = !wakeup->all_ring || under_way || expects || reminded;
    wakeup->late = wakeup->late && expects;
    wakeup->unasked = !asked;
    return asked || monotonic_now_ns() >= wakeup->next_look_ns;
}

void wakeup_found_none(struct wakeup *wakeup)
{
    int64_t now_ns = monotonic_now_ns();
    bool late = expects_message(wakeup);
    wakeup->next_look_ns = now_ns + poll_pace_wait_ns(PACE_BACKSTOP, 0);
    if (late && !wakeup->late) {
        wakeup->late_ns = wakeup->active_ns = now_ns;
    } else if (late && now_ns - wakeup->late_ns > REMIND_NS) {
        doorbell_remind(wakeup->bell);
        wakeup->late_ns = now_ns;
    }
    wakeup->late = late;
}

bool wakeup_rings_due(struct wakeup *wakeup)
{
    return wakeup->bell && doorbell_retry(wakeup->bell);
}

bool wakeup_posted(struct wakeup *wakeup, int to)
{
    wakeup->active_ns = monotonic_now_ns();
    return wakeup->bell && doorbell_posted(wakeup->bell, to, clock_now_ns(CLOCK_REALTIME));
}

void wakeup_received(struct wakeup *wakeup, int from)
{
    wakeup->active_ns = monotonic_now_ns();
    if (wakeup->bell)
        doorbell_received(wakeup->bell, from, wakeup->unasked);
}

void wakeup_look_soon(struct wakeup *wakeup)
{
    wakeup->next_look_ns = 0;
}

static enum poll_pace choose_pace(struct wakeup *wakeup, bool under_way, bool starving)
{
    if (under_way || wakeup->late)
        return PACE_UNDER_WAY;
    if (!wakeup->all_ring)
        return starving ? PACE_STARVING : PACE_FED;
    return wakeup_rings_due(wakeup) ? PACE_FED : PACE_BACKSTOP;
}

int64_t wakeup_begin_wait(struct wakeup *wakeup, bool under_way, bool starving, int64_t now_ns)
{
    bool may_sleep = !wakeup->bell || doorbell_sleep(wakeup->bell);
    if (!may_sleep && !wakeup->late)
        return 0; /* a message or a reminder has come since MPI was last called */
    return poll_pace_wait_ns(choose_pace(wakeup, under_way, starving), now_ns - wakeup->active_ns);
}

void wakeup_end_wait(struct wakeup *wakeup, bool rung)
{
    if (wakeup->bell)
        doorbell_wake(wakeup->bell, rung, clock_now_ns(CLOCK_REALTIME));
}
