/* SPDX-License-Identifier: MIT */
/*
 * executor_open: opens a pool over any kind of transport. mpp_open uses it with MPI; tests use it
 * with ranks that are threads of one process.
 */
#ifndef EXECUTOR_OPEN_H
#define EXECUTOR_OPEN_H

#include "mppool.h"
#include "transport.h"

/* How a rank connects to the other ranks. */
struct executor_link {
    /* Called once the fork server has been forked. Returns a transport, or NULL with the error
     * filled. */
    struct transport *(*connect)(void *context, struct mpp_error *error);
    void *context;
};

/* Does what mpp_open does, with this link. */
enum mpp_role executor_open(const struct executor_link *link, const struct mpp_options *options,
                            struct mpp_executor **executor, struct mpp_error *error);

#endif
