/* SPDX-License-Identifier: MIT */
/* The DC coefficients of a progressive JPEG: see jpeg_progressive_dc.h. */
#include "jpeg_progressive_dc.h"

#include <stdlib.h>
#include <string.h>

#include "jpeg_huffman.h"

enum { COMPONENTS = 3 };

struct dc_component {
    int id;                         /* as in the file */
    int across, down;               /* blocks in an MCU of several components */
    int blocks_across, blocks_down; /* of the picture, in a scan of this component only */
    bool begun;                     /* its first scan has been decoded */
};

/* The header of a scan. */
struct scan {
    int count; /* of its components */
    int components[COMPONENTS];
    int codes[COMPONENTS];
    int first; /* coefficient; 0: a DC scan */
    int high;  /* bit position of the scan before that this one refines; 0: a first scan */
    int low;   /* bit position of this scan */
};

struct jpeg_progressive_dc {
    struct jpeg_code codes[NUM_HUFF_TBLS];
    bool defined[NUM_HUFF_TBLS];
    unsigned interval; /* between restart markers, in MCUs; 0: none */
    int component_count, mcus_across, mcus_down;
    struct dc_component components[COMPONENTS];
    struct jpeg_progressive_dc_plane planes[COMPONENTS];
    int16_t *values; /* of all planes */
    size_t capacity; /* of `values` */
};

struct jpeg_progressive_dc *jpeg_progressive_dc_new(void)
{
    return calloc(1, sizeof(struct jpeg_progressive_dc));
}

void jpeg_progressive_dc_free(struct jpeg_progressive_dc *dc)
{
    if (!dc)
        return;
    free(dc->values);
    free(dc);
}

/* ---- The frame header ---- */

static int units_needed(unsigned length, unsigned unit)
{
    return (int)((length + unit - 1) / unit);
}

static bool allocate_dc_planes(struct jpeg_progressive_dc *dc)
{
    size_t total = 0, rows[COMPONENTS];
    for (int i = 0; i < dc->component_count; i++) {
        dc->planes[i].stride = (size_t)(dc->mcus_across * dc->components[i].across);
        rows[i] = (size_t)(dc->mcus_down * dc->components[i].down);
        total += dc->planes[i].stride * rows[i];
    }
    if (total > dc->capacity) {
        free(dc->values);
        dc->values = malloc(total * sizeof *dc->values);
        dc->capacity = dc->values ? total : 0;
    }
    if (!dc->values)
        return false;
    memset(dc->values, 0, total * sizeof *dc->values);
    int16_t *next = dc->values;
    for (int i = 0; i < dc->component_count; i++) {
        dc->planes[i].values = next;
        next += dc->planes[i].stride * rows[i];
    }
    return true;
}

static bool prepare_dc(struct jpeg_progressive_dc *dc, const struct jpeg_decompress_struct *cinfo)
{
    if (!cinfo->progressive_mode || cinfo->arith_code || cinfo->data_precision != 8 ||
        cinfo->num_components > COMPONENTS)
        return false;
    unsigned h_max = (unsigned)cinfo->max_h_samp_factor, v_max = (unsigned)cinfo->max_v_samp_factor;
    bool alone = cinfo->num_components == 1; /* then the sampling factors have no meaning */
    dc->component_count = cinfo->num_components;
    dc->mcus_across = units_needed(cinfo->image_width, alone ? 8 : 8 * h_max);
    dc->mcus_down = units_needed(cinfo->image_height, alone ? 8 : 8 * v_max);
    dc->interval = cinfo->restart_interval;
    for (int i = 0; i < cinfo->num_components; i++) {
        const jpeg_component_info *info = &cinfo->comp_info[i];
        unsigned h = (unsigned)info->h_samp_factor, v = (unsigned)info->v_samp_factor;
        dc->components[i] =
            (struct dc_component){.id = info->component_id,
                                  .across = alone ? 1 : (int)h,
                                  .down = alone ? 1 : (int)v,
                                  .blocks_across = units_needed(cinfo->image_width * h, 8 * h_max),
                                  .blocks_down = units_needed(cinfo->image_height * v, 8 * v_max)};
    }
    for (int i = 0; i < NUM_HUFF_TBLS; i++) {
        const JHUFF_TBL *table = cinfo->dc_huff_tbl_ptrs[i];
        dc->defined[i] =
            table && jpeg_code_prepare(&dc->codes[i], table->bits, table->huffval, false);
    }
    return allocate_dc_planes(dc);
}

