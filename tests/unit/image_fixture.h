/* SPDX-License-Identifier: MIT */
/*
 * image_fixture: makes JPEG and PNG files for tests, always the same bytes.
 */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

enum fixture_colors { FIXTURE_GRAY, FIXTURE_RGB, FIXTURE_CMYK, FIXTURE_YCCK };

struct jpeg_fixture {
    enum fixture_colors colors;
    int width;
    int height;
    int quality;
    bool progressive;
    bool no_adobe;    /* CMYK: without the Adobe marker */
    const void *exif; /* payload of an APP1 marker; NULL: none */
    unsigned exif_size;
    int restart_interval;    /* MCU rows; 0: none */
    const uint8_t *constant; /* every pixel has this value; NULL: fixture_value() */
};

/* Appends the file. CMYK and YCCK need `constant`, which is as stored. */
void jpeg_fixture_write(const struct jpeg_fixture *fixture, struct buf *out);

/* The value of a channel at a place: a smooth picture. */
uint8_t fixture_value(int x, int y, int channel);

struct png_fixture {
    int width;
    int height;
    int depth;      /* 1, 2, 4, 8, 16 */
    int color_type; /* libpng's PNG_COLOR_TYPE_... */
    bool interlaced;
    bool transparent; /* tRNS: two alphas for a palette, otherwise the first pixel's value */
};

#define FIXTURE_PALETTE_SIZE(depth) (1 << (depth))

/* Appends the file. Writes the pixels that it encodes to `expected`, in *channels bytes each: gray,
 * gray and alpha, RGB or RGBA. */
void png_fixture_write(const struct png_fixture *fixture, struct buf *out, uint8_t *expected,
                       int *channels);

/* Appends a chunk with the right checksum. `type` has four letters. */
void png_fixture_chunk(struct buf *out, const char *type, const void *data, uint32_t size);

#endif
