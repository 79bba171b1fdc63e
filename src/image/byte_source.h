/* SPDX-License-Identifier: MIT */
/*
 * byte_source: the bytes of a file for a decoder: all in memory, or read through a callback when
 * the decoder needs them.
 */
#ifndef BYTE_SOURCE_H
#define BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct byte_source {
    const uint8_t *bytes; /* the whole file; NULL: use read_at */
    uint64_t size;        /* of the file */

    /* Reads exactly `size` bytes at offset `at`. False: they cannot be read, errno says why. */
    bool (*read_at)(void *context, uint64_t at, void *to, size_t size);
    void *context;
};

/* Returns `size` bytes at offset `at`: a pointer into the file in memory, or into `scratch`, whose
 * contents are replaced. NULL: the range ends after the file, reading failed, or out of memory. */
const uint8_t *byte_source_at(const struct byte_source *source, uint64_t at, size_t size,
                              struct buf *scratch);

#endif
