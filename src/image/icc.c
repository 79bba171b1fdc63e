/* From the colours of an ICC profile to sRGB: see icc.h. */
#include "icc.h"

#include <lcms2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct icc {
    void *profile; /* a copy of that of the transform */
    size_t profile_size;
    enum icc_pixels kind;
    enum icc_outcome outcome; /* ICC_CONVERTED: if the transform is used */
    cmsHTRANSFORM transform;
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

static void forget(struct icc *icc)
{
    if (icc->transform)
        cmsDeleteTransform(icc->transform);
    free(icc->profile);
    *icc = (struct icc){0};
}

void icc_free(struct icc *icc)
{
    if (icc)
        forget(icc);
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

/* The transform for this profile, unless it is there from the last picture. */
static void prepare(struct icc *icc, const void *profile, size_t size, enum icc_pixels kind)
{
    if (icc->profile && icc->kind == kind && icc->profile_size == size &&
        memcmp(icc->profile, profile, size) == 0)
        return;
    forget(icc);
    icc->kind = kind;
    icc->transform = make_transform(profile, size, &kinds[kind]);
    if (icc->transform)
        icc->outcome =
            kinds[kind].space != cmsSigCmykData && is_identity(icc->transform, &kinds[kind])
                ? ICC_SAME
                : ICC_CONVERTED;
    icc->profile = malloc(size); /* without it the next one is made anew */
    if (icc->profile)
        memcpy(icc->profile, profile, size);
    icc->profile_size = size;
}

enum icc_outcome icc_to_srgb(struct icc *icc, const void *profile, size_t profile_size,
                             enum icc_pixels kind, uint8_t *pixels, size_t count)
{
    prepare(icc, profile, profile_size, kind);
    if (icc->outcome == ICC_CONVERTED)
        cmsDoTransform(icc->transform, pixels, pixels, (cmsUInt32Number)count);
    return icc->outcome;
}
