/*
 * color: pixel values from one meaning to another, a row at a time. Pure.
 *
 * Sources: Pillow's CMYK to RGB, R = (255 - K) - C (255 - K) / 255; alpha as in Porter and Duff
 * 1984. Alpha comes last in a pixel: channels 2 is gray and alpha, 4 is RGB and alpha.
 */
#ifndef COLOR_H
#define COLOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `inverted`: 255 stands for no ink, as Adobe writes it. */
void color_cmyk_to_rgb(const uint8_t *cmyk, size_t pixels, bool inverted, uint8_t *rgb);

/* Colour times alpha, in place; only colours that were premultiplied may be averaged. */
void color_premultiply(uint8_t *row, size_t pixels, int channels);
void color_unpremultiply(uint8_t *row, size_t pixels, int channels);

/* Lays premultiplied pixels on a colour and drops alpha: 4 channels become 3, 2 become 1 (of which
 * the colour's red is the gray), in place. */
void color_flatten(uint8_t *row, size_t pixels, int channels, const uint8_t background[3]);

/* Gray and alpha to RGB and alpha: `out` has twice the room. */
void color_gray_to_rgb(const uint8_t *row, size_t pixels, uint8_t *out);

#endif
