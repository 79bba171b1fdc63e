/* SPDX-License-Identifier: MIT */
/*
 * read_write_full: read and write functions that continue after a short count, after EINTR, and
 * when a non-blocking descriptor is ready again, until all bytes are transferred; and what goes
 * with them.
 */
#ifndef READ_WRITE_FULL_H
#define READ_WRITE_FULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Returns 0, or -1 with errno set; then a part may have been written. */
int write_in_full(int fd, const void *bytes, size_t size);

/* Returns the number of bytes read; less than `size` means end of file. -1: errno is set. */
ssize_t pread_in_full(int fd, void *to, size_t size, uint64_t at);

/* fdatasync, which is no failure on a file system that cannot sync. Returns 0, or -1 with errno
 * set. */
int sync_data(int fd);

/* Whether this errno of a write says that writing other files would fail, too: the file system is
 * full or read-only. */
bool concerns_all_files(int number);

#endif
