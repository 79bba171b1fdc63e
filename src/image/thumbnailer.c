/* SPDX-License-Identifier: MIT */
/*
 * Makes a thumbnail of one image: see thumbnailer.h. The steps are
 *
 *     open_source        recognise the format, read the header
 *     plan_sizes         fit the picture into the box
 *     shrink             decode row by row, blur and shrink each row as it arrives
 *     shrink_exactly     with `exact` instead: decode all, then blur and shrink as Pillow does
 *     orient_thumbnail   rotate and mirror
 *     thumbnail_colors   convert to sRGB, drop alpha if the output format has none
 *     encode
 */
#include "thumbnailer.h"

#include <stdlib.h>

#include "color.h"
#include "filter_kernel.h"
#include "geometry.h"
#include "icc.h"
#include "orient.h"
#include "pillow_exact.h"
#include "resample.h"
#include "thumbnail_colors.h"

struct codec_state { /* of one codec */
    void *decoder;
    void *encoder; /* NULL if the codec needs none */
};

struct thumbnailer {
    struct codec_state *codec_states; /* image_codec_count() of them, by image_codec_at's index */
    struct icc *icc;
    struct filter_kernel horizontal;
    struct filter_kernel vertical;
    struct resample resample;
    struct buf row;       /* of the source */
    struct buf pixels;    /* the thumbnail as stored; with `exact`, at first the whole source */
    struct buf displayed; /* the thumbnail as displayed */
};

/* The conversion of one image. */
struct conversion {
    const struct image_codec *codec; /* of the source; NULL: unknown */
    void *decoder;
    struct geometry_size source;    /* as stored in the file */
    struct geometry_plan plan;      /* as displayed */
    struct geometry_size thumbnail; /* as stored */
    struct thumbnail_colors colors;
    int orientation;
};

/* ---- Creating ---- */

static bool create_codec_states(struct thumbnailer *thumbnailer)
{
    thumbnailer->codec_states = calloc(image_codec_count(), sizeof *thumbnailer->codec_states);
    if (!thumbnailer->codec_states)
        return false;
    for (size_t i = 0; i < image_codec_count(); i++) {
        const struct image_codec *codec = image_codec_at(i);
        struct codec_state *state = &thumbnailer->codec_states[i];
        state->decoder = codec->decoder_new();
        state->encoder = codec->encoder_new ? codec->encoder_new() : NULL;
        if (!state->decoder || (codec->encoder_new && !state->encoder))
            return false;
    }
    return true;
}

static void free_codec_states(struct thumbnailer *thumbnailer)
{
    for (size_t i = 0; thumbnailer->codec_states && i < image_codec_count(); i++) {
        const struct image_codec *codec = image_codec_at(i);
        const struct codec_state *state = &thumbnailer->codec_states[i];
        if (state->decoder)
            codec->decoder_free(state->decoder);
        if (state->encoder)
            codec->encoder_free(state->encoder);
    }
    free(thumbnailer->codec_states);
}

static struct codec_state *state_of(const struct thumbnailer *thumbnailer,
                                    const struct image_codec *codec)
{
    return &thumbnailer->codec_states[image_codec_number(codec) - 1];
}

struct thumbnailer *thumbnailer_new(void)
{
    struct thumbnailer *thumbnailer = calloc(1, sizeof(*thumbnailer));

    if (!thumbnailer)
        return NULL;
    thumbnailer->icc = icc_new();
    if (!create_codec_states(thumbnailer) || !thumbnailer->icc) {
        thumbnailer_free(thumbnailer);
        return NULL;
    }
    return thumbnailer;
}

void thumbnailer_free(struct thumbnailer *thumbnailer)
{
    if (!thumbnailer)
        return;
    free_codec_states(thumbnailer);
    icc_free(thumbnailer->icc);
    resample_release(&thumbnailer->resample);
    filter_kernel_release(&thumbnailer->horizontal);
    filter_kernel_release(&thumbnailer->vertical);
    buf_release(&thumbnailer->row);
    buf_release(&thumbnailer->pixels);
    buf_release(&thumbnailer->displayed);
    free(thumbnailer);
}

/* ---- Source and sizes ---- */

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

