/* SPDX-License-Identifier: MIT */
/* Blurs and shrinks exactly as Pillow does: see pillow_exact.h. */
#include "pillow_exact.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bicubic.h"
#include "box_blur_weights.h"
#include "color.h"

/* A picture in memory: rows without gaps. */
struct exact_picture {
    uint8_t *pixels;
    int width, height, channels;
};

static size_t row_bytes(const struct exact_picture *picture)
{
    return (size_t)picture->width * (size_t)picture->channels;
}

static uint8_t *row_of(const struct exact_picture *picture, int y)
{
    return picture->pixels + (size_t)y * row_bytes(picture);
}

static int picture_new(struct exact_picture *picture, int width, int height, int channels,
                       struct mpp_error *error)
{
    *picture = (struct exact_picture){.width = width, .height = height, .channels = channels};
    picture->pixels = malloc((size_t)height * row_bytes(picture));
    return picture->pixels
               ? 0
               : mpp_error_set(error, "out of memory for %d x %d pixels", width, height);
}

static int clamp(int value, int count)
{
    return value < 0 ? 0 : value >= count ? count - 1 : value;
}

/* ---- Blur ---- */

/* One pass of the box over `samples` parallel lines, from `in` to `out`. A line has `count` values,
 * which are `step` bytes apart. The sum over the box is updated from one value to the next. */
static void box_pass(const struct box_blur *box, const uint8_t *in, uint8_t *out, int count,
                     size_t step, size_t samples, uint32_t *sums)
{
    for (size_t i = 0; i < samples; i++)
        sums[i] = 0;
    for (int at = -box->radius - 1; at < box->radius; at++) { /* the box centred at -1 */
        const uint8_t *line = in + (size_t)clamp(at, count) * step;
        for (size_t i = 0; i < samples; i++)
            sums[i] += line[i];
    }
    for (int at = 0; at < count; at++) {
        const uint8_t *enters = in + (size_t)clamp(at + box->radius, count) * step;
        const uint8_t *left = in + (size_t)clamp(at - box->radius - 1, count) * step;
        const uint8_t *right = in + (size_t)clamp(at + box->radius + 1, count) * step;
        uint8_t *to = out + (size_t)at * step;
        for (size_t i = 0; i < samples; i++) {
            sums[i] += (uint32_t)enters[i] - left[i];
            to[i] = (uint8_t)((sums[i] * box->inner_24 +
                               (uint32_t)(left[i] + right[i]) * box->fringe_24 + (1u << 23)) >>
                              24);
        }
    }
}

enum { BLUR_PASSES = 3 };

static void blur_rows(const struct box_blur *box, struct exact_picture *picture, uint8_t *spare)
{
    size_t channels = (size_t)picture->channels;
    uint32_t sums[4];
    for (int y = 0; y < picture->height; y++) {
        uint8_t *row = row_of(picture, y);
        for (int pass = 0; pass < BLUR_PASSES; pass++) {
            memcpy(spare, row, row_bytes(picture));
            box_pass(box, spare, row, picture->width, channels, channels, sums);
        }
    }
}

static int blur(double sigma, struct exact_picture *picture, struct mpp_error *error)
{
    struct box_blur box = box_blur_of_sigma(sigma);
    struct exact_picture spare;
    size_t row = row_bytes(picture);
    uint32_t *sums = malloc(row * sizeof *sums);
    if (!sums || picture_new(&spare, picture->width, picture->height, picture->channels, error)) {
        free(sums);
        return mpp_error_set(error, "out of memory for a blur");
    }
    blur_rows(&box, picture, spare.pixels);
    for (int pass = 0; pass < BLUR_PASSES; pass++) {
        box_pass(&box, picture->pixels, spare.pixels, picture->height, row, row, sums);
        uint8_t *blurred = spare.pixels;
        spare.pixels = picture->pixels;
        picture->pixels = blurred;
    }
    free(spare.pixels);
    free(sums);
    return 0;
}

/* ---- Reduction ---- */

