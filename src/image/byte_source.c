/* SPDX-License-Identifier: MIT */
/* The bytes of a file for a decoder: see byte_source.h. */
#include "byte_source.h"

const uint8_t *byte_source_at(const struct byte_source *source, uint64_t at, size_t size,
                              struct buf *scratch)
{
    if (at > source->size || size > source->size - at)
        return NULL;
    if (source->bytes)
        return source->bytes + at;
    buf_clear(scratch);
    uint8_t *to = buf_reserve(scratch, size ? size : 1);
    return to && source->read_at(source->context, at, to, size) ? to : NULL;
}
