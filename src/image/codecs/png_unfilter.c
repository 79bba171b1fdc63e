/* SPDX-License-Identifier: MIT */
/*
 * Undoes the row filters of a PNG: see png_unfilter.h.
 *
 * Mean and Paeth need the pixel to the left, so the pixels of a row are one chain of dependent
 * steps, and the time is the latency of a step. The channels of a pixel are computed in parallel,
 * in the lanes of one register. Two rows together take two chains in parallel: the lower half of
 * the register holds a pixel of the first row, the upper half the pixel to the left of it in the
 * second row, whose pixel above was computed in the step before.
 */
#include "png_unfilter.h"

#include <string.h>

#include "simd.h"

enum { NONE, SUB, UP, MEAN, PAETH, FILTERS };

typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef uint64_t halves __attribute__((vector_size(16)));
typedef int16_t lanes __attribute__((vector_size(16)));

SIMD_BODY lanes load(const uint8_t *from)
{
    bytes8 bytes;
    memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(bytes, lanes);
}

SIMD_BODY void store(uint8_t *to, lanes values, int pixel_bytes)
{
    bytes8 bytes = __builtin_convertvector(values, bytes8);
    memcpy(to, &bytes, (size_t)pixel_bytes);
}

/* Two pixels of at most four bytes, into the two halves. */
SIMD_BODY lanes load_two(const uint8_t *low, const uint8_t *high)
{
    uint32_t pair[2];
    memcpy(&pair[0], low, 4);
    memcpy(&pair[1], high, 4);
    return load((const uint8_t *)pair);
}

SIMD_BODY void store_two(uint8_t *low, uint8_t *high, lanes values, int pixel_bytes)
{
    bytes8 bytes = __builtin_convertvector(values, bytes8);
    memcpy(low, &bytes, (size_t)pixel_bytes);
    memcpy(high, (const uint8_t *)&bytes + 4, (size_t)pixel_bytes);
}

SIMD_BODY lanes absolute(lanes values)
{
    lanes negative = values < 0;
    return (values ^ negative) - negative;
}

/* Paeth: whichever of left, above and corner is closest to left + above - corner; on a tie the
 * first in that order. */
SIMD_BODY lanes paeth(lanes left, lanes above, lanes corner)
{
    lanes from_above = above - corner, from_left = left - corner;
    lanes to_left = absolute(from_above), to_above = absolute(from_left);
    lanes to_corner = absolute(from_above + from_left);
    lanes not_left = (to_left > to_above) | (to_left > to_corner);
    lanes not_above = to_above > to_corner;
    lanes other = (not_above & corner) | (~not_above & above);
    return (not_left & other) | (~not_left & left);
}

/* Undoes SUB, MEAN or PAETH, pixel by pixel. `filter` and `pixel_bytes` are compile-time
 * constants. */
SIMD_BODY void chain(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes)
{
    lanes left = {0}, corner = {0};
    for (size_t at = 0; at < size; at += (size_t)pixel_bytes) {
        lanes up = load(above + at), guess;
        if (filter == SUB)
            guess = left;
        else if (filter == MEAN)
            guess = (left + up) >> 1;
        else
            guess = paeth(left, up, corner);
        left = (load(row + at) + guess) & 0xFF;
        store(row + at, left, pixel_bytes);
        corner = up;
    }
}

SIMD_BODY void chain_of(int filter, uint8_t *row, const uint8_t *above, size_t size,
                        int pixel_bytes)
{
    switch (pixel_bytes) {
    case 1:
        chain(filter, row, above, size, 1);
        break;
    case 2:
        chain(filter, row, above, size, 2);
        break;
    case 3:
        chain(filter, row, above, size, 3);
        break;
    case 4:
        chain(filter, row, above, size, 4);
        break;
    case 6:
        chain(filter, row, above, size, 6);
        break;
    default:
        chain(filter, row, above, size, 8);
    }
}

SIMD_BODY void add_above(uint8_t *restrict row, const uint8_t *restrict above, size_t size)
{
    for (size_t i = 0; i < size; i++)
        row[i] = (uint8_t)(row[i] + above[i]);
}

