/* SPDX-License-Identifier: MIT */
/*
 * Rotates and mirrors a picture: see orient.h. The result is written in order; the place of each
 * pixel in the source follows from a start and two strides, which depend on the orientation.
 */
#include "orient.h"

#include <stddef.h>
#include <string.h>

bool orient_mirrors_x(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

bool orient_mirrors_y(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

void orient_pixels(const uint8_t *in, int width_px, int height_px, int channels, int orientation,
                   uint8_t *out)
{
    bool swaps_sides = orientation >= 5 && orientation <= 8;
    int out_width = swaps_sides ? height_px : width_px;
    int out_height = swaps_sides ? width_px : height_px;
    ptrdiff_t column = orient_mirrors_x(orientation) ? -channels : channels;
    ptrdiff_t pitch = (ptrdiff_t)width_px * channels;
    ptrdiff_t row = orient_mirrors_y(orientation) ? -pitch : pitch;
    const uint8_t *start = in;

    if (column < 0)
        start += pitch - channels;
    if (row < 0)
        start += pitch * (height_px - 1);
    for (int y = 0; y < out_height; y++) {
        for (int x = 0; x < out_width; x++) {
            ptrdiff_t from = swaps_sides ? x * row + y * column : y * row + x * column;

            memcpy(out, start + from, (size_t)channels);
            out += channels;
        }
    }
}
