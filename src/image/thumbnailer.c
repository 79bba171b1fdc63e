/*
 * thumbnail: the pipeline of one image: sniff, header, geometry, rows through the filter, orient,
 * encode.
 *
 * Everything that costs memory comes after the header was judged. Decoders, filter tables and
 * buffers stay in the thumbnailer for the next image.
 */
#include "thumbnailer.h"

#include <math.h>
#include <stdlib.h>

#include "color.h"
#include "filter_kernel.h"
#include "geometry.h"
#include "icc.h"
#include "jpeg_read.h"
#include "jpeg_write.h"
#include "orient.h"
#include "pillow_exact.h"
#include "png_read.h"
#include "png_write.h"
#include "resample.h"

#define SNIFF_BYTES 16

struct thumbnailer {
    struct jpeg_reader *jpeg_reader;
    struct png_reader *png_reader;
    struct jpeg_writer *jpeg_writer;
    struct icc *icc;
    struct filter_kernel horizontal;
    struct filter_kernel vertical;
    struct resample resample;
    struct buf row;    /* of the source */
    struct buf pixels; /* the thumbnail as stored in the source, then as it is seen */
    struct buf seen;
};

/* What the channels of a pixel are. */
struct colors {
    int channels;
    bool alpha; /* the last of them */
    bool cmyk, inverted;
    const void *profile; /* ICC; NULL: none. It lives as long as the source is open */
    size_t profile_size;
};

/* One image on its way. */
struct passage {
    enum image_format format;       /* of the source */
    struct geometry_size source;    /* as stored in the file */
    struct geometry_plan seen;      /* what becomes what, as it is seen */
    struct geometry_size thumbnail; /* as stored */
    struct colors colors;
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
    thumbnailer->icc = icc_new();
    if (thumbnailer->jpeg_reader == NULL || thumbnailer->png_reader == NULL ||
        thumbnailer->jpeg_writer == NULL || thumbnailer->icc == NULL) {
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
    icc_free(thumbnailer->icc);
    resample_release(&thumbnailer->resample);
    filter_kernel_release(&thumbnailer->horizontal);
    filter_kernel_release(&thumbnailer->vertical);
    buf_release(&thumbnailer->row);
    buf_release(&thumbnailer->pixels);
    buf_release(&thumbnailer->seen);
    free(thumbnailer);
}

static int check_options(const struct thumbnail_options *options, struct mpp_error *error)
{
    if (options->box_width_px < 1 || options->box_height_px < 1)
        return mpp_error_set(error, "the box must be at least 1x1 pixels");
    if (!(options->blur_sigma >= 0 && options->blur_sigma <= FILTER_KERNEL_SIGMA_MAX))
        return mpp_error_set(error, "blur radius out of range, at most %g",
                             FILTER_KERNEL_SIGMA_MAX);
    if (options->quality < 1 || options->quality > 100)
        return mpp_error_set(error, "the quality must be 1 to 100");
    return 0;
}

static enum image_format sniff(struct thumbnailer *thumbnailer, const struct byte_source *source)
{
    size_t size = source->size < SNIFF_BYTES ? (size_t)source->size : SNIFF_BYTES;
    const uint8_t *head = byte_source_at(source, 0, size, &thumbnailer->row);

    return head ? image_sniff(head, size) : IMAGE_UNKNOWN;
}

static int open_source(struct thumbnailer *thumbnailer, const struct byte_source *source,
                       const struct thumbnail_options *options, struct passage *passage,
                       struct mpp_error *error)
{
    struct jpeg_header jpeg = {0};
    struct png_header png = {0};

