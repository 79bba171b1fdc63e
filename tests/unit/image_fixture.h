/*
 * made_image: JPEG and PNG files that the tests make for themselves, byte for byte the same each
 * time.
 */
#ifndef IMAGE_FIXTURE_H
#define IMAGE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

enum made_colors { MADE_GRAY, MADE_RGB, MADE_CMYK, MADE_YCCK };

struct made_jpeg {
    enum made_colors colors;
    int width;
    int height;
    int quality;
    bool progressive;
    bool no_adobe;           /* leave the Adobe marker out (CMYK) */
    const void *exif;        /* payload of an APP1 marker, or NULL */
    unsigned exif_size;      /* its bytes */
    int restart_interval;    /* MCU rows; 0: none */
    const uint8_t *constant; /* the value of every pixel (CMYK: as stored), or NULL for a picture */
};

/* Appends the file. Gray and RGB show made_value(); CMYK and YCCK need `constant`. */
void made_jpeg_write(const struct made_jpeg *made, struct buf *out);

/* The smooth picture that is shown: one channel at one place. */
uint8_t made_value(int x, int y, int channel);

struct made_png {
    int width;
    int height;
    int depth;      /* 1, 2, 4, 8, 16 */
    int color_type; /* libpng's PNG_COLOR_TYPE_... */
    bool interlaced;
    bool transparent; /* tRNS: for a palette two alphas, else the first pixel's value */
};

#define MADE_PALETTE_SIZE(depth) (1 << (depth))

/* Appends the file. `expected` gets the pixels it stands for, in `*channels` bytes each: gray, gray
 * and alpha, RGB or RGBA. */
void made_png_write(const struct made_png *made, struct buf *out, uint8_t *expected, int *channels);

/* One chunk, its CRC right. `type` has four letters. */
void made_chunk(struct buf *out, const char *type, const void *data, uint32_t size);

#endif
