/* SPDX-License-Identifier: MIT */
/*
 * orient: rotates and mirrors a small picture according to its EXIF orientation. Pure.
 */
#ifndef ORIENT_H
#define ORIENT_H

#include <stdbool.h>
#include <stdint.h>

/* `in` holds width_px x height_px pixels of `channels` bytes, as stored, rows without gaps. Writes
 * the picture as displayed to `out`, an array of the same size; orientations 5 to 8 swap width and
 * height. */
void orient_pixels(const uint8_t *in, int width_px, int height_px, int channels, int orientation,
                   uint8_t *out);

/* Whether the displayed picture begins at the last pixel of a stored row (x), or at the last stored
 * row (y). Then a filter that starts at the displayed left or top edge must start at that end. */
bool orient_mirrors_x(int orientation);
bool orient_mirrors_y(int orientation);

#endif
