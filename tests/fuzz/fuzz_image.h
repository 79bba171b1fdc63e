/*
 * fuzz_image: any bytes through the whole pipeline, in a way that the last of them choose.
 */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* `head` replaces the first bytes, so that it is always this format; PNG chunks may get the
 * checksums that they should have. */
void fuzz_image(const uint8_t *data, size_t size, const void *head, size_t head_size);

#endif
