/*
 * whole_io: reading and writing until it is done: what was interrupted is taken up again, and a
 * short count is not the end.
 */
#ifndef IO_FULL_H
#define IO_FULL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* -1: errno says why; some of it may have been written. */
int io_full_write(int fd, const void *bytes, size_t size);

/* How much there is, up to `size`; less is the end of the file. -1: errno says why. */
ssize_t io_full_pread(int fd, void *to, size_t size, uint64_t at);

#endif
