/* SPDX-License-Identifier: MIT */
/*
 * resample: shrinks a picture while its rows are being decoded, with one filter kernel for the rows
 * and one for the columns. Pure.
 *
 * Each row is filtered along its length when it arrives, and then added, with its weight, to the
 * few rows of the result that need it. Memory is a few rows, whatever the height of the picture.
 * resample_push allocates nothing.
 */
#ifndef RESAMPLE_H
#define RESAMPLE_H

#include <stdint.h>

#include "filter_kernel.h"
#include "mpp_error.h"

struct resample {
    const struct filter_kernel *horizontal;
    const struct filter_kernel *vertical;
    int channels;
    int next_row;      /* of the source */
    int next_started;  /* the first result row to which no source row has been added yet */
    int next_finished; /* the first result row that is not complete */
    int slots;         /* the largest number of result rows that are in progress at a time */
    int16_t *planes;   /* the source row, one plane for each channel, zeros after each */
    int16_t *filtered; /* the planes after the horizontal kernel */
    int32_t *sums;     /* `slots` result rows */
    uint8_t *out;
};

/* Begins a picture of horizontal->samples x vertical->samples pixels of `channels` (1 to 4) bytes.
 * The result goes to `out`: thumbnail width x height x channels bytes. The kernels and `out` must
 * stay valid until the last row was pushed. `resample` is all zero or was used before. */
int resample_begin(struct resample *resample, const struct filter_kernel *horizontal,
                   const struct filter_kernel *vertical, int channels, uint8_t *out,
                   struct mpp_error *error);

/* Adds the next row. After vertical->samples rows `out` is complete. */
void resample_push(struct resample *resample, const uint8_t *row);

void resample_release(struct resample *resample);

#endif