    passage->format = sniff(thumbnailer, source);
    switch (passage->format) {
    case IMAGE_JPEG:
        if (!source->bytes)
            return mpp_error_set(error, "a JPEG that is not in memory");
        if (jpeg_reader_open(thumbnailer->jpeg_reader, source->bytes, (size_t)source->size, &jpeg,
                             error) == -1)
            return -1;
        passage->source = (struct geometry_size){jpeg.width_px, jpeg.height_px};
        passage->colors = (struct colors){.channels = jpeg.channels,
                                          .cmyk = jpeg.channels == 4,
                                          .inverted = jpeg.inverted,
                                          .profile = jpeg.profile,
                                          .profile_size = jpeg.profile_size};
        passage->orientation = jpeg.orientation;
        return 0;
    case IMAGE_PNG:
        if (png_reader_open(thumbnailer->png_reader, source, options->exact, &png, error) == -1)
            return -1;
        passage->source = (struct geometry_size){png.width_px, png.height_px};
        passage->colors = (struct colors){.channels = png.channels,
                                          .alpha = png.channels % 2 == 0,
                                          .profile = png.profile,
                                          .profile_size = png.profile_size};
        if (options->keep_truncated)
            png_reader_keep_truncated(thumbnailer->png_reader);
        passage->orientation = png.orientation;
        return 0;
    case IMAGE_UNKNOWN:
        break;
    }
    return mpp_error_set(error, source->size == 0 ? "empty file" : "not a JPEG or PNG file");
}

static void close_source(struct thumbnailer *thumbnailer, struct thumbnail_info *info)
{
    if (info->source_format == IMAGE_JPEG)
        info->warnings += jpeg_reader_warnings(thumbnailer->jpeg_reader);
    if (info->source_format == IMAGE_PNG)
        info->warnings += png_reader_warnings(thumbnailer->png_reader);
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
    static const enum geometry_mode modes[] = {[IMAGE_INSIDE] = GEOMETRY_INSIDE,
                                               [IMAGE_COVER] = GEOMETRY_COVER,
                                               [IMAGE_FILL] = GEOMETRY_FILL};
    struct geometry_size box = {options->box_width_px, options->box_height_px};
    uint64_t limit = options->max_pixels ? options->max_pixels : IMAGE_MAX_PIXELS;
    struct geometry_size seen;
    bool swap;

    if ((uint64_t)passage->source.width_px * (uint64_t)passage->source.height_px > limit)
        return mpp_error_set(error, "%d x %d pixels are more than the limit of %llu (--max-pixels)",
                             passage->source.width_px, passage->source.height_px,
                             (unsigned long long)limit);
    if (!options->orient)
        passage->orientation = 1;
    swap = geometry_swaps_sides(passage->orientation);
    seen = swap_if(passage->source, swap);
    info->source_width_px = seen.width_px;
    info->source_height_px = seen.height_px;
    passage->seen = geometry_plan(seen, box, modes[options->fit], options->enlarge);
    info->width_px = passage->seen.thumbnail.width_px;
    info->height_px = passage->seen.thumbnail.height_px;
    passage->thumbnail = swap_if(passage->seen.thumbnail, swap);
    return 0;
}

static int prepare_filter(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                          const struct passage *passage, int eighths, struct mpp_error *error)
{
    bool swap = geometry_swaps_sides(passage->orientation);
    const struct geometry_plan *seen = &passage->seen;
    struct geometry_size region = swap_if(seen->region, swap);
    struct filter_kernel_shape across = {
        .source_px = passage->source.width_px,
        .region_px = region.width_px,
        .region_first_px = swap ? seen->top_px : seen->left_px,
        .thumbnail_px = passage->thumbnail.width_px,
        .reduction = geometry_reduction(region.width_px, passage->thumbnail.width_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_x(passage->orientation),
    };
    struct filter_kernel_shape down = {
        .source_px = passage->source.height_px,
        .region_px = region.height_px,
        .region_first_px = swap ? seen->left_px : seen->top_px,
        .thumbnail_px = passage->thumbnail.height_px,
        .reduction = geometry_reduction(region.height_px, passage->thumbnail.height_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_y(passage->orientation),
    };
    size_t size = (size_t)passage->thumbnail.width_px * (size_t)passage->thumbnail.height_px *
                  (size_t)passage->colors.channels;

    if (filter_kernel_prepare(&thumbnailer->horizontal, &across, error) == -1 ||
        filter_kernel_prepare(&thumbnailer->vertical, &down, error) == -1)
        return -1;
    buf_clear(&thumbnailer->row);
    buf_clear(&thumbnailer->pixels);
    if (buf_reserve(&thumbnailer->row, (size_t)thumbnailer->horizontal.samples *
                                           (size_t)passage->colors.channels) == NULL ||
        buf_reserve(&thumbnailer->pixels, size) == NULL)
        return mpp_error_set(error, "out of memory");
    thumbnailer->pixels.size = size;
    return resample_begin(&thumbnailer->resample, &thumbnailer->horizontal, &thumbnailer->vertical,
                          passage->colors.channels, thumbnailer->pixels.data, error);
}

/* Decodes and filters; colours with alpha come out premultiplied. */
static int shrink(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  struct passage *passage, struct mpp_error *error)
{
    bool jpeg = passage->format == IMAGE_JPEG;
    unsigned way = options->keep_truncated ? JPEG_KEEP_TRUNCATED : 0;
    int eighths = 8;
    uint8_t *row;

    if (jpeg)
        eighths =
            geometry_dct_scale(passage->seen.region, passage->seen.thumbnail, options->blur_sigma);
    if (prepare_filter(thumbnailer, options, passage, eighths, error) == -1)
        return -1;
    if (jpeg && jpeg_reader_start(thumbnailer->jpeg_reader, eighths, way, error) == -1)
        return -1;
    row = thumbnailer->row.data;
    for (int y = 0; y < thumbnailer->vertical.samples; y++) {
        int rc = jpeg ? jpeg_reader_row(thumbnailer->jpeg_reader, row, error)
                      : png_reader_row(thumbnailer->png_reader, row, error);

        if (rc == -1)
            return -1;
        if (passage->colors.alpha)
            color_premultiply(row, (size_t)thumbnailer->horizontal.samples,
                              passage->colors.channels);
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
        passage->orientation != 1 || options->fit != IMAGE_INSIDE)
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
    struct pillow_exact_shape shape = {.source = swap_if(stored, swap),
                                       .thumbnail = swap_if(passage->thumbnail, swap),
                                       .cut = passage->seen,
                                       .channels = passage->colors.channels,
                                       .alpha = passage->colors.alpha,
                                       .blur_sigma = options->blur_sigma};
    struct geometry_size whole = swap_if(passage->source, swap);
    size_t row = (size_t)stored.width_px * (size_t)passage->colors.channels;
    bool jpeg = passage->format == IMAGE_JPEG;
    unsigned way = JPEG_EXACT | (options->keep_truncated ? JPEG_KEEP_TRUNCATED : 0);

    shape.region_width_px = whole.width_px * eighths / 8.0;
    shape.region_height_px = whole.height_px * eighths / 8.0;
    buf_clear(&thumbnailer->seen);
    buf_clear(&thumbnailer->pixels);
    if (jpeg && jpeg_reader_start(thumbnailer->jpeg_reader, eighths, way, error) == -1)
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
                      passage->colors.channels, passage->orientation, to);
        buf_release(&thumbnailer->pixels);
        thumbnailer->pixels = turned;
        passage->orientation = 1;
        passage->thumbnail = shape.thumbnail;
    }
    return pillow_exact_shrink(&shape, &thumbnailer->pixels, error);
}

static enum icc_pixels kind_of(const struct colors *colors)
{
    if (colors->cmyk)
        return colors->inverted ? ICC_CMYK_INVERTED : ICC_CMYK;
    if (colors->channels <= 2)
        return colors->alpha ? ICC_GRAY_ALPHA : ICC_GRAY;
    return colors->alpha ? ICC_RGBA : ICC_RGB;
}

/* The seen thumbnail's colours become those of sRGB: by their profile where there is one, unless
 * they are to be exactly the reference's, which keeps them with their profile. CMYK becomes RGB
 * always.
 */
static void to_srgb(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                    struct colors *colors, struct thumbnail_info *info)
{
    struct buf *seen = &thumbnailer->seen;
    size_t pixels = seen->size / (size_t)colors->channels;
    enum icc_outcome outcome = ICC_SAME;

    if (colors->profile && (!options->exact || colors->cmyk))
        outcome = icc_to_srgb(thumbnailer->icc, colors->profile, colors->profile_size,
                              kind_of(colors), seen->data, pixels);
    info->warnings += outcome == ICC_UNUSABLE;
    if (!colors->cmyk)
        return;
    if (outcome != ICC_CONVERTED)
        color_cmyk_to_rgb(seen->data, pixels, colors->inverted, seen->data);
    *colors = (struct colors){.channels = 3};
    seen->size = pixels * 3;
}

/* Alpha goes: what is seen lies on the background. It came premultiplied, or not. */
static int flatten(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                   struct colors *colors, bool premultiplied, struct mpp_error *error)
{
    const uint8_t *background = options->background;
    bool is_gray = background[0] == background[1] && background[1] == background[2];
    struct buf *seen = &thumbnailer->seen;
    size_t pixels = seen->size / (size_t)colors->channels;

    if (!premultiplied)
        color_premultiply(seen->data, pixels, colors->channels);
    if (colors->channels == 2 && !is_gray) {
        struct buf *rgb = &thumbnailer->pixels;
        buf_clear(rgb);
        if (buf_extend(rgb, pixels * 4) == NULL)
            return mpp_error_set(error, "out of memory");
        color_gray_to_rgb(seen->data, pixels, rgb->data);
        struct buf gray = *seen;
        *seen = *rgb;
        *rgb = gray;
        colors->channels = 4;
    }
    color_flatten(seen->data, pixels, colors->channels--, background);
    colors->alpha = false;
    seen->size = pixels * (size_t)colors->channels;
    return 0;
}

static int turn(struct thumbnailer *thumbnailer, const struct passage *passage,
                struct mpp_error *error)
{
    buf_clear(&thumbnailer->seen);
    if (buf_extend(&thumbnailer->seen, thumbnailer->pixels.size) == NULL)
        return mpp_error_set(error, "out of memory");
    orient_pixels(thumbnailer->pixels.data, passage->thumbnail.width_px,
                  passage->thumbnail.height_px, passage->colors.channels, passage->orientation,
                  thumbnailer->seen.data);
    return 0;
}

/* The seen thumbnail, in the colours it is to be written in. */
static int finish_colors(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                         struct colors *colors, struct thumbnail_info *info,
                         struct mpp_error *error)
{
    struct buf *seen = &thumbnailer->seen;
    bool premultiplied = colors->alpha && !options->exact;

