/* whoami: a job that reports where it runs: process, rank and host. */
#ifndef WHOAMI_H
#define WHOAMI_H

#include "mppool.h"

extern const struct mpp_job whoami_job;

#endif
