/* SPDX-License-Identifier: MIT */
/*
 * jpeg_scaled_decode: decodes a JPEG at 1/8 or 2/8 of its size, faster than libjpeg: each sample is
 * the mean of the 8 x 8 or 4 x 4 pixels that it stands for, computed from the first coefficients of
 * a block. The other coefficients are skipped, several symbols at a time. Called by jpeg_read.c.
 *
 * It decodes common files without errors and refuses all others, which libjpeg then decodes or
 * reports. Common files are gray, YCbCr or RGB, 8 bits, Huffman coded: baseline with all components
 * in one scan and chroma at full or half resolution in both directions; progressive at 1/8.
 */
#ifndef JPEG_SCALED_DECODE_H
#define JPEG_SCALED_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jpeglib.h>

struct jpeg_scaled_decode; /* keeps tables and memory from one file to the next */

struct jpeg_scaled_decode *jpeg_scaled_decode_new(void); /* NULL: out of memory */
void jpeg_scaled_decode_free(struct jpeg_scaled_decode *scaled);

/* Decodes a file. `cinfo` has read its header up to the first scan; `bytes` are the rest of the
 * file. eighths: 1 or 2. False: the file is refused; `cinfo` is unchanged. */
bool jpeg_scaled_decode_run(struct jpeg_scaled_decode *scaled,
                            const struct jpeg_decompress_struct *cinfo, int eighths,
                            const uint8_t *bytes, size_t size);

/* Copies row `y` of the decoded picture: ceil(width * eighths / 8) pixels, gray or RGB. */
void jpeg_scaled_decode_row(const struct jpeg_scaled_decode *scaled, int y, uint8_t *row);

#endif
