/*
 * png_unpack: a row of a PNG's samples, of any depth, to 8 bits a channel. Pure.
 *
 * Source: PNG specification (second edition), sections 7.2 (packing), 11.3.2 (transparency)
 * and 13.12 (sample depth rescaling).
 */
#ifndef PNG_UNPACK_H
#define PNG_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct png_layout {
    int width, height;
    int depth;    /* bits of a sample: 1, 2, 4, 8 or 16; below 8 only with one sample */
    int samples;  /* of a pixel in the file, 1 to 4 */
    int channels; /* of a pixel that comes out: those, or with alpha one more; of a palette 3 or 4
                   */
    bool interlaced;
    bool is_palette;
    bool cut;               /* 16 bits are cut to 8, not rounded */
    bool has_key;           /* this value of the samples is transparent */
    uint16_t key[3];        /* as stored */
    uint8_t colors[256][4]; /* of a palette, with alpha; black where it ends early */
};

/* `width` pixels. */
void png_unpack(const struct png_layout *layout, const uint8_t *stored, size_t width, uint8_t *row);

#endif
