/* SPDX-License-Identifier: MIT */
/* spin: a job that keeps a core busy with a loop of 10^8 steps. */
#ifndef SPIN_H
#define SPIN_H

#include "mpbatch.h"

extern const struct mpb_job spin_job;

#endif
