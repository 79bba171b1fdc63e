/* SPDX-License-Identifier: MIT */
/*
 * exif: reads the orientation from a block of EXIF data, and nothing else.
 *
 * EXIF data that are corrupt, truncated or unknown give orientation 1, because damaged metadata are
 * no reason to refuse an image.
 *
 * Source: the EXIF 2.32 and TIFF 6.0 specifications.
 */
#ifndef EXIF_H
#define EXIF_H

#include <stddef.h>

#define EXIF_ORIENTATION_NORMAL 1

/* `bytes` are a TIFF header and the data after it; "Exif\0\0" may come first, as in the APP1 marker
 * of a JPEG. Returns 1 to 8. */
int exif_orientation(const void *bytes, size_t size);

#endif