/* 2^24 / count, in single precision as in Pillow. */
static uint32_t reciprocal_24(uint32_t count)
{
    return (uint32_t)(4294967296.0f / (float)(256u * count));
}

/* The mean of a block of across x down pixels; blocks at the edges may have fewer. */
static uint8_t block_mean(const struct exact_picture *picture, int x, int y, int across, int down,
                          int channel)
{
    int width = x + across < picture->width ? across : picture->width - x;
    int height = y + down < picture->height ? down : picture->height - y;
    uint32_t count = (uint32_t)width * (uint32_t)height, sum = count / 2;
    for (int i = 0; i < height; i++) {
        const uint8_t *from =
            row_of(picture, y + i) + (size_t)x * (size_t)picture->channels + channel;
        for (int j = 0; j < width; j++)
            sum += from[j * picture->channels];
    }
    return (uint8_t)((sum * reciprocal_24(count)) >> 24);
}

static int reduce(struct exact_picture *picture, int across, int down, struct mpp_error *error)
{
    struct exact_picture reduced;
    if (picture_new(&reduced, (picture->width + across - 1) / across,
                    (picture->height + down - 1) / down, picture->channels, error))
        return -1;
    uint8_t *to = reduced.pixels;
    for (int y = 0; y < reduced.height; y++)
        for (int x = 0; x < reduced.width; x++)
            for (int channel = 0; channel < picture->channels; channel++)
                *to++ = block_mean(picture, x * across, y * down, across, down, channel);
    free(picture->pixels);
    *picture = reduced;
    return 0;
}

/* ---- Bicubic ---- */

enum { ONE_BITS = 22 };

/* For each pixel of the result along one side: the samples that are summed, and their weights. */
struct exact_weights {
    int taps;
    int *first, *count;
    int32_t *values; /* `taps` for each pixel */
};

static void weights_release(struct exact_weights *weights)
{
    free(weights->first);
    free(weights->count);
    free(weights->values);
}

