/* SPDX-License-Identifier: MIT */
/* The options of the thumbnail job: see thumbnail_settings.h. */
#include "thumbnail_settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

#define SIDE_MAX_PX 65500 /* the limit of libjpeg */
#define BLUR_MAX_PX 1000

/* ---- Values of special forms ---- */

/* Reads a side in digits. NULL: there is none; otherwise the text behind it. */
static const char *read_side(const char *text, int *side_px)
{
    char *end;
    unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    *side_px = (int)(value <= SIDE_MAX_PX ? value : 0);
    return *side_px ? end : NULL;
}

static int parse_size(const char *text, void *member, struct mpp_error *error)
{
    struct thumbnail_options *image = member;
    const char *end = read_side(text, &image->box_width_px);
    image->box_height_px = image->box_width_px;
    if (end && *end == 'x')
        end = read_side(end + 1, &image->box_height_px);
    if (end && !*end)
        return 0;
    return mpp_error_set(error, "--size takes N or WxH, each from 1 to %d, not '%.200s'",
                         SIDE_MAX_PX, text);
}

static void format_size(const void *member, char *text, size_t size)
{
    const struct thumbnail_options *image = member;
    snprintf(text, size, "%dx%d", image->box_width_px, image->box_height_px);
}

static int parse_format(const char *text, void *member, struct mpp_error *error)
{
    const struct image_codec **format = member;
    char names[128];
    *format = image_codec_by_name(text);
    if (*format || strcmp(text, "same") == 0)
        return 0;
    return mpp_error_set(error, "--format takes %s, not '%.200s'",
                         image_codec_names("same", names, sizeof names), text);
}

static void format_format(const void *member, char *text, size_t size)
{
    const struct image_codec *const *format = member;
    snprintf(text, size, "%s", *format ? (*format)->name : "same");
}

/* "#rrggbb" or "rrggbb", "white", "black". */
static int parse_background(const char *text, void *member, struct mpp_error *error)
{
    uint8_t *background = member;
    const char *digits = strcmp(text, "white") == 0   ? "ffffff"
                         : strcmp(text, "black") == 0 ? "000000"
                                                      : text + (*text == '#');
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return mpp_error_set(error, "--background takes RRGGBB, white or black, not '%.200s'",
                             text);
    unsigned long value = strtoul(digits, NULL, 16);
    for (int i = 0; i < 3; i++)
        background[i] = (uint8_t)(value >> (16 - 8 * i));
    return 0;
}

static void format_background(const void *member, char *text, size_t size)
{
    const uint8_t *background = member;
    snprintf(text, size, "%02x%02x%02x", background[0], background[1], background[2]);
}

static int parse_suffix(const char *text, void *member, struct mpp_error *error)
{
    const char **suffix = member;
    if (strchr(text, '/'))
        return mpp_error_set(error, "--suffix takes a text without '/', not '%.200s'", text);
    *suffix = text;
    return 0;
}

static void format_suffix(const void *member, char *text, size_t size)
{
    const char *const *suffix = member;
    snprintf(text, size, "%s", *suffix ? *suffix : "");
}

/* ---- The table ---- */

static const char *const fits[] = {
    [IMAGE_INSIDE] = "inside", [IMAGE_COVER] = "cover", [IMAGE_FILL] = "fill", NULL};
static const char *const truncated[] = {"fail", "keep", NULL};

#define IMAGE_CODEC(name) #name ", "
static const char format_help[] =
#include "codec_list.def"
    "or same: that of the source";
#undef IMAGE_CODEC

/* clang-format off */
#define OUTPUTS "Outputs"
#define PICTURE "Picture"
#define OPTION(option_name, option_letter, option_type, option_argument, option_member, option_group, option_help, ...) \
    {.name = option_name, .letter = option_letter, .type = option_type, .argument = option_argument, .decides = true, \
     .offset = offsetof(struct thumbnail_settings, option_member), .group = option_group, .help = option_help, __VA_ARGS__}