SIMD_BODY void unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size,
                        int pixel_bytes)
{
    switch (filter) {
    case SUB:
        chain_of(SUB, row, above, size, pixel_bytes);
        break;
    case UP:
        add_above(row, above, size);
        break;
    case MEAN:
        chain_of(MEAN, row, above, size, pixel_bytes);
        break;
    case PAETH:
        chain_of(PAETH, row, above, size, pixel_bytes);
        break;
    default:
        break;
    }
}

SIMD_VARIANTS(void, unfilter,
              (int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes),
              (filter, row, above, size, pixel_bytes))

/* Pixels from their differences. `is_mean`: lanes with all bits set are filtered by MEAN, the
 * others by PAETH. */
SIMD_BODY lanes chain_step(lanes raw, lanes left, lanes up, lanes corner, lanes is_mean,
                           bool any_mean)
{
    lanes guess = paeth(left, up, corner);
    if (any_mean)
        guess = (is_mean & ((left + up) >> 1)) | (~is_mean & guess);
    return (raw + guess) & 0xFF;
}

/* Undoes MEAN or PAETH of two rows. */
SIMD_BODY void two_chains(uint8_t *row, uint8_t *next, const uint8_t *above, size_t size,
                          lanes is_mean, bool any_mean, int pixel_bytes)
{
    const lanes lower = (lanes)(halves){UINT64_MAX, 0}, none = {0};
    size_t pixel = (size_t)pixel_bytes;
    uint8_t unused[8] = {0};
    lanes corner = load(above) & lower; /* the second row begins one step later */
    lanes left = chain_step(load(row) & lower, none, corner, none, is_mean, any_mean) & lower;
    store_two(row, unused, left, pixel_bytes);
    for (size_t at = pixel; at < size; at += pixel) {
        lanes raw = load_two(row + at, next + at - pixel);
        lanes up = (lanes)__builtin_shufflevector((halves)load(above + at), (halves)left, 0, 2);
        left = chain_step(raw, left, up, corner, is_mean, any_mean);
        corner = up;
        store_two(row + at, next + at - pixel, left, pixel_bytes);
    }
    lanes up = (lanes)__builtin_shufflevector((halves)none, (halves)left, 0, 2);
    left = chain_step(load_two(unused, next + size - pixel), left, up, corner, is_mean, any_mean);
    store_two(unused, next + size - pixel, left, pixel_bytes);
}

SIMD_BODY void two_chains_of(uint8_t *row, uint8_t *next, const uint8_t *above, size_t size,
                             int pixel_bytes)
{
    lanes is_mean =
        (lanes)(halves){row[-1] == MEAN ? UINT64_MAX : 0, next[-1] == MEAN ? UINT64_MAX : 0};
    bool any_mean = row[-1] == MEAN || next[-1] == MEAN;
    if (any_mean && pixel_bytes == 3)
        two_chains(row, next, above, size, is_mean, true, 3);
    else if (any_mean && pixel_bytes == 4)
        two_chains(row, next, above, size, is_mean, true, 4);
    else if (any_mean)
        two_chains(row, next, above, size, is_mean, true, pixel_bytes);
    else if (pixel_bytes == 1)
        two_chains(row, next, above, size, is_mean, false, 1);
    else if (pixel_bytes == 3)
        two_chains(row, next, above, size, is_mean, false, 3);
    else if (pixel_bytes == 4)
        two_chains(row, next, above, size, is_mean, false, 4);
    else
        two_chains(row, next, above, size, is_mean, false, pixel_bytes);
}

SIMD_VARIANTS(void, two_chains_of,
              (uint8_t * row, uint8_t *next, const uint8_t *above, size_t size, int pixel_bytes),
              (row, next, above, size, pixel_bytes))

bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes)
{
    if (filter < NONE || filter >= FILTERS)
        return false;
    unfilter_variants[simd_level()](filter, row, above, size, pixel_bytes);
    return true;
}

bool png_unfilter_two(uint8_t *row, uint8_t *next, const uint8_t *above, size_t size,
                      int pixel_bytes)
{
    bool both = (row[-1] == PAETH && (next[-1] == PAETH || next[-1] == MEAN)) ||
                (row[-1] == MEAN && next[-1] == PAETH);
    if (!both || pixel_bytes > 4)
        return png_unfilter(row[-1], row, above, size, pixel_bytes) &&
               png_unfilter(next[-1], next, row, size, pixel_bytes);
    two_chains_of_variants[simd_level()](row, next, above, size, pixel_bytes);
    return true;
}