static void fill_weights(struct exact_weights *weights, int index, int from, double scale,
                         double widened, double *exact)
{
    double support = 2 * widened, centre = (index + 0.5) * scale, sum = 0;
    int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
    first = first < 0 ? 0 : first;
    end = end > from ? from : end;
    for (int i = 0; i < end - first; i++)
        sum += exact[i] = bicubic((i + first - centre + 0.5) * (1 / widened));
    for (int i = 0; i < end - first; i++) {
        double weight = (sum != 0 ? exact[i] / sum : exact[i]) * (1 << ONE_BITS);
        weights->values[(size_t)index * (size_t)weights->taps + (size_t)i] =
            (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    weights->first[index] = first;
    weights->count[index] = end - first;
}

/* Weights for `region` of `from` samples to become `to` pixels. Single precision where Pillow uses
 * it. */
static int weights_new(struct exact_weights *weights, int from, double region, int to,
                       struct mpp_error *error)
{
    double scale = (double)(float)region / to, widened = scale < 1 ? 1 : scale;
    int taps = (int)ceil(2 * widened) * 2 + 1;
    double *exact = calloc((size_t)taps, sizeof *exact);
    *weights = (struct exact_weights){
        .taps = taps,
        .first = calloc((size_t)to, sizeof *weights->first),
        .count = calloc((size_t)to, sizeof *weights->count),
        .values = calloc((size_t)to * (size_t)taps, sizeof *weights->values)};
    bool complete = exact && weights->first && weights->count && weights->values;
    for (int index = 0; complete && index < to; index++)
        fill_weights(weights, index, from, scale, widened, exact);
    free(exact);
    if (complete)
        return 0;
    weights_release(weights);
    return mpp_error_set(error, "out of memory for the filter");
}

/* One result sample. `step`: the distance from one source sample to the next. */
static uint8_t weighted_sum(const struct exact_weights *weights, int index, const uint8_t *from,
                            size_t step)
{
    const int32_t *weight = weights->values + (size_t)index * (size_t)weights->taps;
    from += (size_t)weights->first[index] * step;
    int32_t sum = 1 << (ONE_BITS - 1);
    for (int i = 0; i < weights->count[index]; i++, from += step)
        sum += *from * weight[i];
    sum >>= ONE_BITS;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
}

/* Resizes the picture along one side: width or height is the same as before. */
static int resize_side(struct exact_picture *picture, int width, int height, double region,
                       struct mpp_error *error)
{
    bool along_rows = width != picture->width;
    struct exact_picture resized;
    struct exact_weights weights;
    if (weights_new(&weights, along_rows ? picture->width : picture->height, region,
                    along_rows ? width : height, error))
        return -1;
    if (picture_new(&resized, width, height, picture->channels, error)) {
        weights_release(&weights);
        return -1;
    }
    uint8_t *to = resized.pixels;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int channel = 0; channel < picture->channels; channel++)
                *to++ = along_rows
                            ? weighted_sum(&weights, x, row_of(picture, y) + channel,
                                           (size_t)picture->channels)
                            : weighted_sum(&weights, y,
                                           picture->pixels + (size_t)x * (size_t)picture->channels +
                                               channel,
                                           row_bytes(picture));
    weights_release(&weights);
    free(picture->pixels);
    *picture = resized;
    return 0;
}

static int shrink(const struct pillow_exact_shape *shape, struct exact_picture *picture,
                  struct mpp_error *error)
{
    bool alpha = shape->alpha;
    double across_px = shape->region_width_px, down_px = shape->region_height_px;
    int width = shape->thumbnail.width_px, height = shape->thumbnail.height_px;
    size_t pixels = (size_t)picture->width * (size_t)picture->height;
    if (alpha) { /* Pillow does not reduce pictures with alpha */
        color_premultiply(picture->pixels, pixels, shape->channels);
    } else {
        int across = geometry_reduction(across_px, width),
            down = geometry_reduction(down_px, height);
        if ((across > 1 || down > 1) && reduce(picture, across, down, error))
            return -1;
        across_px /= across;
        down_px /= down;
    }
    if ((width != picture->width || across_px != picture->width) &&
        resize_side(picture, width, picture->height, across_px, error))
        return -1;
    if ((height != picture->height || down_px != picture->height) &&
        resize_side(picture, picture->width, height, down_px, error))
        return -1;
    if (alpha)
        color_unpremultiply(picture->pixels, (size_t)width * (size_t)height, shape->channels);
    return 0;
}

/* Cuts out the region, in place. */
static void cut_out(const struct geometry_plan *cut, struct exact_picture *picture)
{
    size_t pixel = (size_t)picture->channels, kept = (size_t)cut->region.width_px * pixel;
    for (int y = 0; y < cut->region.height_px; y++)
        memmove(picture->pixels + (size_t)y * kept,
                row_of(picture, cut->top_px + y) + (size_t)cut->left_px * pixel, kept);
    picture->width = cut->region.width_px;
    picture->height = cut->region.height_px;
}

int pillow_exact_shrink(const struct pillow_exact_shape *shape, struct buf *pixels,
                        struct mpp_error *error)
{
    struct exact_picture picture = {.pixels = pixels->data,
                                    .width = shape->source.width_px,
                                    .height = shape->source.height_px,
                                    .channels = shape->channels};
    struct pillow_exact_shape region = *shape;
    bool is_cut = shape->cut.region.width_px < shape->source.width_px ||
                  shape->cut.region.height_px < shape->source.height_px;
    if (shape->blur_sigma > 0 && blur(shape->blur_sigma, &picture, error))
        goto failed;
    if (is_cut) {
        cut_out(&shape->cut, &picture);
        region.region_width_px = picture.width;
        region.region_height_px = picture.height;
    }
    bool same =
        picture.width == shape->thumbnail.width_px && picture.height == shape->thumbnail.height_px;
    if (!same && shrink(&region, &picture, error))
        goto failed;
    *pixels = (struct buf){.data = picture.pixels,
                           .size = (size_t)picture.height * row_bytes(&picture),
                           .capacity = (size_t)picture.height * row_bytes(&picture)};
    return 0;
failed:
    *pixels = (struct buf){.data = picture.pixels};
    return -1;
}
