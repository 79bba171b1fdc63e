/* SPDX-License-Identifier: MIT */
/* temporary_directory: a scratch directory for one test, which becomes the working directory. */
#ifndef TEMPORARY_DIRECTORY_H
#define TEMPORARY_DIRECTORY_H

/* The setup and teardown functions of a cmocka test. */
int scratch_setup(void **state);
int scratch_teardown(void **state); /* removes the directory with its contents */

/* Creates or replaces a file; missing directories are created. */
void scratch_write(const char *path, const char *text);
/* Fails the test unless the file has these contents. */
void scratch_expect(const char *path, const char *text);
/* Number of entries, without `.` and `..`. */
int scratch_count(const char *directory);

#endif
