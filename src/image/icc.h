/* SPDX-License-Identifier: MIT */
/*
 * icc: converts a small picture from the colours of its ICC profile to sRGB, with lcms2.
 *
 * The rendering intent is relative colorimetric with black point compensation. A profile that is
 * nearly sRGB changes nothing.
 */
#ifndef ICC_H
#define ICC_H

#include <stddef.h>
#include <stdint.h>

enum icc_pixels { ICC_GRAY, ICC_GRAY_ALPHA, ICC_RGB, ICC_RGBA, ICC_CMYK, ICC_CMYK_INVERTED };

enum icc_outcome {
    ICC_UNUSABLE,  /* the profile is damaged or for another colour space; nothing was changed */
    ICC_SAME,      /* the profile is nearly sRGB; nothing was changed */
    ICC_CONVERTED, /* CMYK pixels are now RGB, three bytes each */
};

struct icc; /* keeps the transforms for the profiles that were used last */

struct icc *icc_new(void); /* NULL: out of memory */
void icc_free(struct icc *icc);

/* Converts `count` pixels in place; alpha does not change. */
enum icc_outcome icc_to_srgb(struct icc *icc, const void *profile, size_t profile_size,
                             enum icc_pixels kind, uint8_t *pixels, size_t count);

#endif
