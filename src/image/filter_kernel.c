/* SPDX-License-Identifier: MIT */
/*
 * The weights of a filter: see filter_kernel.h.
 *
 * Each row starts as the weights of the bicubic filter over the reduced side. They are carried
 * backwards through the reduction and the three box passes, in doubles: each step turns weights of
 * its output into weights of its input. Finally the weights of the pixels in each decoded sample
 * are added up, and rounded.
 */
#include "filter_kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bicubic.h"
#include "box_blur_weights.h"
#include "buf.h"

/* Weights of the pixels from `first` on. */
struct weight_span {
    double *weights;
    int first;
    int count;
};

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The weights of thumbnail pixel `index` over the reduced side. */
static void bicubic_span(const struct filter_kernel_shape *shape, int index,
                         struct weight_span *span)
{
    int reduced_px = (shape->region_px + shape->reduction - 1) / shape->reduction;
    double scale = (double)shape->region_px / shape->reduction / shape->thumbnail_px;
    double stretch = scale > 1 ? scale : 1;
    double center = (index + 0.5) * scale;
    double support = 2 * stretch;
    double sum = 0;
    int end = clamp((int)(center + support + 0.5), 0, reduced_px);

    span->first = clamp((int)(center - support + 0.5), 0, reduced_px - 1);
    span->count = end - span->first;
    for (int i = 0; i < span->count; i++) {
        span->weights[i] = bicubic((span->first + i - center + 0.5) / stretch);
        sum += span->weights[i];
    }
    for (int i = 0; i < span->count; i++)
        span->weights[i] /= sum;
}

/* From weights of means to weights of the pixels that are averaged. */
static void spread_reduction(const struct filter_kernel_shape *shape,
                             const struct weight_span *reduced, struct weight_span *span)
{
    int factor = shape->reduction;
    int end = (reduced->first + reduced->count) * factor;

    span->first = reduced->first * factor;
    span->count = (end < shape->region_px ? end : shape->region_px) - span->first;
    for (int i = 0; i < span->count; i++) {
        int left = shape->region_px - (span->first + i) / factor * factor;

        span->weights[i] = reduced->weights[i / factor] / (left < factor ? left : factor);
    }
    span->first += shape->region_first_px;
}

/* One box pass. Along an endless line it is a symmetric convolution. Weights outside the picture
 * are added to the edge pixel, because the blur repeats it there. */
static void spread_box(const struct filter_kernel_shape *shape, struct box_blur box,
                       const struct weight_span *from, struct weight_span *to)
{
    int reach = box.radius + 1;
    int first = from->first - reach;
    int last = from->first + from->count - 1 + reach;
    double sum = 0; /* of the weights of `from` within the radius */

    to->first = first > 0 ? first : 0;
    to->count = (last < shape->source_px ? last : shape->source_px - 1) - to->first + 1;
    memset(to->weights, 0, (size_t)to->count * sizeof(double));
    for (int i = first; i <= last; i++) {
        int enters = i + box.radius - from->first;
        int leaves = i - reach - from->first;
        double fringe = 0;

        if (enters >= 0 && enters < from->count)
            sum += from->weights[enters];
        if (leaves >= 0 && leaves < from->count) {
            sum -= from->weights[leaves];
            fringe += from->weights[leaves];
        }
        if (enters + 1 >= 0 && enters + 1 < from->count)
            fringe += from->weights[enters + 1];
        to->weights[clamp(i, 0, shape->source_px - 1) - to->first] +=
            (sum * box.inner_24 + fringe * box.fringe_24) / BOX_BLUR_ONE;
    }
}

static void mirror_span(const struct filter_kernel_shape *shape, struct weight_span *span)
{
    span->first = shape->source_px - span->first - span->count;
    for (int i = 0, j = span->count - 1; i < j; i++, j--) {
        double weight = span->weights[i];

        span->weights[i] = span->weights[j];
        span->weights[j] = weight;
    }
}

/* From weights of pixels to weights of decoded samples: a sample gets the sum of its pixels'. */
static void gather_samples(const struct filter_kernel_shape *shape, const struct weight_span *from,
                           struct weight_span *to)
{
    int step = 8 / shape->eighths;
    int last = (from->first + from->count - 1) / step;

    to->first = from->first / step;
    to->count = last - to->first + 1;
    memset(to->weights, 0, (size_t)to->count * sizeof(double));
    for (int i = 0; i < from->count; i++)
        to->weights[(from->first + i) / step - to->first] += from->weights[i];
}

/* Rounds the running sum instead of each weight: the row's sum is exact, and the small weights of a
 * long row do not all become zero. */
