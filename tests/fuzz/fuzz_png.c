/* SPDX-License-Identifier: MIT */
/* Fuzz target: PNG files. */
#include "fuzz_image.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_image(data, size, "\x89PNG\r\n\x1a\n", 8);
    return 0;
}
