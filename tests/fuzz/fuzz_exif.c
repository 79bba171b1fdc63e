/* SPDX-License-Identifier: MIT */
/* Fuzz target: EXIF data, alone and in a PNG. */
#include <stdlib.h>

#include "exif.h"
#include "fuzz_target.h"
#include "png_read_exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int alone = exif_orientation(data, size);
    int in_png = png_read_exif_orientation(&(struct byte_source){.bytes = data, .size = size});
    if (alone < 1 || alone > 8 || in_png < 1 || in_png > 8)
        abort();
    return 0;
}