const struct mpb_option thumbnail_option_table[] = {
    OPTION("flat", 0, MPB_FLAG, NULL, flat, OUTPUTS,
           "put all thumbnails into DIR itself, without subdirectories"),
    OPTION("beside", 0, MPB_FLAG, NULL, beside, OUTPUTS,
           "put each thumbnail next to its image; needs --suffix"),
    OPTION("suffix", 0, MPB_CUSTOM, "TEXT", suffix, OUTPUTS,
           "insert TEXT before the extension of each thumbnail",
           .parse = parse_suffix, .format = format_suffix),
    OPTION("format", 'f', MPB_CUSTOM, "FORMAT", image.format, OUTPUTS,
           format_help,
           .initial = "same", .parse = parse_format, .format = format_format),
    OPTION("quality", 'q', MPB_INT, "N", image.quality, OUTPUTS,
           "quality of JPEG thumbnails, 1 to 100", .initial = "75", .minimum = 1, .maximum = 100),
    OPTION("progressive", 0, MPB_FLAG, NULL, image.progressive, OUTPUTS, "write progressive JPEG"),
    OPTION("optimize", 0, MPB_FLAG, NULL, image.optimize, OUTPUTS,
           "write smaller files, more slowly"),
    OPTION("background", 0, MPB_CUSTOM, "COLOR", image.background, OUTPUTS,
           "colour behind transparent pixels in a JPEG: RRGGBB, white or black",
           .initial = "white", .parse = parse_background, .format = format_background),
    OPTION("size", 's', MPB_CUSTOM, "N|WxH", image, PICTURE,
           "the box, in pixels, into which thumbnails fit",
           .initial = "50x50", .parse = parse_size, .format = format_size),
    OPTION("fit", 0, MPB_CHOICE, "HOW", fit, PICTURE,
           "inside: fit into the box; cover: fill the box and crop; fill: fill the box and distort",
           .initial = "inside", .choices = fits),
    OPTION("enlarge", 0, MPB_FLAG, NULL, image.enlarge, PICTURE, "also enlarge small images"),
    OPTION("blur", 'b', MPB_REAL, "RADIUS", image.blur_sigma, PICTURE,
           "standard deviation of the Gaussian blur, in pixels of the image; 0: no blur",
           .initial = "2", .maximum = BLUR_MAX_PX),
    OPTION("no-orient", 0, MPB_FLAG, NULL, no_orient, PICTURE, "ignore the EXIF orientation"),
    OPTION("exact", 0, MPB_FLAG, NULL, image.exact, PICTURE,
           "exactly Pillow's pixels; slower, and needs more memory"),
    OPTION("max-pixels", 0, MPB_COUNT, "N", image.max_pixels, PICTURE, "refuse larger images",
           .initial = "268435456", .minimum = 1),
    OPTION("on-truncated", 0, MPB_CHOICE, "HOW", on_truncated, PICTURE,
           "fail, or keep: use the part of the file that exists",
           .initial = "fail", .choices = truncated),
    {0},
};
/* clang-format on */

int thumbnail_settings_check(void *settings, struct mpb_run *run, struct mpp_error *error)
{
    struct thumbnail_settings *to = settings;
    to->image.fit = (enum image_fit)to->fit;
    to->image.keep_truncated = to->on_truncated;
    to->image.orient = !to->no_orient;
    to->suffix = to->suffix ? to->suffix : "";
    run->writes_beside_inputs = to->beside;
    if (to->beside && run->output)
        return mpp_error_set(error, "--beside and --output cannot be used together");
    if (to->beside && to->flat)
        return mpp_error_set(error, "--beside and --flat cannot be used together");
    if (to->beside && !*to->suffix)
        return mpp_error_set(error,
                             "--beside needs --suffix, otherwise thumbnails would replace images");
    return 0;
}
