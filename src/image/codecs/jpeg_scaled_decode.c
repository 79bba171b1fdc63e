/* SPDX-License-Identifier: MIT */
/*
 * Decodes a JPEG at 1/8 or 2/8 of its size: see jpeg_scaled_decode.h.
 *
 * A block is divided into 1 x 1, 2 x 2 or 4 x 4 parts. The mean of a part is a sum over the block's
 * coefficients, each times a weight that depends only on the part and on the coefficient: it
 * combines the inverse transform with the mean. Chroma at half the resolution is decoded at twice
 * the scale, so that all components have the same size.
 */
#include "jpeg_scaled_decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg_huffman.h"
#include "jpeg_progressive_dc.h"

enum { COMPONENTS = 3, SCALE_MAX = 4, PARTS_MAX = SCALE_MAX * SCALE_MAX };

/* Coefficients that are used, in the order of the file. The others change the mean of 4 x 4 or
 * 2 x 2 pixels very little. */
enum { USED_COEFFICIENTS = 5 };

/* Look-ups of JPEG_SKIP_BITS bits between two refills, which load 56 bits. */
enum { SKIPS_PER_REFILL = 4 };

/* The bit reader is a local struct of read_all_mcus. Inlining keeps it in registers. */
#define INLINED static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lanes_mask __attribute__((vector_size(16)));
typedef uint8_t samples4 __attribute__((vector_size(4)));

/* A number for each part of a block. With 4 x 4 parts each member holds one row; otherwise `first`
 * holds all parts, row by row. */
struct block_parts {
    lanes first, second, third, fourth;
};

struct scaled_component {
    int across, down; /* blocks in an MCU */
    int scale;        /* parts along a side of a block, each a sample: 1, 2 or 4 */
    struct jpeg_code *dc, *ac;
    struct block_parts weights[64 + JPEG_BLOCK_END]; /* by coefficient; zeros after the used ones */
    int last_dc;                                     /* of the block before */
    uint8_t *plane;
    size_t stride;
};

struct jpeg_scaled_decode {
    double cosines[SCALE_MAX + 1][8][SCALE_MAX]; /* see mean_of_cosine */
    struct jpeg_code codes[2][NUM_HUFF_TBLS];    /* DC, AC */
    struct scaled_component components[COMPONENTS];
    int component_count;
    int mcus_across, mcus_down;
    bool is_rgb;
    int width;        /* of the decoded picture */
    uint8_t *samples; /* of all planes */
    size_t capacity;  /* of `samples` */
    struct jpeg_progressive_dc *progressive;
};

/* The mean of a basis function of the inverse transform over part `part` of `scale`. */
static double mean_of_cosine(int frequency, int part, int scale)
{
    int pixels = 8 / scale;
    double sum = 0;
    for (int x = part * pixels; x < (part + 1) * pixels; x++)
        sum += cos((2 * x + 1) * frequency * M_PI / 16);
    return sum / pixels * (frequency ? 0.5 : sqrt(0.125));
}

struct jpeg_scaled_decode *jpeg_scaled_decode_new(void)
{
    struct jpeg_scaled_decode *scaled = calloc(1, sizeof *scaled);
    if (scaled && !(scaled->progressive = jpeg_progressive_dc_new())) {
        free(scaled);
        return NULL;
    }
    for (int scale = 1; scaled && scale <= SCALE_MAX; scale *= 2)
        for (int frequency = 0; frequency < 8; frequency++)
            for (int part = 0; part < scale; part++)
                scaled->cosines[scale][frequency][part] = mean_of_cosine(frequency, part, scale);
    return scaled;
}

void jpeg_scaled_decode_free(struct jpeg_scaled_decode *scaled)
{
    if (!scaled)
        return;
    jpeg_progressive_dc_free(scaled->progressive);
    free(scaled->samples);
    free(scaled);
}

/* ---- Preparation ---- */

