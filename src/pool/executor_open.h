/* SPDX-License-Identifier: MIT */
/*
 * executor_open: opens a pool over any kind of transport. mpp_open uses it with MPI; tests use it
 * with ranks that are threads of one process.
 */
#ifndef EXECUTOR_OPEN_H
#define EXECUTOR_OPEN_H

#include "mppool.h"
#include "transport.h"

/* How a rank connects to the other ranks. It is called after the fork server has been forked. */
struct executor_link {
    struct transport *(*connect)(void *context, struct mpp_error *error); /* NULL: error filled */
    void *context;
};

/* As mpp_open. */
enum mpp_role executor_open(const struct executor_link *link, const struct mpp_options *options,
                            struct mpp_executor **executor, struct mpp_error *error);

#endif
