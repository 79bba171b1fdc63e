/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_resume: whether a task was done by an earlier run, so that --resume, --skip-existing
 * and --verify can skip it. Called by thumbnail_source.c in worker processes.
 */
#ifndef THUMBNAIL_RESUME_H
#define THUMBNAIL_RESUME_H

#include <sys/stat.h>

#include "mpp_error.h"
#include "thumbnail_task.h"

/* The modification time, since 1970. */
int64_t thumbnail_mtime_ns(const struct stat *status);

/* Whether the thumbnail exists; with THUMBNAIL_VERIFY, also whether it has the recorded
 * checksum. */
bool thumbnail_resume_output_exists(const struct thumbnail_setup *setup,
                                    const struct thumbnail_task *task);

/* Whether the source still has the recorded size and modification time. */
bool thumbnail_resume_source_unchanged(const struct thumbnail_task *task);

/* For THUMBNAIL_CHECK: compares the thumbnail with the record. -1: they differ, error says how.
 * Does not access the source. */
int thumbnail_resume_check(const struct thumbnail_setup *setup, const struct thumbnail_task *task,
                           struct mpp_error *error);

#endif
