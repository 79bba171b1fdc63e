/* From the colours of an ICC profile to sRGB: see icc.h. */
#include "icc.h"

#include <lcms2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A set of photographs holds pictures of several cameras and programs by turns, and a transform
 * takes longer to make than a small picture. */
enum { KEPT = 8 };

struct kept {
    void *profile; /* a copy; NULL: the place is free */
    size_t profile_size;
    enum icc_pixels kind;
    enum icc_outcome outcome; /* ICC_CONVERTED: if the transform is used */
    cmsHTRANSFORM transform;
};

struct icc {
    struct kept kept[KEPT]; /* the last used is the first */
};

static const struct kind {
    cmsColorSpaceSignature space;
    cmsUInt32Number in, out;
    int channels, alpha; /* of the channels */
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

static void forget(struct kept *kept)
{
    if (kept->transform)
        cmsDeleteTransform(kept->transform);
    free(kept->profile);
    *kept = (struct kept){0};
}

void icc_free(struct icc *icc)
{
    for (int i = 0; icc && i < KEPT; i++)
        forget(&icc->kept[i]);
    free(icc);
}

/* Gray with the curve of sRGB (IEC 61966-2-1). */
static cmsHPROFILE gray_srgb(void)
{
    static const cmsFloat64Number curve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
    cmsToneCurve *tones = cmsBuildParametricToneCurve(NULL, 4, curve);
    cmsHPROFILE profile = tones ? cmsCreateGrayProfile(cmsD50_xyY(), tones) : NULL;
    cmsFreeToneCurve(tones);
    return profile;
}

/* Does it leave a grid of colours as they are, or nearly? */
static bool is_identity(cmsHTRANSFORM transform, const struct kind *kind)
{
    enum { STEPS = 9, NEARLY = 1, MOST = STEPS * STEPS * STEPS };
    uint8_t before[MOST * 4], after[MOST * 4];
    int colors = kind->channels - kind->alpha, count = colors == 1 ? STEPS : MOST;
    for (int i = 0; i < count; i++) {
        int grid[] = {i % STEPS, i / STEPS % STEPS, i / STEPS / STEPS, 0};
        for (int c = 0; c < kind->channels; c++)
            before[i * kind->channels + c] =
                (uint8_t)(c < colors ? grid[c] * 255 / (STEPS - 1) : 255);
    }
    memcpy(after, before, sizeof after);
    cmsDoTransform(transform, before, after, (cmsUInt32Number)count);
    for (int i = 0; i < count * kind->channels; i++)
        if (abs(before[i] - after[i]) > NEARLY)
            return false;
    return true;
}

static cmsHTRANSFORM make_transform(const void *profile, size_t size, const struct kind *kind)
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

static bool is_for(const struct kept *kept, const void *profile, size_t size, enum icc_pixels kind)
{
    return kept->profile && kept->kind == kind && kept->profile_size == size &&
           memcmp(kept->profile, profile, size) == 0;
}

static struct kept make(const void *profile, size_t size, enum icc_pixels kind)
{
    struct kept made = {.kind = kind, .profile = malloc(size), .profile_size = size};
    made.transform = make_transform(profile, size, &kinds[kind]);
    if (made.transform)
        made.outcome =
            kinds[kind].space != cmsSigCmykData && is_identity(made.transform, &kinds[kind])
                ? ICC_SAME
                : ICC_CONVERTED;
    if (made.profile) /* otherwise the next one is made anew */
        memcpy(made.profile, profile, size);
    return made;
}

/* The transform for this profile is the first. */
static void prepare(struct icc *icc, const void *profile, size_t size, enum icc_pixels kind)
{
    int at = 0;
    while (at < KEPT - 1 && !is_for(&icc->kept[at], profile, size, kind))
        at++;
    struct kept found = icc->kept[at];
    if (!is_for(&found, profile, size, kind)) {
        forget(&found);
        found = make(profile, size, kind);
    }
    memmove(icc->kept + 1, icc->kept, (size_t)at * sizeof *icc->kept);
    icc->kept[0] = found;
}

enum icc_outcome icc_to_srgb(struct icc *icc, const void *profile, size_t profile_size,
                             enum icc_pixels kind, uint8_t *pixels, size_t count)
{
    prepare(icc, profile, profile_size, kind);
    const struct kept *used = &icc->kept[0];
    if (used->outcome == ICC_CONVERTED)
        cmsDoTransform(used->transform, pixels, pixels, (cmsUInt32Number)count);
    return used->outcome;
}
