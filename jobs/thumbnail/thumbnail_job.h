/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_job: the job that makes a thumbnail of each file: it reads and decodes the image, blurs
 * and shrinks it, and writes the encoded result.
 */
#ifndef THUMBNAIL_JOB_H
#define THUMBNAIL_JOB_H

#include "mpbatch.h"

extern const struct mpb_job thumbnail_job;

#endif