/* Recognises the format. NULL: the error is set. */
static const struct image_codec *sniff(struct thumbnailer *thumbnailer,
                                       const struct byte_source *source, struct mpp_error *error)
{
    size_t size =
        source->size < IMAGE_CODEC_SNIFF_BYTES ? (size_t)source->size : IMAGE_CODEC_SNIFF_BYTES;
    const uint8_t *head;
    const struct image_codec *codec;
    char titles[128];

    if (source->size == 0) {
        mpp_error_set(error, "empty file");
        return NULL;
    }
    head = byte_source_at(source, 0, size, &thumbnailer->row);
    if (!head) {
        mpp_error_set_errno(error, "cannot read");
        return NULL;
    }
    codec = image_codec_by_content(head, size);
    if (!codec)
        mpp_error_set(error, "not a %s file", image_codec_titles(titles, sizeof titles));
    return codec;
}

static int open_source(struct thumbnailer *thumbnailer, const struct byte_source *source,
                       const struct thumbnail_options *options, struct conversion *conversion,
                       struct mpp_error *error)
{
    const struct image_codec *codec = sniff(thumbnailer, source, error);
    unsigned mode = (options->exact ? IMAGE_DECODE_EXACT : 0u) |
                    (options->keep_truncated ? IMAGE_DECODE_KEEP_TRUNCATED : 0u);
    struct image_header header = {0};

    if (!codec)
        return -1;
    if (!source->bytes && !codec->streams)
        return mpp_error_set(error, "a %s that is not in memory", codec->title);
    conversion->codec = codec;
    conversion->decoder = state_of(thumbnailer, codec)->decoder;
    if (codec->open(conversion->decoder, source, mode, &header, error))
        return -1;
    conversion->source = (struct geometry_size){header.width_px, header.height_px};
    conversion->colors = (struct thumbnail_colors){.channels = header.channels,
                                                   .alpha = header.alpha,
                                                   .cmyk = header.cmyk,
                                                   .inverted = header.inverted,
                                                   .profile = header.profile,
                                                   .profile_size = header.profile_size};
    conversion->orientation = header.orientation;
    return 0;
}

static void close_source(const struct conversion *conversion, struct thumbnail_info *info)
{
    if (!conversion->codec)
        return;
    if (info->source_format)
        info->warnings += conversion->codec->warnings(conversion->decoder);
    conversion->codec->close(conversion->decoder);
}

static struct geometry_size swap_if(struct geometry_size size, bool swap)
{
    return swap ? (struct geometry_size){size.height_px, size.width_px} : size;
}

/* The box is for the picture as displayed, but the filter works on the picture as stored. */
static int plan_sizes(const struct thumbnail_options *options, struct conversion *conversion,
                      struct thumbnail_info *info, struct mpp_error *error)
{
    static const enum geometry_mode modes[] = {[IMAGE_INSIDE] = GEOMETRY_INSIDE,
                                               [IMAGE_COVER] = GEOMETRY_COVER,
                                               [IMAGE_FILL] = GEOMETRY_FILL};
    struct geometry_size box = {options->box_width_px, options->box_height_px};
    uint64_t limit = options->max_pixels ? options->max_pixels : IMAGE_MAX_PIXELS;
    struct geometry_size displayed;
    bool swap;

    if ((uint64_t)conversion->source.width_px * (uint64_t)conversion->source.height_px > limit)
        return mpp_error_set(error, "%d x %d pixels are more than the limit of %llu (--max-pixels)",
                             conversion->source.width_px, conversion->source.height_px,
                             (unsigned long long)limit);
    if (!options->orient)
        conversion->orientation = 1;
    swap = geometry_swaps_sides(conversion->orientation);
    displayed = swap_if(conversion->source, swap);
    info->source_width_px = displayed.width_px;
    info->source_height_px = displayed.height_px;
    conversion->plan = geometry_plan(displayed, box, modes[options->fit], options->enlarge);
    info->width_px = conversion->plan.thumbnail.width_px;
    info->height_px = conversion->plan.thumbnail.height_px;
    conversion->thumbnail = swap_if(conversion->plan.thumbnail, swap);
    return 0;
}

/* ---- Shrinking while decoding ---- */

