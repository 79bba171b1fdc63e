/* SPDX-License-Identifier: MIT */
/* Fuzz target: JPEG files. */
#include "fuzz_image.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_image(data, size, "\xFF\xD8\xFF", 3);
    return 0;
}
