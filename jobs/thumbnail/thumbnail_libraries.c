/* SPDX-License-Identifier: MIT */
/* The versions of libraries: see thumbnail_libraries.h. */
#include "thumbnail_libraries.h"

#include <stdio.h>

#include <jpeglib.h>
#include <lcms2.h>
#include <libdeflate.h>
#include <png.h>

#define TEXT_OF(value)  #value
#define VALUE_OF(macro) TEXT_OF(macro)

#ifdef LIBJPEG_TURBO_VERSION
#define JPEG_NAME "libjpeg-turbo " VALUE_OF(LIBJPEG_TURBO_VERSION)
#else
#define JPEG_NAME "libjpeg " VALUE_OF(JPEG_LIB_VERSION)
#endif

const char *thumbnail_libraries(void)
{
    static char text[256];
    int lcms = cmsGetEncodedCMMversion();
    snprintf(text, sizeof text, "%s\nlibpng %s\nlibdeflate %s\nlcms2 %d.%02d\n", JPEG_NAME,
             png_get_libpng_ver(NULL), LIBDEFLATE_VERSION_STRING, lcms / 1000, lcms % 1000 / 10);
    return text;
}
