/*
 * thumbnail: the pipeline of one image: sniff, header, geometry, rows through the filter, orient,
 * encode.
 *
 * Everything that costs memory comes after the header was judged. Decoders, filter tables and
 * buffers stay in the thumbnailer for the next image.
 */
#include "image.h"

#include <math.h>
#include <stdlib.h>

#include "color.h"
#include "exact.h"
#include "geometry.h"
#include "jpeg_read.h"
#include "jpeg_write.h"
#include "kernel.h"
#include "orient.h"
#include "png_read.h"
#include "png_write.h"
#include "resample.h"

struct thumbnailer {
    struct jpeg_reader *jpeg_reader;
    struct png_reader *png_reader;
    struct jpeg_writer *jpeg_writer;
    struct kernel horizontal;
    struct kernel vertical;
    struct resample resample;
    struct buf row;    /* of the source */
    struct buf pixels; /* the thumbnail as stored in the source, then as it is seen */
    struct buf seen;
};

/* One image on its way. */
struct passage {
    enum image_format format;       /* of the source */
    struct geometry_size source;    /* as stored in the file */
    struct geometry_size thumbnail; /* in the same frame */
    int channels;
    int orientation;
};

struct thumbnailer *thumbnailer_new(void)
{
    struct thumbnailer *thumbnailer = calloc(1, sizeof(*thumbnailer));

    if (thumbnailer == NULL)
        return NULL;
    thumbnailer->jpeg_reader = jpeg_reader_new();
    thumbnailer->png_reader = png_reader_new();
    thumbnailer->jpeg_writer = jpeg_writer_new();
    if (thumbnailer->jpeg_reader == NULL || thumbnailer->png_reader == NULL ||
        thumbnailer->jpeg_writer == NULL) {
        thumbnailer_free(thumbnailer);
        return NULL;
    }
    return thumbnailer;
}

void thumbnailer_free(struct thumbnailer *thumbnailer)
{
    if (thumbnailer == NULL)
        return;
    jpeg_reader_free(thumbnailer->jpeg_reader);
    png_reader_free(thumbnailer->png_reader);
    jpeg_writer_free(thumbnailer->jpeg_writer);
    resample_release(&thumbnailer->resample);
    kernel_release(&thumbnailer->horizontal);
    kernel_release(&thumbnailer->vertical);
    buf_release(&thumbnailer->row);
    buf_release(&thumbnailer->pixels);
    buf_release(&thumbnailer->seen);
    free(thumbnailer);
}

static int check_options(const struct thumbnail_options *options, struct mpp_error *error)
{
    if (options->box_width_px < 1 || options->box_height_px < 1)
        return mpp_error_set(error, "the box must be at least 1x1 pixels");
    if (!(options->blur_sigma >= 0 && options->blur_sigma <= KERNEL_SIGMA_MAX))
        return mpp_error_set(error, "blur radius out of range, at most %g", KERNEL_SIGMA_MAX);
    if (options->quality < 1 || options->quality > 100)
        return mpp_error_set(error, "the quality must be 1 to 100");
    return 0;
}

static int open_source(struct thumbnailer *thumbnailer, const void *bytes, size_t size,
                       const struct thumbnail_options *options, struct passage *passage,
                       struct mpp_error *error)
{
    struct jpeg_header jpeg = {0};
    struct png_header png = {0};

    passage->format = image_sniff(bytes, size);
    switch (passage->format) {
    case IMAGE_JPEG:
        if (jpeg_reader_open(thumbnailer->jpeg_reader, bytes, size, &jpeg, error) == -1)
            return -1;
        passage->source = (struct geometry_size){jpeg.width_px, jpeg.height_px};
        passage->channels = jpeg.channels;
        passage->orientation = jpeg.orientation;
        return 0;
    case IMAGE_PNG:
        if (png_reader_open(thumbnailer->png_reader, bytes, size, options->exact, &png, error) ==
            -1)
            return -1;
        passage->source = (struct geometry_size){png.width_px, png.height_px};
        passage->channels = png.channels;
        passage->orientation = png.orientation;
        return 0;
    case IMAGE_UNKNOWN:
        break;
    }
    return mpp_error_set(error, size == 0 ? "empty file" : "not a JPEG or PNG file");
}

static void close_source(struct thumbnailer *thumbnailer, struct thumbnail_info *info)
{
    if (info->source_format == IMAGE_JPEG)
        info->warnings = jpeg_reader_warnings(thumbnailer->jpeg_reader);
    if (info->source_format == IMAGE_PNG)
        info->warnings = png_reader_warnings(thumbnailer->png_reader);
    jpeg_reader_close(thumbnailer->jpeg_reader);
    png_reader_close(thumbnailer->png_reader);
}

