/* SPDX-License-Identifier: MIT */
/*
 * test_resample: the fixed-point convolution with combined kernels equals the steps that the
 * kernels combine (blur, cut, reduction, bicubic filter), computed here one after the other on
 * whole arrays of doubles.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "geometry.h"
#include "resample.h"

/* A row or column of values. Each plain step frees its input and returns its output. */
struct value_line {
    double *values;
    int count;
};

static struct value_line line_new(int count)
{
    struct value_line line = {calloc((size_t)count, sizeof(double)), count};

    assert_non_null(line.values);
    return line;
}

static double at_edge_repeated(const struct value_line *line, int i)
{
    return line->values[i < 0 ? 0 : i >= line->count ? line->count - 1 : i];
}

static struct value_line plain_box(struct value_line in, double radius)
{
    struct value_line out = line_new(in.count);
    int whole = (int)radius;

    for (int i = 0; i < in.count; i++) {
        double fringe = radius - whole;

        for (int j = -whole; j <= whole; j++)
            out.values[i] += at_edge_repeated(&in, i + j);
        out.values[i] += fringe * at_edge_repeated(&in, i - whole - 1);
        out.values[i] += fringe * at_edge_repeated(&in, i + whole + 1);
        out.values[i] /= 2 * radius + 1;
    }
    free(in.values);
    return out;
}

/* The radius at which three extended boxes have the variance sigma * sigma, found by bisection. One
 * box with l whole pixels on each side and a fringe of weight w has variance (l(l+1)(2l+1)/3 +
 * 2w(l+1)^2) / (2l+1+2w). */
