/*
 * A baseline JPEG at 1/8 or 2/8 of its size: see jpeg_means.h.
 *
 * The mean of a part of a block is a sum over its coefficients, each times a weight that depends on
 * the part and on the coefficient alone: the inverse transform and the mean are one. Chroma at half
 * the resolution is decoded at twice the scale, so that all components have the same size.
 */
#include "jpeg_means.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "jpeg_bits.h"

enum { COMPONENTS = 3, SCALE_MAX = 4, PARTS_MAX = SCALE_MAX * SCALE_MAX };

/* In the order of the file: those behind say little about the mean of 4 x 4 or 2 x 2 pixels. */
enum { DETAILS = 10 };

/* The bits are a local struct of take_all; what is inlined there leaves it in registers. */
#define INLINED static inline __attribute__((always_inline))

typedef float lanes __attribute__((vector_size(16)));

/* Weights of one coefficient for all parts of a block, row by row. */
struct weights {
    lanes parts[PARTS_MAX / 4];
};

struct component {
    int across, down; /* blocks in an MCU */
    int scale;        /* samples of a block along a side: 1, 2 or 4 */
    struct jpeg_code *dc, *ac;
    struct weights weights[64 + JPEG_BLOCK_ENDS]; /* in the order of the file, then zeros */
    int last_mean;
    uint8_t *plane;
    size_t stride;
};

