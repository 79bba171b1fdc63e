/* SPDX-License-Identifier: MIT */
/* Seeds for the fuzz targets of images: see seeds.h. */
#include "seeds.h"

#include <lcms2.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "image_fixture.h"

static const uint8_t exif[] =
    "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";

/* The last two bytes choose the options: see fuzz_image.c. */
static void put_choice(struct buf *out, int number)
{
    buf_put_u8(out, (uint8_t)(number * 29));
    buf_put_u8(out, (uint8_t)(number * 3 | 8));
}

static bool make_jpeg(int number, struct buf *out)
{
    static const uint8_t ink[] = {205, 155, 55, 235};
    const struct jpeg_fixture kinds[] = {
        {.colors = FIXTURE_RGB, .width = 60, .height = 44},
        {.colors = FIXTURE_GRAY, .width = 33, .height = 17},
        {.colors = FIXTURE_RGB, .width = 90, .height = 70, .progressive = true},
        {.colors = FIXTURE_GRAY, .width = 200, .height = 150, .progressive = true},
        {.colors = FIXTURE_RGB, .width = 300, .height = 200, .restart_interval = 1},
        {.colors = FIXTURE_CMYK, .width = 24, .height = 24, .constant = ink},
        {.colors = FIXTURE_YCCK, .width = 24, .height = 24, .constant = ink},
        {.colors = FIXTURE_CMYK, .width = 24, .height = 24, .constant = ink, .no_adobe = true},
        {.colors = FIXTURE_RGB,
         .width = 40,
         .height = 30,
         .exif = exif,
         .exif_size = sizeof exif - 1},
        {.colors = FIXTURE_RGB, .width = 400, .height = 300, .quality = 30},
    };
    if (number >= (int)(sizeof kinds / sizeof *kinds))
        return false;
    jpeg_fixture_write(&kinds[number], out);
    put_choice(out, number);
    return true;
}

static bool make_png(int number, struct buf *out)
{
    static const struct {
        int color_type, depth;
    } kinds[] = {
        {PNG_COLOR_TYPE_GRAY, 1},       {PNG_COLOR_TYPE_GRAY, 4},
        {PNG_COLOR_TYPE_GRAY, 8},       {PNG_COLOR_TYPE_GRAY, 16},
        {PNG_COLOR_TYPE_PALETTE, 2},    {PNG_COLOR_TYPE_PALETTE, 8},
        {PNG_COLOR_TYPE_RGB, 8},        {PNG_COLOR_TYPE_RGB, 16},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 8}, {PNG_COLOR_TYPE_GRAY_ALPHA, 16},
        {PNG_COLOR_TYPE_RGB_ALPHA, 8},
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    if (number >= 4 * KINDS)
        return false;
    struct png_fixture fixture = {.width = 37,
                                  .height = 29,
                                  .depth = kinds[number % KINDS].depth,
                                  .color_type = kinds[number % KINDS].color_type,
                                  .interlaced = number / KINDS % 2,
                                  .transparent =
                                      number / KINDS / 2 &&
                                      !(kinds[number % KINDS].color_type & PNG_COLOR_MASK_ALPHA)};
    uint8_t *expected = malloc(37 * 29 * 4);
    int channels;
    if (!expected)
        abort();
    png_fixture_write(&fixture, out, expected, &channels);
    free(expected);
    put_choice(out, number);
    return true;
}

static bool make_exif(int number, struct buf *out)
{
    if (number == 0)
        buf_put(out, exif, sizeof exif - 1);
    else if (number == 1)
        buf_put(out, "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0\0\0\0\0", 26);
    else if (number == 2) {
        buf_put(out, "\x89PNG\r\n\x1a\n", 8);
        png_fixture_chunk(out, "eXIf", exif + 6, sizeof exif - 7);
        png_fixture_chunk(out, "tEXt", "Raw profile type exif\0\nexif\n  8\n4d4d002a", 40);
    }
    return number < 3;
}

static bool make_icc(int number, struct buf *out)
{
    static const cmsCIExyYTRIPLE wide = {{0.68, 0.32, 1}, {0.265, 0.69, 1}, {0.15, 0.06, 1}};
    cmsToneCurve *gamma = cmsBuildGamma(NULL, 1.8);
    cmsToneCurve *curves[] = {gamma, gamma, gamma};
    cmsHPROFILE profile = NULL;
    cmsUInt32Number size = 0;
    if (number == 0)
        profile = cmsCreate_sRGBProfile();
    else if (number == 1)
        profile = cmsCreateRGBProfile(cmsD50_xyY(), &wide, curves);
    else if (number == 2)
        profile = cmsCreateGrayProfile(cmsD50_xyY(), gamma);
    else if (number == 3)
        profile = cmsCreateInkLimitingDeviceLink(cmsSigCmykData, 250);
    bool made = profile && cmsSaveProfileToMem(profile, NULL, &size);
    uint8_t *to = made ? buf_extend(out, size) : NULL;
    if (to)
        cmsSaveProfileToMem(profile, to, &size);
    if (profile)
        cmsCloseProfile(profile);
    cmsFreeToneCurve(gamma);
    return made;
}

bool seed_make(const char *target, int number, struct buf *out)
{
    if (strcmp(target, "jpeg") == 0)
        return make_jpeg(number, out);
    if (strcmp(target, "png") == 0)
        return make_png(number, out);
    if (strcmp(target, "exif") == 0)
        return make_exif(number, out);
    return strcmp(target, "icc") == 0 && make_icc(number, out);
}
