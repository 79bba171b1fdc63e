/* SPDX-License-Identifier: MIT */
/* whoami: a job whose result is a line of text with the process, rank and host on which it ran. */
#ifndef WHOAMI_H
#define WHOAMI_H

#include "mpbatch.h"

extern const struct mpb_job whoami_job;

#endif
