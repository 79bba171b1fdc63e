/*
 * png_whole: the picture of a PNG, inflated at once, which is much faster than bit by bit.
 */
#ifndef PNG_WHOLE_H
#define PNG_WHOLE_H

#include <stddef.h>
#include <stdint.h>

#define PNG_WHOLE_MAX_BYTES ((size_t)48 << 20) /* of a picture; larger ones had better stream */

struct png_whole;

struct png_whole *png_whole_new(void); /* NULL: out of memory */
void png_whole_free(struct png_whole *whole);

/* The rows of the PNG file in `bytes`, `inflated_size` bytes together as its header tells: each
 * with its filter's number before it, differences still, with PNG_UNFILTER_SLACK behind the last.
 * They are the caller's to change, and valid until the next call. NULL: something is wrong with the
 * file, or memory is out; who reads it row by row will learn what and where. */
uint8_t *png_whole_inflate(struct png_whole *whole, const uint8_t *bytes, size_t size,
                           size_t inflated_size);

#endif