static double plain_radius(double sigma)
{
    double low = 0;
    double high = 10 * sigma + 10;

    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        double l = floor(middle);
        double w = middle - l;
        double variance =
            (l * (l + 1) * (2 * l + 1) / 3 + 2 * w * (l + 1) * (l + 1)) / (2 * l + 1 + 2 * w);

        if (3 * variance < sigma * sigma)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static struct value_line plain_cut(struct value_line in, int first, int count)
{
    struct value_line out = line_new(count);

    memcpy(out.values, in.values + first, (size_t)count * sizeof(out.values[0]));
    free(in.values);
    return out;
}

static struct value_line plain_reduce(struct value_line in, int factor)
{
    struct value_line out = line_new((in.count + factor - 1) / factor);

    for (int i = 0; i < out.count; i++) {
        int n = 0;

        for (int j = i * factor; j < (i + 1) * factor && j < in.count; j++, n++)
            out.values[i] += in.values[j];
        out.values[i] /= n;
    }
    free(in.values);
    return out;
}

static double keys(double x)
{
    x = fabs(x);
    return x < 1   ? 1.5 * x * x * x - 2.5 * x * x + 1
           : x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2
                   : 0;
}

static struct value_line plain_bicubic(struct value_line in, double length, int count)
{
    struct value_line out = line_new(count);
    double scale = length / count;
    double stretch = scale > 1 ? scale : 1;

    for (int i = 0; i < count; i++) {
        double center = (i + 0.5) * scale;
        double sum = 0;

        for (int j = 0; j < in.count; j++) {
            /* Pillow uses the pixels whose centres are within the support */
            double weight =
                j < (int)(center - 2 * stretch + 0.5) || j >= (int)(center + 2 * stretch + 0.5)
                    ? 0
                    : keys((j + 0.5 - center) / stretch);

            sum += weight;
            out.values[i] += weight * in.values[j];
        }
        out.values[i] /= sum;
    }
    free(in.values);
    return out;
}

static void reverse(struct value_line line)
{
    for (int i = 0, j = line.count - 1; i < j; i++, j--) {
        double value = line.values[i];

        line.values[i] = line.values[j];
        line.values[j] = value;
    }
}

/* From samples to thumbnail values along one side, by the plain steps. */
static struct value_line plain_steps(struct value_line samples,
                                     const struct filter_kernel_shape *shape)
{
    struct value_line line = line_new(shape->source_px);

    for (int i = 0; i < line.count; i++)
        line.values[i] = samples.values[i * shape->eighths / 8];
    free(samples.values);
    if (shape->mirrored)
        reverse(line);
    for (int pass = 0; pass < 3 && shape->blur_sigma > 0; pass++)
        line = plain_box(line, plain_radius(shape->blur_sigma));
    line = plain_cut(line, shape->region_first_px, shape->region_px);
    line = plain_reduce(line, shape->reduction);
    line = plain_bicubic(line, (double)shape->region_px / shape->reduction, shape->thumbnail_px);
    if (shape->mirrored)
        reverse(line);
    return line;
}

/* One channel of the thumbnail, by the plain steps along both sides. */
static double *plain_picture(const uint8_t *in, int channels, int channel,
                             const struct filter_kernel_shape *across,
                             const struct filter_kernel_shape *down, int width, int height)
{
    double *middle = calloc((size_t)(across->thumbnail_px * height), sizeof(double));
    double *out = calloc((size_t)(across->thumbnail_px * down->thumbnail_px), sizeof(double));

    assert_non_null(middle);
    assert_non_null(out);
    for (int y = 0; y < height; y++) {
        struct value_line line = line_new(width);

        for (int x = 0; x < width; x++)
            line.values[x] = in[(y * width + x) * channels + channel];
        line = plain_steps(line, across);
        for (int x = 0; x < across->thumbnail_px; x++)
            middle[y * across->thumbnail_px + x] = line.values[x];
        free(line.values);
    }
    for (int x = 0; x < across->thumbnail_px; x++) {
        struct value_line line = line_new(height);

        for (int y = 0; y < height; y++)
            line.values[y] = middle[y * across->thumbnail_px + x];
        line = plain_steps(line, down);
        for (int y = 0; y < down->thumbnail_px; y++)
            out[y * across->thumbnail_px + x] = line.values[y];
        free(line.values);
    }
    free(middle);
    return out;
}

/* Noise and flat areas. */
static uint8_t *test_picture(int width, int height, int channels)
{
    uint8_t *in = malloc((size_t)(width * height * channels));
    uint32_t random = 12345;

    assert_non_null(in);
    for (int i = 0; i < width * height * channels; i++) {
        random = random * 1664525u + 1013904223u;
        in[i] = (uint8_t)(i / 97 % 3 == 0 ? 255 : i / 97 % 3 == 1 ? 0 : random >> 24);
    }
    return in;
}

/* 0.5 for rounding to bytes, the rest for 14-bit weights and 6 bits between the passes. */
#define TOLERANCE 0.6

static void check_picture(const struct filter_kernel_shape *across,
                          const struct filter_kernel_shape *down, int channels)
{
    struct filter_kernel horizontal = {0};
    struct filter_kernel vertical = {0};
    struct resample resample = {0};
    uint8_t *in;
    uint8_t *out;

    assert_int_equal(filter_kernel_prepare(&horizontal, across, NULL), 0);
    assert_int_equal(filter_kernel_prepare(&vertical, down, NULL), 0);
    in = test_picture(horizontal.samples, vertical.samples, channels);
    out = calloc((size_t)(across->thumbnail_px * down->thumbnail_px), (size_t)channels);
    assert_non_null(out);
    assert_int_equal(resample_begin(&resample, &horizontal, &vertical, channels, out, NULL), 0);
    for (int y = 0; y < vertical.samples; y++)
        resample_push(&resample, in + y * horizontal.samples * channels);
    for (int c = 0; c < channels; c++) {
        double *plain =
            plain_picture(in, channels, c, across, down, horizontal.samples, vertical.samples);

        for (int i = 0; i < across->thumbnail_px * down->thumbnail_px; i++) {
            double want = plain[i] < 0 ? 0 : plain[i] > 255 ? 255 : plain[i];

            if (fabs(out[i * channels + c] - want) > TOLERANCE)
                fail_msg("%d x %d to %d x %d, sigma %g, %d/8, channel %d, pixel %d: %d, not %f",
                         across->source_px, down->source_px, across->thumbnail_px,
                         down->thumbnail_px, across->blur_sigma, across->eighths, c, i,
                         out[i * channels + c], want);
        }
        free(plain);
    }
    free(in);
    free(out);
    resample_release(&resample);
    filter_kernel_release(&horizontal);
    filter_kernel_release(&vertical);
}

static void equals_the_plain_steps(void **state)
{
    static const struct {
        int width, height, thumbnail_width, thumbnail_height, channels, eighths;
        double sigma;
        int mirrored;
    } rows[] = {
        {97, 61, 11, 7, 3, 8, 0, 0},    {97, 61, 11, 7, 3, 8, 2, 0},
        {97, 61, 11, 7, 3, 8, 2, 1},    {97, 61, 50, 31, 1, 8, 0, 0},
        {97, 61, 50, 31, 1, 8, 0.3, 0}, {40, 30, 40, 30, 2, 8, 0, 0},
        {40, 30, 40, 30, 4, 8, 1.5, 0}, {200, 9, 10, 1, 3, 8, 2, 0},
        {9, 200, 1, 10, 3, 8, 2, 1},    {1, 300, 1, 50, 1, 8, 2, 0},
        {300, 1, 50, 1, 1, 8, 2, 0},    {1, 1, 1, 1, 3, 8, 2, 0},
        {7, 5, 7, 5, 1, 8, 20, 0},      {211, 157, 13, 9, 3, 4, 2, 0},
        {211, 157, 13, 9, 3, 2, 2, 0},  {211, 157, 13, 9, 1, 1, 2, 0},
        {211, 157, 13, 9, 1, 1, 0, 1},  {211, 157, 13, 9, 3, 2, 5, 1},
        {211, 157, 1, 1, 1, 8, 2, 0},   {333, 222, 100, 67, 3, 8, 0.8, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct filter_kernel_shape across = {
            .source_px = rows[i].width,
            .region_px = rows[i].width,
            .thumbnail_px = rows[i].thumbnail_width,
            .reduction = geometry_reduction(rows[i].width, rows[i].thumbnail_width),
            .eighths = rows[i].eighths,
            .blur_sigma = rows[i].sigma,
            .mirrored = rows[i].mirrored,
        };
        struct filter_kernel_shape down = across;

        down.source_px = down.region_px = rows[i].height;
        down.thumbnail_px = rows[i].thumbnail_height;
        down.reduction = geometry_reduction(rows[i].height, rows[i].thumbnail_height);
        check_picture(&across, &down, rows[i].channels);
    }
}

/* A region of the source, with a blur that reads beyond it; thumbnails larger than the region. */
static void regions_equal_the_plain_steps(void **state)
{
    static const struct {
        int source, first, region, thumbnail, eighths;
        double sigma;
        bool mirrored;
    } rows[] = {
        {200, 50, 100, 20, 8, 2, 0}, {200, 0, 150, 20, 8, 0, 0},   {200, 60, 140, 7, 8, 3, 1},
        {64, 8, 48, 5, 4, 2, 1},     {64, 3, 50, 100, 8, 1, 0},    {20, 0, 20, 77, 8, 0, 0},
        {5, 0, 5, 64, 8, 2, 1},      {301, 100, 101, 11, 2, 2, 0}, {9, 4, 1, 1, 8, 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct filter_kernel_shape shape = {
            .source_px = rows[i].source,
            .region_px = rows[i].region,
            .region_first_px = rows[i].first,
            .thumbnail_px = rows[i].thumbnail,
            .reduction = geometry_reduction(rows[i].region, rows[i].thumbnail),
            .eighths = rows[i].eighths,
            .blur_sigma = rows[i].sigma,
            .mirrored = rows[i].mirrored,
        };

        check_picture(&shape, &shape, 1);
    }
}

static void rows_of_weights_sum_to_one(void **state)
{
    struct filter_kernel kernel = {0};

    (void)state;
    for (int source = 1; source < 3000; source = source * 5 / 3 + 1) {
        for (int thumbnail = 1; thumbnail <= source; thumbnail = thumbnail * 2 + 1) {
            struct filter_kernel_shape shape = {.source_px = source,
                                                .region_px = source,
                                                .thumbnail_px = thumbnail,
                                                .reduction = geometry_reduction(source, thumbnail),
                                                .eighths = 1 << source % 4,
                                                .blur_sigma = source % 5,
                                                .mirrored = source % 2 != 0};

            assert_int_equal(filter_kernel_prepare(&kernel, &shape, NULL), 0);
            for (int i = 0; i < thumbnail; i++) {
                int sum = 0;

                for (int t = 0; t < kernel.taps; t++)
                    sum += kernel.weights[i * kernel.taps + t];
                assert_int_equal(sum, 1 << FILTER_KERNEL_ONE_BITS);
                assert_in_range(kernel.count[i], 1, kernel.taps);
                assert_in_range(kernel.first[i] + kernel.count[i], 1, kernel.samples);
                assert_true(i == 0 || kernel.first[i] >= kernel.first[i - 1]);
            }
        }
    }
    filter_kernel_release(&kernel);
}

static void a_kernel_is_kept_for_the_same_shape_only(void **state)
{
    struct filter_kernel_shape shape = {.source_px = 100,
                                        .region_px = 100,
                                        .thumbnail_px = 10,
                                        .reduction = 5,
                                        .eighths = 8,
                                        .blur_sigma = 2};
    struct filter_kernel kernel = {0};
    const int16_t *weights;

    (void)state;
    assert_int_equal(filter_kernel_prepare(&kernel, &shape, NULL), 0);
    weights = kernel.weights;
    kernel.weights[0] = 77;
    assert_int_equal(filter_kernel_prepare(&kernel, &shape, NULL), 0);
    assert_ptr_equal(kernel.weights, weights);
    assert_int_equal(kernel.weights[0], 77);
    shape.mirrored = true;
    assert_int_equal(filter_kernel_prepare(&kernel, &shape, NULL), 0);
    assert_int_not_equal(kernel.weights[0], 77);
    shape.blur_sigma = NAN;
    assert_int_equal(filter_kernel_prepare(&kernel, &shape, NULL), -1);
    filter_kernel_release(&kernel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_plain_steps),
        cmocka_unit_test(regions_equal_the_plain_steps),
        cmocka_unit_test(rows_of_weights_sum_to_one),
        cmocka_unit_test(a_kernel_is_kept_for_the_same_shape_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
