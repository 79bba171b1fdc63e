/*
 * exif: the orientation out of an EXIF block, and nothing else.
 *
 * Source: the EXIF 2.32 and TIFF 6.0 specifications. Metadata is never a reason to refuse an image:
 * whatever is corrupt, truncated or unknown reads as orientation 1.
 */
#ifndef EXIF_H
#define EXIF_H

#include <stddef.h>

#define EXIF_ORIENTATION_NORMAL 1

/* `bytes` is a TIFF header and what follows, with or without "Exif\0\0" before it (a JPEG's APP1
 * has it, a PNG's eXIf has not). Returns 1 to 8. */
int exif_orientation(const void *bytes, size_t size);

#endif
