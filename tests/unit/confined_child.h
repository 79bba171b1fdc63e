/* SPDX-License-Identifier: MIT */
/* confined_child: runs a part of a test in a child process that has confined itself. */
#ifndef CONFINED_CHILD_H
#define CONFINED_CHILD_H

#include "mppool.h"

enum { NOT_CONFINED = 255 };

/* Forks a child that calls confine_worker and then `attempt`. Returns 0 if attempt returned 0;
 * otherwise errno after attempt, or EDOM if that was 0; NOT_CONFINED if confine_worker failed. */
int try_confined(const struct mpp_confine *confine, size_t memory_limit_bytes,
                 int (*attempt)(void));

/* Skip the rest of the test, with a message, if the kernel or the build has no support. */
void require_seccomp(void);
void require_landlock(void);

#endif
