/* SPDX-License-Identifier: MIT */
/*
 * png_unfilter: undoes the row filters of a PNG: a row of differences becomes samples. Pure.
 *
 * Source: PNG specification (second edition), section 9, "Filtering".
 */
#ifndef PNG_UNFILTER_H
#define PNG_UNFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every row must be followed by this many bytes, which may be read and written back unchanged. */
#define PNG_UNFILTER_SLACK 8

/* Undoes `filter`, 0 to 4, of the `size` bytes at `row`, in place. `above` are the samples of
 * the row above, zeros for the first row. A pixel has 1, 2, 3, 4, 6 or 8 bytes. False: no such
 * filter. */
bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes);

/* The same for a row and the next one. The filter of each is in the byte before it. Much faster
 * than two calls for some pairs of filters. */
bool png_unfilter_two(uint8_t *row, uint8_t *next, const uint8_t *above, size_t size,
                      int pixel_bytes);

#endif
