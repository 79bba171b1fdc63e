/* SPDX-License-Identifier: MIT */
/* Converts a row of a PNG's samples to 8 bits a channel: see png_unpack.h. */
#include "png_unpack.h"

#include <string.h>

/* Sample number `index` of a row. */
static unsigned sample_at(const struct png_layout *layout, const uint8_t *stored, size_t index)
{
    unsigned depth = (unsigned)layout->depth;
    if (depth == 16)
        return (unsigned)stored[2 * index] << 8 | stored[2 * index + 1];
    if (depth == 8)
        return stored[index];
    size_t bit = index * depth;
    return (unsigned)stored[bit / 8] >> (8 - depth - bit % 8) & ((1u << depth) - 1);
}

static uint8_t to_8_bits(const struct png_layout *layout, unsigned sample)
{
    if (layout->depth == 16)
        return (uint8_t)(layout->cut ? sample >> 8 : (sample * 255 + 32895) >> 16);
    return (uint8_t)(sample * 255 / ((1u << layout->depth) - 1));
}

/* Copies four bytes for each pixel except the last; with three channels the next pixel overwrites
 * the fourth. */
static void unpack_palette_8(const struct png_layout *layout, const uint8_t *stored, size_t width,
                             uint8_t *row)
{
    size_t channels = (size_t)layout->channels;
    for (size_t x = 0; x + 1 < width; x++, row += channels)
        memcpy(row, layout->colors[stored[x]], 4);
    memcpy(row, layout->colors[stored[width - 1]], channels);
}

static void unpack_palette(const struct png_layout *layout, const uint8_t *stored, size_t width,
                           uint8_t *row)
{
    size_t channels = (size_t)layout->channels;
    if (layout->depth == 8)
        unpack_palette_8(layout, stored, width, row);
    else
        for (size_t x = 0; x < width; x++, row += channels)
            memcpy(row, layout->colors[sample_at(layout, stored, x)], channels);
}

static void round_16(const uint8_t *stored, size_t samples, uint8_t *row)
{
    for (size_t i = 0; i < samples; i++)
        row[i] =
            (uint8_t)((((unsigned)stored[2 * i] << 8 | stored[2 * i + 1]) * 255 + 32895) >> 16);
}

static void unpack_with_key(const struct png_layout *layout, const uint8_t *stored, size_t width,
                            uint8_t *row)
{
    size_t samples = (size_t)layout->samples;
    for (size_t x = 0; x < width; x++) {
        bool is_key = true;
        for (size_t i = 0; i < samples; i++) {
            unsigned sample = sample_at(layout, stored, x * samples + i);
            is_key &= sample == layout->key[i];
            *row++ = to_8_bits(layout, sample);
        }
        *row++ = is_key ? 0 : 255;
    }
}

void png_unpack(const struct png_layout *layout, const uint8_t *stored, size_t width, uint8_t *row)
{
    size_t samples = width * (size_t)layout->samples;
    if (layout->is_palette)
        unpack_palette(layout, stored, width, row);
    else if (layout->has_key)
        unpack_with_key(layout, stored, width, row);
    else if (layout->depth == 8)
        memcpy(row, stored, samples);
    else if (layout->depth == 16 && !layout->cut)
        round_16(stored, samples, row);
    else
        for (size_t i = 0; i < samples; i++)
            row[i] = to_8_bits(layout, sample_at(layout, stored, i));
}
