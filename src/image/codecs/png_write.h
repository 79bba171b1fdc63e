/* SPDX-License-Identifier: MIT */
/*
 * png_write: encodes a picture in memory as a PNG: 8 bits a channel, no metadata except an ICC
 * profile. Called by png.c.
 */
#ifndef PNG_WRITE_H
#define PNG_WRITE_H

#include "codec.h"

/* Appends to `out`. `pixels` have 1 to 4 channels. `encoding->optimize` compresses as well as zlib
 * can. After a failure `out` may have grown. */
int png_write(const struct image_pixels *pixels, const struct image_encoding *encoding,
              struct buf *out, struct mpp_error *error);

#endif
