/* SPDX-License-Identifier: MIT */
/* Decodes a PNG by inflating it in one call: see png_whole_decode.h. */
#include "png_whole_decode.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "png_chunk.h"
#include "png_unfilter.h"

#define KEPT_BYTES ((size_t)16 << 20) /* larger buffers are freed after their picture */

struct png_whole_decode {
    const struct png_layout *layout;
    struct libdeflate_decompressor *inflater;
    struct buf packed;   /* the data of several IDAT chunks, joined */
    struct buf rows;     /* inflated rows, each with its filter in the byte before it */
    struct buf zeros;    /* the row above the first one */
    struct buf pass_row; /* interlaced: one row of a pass, unpacked */
    struct buf picture;  /* interlaced: all rows, unpacked */
    int next;            /* row */
};

struct png_whole_decode *png_whole_decode_new(void)
{
    struct png_whole_decode *whole = calloc(1, sizeof *whole);
    if (whole && (whole->inflater = libdeflate_alloc_decompressor()))
        return whole;
    free(whole);
    return NULL;
}

void png_whole_decode_free(struct png_whole_decode *whole)
{
    if (!whole)
        return;
    libdeflate_free_decompressor(whole->inflater);
    buf_release(&whole->packed);
    buf_release(&whole->rows);
    buf_release(&whole->zeros);
    buf_release(&whole->pass_row);
    buf_release(&whole->picture);
    free(whole);
}

/* ---- Passes ---- */

/* A pass of an interlaced picture (Adam7): every `across`-th pixel from x on of every `down`-th row
 * from y on. A picture that is not interlaced is one pass. */
struct png_pass {
    int x, y, across, down;
    int width, height; /* in pixels of the pass */
    size_t row_bytes;  /* without the filter byte */
};

static const struct png_pass adam7[] = {
    {.x = 0, .y = 0, .across = 8, .down = 8}, {.x = 4, .y = 0, .across = 8, .down = 8},
    {.x = 0, .y = 4, .across = 4, .down = 8}, {.x = 2, .y = 0, .across = 4, .down = 4},
    {.x = 0, .y = 2, .across = 2, .down = 4}, {.x = 1, .y = 0, .across = 2, .down = 2},
    {.x = 0, .y = 1, .across = 1, .down = 2},
};
enum { PASSES = sizeof adam7 / sizeof *adam7 };

static struct png_pass pass_at(const struct png_layout *layout, int number)
{
    static const struct png_pass only = {.across = 1, .down = 1};
    struct png_pass pass = layout->interlaced ? adam7[number] : only;
    pass.width = layout->width > pass.x ? (layout->width - pass.x - 1) / pass.across + 1 : 0;
    pass.height = layout->height > pass.y ? (layout->height - pass.y - 1) / pass.down + 1 : 0;
    if (!pass.width)
        pass.height = 0;
    pass.row_bytes = ((size_t)pass.width * (size_t)(layout->depth * layout->samples) + 7) / 8;
    return pass;
}

/* The size of all rows of the file, with their filter bytes. */
static size_t inflated_bytes(const struct png_layout *layout)
{
    size_t total = 0;
    for (int number = 0; number < (layout->interlaced ? PASSES : 1); number++) {
        struct png_pass pass = pass_at(layout, number);
        total += (pass.row_bytes + 1) * (size_t)pass.height;
    }
    return total;
}

/* The pixel size that the filters use: at least a byte. */
static int pixel_bytes(const struct png_layout *layout)
{
    return layout->depth < 8 ? 1 : layout->depth / 8 * layout->samples;
}

/* Undoes the filters of row y, which is even, and of row y + 1 of a pass whose rows are at
 * `rows`. */
static bool unfilter_rows(const struct png_whole_decode *whole, const struct png_pass *pass,
                          uint8_t *rows, int y)
{
    size_t stride = pass->row_bytes + 1;
    uint8_t *row = rows + (size_t)y * stride + 1;
    const uint8_t *above = y ? row - stride : whole->zeros.data;
    int bytes = pixel_bytes(whole->layout);
    if (y + 1 < pass->height)
        return png_unfilter_two(row, row + stride, above, pass->row_bytes, bytes);
    return png_unfilter(row[-1], row, above, pass->row_bytes, bytes);
}

/* ---- The file ---- */

/* Finds the compressed picture: in place if it is one IDAT chunk, otherwise joined in `packed`. */
static bool join_chunks(struct png_whole_decode *whole, const struct byte_source *source,
                        const uint8_t **packed, size_t *packed_size)
{
    struct png_chunk chunk;
    uint64_t at = PNG_SIGNATURE_BYTES;
    bool after_last = false;
    *packed_size = 0;
    buf_clear(&whole->packed);
    while (!after_last && png_chunk_next(source, &at, &chunk, NULL)) {
        if (!png_chunk_is(&chunk, "IDAT")) {
            after_last = *packed_size > 0; /* IDAT chunks are consecutive */
            continue;
        }
        const uint8_t *data = png_chunk_data(source, &chunk, NULL);
        if (!data)
            return false;
        if (!*packed_size) {
            *packed = data;
            *packed_size = chunk.size;
        } else {
            if (!whole->packed.size)
                buf_put(&whole->packed, *packed, *packed_size);
            buf_put(&whole->packed, data, chunk.size);
        }
    }
    if (whole->packed.size) {
        *packed = whole->packed.data;
        *packed_size = whole->packed.size;
    }
    return after_last && !whole->packed.failed;
}