    /* What goes onto the background as it is loses nothing on the way. */
    if (premultiplied && (info->format == IMAGE_PNG || colors->profile)) {
        color_unpremultiply(seen->data, seen->size / (size_t)colors->channels, colors->channels);
        premultiplied = false;
    }
    to_srgb(thumbnailer, options, colors, info);
    if (colors->alpha && info->format == IMAGE_JPEG)
        return flatten(thumbnailer, options, colors, premultiplied, error);
    return 0;
}

static int encode(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  struct passage *passage, struct thumbnail_info *info, struct buf *out,
                  struct mpp_error *error)
{
    struct colors *colors = &passage->colors;

    if (turn(thumbnailer, passage, error) == -1 ||
        finish_colors(thumbnailer, options, colors, info, error) == -1)
        return -1;
    if (!options->exact)
        colors->profile = NULL; /* it is sRGB now */
    if (info->format == IMAGE_JPEG)
        return jpeg_write(thumbnailer->jpeg_writer, thumbnailer->seen.data, info->width_px,
                          info->height_px, colors->channels,
                          &(struct jpeg_writing){.quality = options->quality,
                                                 .progressive = options->progressive,
                                                 .optimize = options->optimize,
                                                 .profile = colors->profile,
                                                 .profile_size = colors->profile_size},
                          out, error);
    return png_write(thumbnailer->seen.data, info->width_px, info->height_px, colors->channels,
                     &(struct png_writing){.optimize = options->optimize,
                                           .profile = colors->profile,
                                           .profile_size = colors->profile_size},
                     out, error);
}

int thumbnailer_run(struct thumbnailer *thumbnailer, const struct byte_source *source,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error)
{
    struct passage passage = {0};
    size_t before = out->size;
    int rc = -1;

    *info = (struct thumbnail_info){0};
    if (check_options(options, error) == -1)
        return -1;
    if (open_source(thumbnailer, source, options, &passage, error) == -1 ||
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
