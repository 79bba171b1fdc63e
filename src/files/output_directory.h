/* SPDX-License-Identifier: MIT */
/*
 * output_directory: the directory that a run writes below. atomic_file writes the files in it.
 */
#ifndef OUTPUT_DIRECTORY_H
#define OUTPUT_DIRECTORY_H

#include "mpp_error.h"

/* Opens a directory, and creates it and its parents where they are missing. The caller closes
 * *fd. */
int output_directory_open(const char *path, int *fd, struct mpp_error *error);

/* The same, but closes it. */
int output_directory_make(const char *path, struct mpp_error *error);

#endif