static bool inflate_rows(struct png_whole_decode *whole, const struct byte_source *source,
                         size_t inflated_size)
{
    const uint8_t *packed = NULL;
    size_t packed_size;
    if (!join_chunks(whole, source, &packed, &packed_size))
        return false;
    buf_clear(&whole->rows);
    uint8_t *rows = buf_reserve(&whole->rows, inflated_size + PNG_UNFILTER_SLACK);
    return rows && libdeflate_zlib_decompress(whole->inflater, packed, packed_size, rows,
                                              inflated_size, NULL) == LIBDEFLATE_SUCCESS;
}

/* Copies the unpacked pixels of row y of a pass to their places in the picture. */
static void scatter(const struct png_layout *layout, const struct png_pass *pass, int y,
                    const uint8_t *row, uint8_t *picture)
{
    size_t channels = (size_t)layout->channels, step = (size_t)pass->across * channels;
    uint8_t *to =
        picture +
        ((size_t)(pass->y + y * pass->down) * (size_t)layout->width + (size_t)pass->x) * channels;
    if (pass->across == 1) {
        memcpy(to, row, (size_t)pass->width * channels);
        return;
    }
    for (int x = 0; x < pass->width; x++, to += step, row += channels)
        for (size_t i = 0; i < channels; i++)
            to[i] = row[i];
}

static bool assemble_passes(struct png_whole_decode *whole)
{
    const struct png_layout *layout = whole->layout;
    size_t row_bytes = (size_t)layout->width * (size_t)layout->channels;
    uint8_t *rows = whole->rows.data;
    buf_clear(&whole->picture);
    buf_clear(&whole->pass_row);
    uint8_t *picture = buf_reserve(&whole->picture, row_bytes * (size_t)layout->height);
    uint8_t *pass_row = buf_reserve(&whole->pass_row, row_bytes);
    if (!picture || !pass_row)
        return false;
    for (int number = 0; number < PASSES; number++) {
        struct png_pass pass = pass_at(layout, number);
        for (int y = 0; y < pass.height; y++) {
            if (y % 2 == 0 && !unfilter_rows(whole, &pass, rows, y))
                return false;
            png_unpack(layout, rows + (size_t)y * (pass.row_bytes + 1) + 1, (size_t)pass.width,
                       pass_row);
            scatter(layout, &pass, y, pass_row, picture);
        }
        rows += (pass.row_bytes + 1) * (size_t)pass.height;
    }
    return true;
}

static bool make_zero_row(struct png_whole_decode *whole, size_t size)
{
    buf_clear(&whole->zeros);
    uint8_t *zeros = buf_reserve(&whole->zeros, size + PNG_UNFILTER_SLACK);
    if (zeros)
        memset(zeros, 0, size + PNG_UNFILTER_SLACK);
    return zeros;
}

bool png_whole_decode_begin(struct png_whole_decode *whole, const struct byte_source *source,
                            const struct png_layout *layout)
{
    size_t pixels = (size_t)layout->width * (size_t)layout->height;
    size_t largest =
        (size_t)(layout->samples > layout->channels ? layout->samples : layout->channels) *
        (layout->depth == 16 ? 2 : 1);
    whole->layout = layout;
    whole->next = 0;
    if (!source->bytes || pixels > PNG_WHOLE_DECODE_MAX_BYTES / largest ||
        !make_zero_row(whole, (size_t)layout->width * largest))
        return false;
    return inflate_rows(whole, source, inflated_bytes(layout)) &&
           (!layout->interlaced || assemble_passes(whole));
}

bool png_whole_decode_row(struct png_whole_decode *whole, uint8_t *row)
{
    const struct png_layout *layout = whole->layout;
    int y = whole->next++;
    if (layout->interlaced) {
        size_t row_bytes = (size_t)layout->width * (size_t)layout->channels;
        memcpy(row, whole->picture.data + (size_t)y * row_bytes, row_bytes);
        return true;
    }
    struct png_pass pass = pass_at(layout, 0);
    if (y % 2 == 0 && !unfilter_rows(whole, &pass, whole->rows.data, y))
        return false;
    png_unpack(layout, whole->rows.data + (size_t)y * (pass.row_bytes + 1) + 1,
               (size_t)layout->width, row);
    return true;
}

static void release_if_large(struct buf *buf)
{
    if (buf->capacity > KEPT_BYTES)
        buf_release(buf);
}

void png_whole_decode_end(struct png_whole_decode *whole)
{
    release_if_large(&whole->packed);
    release_if_large(&whole->rows);
    release_if_large(&whole->picture);
}
