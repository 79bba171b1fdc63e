/*
 * seeds: small inputs for the targets, made anew each time and always the same.
 */
#ifndef SEEDS_H
#define SEEDS_H

#include "buf.h"

/* The seed with this number for a target: jpeg, png, exif, icc. Appends to `out`; false: there are
 * no more. */
bool seed_make(const char *target, int number, struct buf *out);

#endif
