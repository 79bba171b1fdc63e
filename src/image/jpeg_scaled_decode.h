/*
 * jpeg_means: a baseline JPEG at 1/8 or 2/8 of its size: each sample the mean of the pixels it
 * stands for, of 8 x 8 or of 4 x 4, without the pixels themselves.
 *
 * Bits that only details depend on are skipped, several symbols at a time. It takes what is common
 * and flawless; all else it leaves to the library, which knows what to say.
 */
#ifndef JPEG_SCALED_DECODE_H
#define JPEG_SCALED_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jpeglib.h>

struct jpeg_scaled_decode;

struct jpeg_scaled_decode *jpeg_scaled_decode_new(void); /* NULL: out of memory */
void jpeg_scaled_decode_free(struct jpeg_scaled_decode *means);

/* Decodes all of it. `codec` has read the header; what follows it is `bytes`. eighths: 1 or 2.
 * False: it is not for this decoder, or damaged, and nothing has happened. */
bool jpeg_scaled_decode_run(struct jpeg_scaled_decode *means,
                            const struct jpeg_decompress_struct *codec, int eighths,
                            const uint8_t *bytes, size_t size);

/* A row of the picture, gray or RGB: ceil(width x eighths / 8) pixels. */
void jpeg_scaled_decode_row(const struct jpeg_scaled_decode *means, int y, uint8_t *row);

#endif
