/*
 * A baseline JPEG at 1/8 or 2/8 of its size: see jpeg_scaled_decode.h.
 *
 * The mean of a part of a block is a sum over its coefficients, each times a weight that depends on
 * the part and on the coefficient alone: the inverse transform and the mean are one. Chroma at half
 * the resolution is decoded at twice the scale, so that all components have the same size.
 */
#include "jpeg_scaled_decode.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg_huffman.h"
#include "jpeg_progressive_dc.h"

enum { COMPONENTS = 3, SCALE_MAX = 4, PARTS_MAX = SCALE_MAX * SCALE_MAX };

/* In the order of the file: those behind say little about the mean of 4 x 4 or 2 x 2 pixels. */
enum { DETAILS = 5 };

/* How many look-ups of JPEG_SKIP_BITS the 56 bits of a refill are good for. */
enum { SKIPS_A_REFILL = 4 };

/* The bits are a local struct of take_all; what is inlined there leaves it in registers. */
#define INLINED static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lanes_mask __attribute__((vector_size(16)));
typedef uint8_t samples4 __attribute__((vector_size(4)));

/* A number for each part of a block, row by row: of 2 x 2 parts the first has all, of 4 x 4 each
 * has a row. */
struct parts {
    lanes first, second, third, fourth;
};

struct component {
    int across, down; /* blocks in an MCU */
    int scale;        /* samples of a block along a side: 1, 2 or 4 */
    struct jpeg_code *dc, *ac;
    struct parts weights[64 + JPEG_BLOCK_ENDS]; /* of a coefficient, as in the file; then zeros */
    int last_mean;
    uint8_t *plane;
    size_t stride;
};

struct jpeg_scaled_decode {
    double cosines[SCALE_MAX + 1][8][SCALE_MAX]; /* means of parts, by scale, frequency, part */
    struct jpeg_code codes[2][NUM_HUFF_TBLS];    /* DC, AC */
    struct component components[COMPONENTS];
    int component_count;
    int mcus_across, mcus_down;
    bool is_rgb;
    int width; /* of the picture that comes out */
    uint8_t *samples;
    size_t capacity;
    struct jpeg_progressive_dc *scans; /* of progressive files */
};

/* The mean of a cosine of the transform over part `part` of `scale`. */
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
    struct jpeg_scaled_decode *means = calloc(1, sizeof *means);
    if (means && !(means->scans = jpeg_progressive_dc_new())) {
        free(means);
        return NULL;
    }
    for (int scale = 1; means && scale <= SCALE_MAX; scale *= 2)
        for (int frequency = 0; frequency < 8; frequency++)
            for (int part = 0; part < scale; part++)
                means->cosines[scale][frequency][part] = mean_of_cosine(frequency, part, scale);
    return means;
}

void jpeg_scaled_decode_free(struct jpeg_scaled_decode *means)
{
    if (!means)
        return;
    jpeg_progressive_dc_free(means->scans);
    free(means->samples);
    free(means);
}

/* ---- Preparation ---- */

