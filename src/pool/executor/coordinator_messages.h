/* SPDX-License-Identifier: MIT */
/*
 * coordinator_messages: decodes what agents report and passes it to the coordinator as events.
 */
#ifndef COORDINATOR_MESSAGES_H
#define COORDINATOR_MESSAGES_H

#include "coordinator.h"

/* Tells the messages for the coordinator from those for the agent of rank 0. */
bool coordinator_takes_message(const struct buf *message);

/* Handles a message of the agent on rank `from`. Returns -1 with the error filled if it is damaged
 * or of another type. */
int coordinator_take_message(struct coordinator *coordinator, int from, const struct buf *message,
                             struct mpp_error *error);

#endif