static int prepare_filter(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                          const struct conversion *conversion, int eighths, struct mpp_error *error)
{
    bool swap = geometry_swaps_sides(conversion->orientation);
    const struct geometry_plan *plan = &conversion->plan;
    struct geometry_size region = swap_if(plan->region, swap);
    struct filter_kernel_shape across = {
        .source_px = conversion->source.width_px,
        .region_px = region.width_px,
        .region_first_px = swap ? plan->top_px : plan->left_px,
        .thumbnail_px = conversion->thumbnail.width_px,
        .reduction = geometry_reduction(region.width_px, conversion->thumbnail.width_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_x(conversion->orientation),
    };
    struct filter_kernel_shape down = {
        .source_px = conversion->source.height_px,
        .region_px = region.height_px,
        .region_first_px = swap ? plan->left_px : plan->top_px,
        .thumbnail_px = conversion->thumbnail.height_px,
        .reduction = geometry_reduction(region.height_px, conversion->thumbnail.height_px),
        .eighths = eighths,
        .blur_sigma = options->blur_sigma,
        .mirrored = orient_mirrors_y(conversion->orientation),
    };
    size_t size = (size_t)conversion->thumbnail.width_px * (size_t)conversion->thumbnail.height_px *
                  (size_t)conversion->colors.channels;

    if (filter_kernel_prepare(&thumbnailer->horizontal, &across, error) ||
        filter_kernel_prepare(&thumbnailer->vertical, &down, error))
        return -1;
    buf_clear(&thumbnailer->row);
    buf_clear(&thumbnailer->pixels);
    if (!buf_reserve(&thumbnailer->row, (size_t)thumbnailer->horizontal.samples *
                                            (size_t)conversion->colors.channels) ||
        !buf_reserve(&thumbnailer->pixels, size))
        return mpp_error_set(error, "out of memory");
    thumbnailer->pixels.size = size;
    return resample_begin(&thumbnailer->resample, &thumbnailer->horizontal, &thumbnailer->vertical,
                          conversion->colors.channels, thumbnailer->pixels.data, error);
}

/* Decodes, blurs and shrinks into `pixels`; colours with alpha become premultiplied. */
static int shrink(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  struct conversion *conversion, struct mpp_error *error)
{
    const struct image_codec *codec = conversion->codec;
    int eighths = image_codec_scale(codec, geometry_decode_scale(conversion->plan.region,
                                                                 conversion->plan.thumbnail,
                                                                 options->blur_sigma));
    uint8_t *row;

    if (prepare_filter(thumbnailer, options, conversion, eighths, error) ||
        codec->start(conversion->decoder, eighths, error))
        return -1;
    row = thumbnailer->row.data;
    for (int y = 0; y < thumbnailer->vertical.samples; y++) {
        if (codec->read_row(conversion->decoder, row, error))
            return -1;
        if (conversion->colors.alpha)
            color_premultiply(row, (size_t)thumbnailer->horizontal.samples,
                              conversion->colors.channels);
        resample_push(&thumbnailer->resample, row);
    }
    return codec->finish(conversion->decoder, error);
}

/* ---- Shrinking exactly as Pillow does ---- */

/* Pillow decodes at a smaller scale if it shrinks the picture and neither rotates nor blurs it. */
static int exact_scale(const struct thumbnail_options *options, const struct conversion *conversion)
{
    bool smaller = conversion->thumbnail.width_px != conversion->source.width_px ||
                   conversion->thumbnail.height_px != conversion->source.height_px;
    if (options->blur_sigma > 0 || !smaller || conversion->orientation != 1 ||
        options->fit != IMAGE_INSIDE)
        return 8;
    return image_codec_scale(conversion->codec,
                             geometry_draft_scale(conversion->source, conversion->thumbnail));
}

/* Decodes the whole picture into `pixels`. */
static int decode_all(struct thumbnailer *thumbnailer, const struct conversion *conversion,
                      struct geometry_size decoded, int eighths, struct mpp_error *error)
{
    const struct image_codec *codec = conversion->codec;
    size_t row_bytes = (size_t)decoded.width_px * (size_t)conversion->colors.channels;

    buf_clear(&thumbnailer->pixels);
    if (codec->start(conversion->decoder, eighths, error))
        return -1;
    for (int y = 0; y < decoded.height_px; y++) {
        uint8_t *row = buf_extend(&thumbnailer->pixels, row_bytes);
        if (!row)
            return mpp_error_set(error, "out of memory for the whole picture");
        if (codec->read_row(conversion->decoder, row, error))
            return -1;
    }
    return codec->finish(conversion->decoder, error);
}

/* Orients the whole picture in `pixels`. From then on the picture is stored as displayed. */
static int orient_all(struct thumbnailer *thumbnailer, struct conversion *conversion,
                      struct geometry_size decoded, struct mpp_error *error)
{
    struct buf oriented = BUF_INIT;
    uint8_t *to;

    if (conversion->orientation == 1)
        return 0;
    to = buf_extend(&oriented, thumbnailer->pixels.size);
    if (!to)
        return mpp_error_set(error, "out of memory for the whole picture");
    orient_pixels(thumbnailer->pixels.data, decoded.width_px, decoded.height_px,
                  conversion->colors.channels, conversion->orientation, to);
    buf_release(&thumbnailer->pixels);
    thumbnailer->pixels = oriented;
    conversion->orientation = 1;
    conversion->thumbnail = conversion->plan.thumbnail;
    return 0;
}

static int shrink_exactly(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                          struct conversion *conversion, struct mpp_error *error)
{
    int eighths = exact_scale(options, conversion);
    struct geometry_size decoded = {(conversion->source.width_px * eighths + 7) / 8,
                                    (conversion->source.height_px * eighths + 7) / 8};
    bool swap = geometry_swaps_sides(conversion->orientation);
    struct geometry_size source_displayed = swap_if(conversion->source, swap);
    struct pillow_exact_shape shape = {.source = swap_if(decoded, swap),
                                       .region_width_px = source_displayed.width_px * eighths / 8.0,
                                       .region_height_px =
                                           source_displayed.height_px * eighths / 8.0,
                                       .thumbnail = conversion->plan.thumbnail,
                                       .cut = conversion->plan,
                                       .channels = conversion->colors.channels,
                                       .alpha = conversion->colors.alpha,
                                       .blur_sigma = options->blur_sigma};

    if (decode_all(thumbnailer, conversion, decoded, eighths, error) ||
        orient_all(thumbnailer, conversion, decoded, error))
        return -1;
    return pillow_exact_shrink(&shape, &thumbnailer->pixels, error);
}

/* ---- The whole conversion ---- */

/* Copies the thumbnail from `pixels` to `displayed` and applies the orientation. */
static int orient_thumbnail(struct thumbnailer *thumbnailer, const struct conversion *conversion,
                            struct mpp_error *error)
{
    buf_clear(&thumbnailer->displayed);
    if (!buf_extend(&thumbnailer->displayed, thumbnailer->pixels.size))
        return mpp_error_set(error, "out of memory");
    orient_pixels(thumbnailer->pixels.data, conversion->thumbnail.width_px,
                  conversion->thumbnail.height_px, conversion->colors.channels,
                  conversion->orientation, thumbnailer->displayed.data);
    return 0;
}

static int encode(struct thumbnailer *thumbnailer, const struct thumbnail_options *options,
                  const struct thumbnail_colors *colors, const struct thumbnail_info *info,
                  struct buf *out, struct mpp_error *error)
{
    struct image_pixels pixels = {.bytes = thumbnailer->displayed.data,
                                  .width_px = info->width_px,
                                  .height_px = info->height_px,
                                  .channels = colors->channels};
    struct image_encoding encoding = {.quality = options->quality,
                                      .progressive = options->progressive,
                                      .optimize = options->optimize,
                                      .profile = colors->profile,
                                      .profile_size = colors->profile_size};

    return info->format->encode(state_of(thumbnailer, info->format)->encoder, &pixels, &encoding,
                                out, error);
}

int thumbnailer_run(struct thumbnailer *thumbnailer, const struct byte_source *source,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error)
{
    struct conversion conversion = {0};
    size_t size_before = out->size;
    int rc = -1;

    *info = (struct thumbnail_info){0};
    if (check_options(options, error))
        return -1;
    if (open_source(thumbnailer, source, options, &conversion, error) ||
        plan_sizes(options, &conversion, info, error))
        goto out;
    info->source_format = conversion.codec;
    info->format = options->format ? options->format : conversion.codec;
    if ((options->exact ? shrink_exactly : shrink)(thumbnailer, options, &conversion, error) ||
        orient_thumbnail(thumbnailer, &conversion, error) ||
        thumbnail_colors_finish(thumbnailer->icc, options, &conversion.colors,
                                &thumbnailer->displayed, &thumbnailer->pixels, info, error))
        goto out;
    rc = encode(thumbnailer, options, &conversion.colors, info, out, error);
out:
    close_source(&conversion, info);
    if (rc)
        out->size = size_before;
    return rc;
}
