/* SPDX-License-Identifier: MIT */
/*
 * jpeg_write: encodes a picture in memory as a JPEG: chroma at half the resolution (4:2:0), no
 * metadata except an ICC profile. Called by jpeg.c.
 */
#ifndef JPEG_WRITE_H
#define JPEG_WRITE_H

#include "codec.h"

struct jpeg_writer; /* keeps libjpeg's compressor from one picture to the next */

struct jpeg_writer *jpeg_writer_new(void); /* NULL: out of memory */
void jpeg_writer_free(struct jpeg_writer *writer);

/* Appends to `out`. `pixels` have 1 (gray) or 3 (RGB) channels. `encoding->optimize` makes Huffman
 * tables for this picture. After a failure `out` may have grown. */
int jpeg_write(struct jpeg_writer *writer, const struct image_pixels *pixels,
               const struct image_encoding *encoding, struct buf *out, struct mpp_error *error);

#endif
