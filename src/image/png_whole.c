/* The picture of a PNG, inflated at once: see png_whole.h. */
#include "png_whole.h"

#include <libdeflate.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "png_unfilter.h"

enum { SIGNATURE_BYTES = 8, CHUNK_HEAD_BYTES = 8, CRC_BYTES = 4 };
#define KEPT_BYTES ((size_t)16 << 20) /* larger buffers go with their picture */

struct png_whole {
    struct libdeflate_decompressor *inflater;
    struct buf packed; /* the data of several IDAT chunks, joined */
    struct buf rows;
};

struct png_whole *png_whole_new(void)
{
    struct png_whole *whole = calloc(1, sizeof *whole);
    if (whole && (whole->inflater = libdeflate_alloc_decompressor()))
        return whole;
    free(whole);
    return NULL;
}

void png_whole_free(struct png_whole *whole)
{
    if (!whole)
        return;
    libdeflate_free_decompressor(whole->inflater);
    buf_release(&whole->packed);
    buf_release(&whole->rows);
    free(whole);
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

struct chunk {
    const uint8_t *data;
    size_t size;
    bool is_picture;
};

/* The chunk at *at; false when none whole and undamaged is there. */
static bool take_chunk(const uint8_t *bytes, size_t size, size_t *at, struct chunk *chunk)
{
    if (size - *at < CHUNK_HEAD_BYTES + CRC_BYTES)
        return false;
    const uint8_t *head = bytes + *at;
    size_t length = big_endian(head);
    if (length > size - *at - CHUNK_HEAD_BYTES - CRC_BYTES)
        return false;
    *chunk = (struct chunk){.data = head + CHUNK_HEAD_BYTES,
                            .size = length,
                            .is_picture = memcmp(head + 4, "IDAT", 4) == 0};
    *at += CHUNK_HEAD_BYTES + length + CRC_BYTES;
    return !chunk->is_picture ||
           libdeflate_crc32(0, head + 4, 4 + length) == big_endian(chunk->data + length);
}

/* All picture data in one piece: in place where it is one chunk. */
static bool join(struct png_whole *whole, const uint8_t *bytes, size_t size, const uint8_t **packed,
                 size_t *packed_size)
{
    struct chunk chunk = {0};
    size_t at = SIGNATURE_BYTES;
    *packed_size = 0;
    buf_clear(&whole->packed);
    while (take_chunk(bytes, size, &at, &chunk)) {
        if (chunk.is_picture && !*packed_size) {
            *packed = chunk.data;
            *packed_size = chunk.size;
        } else if (chunk.is_picture) {
            if (!whole->packed.size)
                buf_put(&whole->packed, *packed, *packed_size);
            buf_put(&whole->packed, chunk.data, chunk.size);
        } else if (*packed_size) { /* they follow each other */
            break;
        }
    }
    if (whole->packed.size) {
        *packed = whole->packed.data;
        *packed_size = whole->packed.size;
    }
    return *packed_size && !chunk.is_picture && !whole->packed.failed;
}

static void let_go_of_large(struct buf *buf)
{
    if (buf->capacity > KEPT_BYTES)
        buf_release(buf);
}

uint8_t *png_whole_inflate(struct png_whole *whole, const uint8_t *bytes, size_t size,
                           size_t inflated_size)
{
    const uint8_t *packed = NULL;
    size_t packed_size;
    let_go_of_large(&whole->packed);
    let_go_of_large(&whole->rows);
    if (size < SIGNATURE_BYTES || !join(whole, bytes, size, &packed, &packed_size))
        return NULL;
    buf_clear(&whole->rows);
    uint8_t *rows = buf_reserve(&whole->rows, inflated_size + PNG_UNFILTER_SLACK);
    if (!rows || libdeflate_zlib_decompress(whole->inflater, packed, packed_size, rows,
                                            inflated_size, NULL) != LIBDEFLATE_SUCCESS)
        return NULL;
    return rows;
}
