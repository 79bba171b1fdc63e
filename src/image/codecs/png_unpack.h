/* SPDX-License-Identifier: MIT */
/*
 * png_unpack: converts a row of a PNG's samples, of any depth, to 8 bits a channel. Pure.
 *
 * Source: PNG specification (second edition), sections 7.2 (packing), 11.3.2 (transparency)
 * and 13.12 (sample depth rescaling).
 */
#ifndef PNG_UNPACK_H
#define PNG_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The samples of a file, and the channels that they become. */
struct png_layout {
    int width, height; /* of the picture */
    int depth;         /* bits of a sample: 1, 2, 4, 8 or 16; below 8 only with one sample */
    int samples;       /* of a pixel in the file, 1 to 4 */
    int channels;      /* of an unpacked pixel: 3 or 4 with a palette, samples + 1 with a key,
                          otherwise as many as samples */
    bool interlaced;
    bool is_palette;
    bool cut;               /* 16 bits are cut to 8; otherwise they are rounded */
    bool has_key;           /* pixels whose samples equal `key` are transparent */
    uint16_t key[3];        /* with the file's depth */
    uint8_t colors[256][4]; /* the palette, RGBA; black after its end */
};

/* Unpacks `width` pixels of a row whose filter was undone, from `stored` to `row`. */
void png_unpack(const struct png_layout *layout, const uint8_t *stored, size_t width, uint8_t *row);

#endif