struct jpeg_means {
    double cosines[SCALE_MAX + 1][8][SCALE_MAX]; /* means of parts, by scale, frequency, part */
    struct jpeg_code codes[2][NUM_HUFF_TBLS];    /* DC, AC */
    struct component components[COMPONENTS];
    int component_count;
    bool is_rgb;
    int width; /* of the picture that comes out */
    uint8_t *samples;
    size_t capacity;
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

struct jpeg_means *jpeg_means_new(void)
{
    struct jpeg_means *means = calloc(1, sizeof *means);
    for (int scale = 1; means && scale <= SCALE_MAX; scale *= 2)
        for (int frequency = 0; frequency < 8; frequency++)
            for (int part = 0; part < scale; part++)
                means->cosines[scale][frequency][part] = mean_of_cosine(frequency, part, scale);
    return means;
}

void jpeg_means_free(struct jpeg_means *means)
{
    if (means)
        free(means->samples);
    free(means);
}

/* ---- Preparation ---- */

static const uint8_t natural_order[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

static void make_weights(const struct jpeg_means *means, struct component *component,
                         const UINT16 quantizers[64])
{
    int scale = component->scale;
    for (int k = 0; k < 64; k++) {
        const double *across = means->cosines[scale][natural_order[k] % 8];
        const double *down = means->cosines[scale][natural_order[k] / 8];
        for (int part = 0; part < scale * scale; part++) {
            double weight = across[part % scale] * down[part / scale];
            component->weights[k].parts[part / 4][part % 4] =
                (float)(weight * quantizers[natural_order[k]]);
        }
    }
}

static bool prepare_component(struct jpeg_means *means, const struct jpeg_decompress_struct *codec,
                              int number, int eighths)
{
    const jpeg_component_info *info = &codec->comp_info[number];
    const JHUFF_TBL *dc = codec->dc_huff_tbl_ptrs[info->dc_tbl_no & 3];
    const JHUFF_TBL *ac = codec->ac_huff_tbl_ptrs[info->ac_tbl_no & 3];
    const JQUANT_TBL *quantizers = codec->quant_tbl_ptrs[info->quant_tbl_no & 3];
    struct component *component = &means->components[number];
    int fewer_across = codec->max_h_samp_factor / info->h_samp_factor;
    int fewer_down = codec->max_v_samp_factor / info->v_samp_factor;
    bool alone = codec->num_components == 1;
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
    return jpeg_code_prepare(component->dc, dc->bits, dc->huffval) &&
           jpeg_code_prepare(component->ac, ac->bits, ac->huffval);
}

/* Planes for whole MCUs. */
static bool allocate(struct jpeg_means *means, int mcus_across, int mcus_down)
{
    size_t total = 0;
    for (int i = 0; i < means->component_count; i++) {
        struct component *component = &means->components[i];
        component->stride = (size_t)(mcus_across * component->across * component->scale);
        total += component->stride * (size_t)(mcus_down * component->down * component->scale);
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
        next += component->stride * (size_t)(mcus_down * component->down * component->scale);
    }
    return next;
}

/* ---- Blocks ---- */

static uint8_t sample_of(float sum)
{
    float value = sum + 128.5f;
    return (uint8_t)(value > 0 ? value < 255 ? value : 255 : 0);
}

INLINED bool take_mean(struct jpeg_bits *bits, struct component *component)
{
    int size = jpeg_bits_symbol(bits, component->dc);
    if (size < 0 || size > 11)
        return false;
    component->last_mean += jpeg_bits_value(bits, (unsigned)size);
    return component->last_mean >= -32768 && component->last_mean <= 32767;
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
        struct jpeg_skip skip = code->skips[jpeg_bits_peek(bits, JPEG_PEEK_BITS)];
        struct jpeg_symbol symbol;
        unsigned behind = k + skip.advance;
        if (skip.bits && (behind < 64 || (behind == 64 && !skip.ends))) {
            jpeg_bits_drop(bits, skip.bits);
            k = skip.ends ? JPEG_BLOCK_ENDS : behind;
        } else {
            if (!take_symbol(bits, code, &symbol))
                return false;
            k += symbol.advance;
        }
    }
    return k == 64 || k >= JPEG_BLOCK_ENDS;
}

/* Adds what the coefficients before DETAILS are to the parts; `groups`: how many lanes they fill.
 */
INLINED bool add_details(struct jpeg_bits *bits, const struct component *component, int groups,
                         lanes *parts)
{
    const struct jpeg_code *code = component->ac;
    unsigned k = 1;
    while (k < DETAILS) {
        struct jpeg_symbol symbol;
        jpeg_bits_refill(bits);
        if (!take_symbol(bits, code, &symbol))
            return false;
        k += symbol.advance;
        for (int group = 0; group < groups; group++)
            parts[group] += (float)symbol.value * component->weights[k - 1].parts[group];
    }
    return skip_details(bits, code, k);
}

INLINED bool take_block(struct jpeg_bits *bits, struct component *component, uint8_t *to)
{
    lanes parts[PARTS_MAX / 4];
    int scale = component->scale, groups = scale == SCALE_MAX ? PARTS_MAX / 4 : 1;
    jpeg_bits_refill(bits);
    if (!take_mean(bits, component))
        return false;
    for (int group = 0; group < groups; group++)
        parts[group] = (float)component->last_mean * component->weights[0].parts[group];
    bool good = scale == 1   ? skip_details(bits, component->ac, 1)
                : scale == 2 ? add_details(bits, component, 1, parts)
                             : add_details(bits, component, PARTS_MAX / 4, parts);
    for (int y = 0; y < scale; y++)
        for (int x = 0; x < scale; x++)
            to[(size_t)y * component->stride + (size_t)x] =
                sample_of(parts[(y * scale + x) / 4][(y * scale + x) % 4]);
    return good;
}

INLINED bool take_mcu(struct jpeg_means *means, struct jpeg_bits *bits, int mcu_x, int mcu_y)
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

/* The marker that ends the data when they have all been read; 0: they have not, or there is none.
 */
INLINED int marker_ahead(struct jpeg_bits *bits)
{
    jpeg_bits_refill(bits);
    bool read = bits->made_up && bits->count >= bits->made_up && bits->count - bits->made_up < 8;
    return read && bits->end - bits->next >= 2 && bits->next[0] == 0xFF ? bits->next[1] : 0;
}

/* A marker of restart, and a fresh beginning behind it. */
INLINED bool restart(struct jpeg_means *means, struct jpeg_bits *bits, unsigned number)
{
    if (marker_ahead(bits) != JPEG_RST0 + (int)(number % 8))
        return false;
    bits->next += 2;
    bits->bits = 0;
    bits->count = bits->made_up = 0;
    for (int i = 0; i < means->component_count; i++)
        means->components[i].last_mean = 0;
    return true;
}

static bool take_all(struct jpeg_means *means, const uint8_t *bytes, size_t size, int mcus_across,
                     int mcus_down, unsigned interval)
{
    struct jpeg_bits bits = {.next = bytes, .end = bytes + size};
    unsigned left = interval, restarts = 0;
    for (int y = 0; y < mcus_down; y++)
        for (int x = 0; x < mcus_across; x++) {
            if (interval && !left--) {
                if (!restart(means, &bits, restarts++))
                    return false;
                left = interval - 1;
            }
            if (!take_mcu(means, &bits, x, y))
                return false;
        }
    return marker_ahead(&bits) == JPEG_EOI;
}

static bool is_common(const struct jpeg_decompress_struct *codec)
{
    bool gray = codec->num_components == 1 && codec->jpeg_color_space == JCS_GRAYSCALE;
    bool color = codec->num_components == 3 &&
                 (codec->jpeg_color_space == JCS_YCbCr || codec->jpeg_color_space == JCS_RGB);
    return (gray || color) && !codec->progressive_mode && !codec->arith_code &&
           codec->data_precision == 8 && codec->comps_in_scan == codec->num_components;
}

static int divide_up(unsigned value, int by)
{
    return (int)((value + (unsigned)by - 1) / (unsigned)by);
}

bool jpeg_means_decode(struct jpeg_means *means, const struct jpeg_decompress_struct *codec,
                       int eighths, const uint8_t *bytes, size_t size)
{
    if (!is_common(codec))
        return false;
    bool alone = codec->num_components == 1;
    int mcus_across = divide_up(codec->image_width, alone ? 8 : 8 * codec->max_h_samp_factor);
    int mcus_down = divide_up(codec->image_height, alone ? 8 : 8 * codec->max_v_samp_factor);
    means->component_count = codec->num_components;
    means->is_rgb = codec->jpeg_color_space == JCS_RGB;
    means->width = divide_up(codec->image_width * (unsigned)eighths, 8);
    for (int i = 0; i < means->component_count; i++) {
        means->components[i].last_mean = 0;
        if (!prepare_component(means, codec, i, eighths))
            return false;
    }
    return allocate(means, mcus_across, mcus_down) &&
           take_all(means, bytes, size, mcus_across, mcus_down, codec->restart_interval);
}

/* ---- Rows ---- */

static uint8_t clamped(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void jpeg_means_row(const struct jpeg_means *means, int y, uint8_t *row)
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
