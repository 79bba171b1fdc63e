/* SPDX-License-Identifier: MIT */
/*
 * wakeup: when a rank has to call MPI for messages, and how long it may sleep in between. It knows
 * from the doorbell (doorbell.h) what ranks of its host have posted. For messages of other hosts,
 * which come without a sign, it keeps a pace (poll_pace.h). It does not call MPI itself.
 */
#ifndef WAKEUP_H
#define WAKEUP_H

#include <stdbool.h>
#include <stdint.h>

#include "doorbell.h"

struct wakeup {
    struct doorbell *bell; /* NULL: this rank is alone on its host, or nobody can ring here */
    bool all_ring;         /* all other ranks of the run can ring */
    bool late;             /* MPI was called, but a message that was posted has not arrived */
    bool unasked;          /* MPI is called although no message is expected */
    int64_t late_ns;       /* since when, or when its sender was last reminded */
    int64_t active_ns;     /* when a message was last posted or received, or became late */
    int64_t next_look_ns;  /* all_ring: when to call MPI unasked */
};

/* Frees the doorbell; first reports messages that it has missed, if any. */
void wakeup_release(struct wakeup *wakeup, int rank);

/* `under_way`: MPI has to be called to move a message that this rank sends or receives. */

/* Whether to call MPI now. */
bool wakeup_must_look(struct wakeup *wakeup, bool under_way);

/* MPI was called, and there was no message. */
void wakeup_found_none(struct wakeup *wakeup);

/* Whether a rank is still to be rung, because there was no room: tries again. */
bool wakeup_rings_due(struct wakeup *wakeup);

/* To call MPI at the next opportunity. */
void wakeup_look_soon(struct wakeup *wakeup);

/* A message to this rank was posted. Returns whether it is woken up, and will ask for help if MPI
 * does not deliver the message. */
bool wakeup_posted(struct wakeup *wakeup, int to);

/* A message from this rank was received completely. */
void wakeup_received(struct wakeup *wakeup, int from);

/* Before and after a wait: see transport_begin_wait and transport_end_wait. */
int64_t wakeup_begin_wait(struct wakeup *wakeup, bool under_way, bool starving, int64_t now_ns);
void wakeup_end_wait(struct wakeup *wakeup, bool rung);

#endif
