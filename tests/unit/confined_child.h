/* confined: what a test asks of a child that confines itself. */
#ifndef CONFINED_CHILD_H
#define CONFINED_CHILD_H

#include "mppool.h"

enum { NOT_CONFINED = 255 };

/* Forks; the child calls confine_worker and then attempt. 0: that returned 0; an errno: it did not;
 * EDOM: it did not and errno does not say why; NOT_CONFINED: it was not even confined. */
int try_confined(const struct mpp_confine *confine, size_t memory_limit_bytes,
                 int (*attempt)(void));

/* Where the kernel or the build lacks the means, these skip the rest of the test, and say so. */
void need_calls(void);
void need_paths(void);

#endif
