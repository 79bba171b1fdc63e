/*
 * resample: rows of a picture in, a small picture out, by one kernel along each side. Pure.
 *
 * A row is filtered along its length as it arrives and added to the few rows of the result that it
 * touches; memory is a few rows, whatever the height. Nothing is allocated per row.
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
    int next_started;  /* first result row that has not met a source row */
    int next_finished; /* first result row that is not complete */
    int slots;         /* result rows under way at once, at most */
    int16_t *planes;   /* the source row, one plane of samples per channel, zeros behind each */
    int16_t *filtered; /* the same after the horizontal kernel */
    int32_t *sums;     /* `slots` rows of the result under way */
    uint8_t *out;
};

/* Begins a picture of `channels` (1 to 4) bytes a pixel: horizontal->samples wide,
 * vertical->samples high. The kernels and `out` (thumbnail width x height x channels bytes) must
 * outlive it. `resample` is zero or was used before. */
int resample_begin(struct resample *resample, const struct filter_kernel *horizontal,
                   const struct filter_kernel *vertical, int channels, uint8_t *out,
                   struct mpp_error *error);

/* The next row of the source, as many times as it is high; then `out` is complete. */
void resample_push(struct resample *resample, const uint8_t *row);

void resample_release(struct resample *resample);

#endif
