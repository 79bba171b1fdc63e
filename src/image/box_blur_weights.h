/* SPDX-License-Identifier: MIT */
/*
 * box_blur_weights: the extended box filter that approximates a Gaussian blur when it is applied
 * three times. It averages 2 * radius + 1 pixels and, with a smaller weight, one more on each side.
 * Used by filter_kernel.c and pillow_exact.c. Pure.
 *
 * Source: P. Gwosdek, S. Grewenig, A. Bruhn, J. Weickert, "Theoretical foundations of Gaussian
 * convolution by extended box filtering", 2011. Computed in single precision where Pillow does.
 */
#ifndef BOX_BLUR_WEIGHTS_H
#define BOX_BLUR_WEIGHTS_H

#include <stdint.h>

#define BOX_BLUR_ONE (1 << 24) /* the sum of all weights */

struct box_blur {
    int radius;         /* pixels on each side of the centre that have the full weight */
    uint32_t inner_24;  /* full weight, in units of 1 / BOX_BLUR_ONE */
    uint32_t fringe_24; /* weight of the next pixel on each side */
};

/* The box of which three passes have the variance of a Gaussian blur. sigma: the standard deviation
 * in pixels, above 0. */
struct box_blur box_blur_of_sigma(double sigma);

#endif
