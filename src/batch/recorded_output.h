/* SPDX-License-Identifier: MIT */
/*
 * recorded_output: whether a file that an earlier run has read or written is still the same. The
 * functions run in worker processes, so that ranks share the load on the file system. They are
 * thread-safe.
 */
#ifndef RECORDED_OUTPUT_H
#define RECORDED_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "mpp_error.h"

/* The modification time, since 1970. */
int64_t file_mtime_ns(const struct stat *status);

/* Whether a regular file has this size and modification time. Does not open it: on a network file
 * system that could take longer than everything else. */
bool recorded_input_unchanged(const char *path, int64_t size_bytes, int64_t mtime_ns);

/* Whether `path` is a regular file that is not empty and, unless xxh3 is NULL, has this checksum
 * (XXH3, 64 bits). Otherwise *why says what is wrong. */
bool recorded_output_intact(const char *path, const uint64_t *xxh3, struct mpp_error *why);

#endif
