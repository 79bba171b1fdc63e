/*
 * png_unfilter: a row of a PNG from differences back to samples. Pure.
 *
 * Source: PNG specification (second edition), section 9, "Filtering".
 */
#ifndef PNG_UNFILTER_H
#define PNG_UNFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PNG_UNFILTER_SLACK 4 /* bytes that must be there behind both rows; their contents stay */

/* `row` holds `size` bytes of differences of kind `filter`; `above` the samples of the row above,
 * zeros for the first. A pixel has 1 to 4 bytes. False: there is no such filter. */
bool png_unfilter(int filter, uint8_t *row, const uint8_t *above, size_t size, int pixel_bytes);

#endif
