/*
 * png_unfilter: rows of a PNG from differences back to samples. Pure.
 *
 * Source: PNG specification (second edition), section 9, "Filtering".
 */
#ifndef PNG_UNFILTER_H
#define PNG_UNFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PNG_UNFILTER_SLACK 8 /* bytes that must be there behind all rows; their contents stay */

/* `row` holds `size` bytes of differences of kind `filter`; `above` the samples of the row above,
 * zeros for the first. A pixel has 1, 2, 3, 4, 6 or 8 bytes. False: there is no such filter. */
bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes);

/* The same for a row and the next, each with its filter's number in the byte before it, which can
 * be much faster. */
bool png_unfilter_two(uint8_t *row, uint8_t *next, const uint8_t *above, size_t size,
                      int pixel_bytes);

#endif