/* ---- Segments ---- */

enum {
    MARKER_DHT = 0xC4,
    MARKER_RST7 = 0xD7,
    MARKER_SOI = 0xD8,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA,
    MARKER_DRI = 0xDD,
};

struct segment {
    int marker;
    const uint8_t *data; /* after the length field */
    size_t size;
};

/* Finds the first segment at or after *at, skipping entropy coded data, and sets *at to its end.
 * False: there is none, or it is cut off. */
static bool next_segment(const uint8_t **at, const uint8_t *end, struct segment *segment)
{
    const uint8_t *found = *at;
    for (;; found += found[1] == 0xFF ? 1 : 2) {
        if (end - found < 2 || !(found = memchr(found, 0xFF, (size_t)(end - found - 1))))
            return false;
        if (found[1] != 0 && found[1] != 0xFF &&
            !(found[1] >= JPEG_MARKER_RST0 && found[1] <= MARKER_RST7))
            break;
    }
    *segment = (struct segment){.marker = found[1]};
    *at = found + 2;
    if (segment->marker == MARKER_EOI || segment->marker == MARKER_SOI)
        return true;
    size_t length = end - *at >= 2 ? (size_t)((*at)[0] << 8 | (*at)[1]) : 0;
    if (length < 2 || length > (size_t)(end - *at))
        return false;
    segment->data = *at + 2;
    segment->size = length - 2;
    *at += length;
    return true;
}

/* Reads a DHT segment and stores its DC tables. */
static bool read_tables(struct jpeg_progressive_dc *dc, const uint8_t *data, size_t size)
{
    while (size >= 17) {
        uint8_t counts[17] = {0}, symbols[256] = {0};
        unsigned number = data[0] & 15, total = 0;
        bool is_dc = data[0] >> 4 == 0;
        memcpy(counts + 1, data + 1, 16);
        for (int length = 1; length <= 16; length++)
            total += counts[length];
        if (number >= NUM_HUFF_TBLS || total > 256 || size < 17 + total)
            return false;
        memcpy(symbols, data + 17, total);
        if (is_dc &&
            !(dc->defined[number] = jpeg_code_prepare(&dc->codes[number], counts, symbols, false)))
            return false;
        data += 17 + total;
        size -= 17 + total;
    }
    return size == 0;
}

static int component_index(const struct jpeg_progressive_dc *dc, int id)
{
    for (int i = 0; i < dc->component_count; i++)
        if (dc->components[i].id == id)
            return i;
    return -1;
}

static bool parse_scan(const struct jpeg_progressive_dc *dc, const uint8_t *data, size_t size,
                       struct scan *scan)
{
    *scan = (struct scan){.count = size ? data[0] : 0};
    if (scan->count < 1 || scan->count > dc->component_count || size != 4 + 2 * (size_t)scan->count)
        return false;
    for (int i = 0; i < scan->count; i++) {
        scan->components[i] = component_index(dc, data[1 + 2 * i]);
        scan->codes[i] = data[2 + 2 * i] >> 4;
        if (scan->components[i] < 0 || scan->codes[i] >= NUM_HUFF_TBLS)
            return false;
    }
    data += 1 + 2 * scan->count;
    scan->first = data[0];
    scan->high = data[2] >> 4;
    scan->low = data[2] & 15;
    return scan->first > 0 || (data[1] == 0 && scan->low <= 13);
}

/* ---- Scans ---- */

struct scan_position {
    struct jpeg_bits bits;
    int last[COMPONENTS]; /* the DC coefficient of the last block, for each component of the scan */
};

static inline bool read_dc_block(struct scan_position *position, const struct scan *scan, int index,
                                 const struct jpeg_code *code, int16_t *value)
{
    jpeg_bits_refill(&position->bits);
    if (scan->high) {
        *value |= (int16_t)(jpeg_bits_peek(&position->bits, 1) << scan->low);
        jpeg_bits_drop(&position->bits, 1);
        return true;
    }
    if (!jpeg_bits_dc(&position->bits, code, &position->last[index]))
        return false;
    *value = (int16_t)((unsigned)position->last[index] << scan->low);
    return true;
}

