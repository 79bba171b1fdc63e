/* SPDX-License-Identifier: MIT */
/*
 * jpeg_read: decodes a JPEG in memory row by row, at 1/8, 2/8, 4/8 or 8/8 of its size, to gray, RGB
 * or CMYK. Called by jpeg.c, with the calling sequence of codec.h.
 *
 * If a file holds several pictures, the first one is decoded.
 */
#ifndef JPEG_READ_H
#define JPEG_READ_H

#include <stddef.h>
#include <stdint.h>

#include "codec.h"

/* Bytes that libjpeg may allocate for one image. Of a progressive file it keeps all
 * coefficients. */
#define JPEG_MAX_MEMORY (1024L * 1024 * 1024)

struct jpeg_reader;

struct jpeg_reader *jpeg_reader_new(void); /* NULL: out of memory */
void jpeg_reader_free(struct jpeg_reader *reader);

/* `bytes` must stay valid until close. */
int jpeg_reader_open(struct jpeg_reader *reader, const void *bytes, size_t size, unsigned mode,
                     struct image_header *header, struct mpp_error *error);

/* With IMAGE_DECODE_EXACT all rows come from libjpeg. Otherwise jpeg_scaled_decode.h decodes at 1/8
 * and 2/8 the files that it supports. */
int jpeg_reader_start(struct jpeg_reader *reader, int eighths, struct mpp_error *error);

int jpeg_reader_row(struct jpeg_reader *reader, uint8_t *row, struct mpp_error *error);

/* Fails if the last row is followed by bytes that cannot end a JPEG: then the data were damaged,
 * and libjpeg made up rows. A file that ends right after the last row is accepted. */
int jpeg_reader_finish(struct jpeg_reader *reader, struct mpp_error *error);

int jpeg_reader_warnings(const struct jpeg_reader *reader);

void jpeg_reader_close(struct jpeg_reader *reader);

#endif
