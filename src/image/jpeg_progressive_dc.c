/* The means of a progressive JPEG's blocks: see jpeg_progressive_dc.h. */
#include "jpeg_progressive_dc.h"

#include <stdlib.h>
#include <string.h>

#include "jpeg_huffman.h"

enum { COMPONENTS = 3 };

struct component {
    int id, across, down;           /* blocks in an MCU of several components */
    int blocks_across, blocks_down; /* of the picture, where it is alone in a scan */
    bool begun;                     /* its first scan was there */
};

/* What the markers before a scan say. */
struct scan {
    int count;
    int components[COMPONENTS];
    int codes[COMPONENTS];
    int first, high,
        low; /* coefficient; bit positions: of the last scan, 0 for none, and of this */
};

struct jpeg_progressive_dc {
    struct jpeg_code codes[NUM_HUFF_TBLS];
    bool defined[NUM_HUFF_TBLS];
    unsigned interval; /* of restarts, in MCUs; 0: none */
    int component_count, mcus_across, mcus_down;
    struct component components[COMPONENTS];
    struct jpeg_progressive_dc_plane planes[COMPONENTS];
    int16_t *means;
    size_t capacity;
};

struct jpeg_progressive_dc *jpeg_progressive_dc_new(void)
{
    return calloc(1, sizeof(struct jpeg_progressive_dc));
}

void jpeg_progressive_dc_free(struct jpeg_progressive_dc *scans)
{
    if (scans)
        free(scans->means);
    free(scans);
}

/* ---- The frame ---- */

static int divide_up(unsigned value, unsigned by)
{
    return (int)((value + by - 1) / by);
}

static bool allocate(struct jpeg_progressive_dc *scans)
{
    size_t total = 0, rows[COMPONENTS];
    for (int i = 0; i < scans->component_count; i++) {
        scans->planes[i].stride = (size_t)(scans->mcus_across * scans->components[i].across);
        rows[i] = (size_t)(scans->mcus_down * scans->components[i].down);
        total += scans->planes[i].stride * rows[i];
    }
    if (total > scans->capacity) {
        free(scans->means);
        scans->means = malloc(total * sizeof *scans->means);
        scans->capacity = scans->means ? total : 0;
    }
    if (!scans->means)
        return false;
    memset(scans->means, 0, total * sizeof *scans->means);
    int16_t *next = scans->means;
    for (int i = 0; i < scans->component_count; i++) {
        scans->planes[i].means = next;
        next += scans->planes[i].stride * rows[i];
    }
    return true;
}

static bool prepare(struct jpeg_progressive_dc *scans, const struct jpeg_decompress_struct *codec)
{
    if (!codec->progressive_mode || codec->arith_code || codec->data_precision != 8 ||
        codec->num_components > COMPONENTS)
        return false;
    unsigned h_max = (unsigned)codec->max_h_samp_factor, v_max = (unsigned)codec->max_v_samp_factor;
    bool alone = codec->num_components == 1; /* then its sampling factors mean nothing */
    scans->component_count = codec->num_components;
    scans->mcus_across = divide_up(codec->image_width, alone ? 8 : 8 * h_max);
    scans->mcus_down = divide_up(codec->image_height, alone ? 8 : 8 * v_max);
    scans->interval = codec->restart_interval;
    for (int i = 0; i < codec->num_components; i++) {
        const jpeg_component_info *info = &codec->comp_info[i];
        unsigned h = (unsigned)info->h_samp_factor, v = (unsigned)info->v_samp_factor;
        scans->components[i] =
            (struct component){.id = info->component_id,
                               .across = alone ? 1 : (int)h,
                               .down = alone ? 1 : (int)v,
                               .blocks_across = divide_up(codec->image_width * h, 8 * h_max),
                               .blocks_down = divide_up(codec->image_height * v, 8 * v_max)};
    }
    for (int i = 0; i < NUM_HUFF_TBLS; i++) {
        const JHUFF_TBL *table = codec->dc_huff_tbl_ptrs[i];
        scans->defined[i] =
            table && jpeg_code_prepare(&scans->codes[i], table->bits, table->huffval, false);
    }
    return allocate(scans);
}

/* ---- Segments ---- */

enum { MARKER_RST0 = 0xD0, MARKER_RST7 = 0xD7, MARKER_DHT = 0xC4, MARKER_DRI = 0xDD };
enum { MARKER_SOI = 0xD8, MARKER_EOI = 0xD9, MARKER_SOS = 0xDA };

struct segment {
    int marker;
    const uint8_t *data; /* behind its length */
    size_t size;
};

/* The first segment at or behind *at, over coefficients before it. *at becomes its end. False:
 * there is none, or it is cut off. */
static bool next_segment(const uint8_t **at, const uint8_t *end, struct segment *segment)
{
    const uint8_t *found = *at;
    for (;; found += found[1] == 0xFF ? 1 : 2) {
        if (end - found < 2 || !(found = memchr(found, 0xFF, (size_t)(end - found - 1))))
            return false;
        if (found[1] != 0 && found[1] != 0xFF &&
            !(found[1] >= MARKER_RST0 && found[1] <= MARKER_RST7))
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

/* Huffman tables: those of DC are taken over. */
static bool take_tables(struct jpeg_progressive_dc *scans, const uint8_t *data, size_t size)
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
        if (is_dc && !(scans->defined[number] =
                           jpeg_code_prepare(&scans->codes[number], counts, symbols, false)))
            return false;
        data += 17 + total;
        size -= 17 + total;
    }
    return size == 0;
}