static const uint8_t natural_order[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

static void make_weights(const struct jpeg_scaled_decode *scaled,
                         struct scaled_component *component, const UINT16 quantizers[64])
{
    int scale = component->scale;
    for (int k = 0; k < USED_COEFFICIENTS; k++) {
        const double *across = scaled->cosines[scale][natural_order[k] % 8];
        const double *down = scaled->cosines[scale][natural_order[k] / 8];
        for (int part = 0; part < scale * scale; part++) {
            double weight = across[part % scale] * down[part / scale];
            lanes *group = &component->weights[k].first + part / 4;
            (*group)[part % 4] = (float)(weight * quantizers[natural_order[k]]);
        }
    }
}

static bool prepare_component(struct jpeg_scaled_decode *scaled,
                              const struct jpeg_decompress_struct *cinfo, int number, int eighths)
{
    const jpeg_component_info *info = &cinfo->comp_info[number];
    const JHUFF_TBL *dc = cinfo->dc_huff_tbl_ptrs[info->dc_tbl_no & 3];
    const JHUFF_TBL *ac = cinfo->ac_huff_tbl_ptrs[info->ac_tbl_no & 3];
    const JQUANT_TBL *quantizers = cinfo->quant_tbl_ptrs[info->quant_tbl_no & 3];
    struct scaled_component *component = &scaled->components[number];
    int fewer_across = cinfo->max_h_samp_factor / info->h_samp_factor;
    int fewer_down = cinfo->max_v_samp_factor / info->v_samp_factor;
    bool alone = cinfo->num_components == 1; /* then the sampling factors have no meaning */
    if (!dc || !ac || !quantizers || info->dc_tbl_no > 3 || info->ac_tbl_no > 3 ||
        info->quant_tbl_no > 3 || fewer_across != fewer_down || fewer_across > 2 ||
        fewer_across * info->h_samp_factor != cinfo->max_h_samp_factor ||
        fewer_down * info->v_samp_factor != cinfo->max_v_samp_factor)
        return false;
    component->across = alone ? 1 : info->h_samp_factor;
    component->down = alone ? 1 : info->v_samp_factor;
    component->scale = alone ? eighths : eighths * fewer_across;
    component->dc = &scaled->codes[0][info->dc_tbl_no];
    component->ac = &scaled->codes[1][info->ac_tbl_no];
    make_weights(scaled, component, quantizers->quantval);
    return jpeg_code_prepare(component->dc, dc->bits, dc->huffval, false) &&
           jpeg_code_prepare(component->ac, ac->bits, ac->huffval, true);
}

/* Allocates the planes, which hold whole MCUs. */
static bool allocate_planes(struct jpeg_scaled_decode *scaled)
{
    size_t total = 0;
    for (int i = 0; i < scaled->component_count; i++) {
        struct scaled_component *component = &scaled->components[i];
        component->stride = (size_t)(scaled->mcus_across * component->across * component->scale);
        total +=
            component->stride * (size_t)(scaled->mcus_down * component->down * component->scale);
    }
    if (total > scaled->capacity) {
        free(scaled->samples);
        scaled->samples = malloc(total);
        scaled->capacity = scaled->samples ? total : 0;
    }
    uint8_t *next = scaled->samples;
    for (int i = 0; next && i < scaled->component_count; i++) {
        struct scaled_component *component = &scaled->components[i];
        component->plane = next;
        next +=
            component->stride * (size_t)(scaled->mcus_down * component->down * component->scale);
    }
    return next;
}

/* ---- Blocks ---- */

static uint8_t clamped(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Four samples from sums that are centred at 0: adds 128, rounds, clamps. */
INLINED samples4 samples_of(lanes sums)
{
    lanes values = sums + 128.5f;
    values = (lanes)((values > 0) & (lanes_mask)values);
    lanes_mask above = values > 255;
    values =
        (lanes)((above & (lanes_mask)(lanes){255, 255, 255, 255}) | (~above & (lanes_mask)values));
    return __builtin_convertvector(__builtin_convertvector(values, lanes_mask), samples4);
}

/* Adds a coefficient to the parts. At scales 1 and 2 all parts are in `first`. */
INLINED void add_coefficient(struct block_parts *parts, int value,
                             const struct block_parts *weights, int scale)
{
    float factor = (float)value;
    parts->first += factor * weights->first;
    if (scale == SCALE_MAX) {
        parts->second += factor * weights->second;
        parts->third += factor * weights->third;
        parts->fourth += factor * weights->fourth;
    }
}

INLINED void store_samples(const struct block_parts *parts, int scale, uint8_t *to, size_t stride)
{
    samples4 samples = samples_of(parts->first);
    if (scale == 1) {
        *to = samples[0];
    } else if (scale == 2) {
        memcpy(to, &samples, 2);
        memcpy(to + stride, (uint8_t *)&samples + 2, 2);
    } else {
        memcpy(to, &samples, 4);
        samples = samples_of(parts->second);
        memcpy(to + stride, &samples, 4);
        samples = samples_of(parts->third);
        memcpy(to + 2 * stride, &samples, 4);
        samples = samples_of(parts->fourth);
        memcpy(to + 3 * stride, &samples, 4);
    }
}

/* Reads the next AC symbol. False: the data are damaged. */
INLINED bool read_symbol(struct jpeg_bits *bits, const struct jpeg_code *code,
                         struct jpeg_symbol *symbol)
{
    *symbol = code->peeks[jpeg_bits_peek(bits, JPEG_PEEK_BITS)];
    if (symbol->bits) {
        jpeg_bits_drop(bits, symbol->bits);
        return true;
    }
    int coded = jpeg_bits_symbol(bits, code);
    if (coded < 0)
        return false;
    unsigned run = (unsigned)coded >> 4, size = (unsigned)coded & 15;
    symbol->advance = (uint8_t)(size || run == 15 ? run + 1 : JPEG_BLOCK_END);
    symbol->value = (int16_t)jpeg_bits_value(bits, size);
    return true;
}

/* Skips the rest of a block, from coefficient k on. */
INLINED bool skip_coefficients(struct jpeg_bits *bits, const struct jpeg_code *code, unsigned k)
{
    while (k < 64) {
        jpeg_bits_refill(bits);
        unsigned skip = code->skips[jpeg_bits_peek(bits, JPEG_SKIP_BITS)];
        unsigned next = k + (skip >> JPEG_SKIP_ADVANCE);
        for (int i = 1; next < 64; i++) {
            k = next;
            jpeg_bits_drop(bits, skip % 64);
            if (i % SKIPS_PER_REFILL == 0)
                jpeg_bits_refill(bits);
            skip = code->skips[jpeg_bits_peek(bits, JPEG_SKIP_BITS)];
            next = k + (skip >> JPEG_SKIP_ADVANCE);
        }
        if (next >= JPEG_BLOCK_END && next < JPEG_BLOCK_END + 64) {
            jpeg_bits_drop(bits, skip % 64);
            return true;
        }
        struct jpeg_symbol symbol; /* a long symbol, or the last one of a full block */
        jpeg_bits_refill(bits);
        if (!read_symbol(bits, code, &symbol))
            return false;
        k += symbol.advance;
    }
    return k == 64 || k >= JPEG_BLOCK_END;
}

/* Adds the used AC coefficients to the parts and skips the others. */
INLINED bool read_coefficients(struct jpeg_bits *bits, const struct scaled_component *component,
                               int scale, struct block_parts *parts)
{
    const struct jpeg_code *code = component->ac;
    unsigned k = 1;
    while (k < USED_COEFFICIENTS) {
        struct jpeg_symbol symbol;
        jpeg_bits_refill(bits);
        if (!read_symbol(bits, code, &symbol))
            return false;
        k += symbol.advance;
        add_coefficient(parts, symbol.value, &component->weights[k - 1], scale);
    }
    return skip_coefficients(bits, code, k);
}

/* Decodes a block into the samples at `to`. scale: the component's, as a compile-time constant. */
INLINED bool read_block_at_scale(struct jpeg_bits *bits, struct scaled_component *component,
                                 int scale, uint8_t *to)
{
    struct block_parts parts = {0};
    jpeg_bits_refill(bits);
    if (!jpeg_bits_dc(bits, component->dc, &component->last_dc))
        return false;
    add_coefficient(&parts, component->last_dc, &component->weights[0], scale);
    if (!(scale == 1 ? skip_coefficients(bits, component->ac, 1)
                     : read_coefficients(bits, component, scale, &parts)))
        return false;
    store_samples(&parts, scale, to, component->stride);
    return true;
}

INLINED bool read_block(struct jpeg_bits *bits, struct scaled_component *component, uint8_t *to)
{
    switch (component->scale) {
    case 1:
        return read_block_at_scale(bits, component, 1, to);
    case 2:
        return read_block_at_scale(bits, component, 2, to);
    default:
        return read_block_at_scale(bits, component, SCALE_MAX, to);
    }
}

INLINED bool read_mcu(struct jpeg_scaled_decode *scaled, struct jpeg_bits *bits, int mcu_x,
                      int mcu_y)
{
    for (int i = 0; i < scaled->component_count; i++) {
        struct scaled_component *component = &scaled->components[i];
        for (int v = 0; v < component->down; v++)
            for (int h = 0; h < component->across; h++) {
                size_t x = (size_t)(mcu_x * component->across + h) * (size_t)component->scale;
                size_t y = (size_t)(mcu_y * component->down + v) * (size_t)component->scale;
                if (!read_block(bits, component, component->plane + y * component->stride + x))
                    return false;
            }
    }
    return true;
}

static void reset_dc(struct jpeg_scaled_decode *scaled)
{
    for (int i = 0; i < scaled->component_count; i++)
        scaled->components[i].last_dc = 0;
}

static bool read_all_mcus(struct jpeg_scaled_decode *scaled, const uint8_t *bytes, size_t size,
                          unsigned interval)
{
    struct jpeg_bits bits = {.next = bytes, .end = bytes + size};
    unsigned left = interval, restarts = 0;
    for (int y = 0; y < scaled->mcus_down; y++)
        for (int x = 0; x < scaled->mcus_across; x++) {
            if (interval && !left--) {
                if (!jpeg_bits_restart(&bits, restarts++))
                    return false;
                left = interval - 1;
                reset_dc(scaled);
            }
            if (!read_mcu(scaled, &bits, x, y))
                return false;
        }
    return jpeg_bits_marker(&bits) == JPEG_EOI;
}

/* ---- Files ---- */

static bool is_common(const struct jpeg_decompress_struct *cinfo)
{
    bool gray = cinfo->num_components == 1 && cinfo->jpeg_color_space == JCS_GRAYSCALE;
    bool color = cinfo->num_components == 3 &&
                 (cinfo->jpeg_color_space == JCS_YCbCr || cinfo->jpeg_color_space == JCS_RGB);
    return (gray || color) && !cinfo->arith_code && cinfo->data_precision == 8;
}

static int divide_up(unsigned value, int by)
{
    return (int)((value + (unsigned)by - 1) / (unsigned)by);
}

static bool decode_baseline(struct jpeg_scaled_decode *scaled,
                            const struct jpeg_decompress_struct *cinfo, int eighths,
                            const uint8_t *bytes, size_t size)
{
    if (cinfo->comps_in_scan != cinfo->num_components)
        return false;
    reset_dc(scaled);
    for (int i = 0; i < scaled->component_count; i++)
        if (!prepare_component(scaled, cinfo, i, eighths))
            return false;
    return allocate_planes(scaled) && read_all_mcus(scaled, bytes, size, cinfo->restart_interval);
}

/* Fills a plane from DC coefficients. Each is repeated across x down times, for components of lower
 * resolution. */
static void fill_plane(struct scaled_component *component,
                       const struct jpeg_progressive_dc_plane *dc, int across, int down,
                       int quantizer, int rows)
{
    for (int y = 0; y < rows; y++) {
        const int16_t *from = dc->values + (size_t)(y / down) * dc->stride;
        uint8_t *to = component->plane + (size_t)y * component->stride;
        for (size_t x = 0; x < component->stride; x++)
            to[x] = clamped((from[x / (size_t)across] * quantizer + 128 * 8 + 4) >> 3);
    }
}

static bool decode_progressive(struct jpeg_scaled_decode *scaled,
                               const struct jpeg_decompress_struct *cinfo, const uint8_t *bytes,
                               size_t size)
{
    for (int i = 0; i < scaled->component_count; i++) {
        const jpeg_component_info *info = &cinfo->comp_info[i];
        if (info->quant_tbl_no > 3 || !cinfo->quant_tbl_ptrs[info->quant_tbl_no] ||
            cinfo->max_h_samp_factor % info->h_samp_factor ||
            cinfo->max_v_samp_factor % info->v_samp_factor)
            return false;
        scaled->components[i].across = scaled->component_count == 1 ? 1 : cinfo->max_h_samp_factor;
        scaled->components[i].down = scaled->component_count == 1 ? 1 : cinfo->max_v_samp_factor;
        scaled->components[i].scale = 1;
    }
    const struct jpeg_progressive_dc_plane *planes =
        jpeg_progressive_dc_run(scaled->progressive, cinfo, bytes, size);
    if (!planes || !allocate_planes(scaled))
        return false;
    for (int i = 0; i < scaled->component_count; i++) {
        const jpeg_component_info *info = &cinfo->comp_info[i];
        fill_plane(&scaled->components[i], &planes[i],
                   cinfo->max_h_samp_factor / info->h_samp_factor,
                   cinfo->max_v_samp_factor / info->v_samp_factor,
                   cinfo->quant_tbl_ptrs[info->quant_tbl_no]->quantval[0],
                   scaled->mcus_down * scaled->components[i].down);
    }
    return true;
}

bool jpeg_scaled_decode_run(struct jpeg_scaled_decode *scaled,
                            const struct jpeg_decompress_struct *cinfo, int eighths,
                            const uint8_t *bytes, size_t size)
{
    if (!is_common(cinfo))
        return false;
    bool alone = cinfo->num_components == 1;
    scaled->mcus_across = divide_up(cinfo->image_width, alone ? 8 : 8 * cinfo->max_h_samp_factor);
    scaled->mcus_down = divide_up(cinfo->image_height, alone ? 8 : 8 * cinfo->max_v_samp_factor);
    scaled->component_count = cinfo->num_components;
    scaled->is_rgb = cinfo->jpeg_color_space == JCS_RGB;
    scaled->width = divide_up(cinfo->image_width * (unsigned)eighths, 8);
    if (cinfo->progressive_mode)
        return eighths == 1 && decode_progressive(scaled, cinfo, bytes, size);
    return decode_baseline(scaled, cinfo, eighths, bytes, size);
}

/* ---- Rows ---- */

void jpeg_scaled_decode_row(const struct jpeg_scaled_decode *scaled, int y, uint8_t *row)
{
    const struct scaled_component *components = scaled->components;
    const uint8_t *planes[COMPONENTS];
    for (int i = 0; i < scaled->component_count; i++)
        planes[i] = components[i].plane + (size_t)y * components[i].stride;
    if (scaled->component_count == 1) {
        memcpy(row, planes[0], (size_t)scaled->width);
        return;
    }
    for (int x = 0; x < scaled->width; x++, row += 3) {
        int luma = planes[0][x], blue = planes[1][x], red = planes[2][x];
        if (scaled->is_rgb) {
            row[0] = (uint8_t)luma;
            row[1] = (uint8_t)blue;
            row[2] = (uint8_t)red;
            continue;
        }
        blue -= 128; /* YCbCr as JFIF defines it (ITU-R BT.601), in 16-bit fixed point */
        red -= 128;
        row[0] = clamped(luma + ((91881 * red + 32768) >> 16));
        row[1] = clamped(luma - ((22554 * blue + 46802 * red + 32768) >> 16));
        row[2] = clamped(luma + ((116130 * blue + 32768) >> 16));
    }
}
