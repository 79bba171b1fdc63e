/*
 * png_exif: where a PNG keeps its EXIF orientation. Pure.
 *
 * In the chunk eXIf (PNG 1.5 extensions), or, as ImageMagick wrote it before there was one, in
 * hexadecimal in a text chunk named "Raw profile type exif". Both may stand behind the picture, and
 * streaming needs the orientation before it, so the chunks are walked by hand.
 */
#ifndef PNG_EXIF_H
#define PNG_EXIF_H

#include "byte_source.h"

/* `source` is a PNG file, in any state of damage. Returns 1 to 8. */
int png_exif_orientation(const struct byte_source *source);

#endif
