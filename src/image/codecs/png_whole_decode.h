/* SPDX-License-Identifier: MIT */
/*
 * png_whole_decode: decodes a PNG whose compressed data are in memory by inflating them in one
 * call, which is much faster than piece by piece. Called by png_read.c.
 */
#ifndef PNG_WHOLE_DECODE_H
#define PNG_WHOLE_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "byte_source.h"
#include "png_unpack.h"

#define PNG_WHOLE_DECODE_MAX_BYTES ((size_t)48 << 20) /* of a picture; larger ones are refused */

struct png_whole_decode; /* keeps buffers from one picture to the next */

struct png_whole_decode *png_whole_decode_new(void); /* NULL: out of memory */
void png_whole_decode_free(struct png_whole_decode *whole);

/* Inflates the picture of a PNG file. `layout` describes it; it and `source` must stay valid until
 * png_whole_decode_end. False: the file is not in memory or damaged, the picture is too large, or
 * out of memory. Then read the file row by row with libpng, which describes the error. */
bool png_whole_decode_begin(struct png_whole_decode *whole, const struct byte_source *source,
                            const struct png_layout *layout);

/* The next row, width x channels bytes. False: the row has an unknown filter. */
bool png_whole_decode_row(struct png_whole_decode *whole, uint8_t *row);

void png_whole_decode_end(struct png_whole_decode *whole); /* frees large buffers */

#endif
