/* SPDX-License-Identifier: MIT */
/* Walks over the chunks of a PNG file: see png_chunk.h. */
#include "png_chunk.h"

#include <libdeflate.h>
#include <string.h>

enum { TYPE_BYTES = 4, HEAD_BYTES = 8, CRC_BYTES = 4 };

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool png_chunk_next(const struct byte_source *source, uint64_t *at, struct png_chunk *chunk,
                    struct buf *scratch)
{
    const uint8_t *head = byte_source_at(source, *at, HEAD_BYTES, scratch);
    if (!head)
        return false;
    *chunk = (struct png_chunk){.at = *at + HEAD_BYTES, .size = big_endian(head)};
    memcpy(chunk->type, head + 4, TYPE_BYTES);
    if (source->size - chunk->at < CRC_BYTES || chunk->size > source->size - chunk->at - CRC_BYTES)
        return false;
    *at = chunk->at + chunk->size + CRC_BYTES;
    return true;
}

bool png_chunk_is(const struct png_chunk *chunk, const char *type)
{
    return memcmp(chunk->type, type, TYPE_BYTES) == 0;
}

const uint8_t *png_chunk_data(const struct byte_source *source, const struct png_chunk *chunk,
                              struct buf *scratch)
{
    const uint8_t *bytes = byte_source_at(source, chunk->at - TYPE_BYTES,
                                          TYPE_BYTES + chunk->size + CRC_BYTES, scratch);
    if (!bytes || libdeflate_crc32(0, bytes, TYPE_BYTES + chunk->size) !=
                      big_endian(bytes + TYPE_BYTES + chunk->size))
        return NULL;
    return bytes + TYPE_BYTES;
}
