/* SPDX-License-Identifier: MIT */
/*
 * Shrinks a picture row by row: see resample.h.
 *
 * The loops are written so that the compiler turns them into vector multiply-add instructions:
 * planes of int16 samples, rows of int16 weights padded to whole vectors, int32 sums.
 */
#include "resample.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "simd.h"

/* Between the passes samples have 6 fractional bits. With the overshoot of the bicubic filter they
 * still fit into int16. */
#define MIDDLE_BITS  6
#define FIRST_SHIFT  (FILTER_KERNEL_ONE_BITS - MIDDLE_BITS)
#define SECOND_SHIFT (FILTER_KERNEL_ONE_BITS + MIDDLE_BITS)

static size_t plane_size(const struct resample *resample)
{
    return (size_t)resample->horizontal->samples + (size_t)resample->horizontal->taps;
}

static size_t row_size(const struct resample *resample)
{
    return (size_t)resample->horizontal->shape.thumbnail_px * (size_t)resample->channels;
}

/* The largest number of result rows that one source row is added to. */
static int most_rows_at_once(const struct filter_kernel *vertical)
{
    int most = 1;
    int oldest = 0;

    for (int i = 0; i < vertical->shape.thumbnail_px; i++) {
        while (vertical->first[oldest] + vertical->count[oldest] <= vertical->first[i])
            oldest++;
        if (i - oldest + 1 > most)
            most = i - oldest + 1;
    }
    return most;
}

int resample_begin(struct resample *resample, const struct filter_kernel *horizontal,
                   const struct filter_kernel *vertical, int channels, uint8_t *out,
                   struct mpp_error *error)
{
    size_t sums;

    resample_release(resample);
    resample->horizontal = horizontal;
    resample->vertical = vertical;
    resample->channels = channels;
    resample->out = out;
    resample->slots = most_rows_at_once(vertical);
    if (!size_multiply(row_size(resample), (size_t)resample->slots, &sums))
        return mpp_error_set(error, "out of memory for the filter");
    resample->planes = calloc(plane_size(resample) * (size_t)channels, sizeof(int16_t));
    resample->filtered = malloc(row_size(resample) * sizeof(int16_t));
    resample->sums = calloc(sums, sizeof(int32_t));
    if (!resample->planes || !resample->filtered || !resample->sums) {
        resample_release(resample);
        return mpp_error_set(error, "out of memory for the filter");
    }
    return 0;
}

void resample_release(struct resample *resample)
{
    free(resample->planes);
    free(resample->filtered);
    free(resample->sums);
    *resample = (struct resample){0};
}

SIMD_BODY void split_1(const uint8_t *restrict row, int samples, int16_t *restrict plane)
{
    for (int i = 0; i < samples; i++)
        plane[i] = row[i];
}

SIMD_BODY void split_3(const uint8_t *restrict row, int samples, int16_t *restrict a,
                       int16_t *restrict b, int16_t *restrict c)
{
    for (int i = 0; i < samples; i++) {
        a[i] = row[3 * i];
        b[i] = row[3 * i + 1];
        c[i] = row[3 * i + 2];
    }
}

SIMD_BODY void split_2(const uint8_t *restrict row, int samples, int16_t *restrict a,
                       int16_t *restrict b)
{
    for (int i = 0; i < samples; i++) {
        a[i] = row[2 * i];
        b[i] = row[2 * i + 1];
    }
}

SIMD_BODY void split_4(const uint8_t *restrict row, int samples, int16_t *restrict a,
                       int16_t *restrict b, int16_t *restrict c, int16_t *restrict d)
{
    for (int i = 0; i < samples; i++) {
        a[i] = row[4 * i];
        b[i] = row[4 * i + 1];
        c[i] = row[4 * i + 2];
        d[i] = row[4 * i + 3];
    }
}

