/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_plan: names the output of each input, on rank 0. Refuses inputs whose outputs could
 * overwrite an input or another output, before anything is computed.
 *
 * It guarantees that no two inputs have the same output. A task whose output may go to a directory
 * that contains inputs is marked THUMBNAIL_NO_REPLACE: the worker then never replaces an existing
 * file.
 *
 * It calls the file system for arguments and symbolic links, but not for each file found in a
 * directory.
 *
 * Memory: constant if the only input is a directory whose files keep their names; otherwise 11 to
 * 21 bytes per output (name_set).
 */
#ifndef THUMBNAIL_PLAN_H
#define THUMBNAIL_PLAN_H

#include "mpbatch.h"

/* The begin, plan and end functions of the job. */
int thumbnail_plan_begin(void **plan, const struct mpb_run *run, const void *settings,
                         struct mpp_error *error);
enum mpb_plan thumbnail_plan_input(void *plan, const struct mpb_input *input,
                                   struct mpp_bytes *bytes, struct mpp_error *error);
void thumbnail_plan_end(void *plan);

#endif
