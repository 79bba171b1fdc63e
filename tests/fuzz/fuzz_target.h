/* SPDX-License-Identifier: MIT */
/*
 * fuzz_target: a fuzz target is this one function, with the name that libFuzzer calls.
 */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
