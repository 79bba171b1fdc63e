/* The chunks of a PNG file: see png_chunk.h. */
#include "png_chunk.h"

#include <libdeflate.h>
#include <string.h>

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool png_chunk_next(const uint8_t *bytes, size_t size, size_t *at, struct png_chunk *chunk)
{
    const size_t around = 12; /* length, type and CRC */
    if (size < *at || size - *at < around)
        return false;
    size_t length = big_endian(bytes + *at);
    if (length > size - *at - around)
        return false;
    *chunk = (struct png_chunk){.type = bytes + *at + 4, .data = bytes + *at + 8, .size = length};
    *at += around + length;
    return true;
}

bool png_chunk_is(const struct png_chunk *chunk, const char *type)
{
    return memcmp(chunk->type, type, 4) == 0;
}

bool png_chunk_is_good(const struct png_chunk *chunk)
{
    return libdeflate_crc32(0, chunk->type, 4 + chunk->size) ==
           big_endian(chunk->data + chunk->size);
}
