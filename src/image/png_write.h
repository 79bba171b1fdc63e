/*
 * png_write: a small picture to PNG bytes: 8 bits a channel, no metadata but a colour profile.
 */
#ifndef PNG_WRITE_H
#define PNG_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mpp_error.h"

struct png_writing {
    bool optimize;       /* as small as the library can: slower */
    const void *profile; /* ICC, to be embedded; NULL: none */
    size_t profile_size;
};

/* Appends to `out`. `pixels`: rows without gaps, 1 to 4 bytes a pixel (gray, gray and alpha, RGB,
 * RGBA). On -1 `out` may have grown. */
int png_write(const uint8_t *pixels, int width_px, int height_px, int channels,
              const struct png_writing *how, struct buf *out, struct mpp_error *error);

#endif
