/* SPDX-License-Identifier: MIT */
/*
 * seeds: small valid inputs for the fuzz targets, always the same. seeds_image.c makes those of
 * images, seeds_journal_message.c those of journals and messages; each replay program is linked
 * with one of them.
 */
#ifndef SEEDS_H
#define SEEDS_H

#include "buf.h"

/* Appends seed `number`, from 0, for a target, which is the name in fuzz_NAME.c. False: there are
 * no more. */
bool seed_make(const char *target, int number, struct buf *out);

#endif
