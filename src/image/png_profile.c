/* The ICC profile of a PNG: see png_profile.h. */
#include "png_profile.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "png_chunk.h"

#define HEAD_BYTES 128 /* of a profile, which begins with its size */

static uint8_t *inflated(const uint8_t *packed, size_t packed_size, size_t *profile_size)
{
    struct libdeflate_decompressor *inflater = libdeflate_alloc_decompressor();
    /* Room for the largest is only address space until it is written to. */
    uint8_t *profile = malloc(PNG_PROFILE_MAX_BYTES);
    size_t made = 0;
    if (!inflater || !profile ||
        libdeflate_zlib_decompress(inflater, packed, packed_size, profile, PNG_PROFILE_MAX_BYTES,
                                   &made) != LIBDEFLATE_SUCCESS ||
        made < HEAD_BYTES) {
        free(profile);
        profile = NULL;
    }
    libdeflate_free_decompressor(inflater);
    *profile_size = made;
    return profile;
}

uint8_t *png_profile(const uint8_t *bytes, size_t size, size_t *profile_size)
{
    struct png_chunk chunk;
    size_t at = PNG_SIGNATURE_BYTES;
    while (png_chunk_next(bytes, size, &at, &chunk) && !png_chunk_is(&chunk, "IDAT")) {
        if (!png_chunk_is(&chunk, "iCCP"))
            continue;
        const uint8_t *end = memchr(chunk.data, 0, chunk.size); /* of its name */
        size_t name =
            end ? (size_t)(end - chunk.data) + 2 : 0; /* with the method, always deflate */
        if (!end || name >= chunk.size || !png_chunk_is_good(&chunk))
            return NULL;
        return inflated(chunk.data + name, chunk.size - name, profile_size);
    }
    return NULL;
}
