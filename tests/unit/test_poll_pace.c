/* SPDX-License-Identifier: MIT */
/* poll_pace: a table of pace and quiet time to wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "poll_pace.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S  INT64_C(1000000000)

static void wait_follows_pace_and_quiet_time(void **state)
{
    (void)state;
    static const struct {
        enum poll_pace pace;
        int64_t quiet_ns, wait_ns;
    } table[] = {
        /* An eighth of the quiet time, within bounds. */
        {PACE_UNDER_WAY, 0, 20 * US},
        {PACE_UNDER_WAY, 160 * US, 20 * US},
        {PACE_UNDER_WAY, 168 * US, 21 * US},
        {PACE_UNDER_WAY, 800 * US, 100 * US},
        {PACE_UNDER_WAY, 1600 * US, 200 * US},
        {PACE_UNDER_WAY, 1 * S, 200 * US},
        {PACE_STARVING, 0, 20 * US},
        {PACE_STARVING, 800 * US, 100 * US},
        {PACE_STARVING, 8 * MS, 1 * MS},
        {PACE_STARVING, 80 * MS, 10 * MS},
        {PACE_STARVING, 1 * S, 10 * MS},
        {PACE_FED, 0, 1 * MS},
        {PACE_FED, 8 * MS, 1 * MS},
        {PACE_FED, 40 * MS, 5 * MS},
        {PACE_FED, 80 * MS, 10 * MS},
        {PACE_FED, 1 * S, 10 * MS},
        {PACE_BACKSTOP, 0, 1 * S},
        {PACE_BACKSTOP, 1 * S, 1 * S},
        {PACE_BACKSTOP, 3600 * S, 1 * S},
        /* A quiet time below zero or beyond all measure keeps to the bounds. */
        {PACE_UNDER_WAY, -1, 20 * US},
        {PACE_STARVING, -1 * S, 20 * US},
        {PACE_FED, INT64_MIN, 1 * MS},
        {PACE_BACKSTOP, INT64_MIN, 1 * S},
        {PACE_UNDER_WAY, INT64_MAX, 200 * US},
        {PACE_STARVING, INT64_MAX, 10 * MS},
        {PACE_FED, INT64_MAX, 10 * MS},
        {PACE_BACKSTOP, INT64_MAX, 1 * S},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (poll_pace_wait_ns(table[i].pace, table[i].quiet_ns) != table[i].wait_ns)
            fail_msg("pace %d, quiet for %lld ns: waits %lld ns instead of %lld ns", table[i].pace,
                     (long long)table[i].quiet_ns,
                     (long long)poll_pace_wait_ns(table[i].pace, table[i].quiet_ns),
                     (long long)table[i].wait_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(wait_follows_pace_and_quiet_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