static int component_of(const struct jpeg_progressive_dc *scans, int id)
{
    for (int i = 0; i < scans->component_count; i++)
        if (scans->components[i].id == id)
            return i;
    return -1;
}

static bool parse_scan(const struct jpeg_progressive_dc *scans, const uint8_t *data, size_t size,
                       struct scan *scan)
{
    *scan = (struct scan){.count = size ? data[0] : 0};
    if (scan->count < 1 || scan->count > scans->component_count ||
        size != 4 + 2 * (size_t)scan->count)
        return false;
    for (int i = 0; i < scan->count; i++) {
        scan->components[i] = component_of(scans, data[1 + 2 * i]);
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

struct progress {
    struct jpeg_bits bits;
    int last[COMPONENTS]; /* mean of each component of the scan */
};

static inline bool take_block(struct progress *progress, const struct scan *scan, int index,
                              const struct jpeg_code *code, int16_t *mean)
{
    jpeg_bits_refill(&progress->bits);
    if (scan->high) {
        *mean |= (int16_t)(jpeg_bits_peek(&progress->bits, 1) << scan->low);
        jpeg_bits_drop(&progress->bits, 1);
        return true;
    }
    if (!jpeg_bits_mean(&progress->bits, code, &progress->last[index]))
        return false;
    *mean = (int16_t)((unsigned)progress->last[index] << scan->low);
    return true;
}

static bool take_mcu(struct jpeg_progressive_dc *scans, struct progress *progress,
                     const struct scan *scan, int x, int y)
{
    for (int i = 0; i < scan->count; i++) {
        int number = scan->components[i];
        const struct jpeg_progressive_dc_plane *plane = &scans->planes[number];
        const struct jpeg_code *code = &scans->codes[scan->codes[i]];
        int across = scan->count > 1 ? scans->components[number].across : 1;
        int down = scan->count > 1 ? scans->components[number].down : 1;
        for (int v = 0; v < down; v++)
            for (int h = 0; h < across; h++)
                if (!take_block(progress, scan, i, code,
                                plane->means + (size_t)(y * down + v) * plane->stride +
                                    (size_t)(x * across + h)))
                    return false;
    }
    return true;
}

/* Each component begins with a first scan, and is refined by later ones. */
static bool in_order(struct jpeg_progressive_dc *scans, const struct scan *scan)
{
    for (int i = 0; i < scan->count; i++) {
        struct component *component = &scans->components[scan->components[i]];
        if (component->begun != (scan->high > 0) ||
            (!scan->high && !scans->defined[scan->codes[i]]))
            return false;
        component->begun = true;
    }
    return true;
}

/* Where the data of a DC scan end; NULL: damage. */
static const uint8_t *take_scan(struct jpeg_progressive_dc *scans, const struct scan *scan,
                                const uint8_t *bytes, const uint8_t *end)
{
    struct progress progress = {.bits = {.next = bytes, .end = end}};
    const struct component *first = &scans->components[scan->components[0]];
    int across = scan->count > 1 ? scans->mcus_across : first->blocks_across;
    int down = scan->count > 1 ? scans->mcus_down : first->blocks_down;
    unsigned left = scans->interval, restarts = 0;
    if (!in_order(scans, scan))
        return NULL;
    for (int y = 0; y < down; y++)
        for (int x = 0; x < across; x++) {
            if (scans->interval && !left--) {
                if (!jpeg_bits_restart(&progress.bits, restarts++))
                    return NULL;
                memset(progress.last, 0, sizeof progress.last);
                left = scans->interval - 1;
            }
            if (!take_mcu(scans, &progress, scan, x, y))
                return NULL;
        }
    return jpeg_bits_marker(&progress.bits) ? progress.bits.next : NULL;
}

/* ---- The file ---- */

static bool all_begun(const struct jpeg_progressive_dc *scans)
{
    for (int i = 0; i < scans->component_count; i++)
        if (!scans->components[i].begun)
            return false;
    return true;
}

static struct scan scan_of_codec(const struct jpeg_decompress_struct *codec)
{
    struct scan scan = {
        .count = codec->comps_in_scan, .first = codec->Ss, .high = codec->Ah, .low = codec->Al};
    for (int i = 0; i < codec->comps_in_scan; i++) {
        scan.components[i] = codec->cur_comp_info[i]->component_index;
        scan.codes[i] = codec->cur_comp_info[i]->dc_tbl_no & 3;
    }
    return scan;
}

const struct jpeg_progressive_dc_plane *
jpeg_progressive_dc_run(struct jpeg_progressive_dc *scans,
                        const struct jpeg_decompress_struct *codec, const uint8_t *bytes,
                        size_t size)
{
    if (!prepare(scans, codec))
        return NULL;
    const uint8_t *end = bytes + size, *at = bytes;
    struct scan scan = scan_of_codec(codec);
    for (int count = 1; count <= JPEG_PROGRESSIVE_DC_MAX; count++) {
        if (scan.first == 0 && !(at = take_scan(scans, &scan, at, end)))
            return NULL;
        struct segment segment;
        do {
            if (!next_segment(&at, end, &segment))
                return NULL;
            if (segment.marker == MARKER_EOI)
                return all_begun(scans) ? scans->planes : NULL;
            if (segment.marker == MARKER_DHT && !take_tables(scans, segment.data, segment.size))
                return NULL;
            if (segment.marker == MARKER_DRI && segment.size == 2)
                scans->interval = (unsigned)(segment.data[0] << 8 | segment.data[1]);
        } while (segment.marker != MARKER_SOS);
        if (!parse_scan(scans, segment.data, segment.size, &scan))
            return NULL;
    }
    return NULL;
}
