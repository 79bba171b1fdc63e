/* SPDX-License-Identifier: MIT */
/*
 * png_read_exif: finds the EXIF orientation of a PNG.
 *
 * EXIF data are in a chunk eXIf (PNG 1.5 extensions), or, as ImageMagick writes them, in
 * hexadecimal in a text chunk named "Raw profile type exif". Both may come after the picture, but
 * the orientation is needed before the picture is decoded, so the chunks are searched without
 * libpng.
 */
#ifndef PNG_READ_EXIF_H
#define PNG_READ_EXIF_H

#include "byte_source.h"

/* `source` is a PNG file, which may be damaged. Returns 1 to 8; 1 where no orientation is found. */
int png_read_exif_orientation(const struct byte_source *source);

#endif
