/* SPDX-License-Identifier: MIT */
/* Reads the ICC profile of a PNG: see png_read_profile.h. */
#include "png_read_profile.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "png_chunk.h"

#define HEAD_BYTES 128 /* of an ICC profile; a shorter one is damaged */

static uint8_t *inflate_profile(const uint8_t *packed, size_t packed_size, size_t *profile_size)
{
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    /* The largest size: pages that are not written to cost only address space. */
    uint8_t *profile = malloc(PNG_READ_PROFILE_MAX_BYTES);
    size_t inflated_size = 0;
    if (!inflater || !profile ||
        libdeflate_zlib_decompress(inflater, packed, packed_size, profile,
                                   PNG_READ_PROFILE_MAX_BYTES,
                                   &inflated_size) != LIBDEFLATE_SUCCESS ||
        inflated_size < HEAD_BYTES) {
        free(profile);
        profile = NULL;
    }
    libdeflate_free_decompressor(inflater);
    *profile_size = inflated_size;
    return profile;
}

/* `data` are those of an iCCP chunk: a name, a zero byte, the method (always deflate), the
 * profile. */
static uint8_t *profile_of_chunk(const uint8_t *data, size_t size, size_t *profile_size)
{
    const uint8_t *end = data ? memchr(data, 0, size) : NULL;
    size_t head = end ? (size_t)(end - data) + 2 : 0;
    return end && head < size ? inflate_profile(data + head, size - head, profile_size) : NULL;
}

uint8_t *png_read_profile(const struct byte_source *source, size_t *profile_size)
{
    struct buf scratch = BUF_INIT;
    struct png_chunk chunk;
    uint64_t at = PNG_SIGNATURE_BYTES;
    uint8_t *profile = NULL;
    while (png_chunk_next(source, &at, &chunk, &scratch) && !png_chunk_is(&chunk, "IDAT")) {
        if (!png_chunk_is(&chunk, "iCCP"))
            continue;
        if (chunk.size <= PNG_READ_PROFILE_MAX_BYTES)
            profile = profile_of_chunk(png_chunk_data(source, &chunk, &scratch), chunk.size,
                                       profile_size);
        break;
    }
    buf_release(&scratch);
    return profile;
}
