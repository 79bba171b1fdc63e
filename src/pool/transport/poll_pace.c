/* SPDX-License-Identifier: MIT */
/* How often a rank looks for messages: see poll_pace.h. */
#include "poll_pace.h"

enum { QUIET_FRACTION = 8 };

int64_t poll_pace_wait_ns(enum poll_pace pace, int64_t quiet_ns)
{
    static const struct {
        int64_t min_ns, max_ns;
    } bounds[] = {
        [PACE_UNDER_WAY] = {20000, 200000},
        [PACE_STARVING] = {20000, 10000000},
        [PACE_FED] = {1000000, 10000000},
        [PACE_BACKSTOP] = {1000000000, 1000000000},
    };
    int64_t ns = quiet_ns / QUIET_FRACTION;
    return ns < bounds[pace].min_ns   ? bounds[pace].min_ns
           : ns > bounds[pace].max_ns ? bounds[pace].max_ns
                                      : ns;
}
