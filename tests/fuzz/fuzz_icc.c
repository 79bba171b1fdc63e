/* SPDX-License-Identifier: MIT */
/* Fuzz target: ICC profiles, for every kind of pixels. */
#include <stdlib.h>

#include "fuzz_target.h"
#include "icc.h"

enum { PIXELS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct icc *icc; /* one for all inputs, as in a worker */
    if (!icc && !(icc = icc_new()))
        abort();
    for (enum icc_pixels kind = ICC_GRAY; size && kind <= ICC_CMYK_INVERTED; kind++) {
        uint8_t *pixels = malloc(PIXELS * 4); /* malloc: a sanitizer checks its end */
        if (!pixels)
            abort();
        for (int i = 0; i < PIXELS * 4; i++)
            pixels[i] = (uint8_t)(i * 37);
        icc_to_srgb(icc, data, size, kind, pixels, PIXELS);
        free(pixels);
    }
    return 0;
}
