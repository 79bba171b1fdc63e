/* SPDX-License-Identifier: MIT */
/*
 * shared_directory: a temporary directory that all ranks of a run on one host share, for files that
 * tests and their tasks leave for each other. The environment variable MPP_TEST_DIRECTORY names it;
 * in_shared_directory.sh sets it. A program that no launcher has started makes a directory itself.
 */
#ifndef SHARED_DIRECTORY_H
#define SHARED_DIRECTORY_H

/* Returns the path, which is the same on every rank. NULL: there is none; a message says why. */
const char *shared_directory_make(void);

/* Removes it and all files in it. */
void shared_directory_remove(void);

#endif
