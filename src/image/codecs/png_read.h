/* SPDX-License-Identifier: MIT */
/*
 * png_read: decodes a PNG row by row to 8 bits a channel: gray, gray and alpha, RGB or RGBA. Called
 * by png.c, with the calling sequence of codec.h.
 *
 * Palettes, samples of less than 8 bits and transparent colours are expanded; 16 bits are rounded.
 * If the file is an animation, its default picture is decoded. The gAMA chunk is ignored.
 *
 * A file in memory whose picture is not too large is inflated at once (png_whole_decode.h). libpng
 * decodes all other files row by row: a source that is not in memory is read while it is decoded,
 * and memory is a few rows. An interlaced picture is always held in memory as a whole.
 */
#ifndef PNG_READ_H
#define PNG_READ_H

#include "codec.h"

#define PNG_MAX_SIDE_PX     1000000
#define PNG_MAX_CHUNK_BYTES 8000000 /* of one chunk other than IDAT, inflated */

struct png_reader;

struct png_reader *png_reader_new(void); /* NULL: out of memory */
void png_reader_free(struct png_reader *reader);

/* With IMAGE_DECODE_EXACT pixels are those of Pillow: 16 bits are cut to 8, and the transparent
 * colour of gray and RGB pictures is an ordinary colour. With IMAGE_DECODE_KEEP_TRUNCATED rows that
 * are cut off are black, or transparent where there is alpha. */
int png_reader_open(struct png_reader *reader, const struct byte_source *source, unsigned mode,
                    struct image_header *header, struct mpp_error *error);

/* Inflates the picture if that can be done at once. Errors are reported by png_reader_row. */
void png_reader_start(struct png_reader *reader);

int png_reader_row(struct png_reader *reader, uint8_t *row, struct mpp_error *error);

int png_reader_warnings(const struct png_reader *reader);

void png_reader_close(struct png_reader *reader);

#endif
