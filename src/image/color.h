/* SPDX-License-Identifier: MIT */
/*
 * color: converts pixels: CMYK to RGB, gray to RGB, and alpha. Pure.
 *
 * Alpha is the last channel: 2 channels are gray and alpha, 4 are RGB and alpha.
 *
 * Sources: CMYK to RGB as Pillow does it, R = (255 - K) - C (255 - K) / 255; alpha as in T. Porter
 * and T. Duff, "Compositing digital images", 1984.
 */
#ifndef COLOR_H
#define COLOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `inverted`: 255 means no ink, as Adobe's programs write. `rgb` may be `cmyk`. */
void color_cmyk_to_rgb(const uint8_t *cmyk, size_t pixels, bool inverted, uint8_t *rgb);

/* Multiplies or divides the colours by alpha, in place. Only premultiplied colours may be averaged.
 * Dividing loses precision where alpha is small. */
void color_premultiply(uint8_t *row, size_t pixels, int channels);
void color_unpremultiply(uint8_t *row, size_t pixels, int channels);

/* Puts premultiplied pixels over a background colour and drops alpha, in place: 4 channels become
 * 3, 2 become 1, with background[0] as the gray. */
void color_flatten(uint8_t *row, size_t pixels, int channels, const uint8_t background[3]);

/* Gray and alpha to RGB and alpha: `out` gets 4 bytes for each pixel. */
void color_gray_to_rgb(const uint8_t *row, size_t pixels, uint8_t *out);

#endif