static void store_row(struct filter_kernel *kernel, int index, const struct weight_span *span)
{
    int16_t *row = kernel->weights + (size_t)index * (size_t)kernel->taps;
    double sum = 0;
    double total = 0;
    long rounded = 0;

    for (int i = 0; i < span->count; i++)
        total += span->weights[i];
    kernel->first[index] = span->first;
    kernel->count[index] = span->count;
    memset(row, 0, (size_t)kernel->taps * sizeof(row[0]));
    for (int i = 0; i < span->count; i++) {
        long next;

        sum += span->weights[i];
        next = lround(sum / total * (1 << FILTER_KERNEL_ONE_BITS));
        row[i] = (int16_t)(next - rounded);
        rounded = next;
    }
}

/* An upper limit for the number of pixels that have a weight in any row. */
static size_t span_limit(const struct filter_kernel_shape *shape, struct box_blur box)
{
    double scale = (double)shape->region_px / shape->thumbnail_px;
    double limit = 4 * (scale > shape->reduction ? scale : shape->reduction) +
                   3.0 * shape->reduction + 6.0 * (box.radius + 1) + 4;

    return limit < shape->source_px ? (size_t)limit : (size_t)shape->source_px;
}

static void make_rows(struct filter_kernel *kernel, struct box_blur box, struct weight_span *a,
                      struct weight_span *b)
{
    const struct filter_kernel_shape *shape = &kernel->shape;

    for (int i = 0; i < shape->thumbnail_px; i++) {
        int index = shape->mirrored ? shape->thumbnail_px - 1 - i : i;

        bicubic_span(shape, i, a);
        spread_reduction(shape, a, b);
        if (shape->blur_sigma > 0) {
            spread_box(shape, box, b, a);
            spread_box(shape, box, a, b);
            spread_box(shape, box, b, a);
        } else {
            struct weight_span same = *a;

            *a = *b;
            *b = same;
        }
        if (shape->mirrored)
            mirror_span(shape, a);
        gather_samples(shape, a, b);
        store_row(kernel, index, b);
    }
}

static int allocate(struct filter_kernel *kernel, size_t limit)
{
    size_t rows = (size_t)kernel->shape.thumbnail_px;
    size_t step = (size_t)(8 / kernel->shape.eighths);
    size_t taps = (limit / step + 2 + FILTER_KERNEL_TAPS_ALIGN - 1) / FILTER_KERNEL_TAPS_ALIGN *
                  FILTER_KERNEL_TAPS_ALIGN;
    size_t size;

    if (!size_multiply(rows, taps * sizeof(int16_t), &size))
        return -1;
    kernel->taps = (int)taps;
    kernel->first = malloc(rows * sizeof(int));
    kernel->count = malloc(rows * sizeof(int));
    kernel->weights = malloc(size);
    return kernel->first && kernel->count && kernel->weights ? 0 : -1;
}

static bool same_shape(const struct filter_kernel_shape *a, const struct filter_kernel_shape *b)
{
    return a->source_px == b->source_px && a->region_px == b->region_px &&
           a->region_first_px == b->region_first_px && a->thumbnail_px == b->thumbnail_px &&
           a->reduction == b->reduction && a->eighths == b->eighths &&
           a->blur_sigma == b->blur_sigma && a->mirrored == b->mirrored;
}

int filter_kernel_prepare(struct filter_kernel *kernel, const struct filter_kernel_shape *shape,
                          struct mpp_error *error)
{
    struct box_blur box = {0};
    struct weight_span a = {0};
    struct weight_span b = {0};
    int rc = -1;

    if (kernel->weights && same_shape(&kernel->shape, shape))
        return 0;
    filter_kernel_release(kernel);
    if (!(shape->blur_sigma >= 0 && shape->blur_sigma <= FILTER_KERNEL_SIGMA_MAX))
        return mpp_error_set(error, "blur radius out of range, at most %g",
                             FILTER_KERNEL_SIGMA_MAX);
    if (shape->blur_sigma > 0)
        box = box_blur_of_sigma(shape->blur_sigma);
    kernel->shape = *shape;
    kernel->samples = (shape->source_px * shape->eighths + 7) / 8;
    a.weights = malloc((span_limit(shape, box) + 8) * sizeof(double));
    b.weights = malloc((span_limit(shape, box) + 8) * sizeof(double));
    if (!a.weights || !b.weights || allocate(kernel, span_limit(shape, box))) {
        mpp_error_set(error, "out of memory for the filter");
        goto out;
    }
    make_rows(kernel, box, &a, &b);
    rc = 0;
out:
    free(a.weights);
    free(b.weights);
    if (rc)
        filter_kernel_release(kernel);
    return rc;
}

void filter_kernel_release(struct filter_kernel *kernel)
{
    free(kernel->first);
    free(kernel->count);
    free(kernel->weights);
    *kernel = (struct filter_kernel){0};
}
