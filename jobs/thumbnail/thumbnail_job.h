/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_job: the job that makes a thumbnail of one file: it reads and decodes the image, blurs
 * and shrinks it, and writes the encoded result.
 *
 * The job's initargs are a struct thumbnail_setup (thumbnail_task.h). Its payload is an encoded
 * struct thumbnail_task, its result an encoded struct thumbnail_outcome (thumbnail_message.h).
 */
#ifndef THUMBNAIL_JOB_H
#define THUMBNAIL_JOB_H

#include "mppool.h"

extern const struct mpp_job thumbnail_job;

#endif
