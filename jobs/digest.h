/* SPDX-License-Identifier: MIT */
/*
 * digest: the job that computes a checksum of each file, as lines that `sha256sum -c` or
 * `xxhsum -c` accepts, in the order of the inputs.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "mpbatch.h"

extern const struct mpb_job digest_job;

#endif
