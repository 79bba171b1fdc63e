/* SPDX-License-Identifier: MIT */
/*
 * job_table: mistakes of a programmer in the table of jobs that a program gives to mpb_main. They
 * are found at every start, so that none waits for the command line that would crash on it.
 */
#ifndef JOB_TABLE_H
#define JOB_TABLE_H

#include "mpbatch.h"

/* -1: the error names the job and what is wrong with it. */
int job_table_check(const struct mpb_job *const *jobs, struct mpp_error *error);

#endif
