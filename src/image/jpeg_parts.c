/* Which parts of a progressive JPEG an eighth of its size needs: see jpeg_parts.h. */
#include "jpeg_parts.h"

#include <string.h>

enum {
    MARKER_RST0 = 0xD0,
    MARKER_RST7 = 0xD7,
    MARKER_SOI = 0xD8,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA
};

/* The first marker at or behind `at` that is not among the coefficients; the size: there is none.
 */
static size_t find_marker(const struct jpeg_parts *parts, size_t at)
{
    while (at + 1 < parts->size) {
        const uint8_t *found = memchr(parts->bytes + at, 0xFF, parts->size - 1 - at);
        if (!found)
            break;
        at = (size_t)(found - parts->bytes);
        uint8_t code = found[1];
        if (code != 0 && code != 0xFF && !(code >= MARKER_RST0 && code <= MARKER_RST7))
            return at;
        at += code == 0xFF ? 1 : 2;
    }
    return parts->size;
}

/* Where the segment at a marker ends; the size: it is cut off. */
static size_t segment_end(const struct jpeg_parts *parts, size_t at)
{
    uint8_t code = parts->bytes[at + 1];
    if (code == MARKER_SOI || code == MARKER_EOI)
        return at + 2;
    if (parts->size - at < 4)
        return parts->size;
    size_t length = (size_t)(parts->bytes[at + 2] << 8 | parts->bytes[at + 3]);
    return length < 2 || length > parts->size - at - 2 ? parts->size : at + 2 + length;
}

/* A scan whose first coefficient is not the mean. */
static bool is_ac_scan(const struct jpeg_parts *parts, size_t at)
{
    if (parts->size - at < 5 || parts->bytes[at + 1] != MARKER_SOS)
        return false;
    size_t first_at = at + 5 + 2 * (size_t)parts->bytes[at + 4];
    return first_at < parts->size && parts->bytes[first_at] > 0;
}

bool jpeg_parts_next(struct jpeg_parts *parts, const uint8_t **part, size_t *size)
{
    size_t from = parts->next;
    size_t marker = find_marker(parts, from);
    while (marker == from && marker < parts->size && is_ac_scan(parts, marker)) {
        parts->skipped++;
        from = marker = find_marker(parts, segment_end(parts, marker));
    }
    while (marker < parts->size && !is_ac_scan(parts, marker))
        marker = find_marker(parts, segment_end(parts, marker));
    parts->next = marker;
    *part = parts->bytes + from;
    *size = marker - from;
    return marker > from;
}