static const uint8_t natural_order[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

static void make_weights(const struct jpeg_scaled_decode *means, struct component *component,
                         const UINT16 quantizers[64])
{
    int scale = component->scale;
    for (int k = 0; k < DETAILS; k++) {
        const double *across = means->cosines[scale][natural_order[k] % 8];
        const double *down = means->cosines[scale][natural_order[k] / 8];
        for (int part = 0; part < scale * scale; part++) {
            double weight = across[part % scale] * down[part / scale];
            lanes *group = &component->weights[k].first + part / 4;
            (*group)[part % 4] = (float)(weight * quantizers[natural_order[k]]);
        }
    }
}

static bool prepare_component(struct jpeg_scaled_decode *means,
                              const struct jpeg_decompress_struct *codec, int number, int eighths)
{
    const jpeg_component_info *info = &codec->comp_info[number];
    const JHUFF_TBL *dc = codec->dc_huff_tbl_ptrs[info->dc_tbl_no & 3];
    const JHUFF_TBL *ac = codec->ac_huff_tbl_ptrs[info->ac_tbl_no & 3];
    const JQUANT_TBL *quantizers = codec->quant_tbl_ptrs[info->quant_tbl_no & 3];
    struct component *component = &means->components[number];
    int fewer_across = codec->max_h_samp_factor / info->h_samp_factor;
    int fewer_down = codec->max_v_samp_factor / info->v_samp_factor;
    bool alone = codec->num_components == 1; /* then its sampling factors mean nothing */
    if (!dc || !ac || !quantizers || info->dc_tbl_no > 3 || info->ac_tbl_no > 3 ||
        info->quant_tbl_no > 3 || fewer_across != fewer_down || fewer_across > 2 ||
        fewer_across * info->h_samp_factor != codec->max_h_samp_factor ||
        fewer_down * info->v_samp_factor != codec->max_v_samp_factor)
        return false;
    component->across = alone ? 1 : info->h_samp_factor;
    component->down = alone ? 1 : info->v_samp_factor;
    component->scale = alone ? eighths : eighths * fewer_across;
    component->dc = &means->codes[0][info->dc_tbl_no];
    component->ac = &means->codes[1][info->ac_tbl_no];
    make_weights(means, component, quantizers->quantval);
    return jpeg_code_prepare(component->dc, dc->bits, dc->huffval, false) &&
           jpeg_code_prepare(component->ac, ac->bits, ac->huffval, true);
}

/* Planes for whole MCUs. */
static bool allocate(struct jpeg_scaled_decode *means)
{
    size_t total = 0;
    for (int i = 0; i < means->component_count; i++) {
        struct component *component = &means->components[i];
        component->stride = (size_t)(means->mcus_across * component->across * component->scale);
        total +=
            component->stride * (size_t)(means->mcus_down * component->down * component->scale);
    }
    if (total > means->capacity) {
        free(means->samples);
        means->samples = malloc(total);
        means->capacity = means->samples ? total : 0;
    }
    uint8_t *next = means->samples;
    for (int i = 0; next && i < means->component_count; i++) {
        struct component *component = &means->components[i];
        component->plane = next;
        next += component->stride * (size_t)(means->mcus_down * component->down * component->scale);
    }
    return next;
}

/* ---- Blocks ---- */

static uint8_t clamped(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Four samples from sums around 0. */
INLINED samples4 samples_of(lanes sums)
{
    lanes values = sums + 128.5f;
    values = (lanes)((values > 0) & (lanes_mask)values);
    lanes_mask above = values > 255;
    values =
        (lanes)((above & (lanes_mask)(lanes){255, 255, 255, 255}) | (~above & (lanes_mask)values));
    return __builtin_convertvector(__builtin_convertvector(values, lanes_mask), samples4);
}

/* For a scale of 1 or 2 the first lanes are enough. */
INLINED void add(struct parts *parts, int value, const struct parts *weights, int scale)
{
    float factor = (float)value;
    parts->first += factor * weights->first;
    if (scale == SCALE_MAX) {
        parts->second += factor * weights->second;
        parts->third += factor * weights->third;
        parts->fourth += factor * weights->fourth;
    }
}

INLINED void store(const struct parts *parts, int scale, uint8_t *to, size_t stride)
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

/* The AC symbol at the front. */
INLINED bool take_symbol(struct jpeg_bits *bits, const struct jpeg_code *code,
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
    symbol->advance = (uint8_t)(size || run == 15 ? run + 1 : JPEG_BLOCK_ENDS);
    symbol->value = (int16_t)jpeg_bits_value(bits, size);
    return true;
}

/* The rest of a block, from coefficient k on. */
INLINED bool skip_details(struct jpeg_bits *bits, const struct jpeg_code *code, unsigned k)
{
    while (k < 64) {
        jpeg_bits_refill(bits);
        unsigned skip = code->skips[jpeg_bits_peek(bits, JPEG_SKIP_BITS)];
        unsigned behind = k + (skip >> JPEG_SKIP_ADVANCE);
        for (int i = 1; behind < 64; i++) {
            k = behind;
            jpeg_bits_drop(bits, skip % 64);
            if (i % SKIPS_A_REFILL == 0)
                jpeg_bits_refill(bits);
            skip = code->skips[jpeg_bits_peek(bits, JPEG_SKIP_BITS)];
            behind = k + (skip >> JPEG_SKIP_ADVANCE);
        }
        if (behind >= JPEG_BLOCK_ENDS && behind < JPEG_BLOCK_ENDS + 64) {
            jpeg_bits_drop(bits, skip % 64);
            return true;
        }
        struct jpeg_symbol symbol; /* a long one, or the last of a full block */
        jpeg_bits_refill(bits);
        if (!take_symbol(bits, code, &symbol))
            return false;
        k += symbol.advance;
    }
    return k == 64 || k >= JPEG_BLOCK_ENDS;
}

/* Adds what the coefficients before DETAILS are to the parts. */
INLINED bool add_details(struct jpeg_bits *bits, const struct component *component, int scale,
                         struct parts *parts)
{
    const struct jpeg_code *code = component->ac;
    unsigned k = 1;
    while (k < DETAILS) {
        struct jpeg_symbol symbol;
        jpeg_bits_refill(bits);
        if (!take_symbol(bits, code, &symbol))
            return false;
        k += symbol.advance;
        add(parts, symbol.value, &component->weights[k - 1], scale);
    }
    return skip_details(bits, code, k);
}

/* scale: the component's, as a constant */
INLINED bool take_block_at(struct jpeg_bits *bits, struct component *component, int scale,
                           uint8_t *to)
{
    struct parts parts = {0};
    jpeg_bits_refill(bits);
    if (!jpeg_bits_mean(bits, component->dc, &component->last_mean))
        return false;
    add(&parts, component->last_mean, &component->weights[0], scale);
    if (!(scale == 1 ? skip_details(bits, component->ac, 1)
                     : add_details(bits, component, scale, &parts)))
        return false;
    store(&parts, scale, to, component->stride);
    return true;
}

INLINED bool take_block(struct jpeg_bits *bits, struct component *component, uint8_t *to)
{
    switch (component->scale) {
    case 1:
        return take_block_at(bits, component, 1, to);
    case 2:
        return take_block_at(bits, component, 2, to);
    default:
        return take_block_at(bits, component, SCALE_MAX, to);
    }
}

INLINED bool take_mcu(struct jpeg_scaled_decode *means, struct jpeg_bits *bits, int mcu_x,
                      int mcu_y)
{
    for (int i = 0; i < means->component_count; i++) {
        struct component *component = &means->components[i];
        for (int v = 0; v < component->down; v++)
            for (int h = 0; h < component->across; h++) {
                size_t x = (size_t)(mcu_x * component->across + h) * (size_t)component->scale;
                size_t y = (size_t)(mcu_y * component->down + v) * (size_t)component->scale;
                if (!take_block(bits, component, component->plane + y * component->stride + x))
                    return false;
            }
    }
    return true;
}

static void forget_means(struct jpeg_scaled_decode *means)
{
    for (int i = 0; i < means->component_count; i++)
        means->components[i].last_mean = 0;
}

static bool take_all(struct jpeg_scaled_decode *means, const uint8_t *bytes, size_t size,
                     unsigned interval)
{
    struct jpeg_bits bits = {.next = bytes, .end = bytes + size};
    unsigned left = interval, restarts = 0;
    for (int y = 0; y < means->mcus_down; y++)
        for (int x = 0; x < means->mcus_across; x++) {
            if (interval && !left--) {
                if (!jpeg_bits_restart(&bits, restarts++))
                    return false;
                left = interval - 1;
                forget_means(means);
            }
            if (!take_mcu(means, &bits, x, y))
                return false;
        }
    return jpeg_bits_marker(&bits) == JPEG_EOI;
}

/* ---- Files ---- */

static bool is_common(const struct jpeg_decompress_struct *codec)
{
    bool gray = codec->num_components == 1 && codec->jpeg_color_space == JCS_GRAYSCALE;
    bool color = codec->num_components == 3 &&
                 (codec->jpeg_color_space == JCS_YCbCr || codec->jpeg_color_space == JCS_RGB);
    return (gray || color) && !codec->arith_code && codec->data_precision == 8;
}

static int divide_up(unsigned value, int by)
{
    return (int)((value + (unsigned)by - 1) / (unsigned)by);
}

static bool decode_baseline(struct jpeg_scaled_decode *means,
                            const struct jpeg_decompress_struct *codec, int eighths,
                            const uint8_t *bytes, size_t size)
{
    if (codec->comps_in_scan != codec->num_components)
        return false;
    forget_means(means);
    for (int i = 0; i < means->component_count; i++)
        if (!prepare_component(means, codec, i, eighths))
            return false;
    return allocate(means) && take_all(means, bytes, size, codec->restart_interval);
}

/* Chroma of a lower resolution is repeated. */
static void spread(struct component *component, const struct jpeg_progressive_dc_plane *scanned,
                   int across, int down, int quantizer, int rows)
{
    for (int y = 0; y < rows; y++) {
        const int16_t *from = scanned->means + (size_t)(y / down) * scanned->stride;
        uint8_t *to = component->plane + (size_t)y * component->stride;
        for (size_t x = 0; x < component->stride; x++)
            to[x] = clamped((from[x / (size_t)across] * quantizer + 128 * 8 + 4) >> 3);
    }
}

static bool decode_progressive(struct jpeg_scaled_decode *means,
                               const struct jpeg_decompress_struct *codec, const uint8_t *bytes,
                               size_t size)
{
    for (int i = 0; i < means->component_count; i++) {
        const jpeg_component_info *info = &codec->comp_info[i];
        if (info->quant_tbl_no > 3 || !codec->quant_tbl_ptrs[info->quant_tbl_no] ||
            codec->max_h_samp_factor % info->h_samp_factor ||
            codec->max_v_samp_factor % info->v_samp_factor)
            return false;
        means->components[i].across = means->component_count == 1 ? 1 : codec->max_h_samp_factor;
        means->components[i].down = means->component_count == 1 ? 1 : codec->max_v_samp_factor;
        means->components[i].scale = 1;
    }
    const struct jpeg_progressive_dc_plane *planes =
        jpeg_progressive_dc_run(means->scans, codec, bytes, size);
    if (!planes || !allocate(means))
        return false;
    for (int i = 0; i < means->component_count; i++) {
        const jpeg_component_info *info = &codec->comp_info[i];
        spread(&means->components[i], &planes[i], codec->max_h_samp_factor / info->h_samp_factor,
               codec->max_v_samp_factor / info->v_samp_factor,
               codec->quant_tbl_ptrs[info->quant_tbl_no]->quantval[0],
               means->mcus_down * means->components[i].down);
    }
    return true;
}

bool jpeg_scaled_decode_run(struct jpeg_scaled_decode *means,
                            const struct jpeg_decompress_struct *codec, int eighths,
                            const uint8_t *bytes, size_t size)
{
    if (!is_common(codec))
        return false;
    bool alone = codec->num_components == 1;
    means->mcus_across = divide_up(codec->image_width, alone ? 8 : 8 * codec->max_h_samp_factor);
    means->mcus_down = divide_up(codec->image_height, alone ? 8 : 8 * codec->max_v_samp_factor);
    means->component_count = codec->num_components;
    means->is_rgb = codec->jpeg_color_space == JCS_RGB;
    means->width = divide_up(codec->image_width * (unsigned)eighths, 8);
    if (codec->progressive_mode)
        return eighths == 1 && decode_progressive(means, codec, bytes, size);
    return decode_baseline(means, codec, eighths, bytes, size);
}

/* ---- Rows ---- */

void jpeg_scaled_decode_row(const struct jpeg_scaled_decode *means, int y, uint8_t *row)
{
    const struct component *components = means->components;
    const uint8_t *planes[COMPONENTS];
    for (int i = 0; i < means->component_count; i++)
        planes[i] = components[i].plane + (size_t)y * components[i].stride;
    if (means->component_count == 1) {
        memcpy(row, planes[0], (size_t)means->width);
        return;
    }
    for (int x = 0; x < means->width; x++, row += 3) {
        int luma = planes[0][x], blue = planes[1][x], red = planes[2][x];
        if (means->is_rgb) {
            row[0] = (uint8_t)luma;
            row[1] = (uint8_t)blue;
            row[2] = (uint8_t)red;
            continue;
        }
        blue -= 128; /* differences: ITU-R BT.601, as JFIF has it, in 16 bits */
        red -= 128;
        row[0] = clamped(luma + ((91881 * red + 32768) >> 16));
        row[1] = clamped(luma - ((22554 * blue + 46802 * red + 32768) >> 16));
        row[2] = clamped(luma + ((116130 * blue + 32768) >> 16));
    }
}
