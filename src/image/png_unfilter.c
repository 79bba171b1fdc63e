/*
 * Rows of a PNG from differences back to samples: see png_unfilter.h.
 *
 * Mean and Paeth depend on the pixel to the left, so that a row is one chain; the channels of a
 * pixel go side by side in the lanes of one register.
 */
#include "png_unfilter.h"

#include <string.h>

typedef uint8_t bytes4 __attribute__((vector_size(4)));
typedef int16_t lanes4 __attribute__((vector_size(8)));

static inline lanes4 load(const uint8_t *from)
{
    bytes4 bytes;
    memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(bytes, lanes4);
}

static inline void store(uint8_t *to, lanes4 lanes, int pixel_bytes)
{
    bytes4 bytes = __builtin_convertvector(lanes, bytes4);
    memcpy(to, &bytes, (size_t)pixel_bytes);
}

static inline lanes4 absolute(lanes4 lanes)
{
    lanes4 negative = lanes < 0;
    return (lanes ^ negative) - negative;
}

/* Whichever of left, above and corner is nearest to left + above - corner; ties in this order. */
static inline lanes4 paeth(lanes4 left, lanes4 above, lanes4 corner)
{
    lanes4 to_left = absolute(above - corner), to_above = absolute(left - corner);
    lanes4 to_corner = absolute(left + above - 2 * corner);
    lanes4 not_left = (to_left > to_above) | (to_left > to_corner);
    lanes4 not_above = to_above > to_corner;
    lanes4 other = (not_above & corner) | (~not_above & above);
    return (not_left & other) | (~not_left & left);
}

static inline __attribute__((always_inline)) void
chain(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes)
{
    lanes4 left = {0}, corner = {0};
    for (size_t at = 0; at < size; at += (size_t)pixel_bytes) {
        lanes4 up = load(above + at), guess;
        if (filter == 1)
            guess = left;
        else if (filter == 3)
            guess = (left + up) >> 1;
        else
            guess = paeth(left, up, corner);
        left = (load(row + at) + guess) & 0xFF;
        store(row + at, left, pixel_bytes);
        corner = up;
    }
}

static inline __attribute__((always_inline)) void
chain_of(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes)
{
    if (pixel_bytes == 1)
        chain(filter, row, above, size, 1);
    else if (pixel_bytes == 2)
        chain(filter, row, above, size, 2);
    else if (pixel_bytes == 3)
        chain(filter, row, above, size, 3);
    else
        chain(filter, row, above, size, 4);
}

static void add_above(uint8_t *restrict row, const uint8_t *restrict above, size_t size)
{
    for (size_t i = 0; i < size; i++)
        row[i] = (uint8_t)(row[i] + above[i]);
}

bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes)
{
    switch (filter) {
    case 0:
        return true;
    case 1:
        chain_of(1, row, above, size, pixel_bytes);
        return true;
    case 2:
        add_above(row, above, size);
        return true;
    case 3:
        chain_of(3, row, above, size, pixel_bytes);
        return true;
    case 4:
        chain_of(4, row, above, size, pixel_bytes);
        return true;
    default:
        return false;
    }
}
