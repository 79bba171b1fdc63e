/*
 * image_source: the bytes of a file, all in memory, or read when they are asked for. Pure but for
 * what its owner's read_at does.
 */
#ifndef BYTE_SOURCE_H
#define BYTE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct byte_source {
    const uint8_t *bytes; /* all of it; NULL: it is read */
    uint64_t size;

    /* All `size` bytes from there; false: they cannot be read, errno says why. */
    bool (*read_at)(void *context, uint64_t at, void *to, size_t size);
    void *context;
};

/* Bytes in place, or in `scratch`, whose contents they replace. NULL: they are not in the file, or
 * cannot be read, or memory is out. */
const uint8_t *byte_source_at(const struct byte_source *source, uint64_t at, size_t size,
                              struct buf *scratch);

#endif
