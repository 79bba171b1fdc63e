/* SPDX-License-Identifier: MIT */
/*
 * fuzz_image: runs the thumbnailer on any bytes; the last two choose its options. Used by
 * fuzz_jpeg.c and fuzz_png.c.
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* `head` overwrites the first bytes, so that the format is always recognised. For some options the
 * checksums of PNG chunks are corrected. */
void fuzz_image(const uint8_t *data, size_t size, const void *head, size_t head_size);

#endif