static struct geometry_size swap_if(struct geometry_size size, bool swap)
{
    return swap ? (struct geometry_size){size.height_px, size.width_px} : size;
}

/* Sizes: the box is for the picture as it is seen, the filter works on it as it is stored. */
static int plan(const struct thumbnail_options *options, struct passage *passage,
                struct thumbnail_info *info, struct mpp_error *error)
{
    struct geometry_size box = {options->box_width_px, options->box_height_px};
    struct geometry_size seen;
    bool swap;

    if ((uint64_t)passage->source.width_px * (uint64_t)passage->source.height_px > IMAGE_MAX_PIXELS)
        return mpp_error_set(error, "%d x %d pixels are more than the limit of %llu",
                             passage->source.width_px, passage->source.height_px,
                             (unsigned long long)IMAGE_MAX_PIXELS);
    if (!options->orient)
        passage->orientation = 1;
    swap = geometry_swaps_sides(passage->orientation);
    seen = swap_if(passage->source, swap);
    info->source_width_px = seen.width_px;
    info->source_height_px = seen.height_px;
    seen = geometry_fit(seen, box);
    info->width_px = seen.width_px;
    info->height_px = seen.height_px;
    passage->thumbnail = swap_if(seen, swap);
    return 0;
}

static int prepare_filter(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                          const struct passage *passage, int eighths, struct mpp_error *error)
{
    struct kernel_shape across = {
        .source_px = passage->source.width_px,
        .thumbnail_px = passage->thumbnail.width_px,
        .reduction = geometry_reduction(passage->source.width_px, passage->thumbnail.width_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_x(passage->orientation),
    };
    struct kernel_shape down = {
        .source_px = passage->source.height_px,
        .thumbnail_px = passage->thumbnail.height_px,
        .reduction = geometry_reduction(passage->source.height_px, passage->thumbnail.height_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_y(passage->orientation),
    };
    size_t size = (size_t)passage->thumbnail.width_px * (size_t)passage->thumbnail.height_px *
                  (size_t)passage->channels;

    if (kernel_prepare(&thumbnailer->horizontal, &across, error) == -1 ||
        kernel_prepare(&thumbnailer->vertical, &down, error) == -1)
        return -1;
    buf_clear(&thumbnailer->row);
    buf_clear(&thumbnailer->pixels);
    if (buf_reserve(&thumbnailer->row,
                    (size_t)thumbnailer->horizontal.samples * (size_t)passage->channels) == NULL ||
        buf_reserve(&thumbnailer->pixels, size) == NULL)
        return mpp_error_set(error, "out of memory");
    thumbnailer->pixels.size = size;
    return resample_begin(&thumbnailer->resample, &thumbnailer->horizontal, &thumbnailer->vertical,
                          passage->channels, thumbnailer->pixels.data, error);
}

/* Gray and RGB have an odd number of channels. */
static bool has_alpha(int channels)
{
    return channels % 2 == 0;
}

/* Decodes and filters; colours with alpha come out premultiplied. */
static int shrink(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  struct passage *passage, struct mpp_error *error)
{
    bool jpeg = passage->format == IMAGE_JPEG;
    int eighths = 8;
    uint8_t *row;

    if (jpeg)
        eighths = geometry_dct_scale(passage->source, passage->thumbnail, options->blur_sigma);
    if (prepare_filter(thumbnailer, options, passage, eighths, error) == -1)
        return -1;
    if (jpeg && jpeg_reader_start(thumbnailer->jpeg_reader, eighths, false, error) == -1)
        return -1;
    row = thumbnailer->row.data;
    for (int y = 0; y < thumbnailer->vertical.samples; y++) {
        int rc = jpeg ? jpeg_reader_row(thumbnailer->jpeg_reader, row, error)
                      : png_reader_row(thumbnailer->png_reader, row, error);

        if (rc == -1)
            return -1;
        if (has_alpha(passage->channels))
            color_premultiply(row, (size_t)thumbnailer->horizontal.samples, passage->channels);
        resample_push(&thumbnailer->resample, row);
    }
    return jpeg ? jpeg_reader_finish(thumbnailer->jpeg_reader, error) : 0;
}

/* Pillow decodes at a smaller scale what it neither turns nor blurs nor leaves as it is. */
static int draft_scale(const struct thumbnail_options *options, const struct passage *passage)
{
    bool smaller = passage->thumbnail.width_px != passage->source.width_px ||
                   passage->thumbnail.height_px != passage->source.height_px;
    if (passage->format != IMAGE_JPEG || options->blur_sigma > 0 || !smaller ||
        passage->orientation != 1)
        return 8;
    return geometry_draft_scale(passage->source, passage->thumbnail);
}

/* Decodes it all, as it is to be seen, and lets Pillow's arithmetic loose on it. */
static int shrink_exactly(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                          struct passage *passage, struct mpp_error *error)
{
    int eighths = draft_scale(options, passage);
    struct geometry_size stored = {(passage->source.width_px * eighths + 7) / 8,
                                   (passage->source.height_px * eighths + 7) / 8};
    bool swap = geometry_swaps_sides(passage->orientation);
    struct exact_shape shape = {.source = swap_if(stored, swap),
                                .thumbnail = swap_if(passage->thumbnail, swap),
                                .channels = passage->channels,
                                .blur_sigma = options->blur_sigma};
    struct geometry_size whole = swap_if(passage->source, swap);
    size_t row = (size_t)stored.width_px * (size_t)passage->channels;
    bool jpeg = passage->format == IMAGE_JPEG;

    shape.region_width_px = whole.width_px * eighths / 8.0;
    shape.region_height_px = whole.height_px * eighths / 8.0;
    buf_clear(&thumbnailer->seen);
    buf_clear(&thumbnailer->pixels);
    if (jpeg && jpeg_reader_start(thumbnailer->jpeg_reader, eighths, true, error) == -1)
        return -1;
    for (int y = 0; y < stored.height_px; y++) {
        uint8_t *to = buf_extend(&thumbnailer->pixels, row);
        if (to == NULL)
            return mpp_error_set(error, "out of memory for the whole picture");
        if ((jpeg ? jpeg_reader_row(thumbnailer->jpeg_reader, to, error)
                  : png_reader_row(thumbnailer->png_reader, to, error)) == -1)
            return -1;
    }
    if (jpeg && jpeg_reader_finish(thumbnailer->jpeg_reader, error) == -1)
        return -1;
    if (passage->orientation != 1) {
        struct buf turned = BUF_INIT;
        uint8_t *to = buf_extend(&turned, thumbnailer->pixels.size);
        if (to == NULL)
            return mpp_error_set(error, "out of memory for the whole picture");
        orient_pixels(thumbnailer->pixels.data, stored.width_px, stored.height_px,
                      passage->channels, passage->orientation, to);
        buf_release(&thumbnailer->pixels);
        thumbnailer->pixels = turned;
        passage->orientation = 1;
        passage->thumbnail = shape.thumbnail;
    }
    return exact_shrink(&shape, &thumbnailer->pixels, error);
}

static int encode(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  const struct passage *passage, const struct thumbnail_info *info, struct buf *out,
                  struct mpp_error *error)
{
    size_t size = thumbnailer->pixels.size;
    size_t pixels = size / (size_t)passage->channels;
    int channels = passage->channels;
    uint8_t *seen;

    buf_clear(&thumbnailer->seen);
    seen = buf_reserve(&thumbnailer->seen, size);
    if (seen == NULL)
        return mpp_error_set(error, "out of memory");
    orient_pixels(thumbnailer->pixels.data, passage->thumbnail.width_px,
                  passage->thumbnail.height_px, channels, passage->orientation, seen);
    if (info->format == IMAGE_JPEG) {
        if (has_alpha(channels) && options->exact)
            color_premultiply(seen, pixels, channels);
        if (has_alpha(channels))
            color_flatten_on_white(seen, pixels, channels--);
        return jpeg_write(thumbnailer->jpeg_writer, seen, info->width_px, info->height_px, channels,
                          options->quality, out, error);
    }
    if (has_alpha(channels) && !options->exact)
        color_unpremultiply(seen, pixels, channels);
    return png_write(seen, info->width_px, info->height_px, channels, out, error);
}

int thumbnailer_run(struct thumbnailer *thumbnailer, const void *bytes, size_t size,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error)
{
    struct passage passage = {0};
    size_t before = out->size;
    int rc = -1;

    *info = (struct thumbnail_info){0};
    if (check_options(options, error) == -1)
        return -1;
    if (open_source(thumbnailer, bytes, size, options, &passage, error) == -1 ||
        plan(options, &passage, info, error) == -1)
        goto out;
    info->source_format = passage.format;
    info->format = options->format != IMAGE_UNKNOWN ? options->format : passage.format;
    if ((options->exact ? shrink_exactly : shrink)(thumbnailer, options, &passage, error) == -1)
        goto out;
    rc = encode(thumbnailer, options, &passage, info, out, error);
out:
    close_source(thumbnailer, info);
    if (rc == -1)
        out->size = before;
    return rc;
}
