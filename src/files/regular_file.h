/* SPDX-License-Identifier: MIT */
/*
 * regular_file: opens what has to be a regular file. A FIFO without a writer or a terminal
 * does not block, and whatever cannot be used is named in the error.
 */
#ifndef REGULAR_FILE_H
#define REGULAR_FILE_H

#include <sys/stat.h>

#include "mpp_error.h"

/* Returns the descriptor and fills *status; -1: errno is set unless the file has another type, for
 * which it is 0. The offset stands at the beginning. */
int regular_file_open(const char *path, struct stat *status, struct mpp_error *error);

/* The same with other flags of open(2), and without an error text. */
int regular_file_open_with(const char *path, int flags, struct stat *status);

#endif
