/* SPDX-License-Identifier: MIT */
/* Converts from the colours of an ICC profile to sRGB: see icc.h. */
#include "icc.h"

#include <lcms2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Transforms that are kept. A collection mixes pictures from several cameras and programs, and
 * making a transform takes longer than converting a small picture. */
enum { CACHED = 8 };

struct cached_transform {
    void *profile; /* a copy; NULL: this entry is empty */
    size_t profile_size;
    enum icc_pixels kind;
    enum icc_outcome outcome; /* ICC_CONVERTED: apply the transform */
    cmsHTRANSFORM transform;
};

struct icc {
    struct cached_transform cache[CACHED]; /* the last used entry comes first */
};

static const struct pixel_kind {
    cmsColorSpaceSignature space;
    cmsUInt32Number in, out;
    int channels, alpha; /* alpha: how many of the channels are alpha */
} kinds[] = {
    [ICC_GRAY] = {cmsSigGrayData, TYPE_GRAY_8, TYPE_GRAY_8, 1, 0},
    [ICC_GRAY_ALPHA] = {cmsSigGrayData, TYPE_GRAYA_8, TYPE_GRAYA_8, 2, 1},
    [ICC_RGB] = {cmsSigRgbData, TYPE_RGB_8, TYPE_RGB_8, 3, 0},
    [ICC_RGBA] = {cmsSigRgbData, TYPE_RGBA_8, TYPE_RGBA_8, 4, 1},
    [ICC_CMYK] = {cmsSigCmykData, TYPE_CMYK_8, TYPE_RGB_8, 4, 0},
    [ICC_CMYK_INVERTED] = {cmsSigCmykData, TYPE_CMYK_8_REV, TYPE_RGB_8, 4, 0},
};

struct icc *icc_new(void)
{
    return calloc(1, sizeof(struct icc));
}

static void release_transform(struct cached_transform *cached)
{
    if (cached->transform)
        cmsDeleteTransform(cached->transform);
    free(cached->profile);
    *cached = (struct cached_transform){0};
}

void icc_free(struct icc *icc)
{
    for (int i = 0; icc && i < CACHED; i++)
        release_transform(&icc->cache[i]);
    free(icc);
}

/* A gray profile with the tone curve of sRGB (IEC 61966-2-1). */
static cmsHPROFILE gray_srgb(void)
{
    static const cmsFloat64Number curve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    cmsToneCurve *tones = cmsBuildParametricToneCurve(NULL, 4, curve);
    cmsHPROFILE profile = tones ? cmsCreateGrayProfile(cmsD50_xyY(), tones) : NULL;
    cmsFreeToneCurve(tones);
    return profile;
}

/* Whether the transform leaves a grid of colours nearly unchanged. */
static bool is_identity(cmsHTRANSFORM transform, const struct pixel_kind *kind)
{
    enum { STEPS = 9, TOLERANCE = 1, COLORS_MAX = STEPS * STEPS * STEPS };
    uint8_t before[COLORS_MAX * 4], after[COLORS_MAX * 4];
    int colors = kind->channels - kind->alpha, count = colors == 1 ? STEPS : COLORS_MAX;
    for (int i = 0; i < count; i++) {
        int grid[] = {i % STEPS, i / STEPS % STEPS, i / STEPS / STEPS, 0};
        for (int c = 0; c < kind->channels; c++)
            before[i * kind->channels + c] =
                (uint8_t)(c < colors ? grid[c] * 255 / (STEPS - 1) : 255);
    }
    memcpy(after, before, sizeof after);
    cmsDoTransform(transform, before, after, (cmsUInt32Number)count);
    for (int i = 0; i < count * kind->channels; i++)
        if (abs(before[i] - after[i]) > TOLERANCE)
            return false;
    return true;
}

static cmsHTRANSFORM make_transform(const void *profile, size_t size, const struct pixel_kind *kind)
{
    cmsHTRANSFORM transform = NULL;
    cmsHPROFILE to = NULL, from = cmsOpenProfileFromMem(profile, (cmsUInt32Number)size);
    if (from && cmsGetColorSpace(from) == kind->space)
        to = kind->space == cmsSigGrayData ? gray_srgb() : cmsCreate_sRGBProfile();
    if (to)
        transform = cmsCreateTransform(from, kind->in, to, kind->out, INTENT_RELATIVE_COLORIMETRIC,
                                       cmsFLAGS_BLACKPOINTCOMPENSATION |
                                           (kind->alpha ? cmsFLAGS_COPY_ALPHA : 0));
    if (to)
        cmsCloseProfile(to);
    if (from)
        cmsCloseProfile(from);
    return transform;
}

static bool is_transform_of(const struct cached_transform *cached, const void *profile, size_t size,
                            enum icc_pixels kind)
{
    return cached->profile && cached->kind == kind && cached->profile_size == size &&
           memcmp(cached->profile, profile, size) == 0;
}

static struct cached_transform new_transform(const void *profile, size_t size, enum icc_pixels kind)
{
    struct cached_transform made = {.kind = kind, .profile = malloc(size), .profile_size = size};
    made.transform = make_transform(profile, size, &kinds[kind]);
    if (made.transform)
        made.outcome =
            kinds[kind].space != cmsSigCmykData && is_identity(made.transform, &kinds[kind])
                ? ICC_SAME
                : ICC_CONVERTED;
    if (made.profile) /* without a copy it is used once and then replaced */
        memcpy(made.profile, profile, size);
    return made;
}

/* Moves the transform for this profile to the front of the cache; makes it if it is not there. */
static void select_transform(struct icc *icc, const void *profile, size_t size,
                             enum icc_pixels kind)
{
    int at = 0;
    while (at < CACHED - 1 && !is_transform_of(&icc->cache[at], profile, size, kind))
        at++;
    struct cached_transform found = icc->cache[at];
    if (!is_transform_of(&found, profile, size, kind)) {
        release_transform(&found);
        found = new_transform(profile, size, kind);
    }
    memmove(icc->cache + 1, icc->cache, (size_t)at * sizeof *icc->cache);
    icc->cache[0] = found;
}

enum icc_outcome icc_to_srgb(struct icc *icc, const void *profile, size_t profile_size,
                             enum icc_pixels kind, uint8_t *pixels, size_t count)
{
    select_transform(icc, profile, profile_size, kind);
    const struct cached_transform *used = &icc->cache[0];
    if (used->outcome == ICC_CONVERTED)
        cmsDoTransform(used->transform, pixels, pixels, (cmsUInt32Number)count);
    return used->outcome;
}
