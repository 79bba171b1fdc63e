/* SPDX-License-Identifier: MIT */
/* wakeup: when a rank calls MPI and how long it sleeps. The ranks are doorbells of this process; a
 * message is nothing but its count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "poll_pace.h"
#include "wakeup.h"

enum { RANKS = 3 };
#define GIVE_UP_NS INT64_C(5000000000)

static void make(struct wakeup *wakeups, bool all_ring)
{
    struct doorbell_id ids[RANKS];
    for (int i = 0; i < RANKS; i++) {
        wakeups[i] = (struct wakeup){.bell = doorbell_new(i), .all_ring = all_ring};
        assert_non_null(wakeups[i].bell);
        ids[i] = doorbell_id(wakeups[i].bell);
    }
    for (int i = 0; i < RANKS; i++)
        assert_true(doorbell_offer(wakeups[i].bell, ids, RANKS, RANKS));
    for (int i = 0; i < RANKS; i++)
        assert_true(doorbell_accept(wakeups[i].bell));
}

static void release(struct wakeup *wakeups)
{
    for (int i = 0; i < RANKS; i++)
        wakeup_release(&wakeups[i], i);
}

static int64_t wait_ns(struct wakeup *wakeup)
{
    int64_t ns = wakeup_begin_wait(wakeup, false, false, monotonic_now_ns());
    wakeup_end_wait(wakeup, false);
    return ns;
}

/* Looks for messages in vain. */
static void look(struct wakeup *wakeup)
{
    if (wakeup_must_look(wakeup, false))
        wakeup_found_none(wakeup);
}

static void mpi_is_called_only_for_messages(void **state)
{
    (void)state;
    struct wakeup wakeups[RANKS];
    int64_t backstop_ns = poll_pace_wait_ns(PACE_BACKSTOP, 0);
    make(wakeups, true);
    look(&wakeups[1]); /* the first time */
    assert_false(wakeup_must_look(&wakeups[1], false));
    assert_true(wait_ns(&wakeups[1]) == backstop_ns);
    assert_true(wakeup_posted(&wakeups[0], 1));
    assert_int_equal(wait_ns(&wakeups[1]), 0);
    assert_true(wakeup_must_look(&wakeups[1], false));
    wakeup_found_none(&wakeups[1]); /* it is late */
    assert_in_range(wait_ns(&wakeups[1]), 1, poll_pace_wait_ns(PACE_UNDER_WAY, INT64_MAX));
    assert_true(wakeup_must_look(&wakeups[1], false));
    wakeup_received(&wakeups[1], 0);
    assert_false(wakeup_must_look(&wakeups[1], false));
    assert_true(wait_ns(&wakeups[1]) == backstop_ns);
    assert_true(wakeup_must_look(&wakeups[1], true));
    release(wakeups);
}

/* There are other hosts, too: then MPI is called on a timer, and a reminder must not stay. */
static void a_reminder_is_taken_once(void **state)
{
    (void)state;
    for (int all_ring = 0; all_ring < 2; all_ring++) {
        struct wakeup wakeups[RANKS];
        make(wakeups, all_ring);
        look(&wakeups[0]);
        wakeup_posted(&wakeups[0], 1);
        doorbell_remind(wakeups[1].bell);
        assert_int_equal(wait_ns(&wakeups[0]), 0);
        assert_true(wakeup_must_look(&wakeups[0], false));
        wakeup_found_none(&wakeups[0]);
        assert_true(wait_ns(&wakeups[0]) > 0);
        wakeup_received(&wakeups[1], 0);
        release(wakeups);
    }
}

static void a_late_message_is_reminded_of_amid_others(void **state)
{
    (void)state;
    struct wakeup wakeups[RANKS];
    int64_t begun_ns = monotonic_now_ns();
    make(wakeups, true);
    wakeup_posted(&wakeups[0], 1);
    while (!doorbell_reminded(wakeups[0].bell)) {
        look(&wakeups[1]);
        wakeup_posted(&wakeups[2], 1);
        wakeup_received(&wakeups[1], 2);
        assert_true(monotonic_now_ns() - begun_ns < GIVE_UP_NS);
    }
    wakeup_received(&wakeups[1], 0);
    release(wakeups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mpi_is_called_only_for_messages),
        cmocka_unit_test(a_reminder_is_taken_once),
        cmocka_unit_test(a_late_message_is_reminded_of_amid_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
