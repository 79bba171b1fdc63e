/*
 * orient: turns and mirrors a small picture as an EXIF orientation says. Pure.
 */
#ifndef ORIENT_H
#define ORIENT_H

#include <stdint.h>

/* `in` holds width_px x height_px pixels of `channels` bytes, rows without gaps; `out`, another
 * array of the same size, gets the picture as it is to be seen (orientations 5 to 8 swap its
 * sides). */
void orient_pixels(const uint8_t *in, int width_px, int height_px, int channels, int orientation,
                   uint8_t *out);

/* Is the picture seen from its other end along the stored rows, or along the stored columns?
 * (Whoever measures from the seen left or top edge has to know.) */
int orient_mirrors_x(int orientation);
int orient_mirrors_y(int orientation);

#endif
