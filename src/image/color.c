/* SPDX-License-Identifier: MIT */
/*
 * Converts pixels in 8-bit arithmetic with rounding: see color.h.
 */
#include "color.h"

#include "simd.h"

/* a * b / 255, rounded, exact for bytes. */
SIMD_BODY uint8_t scale_255(unsigned a, unsigned b)
{
    unsigned product = a * b + 128;

    return (uint8_t)((product + (product >> 8)) >> 8);
}

void color_cmyk_to_rgb(const uint8_t *cmyk, size_t pixels, bool inverted, uint8_t *rgb)
{
    unsigned flip = inverted ? 255 : 0; /* x ^ 255 is 255 - x */

    for (size_t i = 0; i < pixels; i++) {
        unsigned light = 255 - (cmyk[4 * i + 3] ^ flip);

        for (int c = 0; c < 3; c++)
            rgb[3 * i + c] = (uint8_t)(light - scale_255(cmyk[4 * i + c] ^ flip, light));
    }
}

/* The vectoriser needs the same operation for all channels, so alpha is multiplied by 255 / 255. */
SIMD_BODY void premultiply(uint8_t *restrict row, size_t pixels, int channels)
{
    for (size_t i = 0; i < pixels; i++, row += channels) {
        unsigned alpha = row[channels - 1];
        for (int c = 0; c < channels; c++)
            row[c] = scale_255(row[c], c < channels - 1 ? alpha : 255);
    }
}

SIMD_BODY void premultiply_of(uint8_t *row, size_t pixels, int channels)
{
    if (channels == 4)
        premultiply(row, pixels, 4);
    else
        premultiply(row, pixels, 2);
}

SIMD_VARIANTS(void, premultiply_of, (uint8_t * row, size_t pixels, int channels),
              (row, pixels, channels))

void color_premultiply(uint8_t *row, size_t pixels, int channels)
{
    premultiply_of_variants[simd_level()](row, pixels, channels);
}

void color_unpremultiply(uint8_t *row, size_t pixels, int channels)
{
    int colors = channels - 1;

    for (size_t i = 0; i < pixels; i++, row += channels) {
        unsigned alpha = row[colors];

        if (alpha == 0 || alpha == 255)
            continue;
        for (int c = 0; c < colors; c++) {
            unsigned value = row[c] * 255u / alpha; /* rounded down, as Pillow does */

            /* A colour can exceed alpha after a filter. */
            row[c] = (uint8_t)(value < 255 ? value : 255);
        }
    }
}

void color_flatten(uint8_t *row, size_t pixels, int channels, const uint8_t background[3])
{
    int colors = channels - 1;
    uint8_t *out = row;

    for (size_t i = 0; i < pixels; i++, row += channels) {
        unsigned clear = 255u - row[colors];

        for (int c = 0; c < colors; c++) {
            unsigned value = row[c] + scale_255(background[c], clear);

            *out++ = (uint8_t)(value < 255 ? value : 255);
        }
    }
}

void color_gray_to_rgb(const uint8_t *row, size_t pixels, uint8_t *out)
{
    for (size_t i = 0; i < pixels; i++, row += 2, out += 4) {
        out[0] = out[1] = out[2] = row[0];
        out[3] = row[1];
    }
}
