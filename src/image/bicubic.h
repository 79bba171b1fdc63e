/* SPDX-License-Identifier: MIT */
/*
 * bicubic: the weight function of a bicubic filter with a = -0.5. Pure.
 *
 * Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981, in the
 * form that Pillow computes.
 */
#ifndef BICUBIC_H
#define BICUBIC_H

#include <math.h>

/* The weight at distance `x` from the centre; 0 from distance 2 on. */
static inline double bicubic(double x)
{
    const double a = -0.5;

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

#endif
