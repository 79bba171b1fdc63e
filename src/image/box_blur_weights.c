/* SPDX-License-Identifier: MIT */
/* The box filter that approximates a Gaussian blur: see box_blur_weights.h. */
#include "box_blur_weights.h"

#include <math.h>

struct box_blur box_blur_of_sigma(double sigma)
{
    float variance = (float)sigma * (float)sigma / 3;
    float length = (float)sqrt(12.0 * variance + 1.0);
    float whole = (float)floor((length - 1.0) / 2.0);
    float part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
    part /= 6 * (variance - (whole + 1) * (whole + 1));
    float radius = whole + part;
    struct box_blur box = {.radius = (int)radius,
                           .inner_24 = (uint32_t)(BOX_BLUR_ONE / (radius * 2 + 1))};
    box.fringe_24 = (BOX_BLUR_ONE - (uint32_t)(box.radius * 2 + 1) * box.inner_24) / 2;
    return box;
}
