/* SPDX-License-Identifier: MIT */
/*
 * png_read_profile: reads the ICC profile of a PNG.
 *
 * Source: PNG specification (second edition), section 11.3.3.3 (iCCP).
 */
#ifndef PNG_READ_PROFILE_H
#define PNG_READ_PROFILE_H

#include "byte_source.h"

#define PNG_READ_PROFILE_MAX_BYTES ((size_t)4 << 20) /* inflated; a larger profile is ignored */

/* Returns the profile, which the caller frees with free(). NULL: the file has none, or the profile
 * is damaged or too large. */
uint8_t *png_read_profile(const struct byte_source *source, size_t *profile_size);

#endif