static bool read_dc_mcu(struct jpeg_progressive_dc *dc, struct scan_position *position,
                        const struct scan *scan, int x, int y)
{
    for (int i = 0; i < scan->count; i++) {
        int number = scan->components[i];
        const struct jpeg_progressive_dc_plane *plane = &dc->planes[number];
        const struct jpeg_code *code = &dc->codes[scan->codes[i]];
        int across = scan->count > 1 ? dc->components[number].across : 1;
        int down = scan->count > 1 ? dc->components[number].down : 1;
        for (int v = 0; v < down; v++)
            for (int h = 0; h < across; h++)
                if (!read_dc_block(position, scan, i, code,
                                   plane->values + (size_t)(y * down + v) * plane->stride +
                                       (size_t)(x * across + h)))
                    return false;
    }
    return true;
}

/* Checks that each component of the scan has one first scan before all that refine it. */
static bool check_order(struct jpeg_progressive_dc *dc, const struct scan *scan)
{
    for (int i = 0; i < scan->count; i++) {
        struct dc_component *component = &dc->components[scan->components[i]];
        if (component->begun != (scan->high > 0) || (!scan->high && !dc->defined[scan->codes[i]]))
            return false;
        component->begun = true;
    }
    return true;
}

/* Decodes a DC scan. Returns the end of its data; NULL: they are damaged. */
static const uint8_t *read_dc_scan(struct jpeg_progressive_dc *dc, const struct scan *scan,
                                   const uint8_t *bytes, const uint8_t *end)
{
    struct scan_position position = {.bits = {.next = bytes, .end = end}};
    const struct dc_component *first = &dc->components[scan->components[0]];
    int across = scan->count > 1 ? dc->mcus_across : first->blocks_across;
    int down = scan->count > 1 ? dc->mcus_down : first->blocks_down;
    unsigned left = dc->interval, restarts = 0;
    if (!check_order(dc, scan))
        return NULL;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++) {
            if (dc->interval && !left--) {
                if (!jpeg_bits_restart(&position.bits, restarts++))
                    return NULL;
                memset(position.last, 0, sizeof position.last);
                left = dc->interval - 1;
            }
            if (!read_dc_mcu(dc, &position, scan, x, y))
                return NULL;
        }
    return jpeg_bits_marker(&position.bits) ? position.bits.next : NULL;
}

/* ---- The file ---- */

static bool all_begun(const struct jpeg_progressive_dc *dc)
{
    for (int i = 0; i < dc->component_count; i++)
        if (!dc->components[i].begun)
            return false;
    return true;
}

/* The first scan, whose header libjpeg has read. */
static struct scan first_scan(const struct jpeg_decompress_struct *cinfo)
{
    struct scan scan = {
        .count = cinfo->comps_in_scan, .first = cinfo->Ss, .high = cinfo->Ah, .low = cinfo->Al};
    for (int i = 0; i < cinfo->comps_in_scan; i++) {
        scan.components[i] = cinfo->cur_comp_info[i]->component_index;
        scan.codes[i] = cinfo->cur_comp_info[i]->dc_tbl_no & 3;
    }
    return scan;
}

const struct jpeg_progressive_dc_plane *
jpeg_progressive_dc_run(struct jpeg_progressive_dc *dc, const struct jpeg_decompress_struct *cinfo,
                        const uint8_t *bytes, size_t size)
{
    if (!prepare_dc(dc, cinfo))
        return NULL;
    const uint8_t *end = bytes + size, *at = bytes;
    struct scan scan = first_scan(cinfo);
    for (int count = 1; count <= JPEG_SCANS_MAX; count++) {
        if (scan.first == 0 && !(at = read_dc_scan(dc, &scan, at, end)))
            return NULL;
        struct segment segment;
        do {
            if (!next_segment(&at, end, &segment))
                return NULL;
            if (segment.marker == MARKER_EOI)
                return all_begun(dc) ? dc->planes : NULL;
            if (segment.marker == MARKER_DHT && !read_tables(dc, segment.data, segment.size))
                return NULL;
            if (segment.marker == MARKER_DRI && segment.size == 2)
                dc->interval = (unsigned)(segment.data[0] << 8 | segment.data[1]);
        } while (segment.marker != MARKER_SOS);
        if (!parse_scan(dc, segment.data, segment.size, &scan))
            return NULL;
    }
    return NULL;
}
