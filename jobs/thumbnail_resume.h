/*
 * thumbnail_earlier: what earlier runs have left: is a task done already, by what was recorded of
 * it?
 */
#ifndef THUMBNAIL_RESUME_H
#define THUMBNAIL_RESUME_H

#include <sys/stat.h>

#include "thumbnail_job.h"

int64_t thumbnail_mtime_ns(const struct stat *status); /* since 1970 */

/* Is there a thumbnail; with THUMBNAIL_VERIFY, the very one that was recorded? */
bool thumbnail_resume_is_there(const struct thumbnail_setup *setup,
                               const struct thumbnail_task *task);

/* Has the source the size and time that were recorded? */
bool thumbnail_resume_is_same(const struct thumbnail_task *task);

/* For THUMBNAIL_CHECK: -1 where the thumbnail is not what was recorded. The source is not asked. */
int thumbnail_resume_check(const struct thumbnail_setup *setup, const struct thumbnail_task *task,
                           struct mpp_error *error);

#endif