SIMD_BODY void split_row(struct resample *resample, const uint8_t *row)
{
    size_t size = plane_size(resample);
    int16_t *planes = resample->planes;
    int samples = resample->horizontal->samples;

    switch (resample->channels) {
    case 1:
        split_1(row, samples, planes);
        break;
    case 2:
        split_2(row, samples, planes, planes + size);
        break;
    case 3:
        split_3(row, samples, planes, planes + size, planes + 2 * size);
        break;
    default:
        split_4(row, samples, planes, planes + size, planes + 2 * size, planes + 3 * size);
    }
}

SIMD_BODY int16_t to_int16(int32_t value)
{
    return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

/* Filters one plane with the horizontal kernel. */
SIMD_BODY void filter_plane(const struct filter_kernel *kernel, const int16_t *restrict plane,
                            int16_t *restrict out)
{
    const int16_t *restrict weights = kernel->weights;
    /* taps is a multiple already; this tells the compiler. */
    int taps = kernel->taps / FILTER_KERNEL_TAPS_ALIGN * FILTER_KERNEL_TAPS_ALIGN;

    for (int i = 0; i < kernel->shape.thumbnail_px; i++) {
        const int16_t *restrict samples = plane + kernel->first[i];
        int32_t sum = 1 << (FIRST_SHIFT - 1);

        for (int t = 0; t < taps; t++)
            sum += samples[t] * weights[t];
        out[i] = to_int16(sum >> FIRST_SHIFT);
        weights += taps;
    }
}

SIMD_BODY void add_row(int32_t *restrict sums, const int16_t *restrict row, int16_t weight,
                       size_t size)
{
    for (size_t i = 0; i < size; i++)
        sums[i] += row[i] * weight;
}

/* Rounds a complete row to bytes, interleaves its planes to pixels, and clears its slot. */
SIMD_BODY void finish_row(struct resample *resample, int index)
{
    size_t size = row_size(resample);
    int32_t *sums = resample->sums + (size_t)(index % resample->slots) * size;
    uint8_t *out = resample->out + (size_t)index * size;
    int width = resample->horizontal->shape.thumbnail_px;

    for (int c = 0; c < resample->channels; c++) {
        const int32_t *plane = sums + (size_t)c * (size_t)width;

        for (int x = 0; x < width; x++) {
            int32_t value = (plane[x] + (1 << (SECOND_SHIFT - 1))) >> SECOND_SHIFT;

            out[(size_t)x * (size_t)resample->channels + (size_t)c] =
                (uint8_t)(value < 0     ? 0
                          : value > 255 ? 255
                                        : value);
        }
    }
    memset(sums, 0, size * sizeof(sums[0]));
}

SIMD_BODY void push(struct resample *resample, const uint8_t *row)
{
    const struct filter_kernel *horizontal = resample->horizontal;
    const struct filter_kernel *vertical = resample->vertical;
    size_t size = row_size(resample);
    int y = resample->next_row++;

    while (resample->next_started < vertical->shape.thumbnail_px &&
           vertical->first[resample->next_started] <= y)
        resample->next_started++;
    if (resample->next_finished == resample->next_started)
        return;
    split_row(resample, row);
    for (int c = 0; c < resample->channels; c++)
        filter_plane(horizontal, resample->planes + (size_t)c * plane_size(resample),
                     resample->filtered + (size_t)c * (size_t)horizontal->shape.thumbnail_px);
    for (int i = resample->next_finished; i < resample->next_started; i++) {
        int tap = y - vertical->first[i];

        if (tap < vertical->count[i])
            add_row(resample->sums + (size_t)(i % resample->slots) * size, resample->filtered,
                    vertical->weights[(size_t)i * (size_t)vertical->taps + (size_t)tap], size);
    }
    while (resample->next_finished < resample->next_started &&
           vertical->first[resample->next_finished] + vertical->count[resample->next_finished] <=
               y + 1)
        finish_row(resample, resample->next_finished++);
}

SIMD_VARIANTS(void, push, (struct resample * resample, const uint8_t *row), (resample, row))

void resample_push(struct resample *resample, const uint8_t *row)
{
    push_variants[simd_level()](resample, row);
}
