/* SPDX-License-Identifier: MIT */
/*
 * shared_directory: a temporary directory that all ranks of a run on one host share, for files that
 * tests and their tasks leave for each other.
 */
#ifndef SHARED_DIRECTORY_H
#define SHARED_DIRECTORY_H

/* Makes the directory, or finds the one that another rank has made. Returns its path, which is the
 * same on every rank, or NULL if it cannot be made. */
const char *shared_directory_make(void);

/* Removes it and all files in it. */
void shared_directory_remove(void);

#endif
