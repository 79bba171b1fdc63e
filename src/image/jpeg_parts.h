/*
 * jpeg_parts: which parts of a progressive JPEG an eighth of its size needs: all but the scans of
 * AC coefficients, which are most of the file and no part of the means of 8 x 8 pixels. Pure.
 *
 * Source: ITU-T T.81 (1992), annexes B (markers) and G (progressive scans).
 */
#ifndef JPEG_PARTS_H
#define JPEG_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jpeg_parts {
    const uint8_t *bytes; /* the file, in any state of damage */
    size_t size;
    size_t next;    /* where to go on */
    size_t skipped; /* scans left out so far */
};

/* The next part that is needed, from parts->next on, which is between two segments or among the
 * coefficients of a scan that is needed. False: there is none. */
bool jpeg_parts_next(struct jpeg_parts *parts, const uint8_t **part, size_t *size);

#endif
