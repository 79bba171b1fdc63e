/* SPDX-License-Identifier: MIT */
/*
 * journal_list: prints the names of inputs from journals, by status: the command `list`.
 *
 * Memory: an index of one journal at a time, and 11 to 21 bytes for each name that is printed.
 */
#ifndef JOURNAL_LIST_H
#define JOURNAL_LIST_H

#include <stdio.h>

#include "mpp_error.h"

/* `path` is a journal, a run directory, or the output directory of a run; a directory stands for
 * the journals of all shards in it. Prints the names of inputs whose last line has this status
 * (enum journal_status; -1: any), as the bytes that they were, in the order of these lines. A name
 * is printed once, even if several tasks have it. Tasks of later stages are left out. The caller
 * flushes `out` and looks for errors of it. -1: there is no journal, or it cannot be read. */
int journal_list_names(const char *path, int status, char separator, FILE *out,
                       struct mpp_error *error);

#endif
