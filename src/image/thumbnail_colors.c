/* SPDX-License-Identifier: MIT */
/* The colours in which a thumbnail is written: see thumbnail_colors.h. */
#include "thumbnail_colors.h"

#include "color.h"

static enum icc_pixels icc_kind(const struct thumbnail_colors *colors)
{
    if (colors->cmyk)
        return colors->inverted ? ICC_CMYK_INVERTED : ICC_CMYK;
    if (colors->channels <= 2)
        return colors->alpha ? ICC_GRAY_ALPHA : ICC_GRAY;
    return colors->alpha ? ICC_RGBA : ICC_RGB;
}

static void convert_to_srgb(struct icc *icc, const struct thumbnail_options *options,
                            struct thumbnail_colors *colors, struct buf *thumbnail, int *warnings)
{
    size_t pixels = thumbnail->size / (size_t)colors->channels;
    enum icc_outcome outcome = ICC_SAME;

    if (colors->profile && (!options->exact || colors->cmyk))
        outcome = icc_to_srgb(icc, colors->profile, colors->profile_size, icc_kind(colors),
                              thumbnail->data, pixels);
    *warnings += outcome == ICC_UNUSABLE;
    if (!options->exact)
        colors->profile = NULL;
    if (!colors->cmyk)
        return;
    if (outcome != ICC_CONVERTED)
        color_cmyk_to_rgb(thumbnail->data, pixels, colors->inverted, thumbnail->data);
    *colors = (struct thumbnail_colors){.channels = 3};
    thumbnail->size = pixels * 3;
}

/* Puts premultiplied pixels over the background and drops alpha. */
static int flatten(const uint8_t background[3], struct thumbnail_colors *colors,
                   struct buf *thumbnail, struct buf *spare, struct mpp_error *error)
{
    bool is_gray = background[0] == background[1] && background[1] == background[2];
    size_t pixels = thumbnail->size / (size_t)colors->channels;

    if (colors->channels == 2 && !is_gray) {
        buf_clear(spare);
        if (!buf_extend(spare, pixels * 4))
            return mpp_error_set(error, "out of memory");
        color_gray_to_rgb(thumbnail->data, pixels, spare->data);
        struct buf gray = *thumbnail;
        *thumbnail = *spare;
        *spare = gray;
        colors->channels = 4;
        colors->profile = NULL; /* that of a gray picture */
    }
    color_flatten(thumbnail->data, pixels, colors->channels--, background);
    colors->alpha = false;
    thumbnail->size = pixels * (size_t)colors->channels;
    return 0;
}

int thumbnail_colors_finish(struct icc *icc, const struct thumbnail_options *options,
                            struct thumbnail_colors *colors, struct buf *thumbnail,
                            struct buf *spare, struct thumbnail_info *info, struct mpp_error *error)
{
    size_t pixels = thumbnail->size / (size_t)colors->channels;
    bool flattens = colors->alpha && !info->format->holds_alpha;
    bool premultiplied = colors->alpha && !options->exact;

    /* Without a profile, colours that are flattened stay premultiplied: dividing them by alpha and
     * multiplying them again would lose precision. */
    if (premultiplied && (!flattens || colors->profile)) {
        color_unpremultiply(thumbnail->data, pixels, colors->channels);
        premultiplied = false;
    }
    convert_to_srgb(icc, options, colors, thumbnail, &info->warnings);
    if (!flattens)
        return 0;
    if (!premultiplied)
        color_premultiply(thumbnail->data, pixels, colors->channels);
    return flatten(options->background, colors, thumbnail, spare, error);
}
