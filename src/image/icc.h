/*
 * icc: small pictures from the colours of their ICC profile to sRGB, by lcms2.
 *
 * Relative colorimetric intent with black point compensation. A profile that gives nearly the
 * colours of sRGB anyway changes nothing.
 */
#ifndef ICC_H
#define ICC_H

#include <stddef.h>
#include <stdint.h>

enum icc_pixels { ICC_GRAY, ICC_GRAY_ALPHA, ICC_RGB, ICC_RGBA, ICC_CMYK, ICC_CMYK_INVERTED };

enum icc_outcome {
    ICC_UNUSABLE,  /* the profile is damaged, or for other colours: nothing was changed */
    ICC_SAME,      /* the colours are sRGB's */
    ICC_CONVERTED, /* CMYK pixels have become RGB, three bytes each */
};

struct icc; /* keeps the transforms of the last profiles */

struct icc *icc_new(void); /* NULL: out of memory */
void icc_free(struct icc *icc);

/* `pixels`: `count` of them, in place; alpha stays as it is. */
enum icc_outcome icc_to_srgb(struct icc *icc, const void *profile, size_t profile_size,
                             enum icc_pixels kind, uint8_t *pixels, size_t count);

#endif
