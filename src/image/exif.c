/* SPDX-License-Identifier: MIT */
/*
 * Reads the orientation from EXIF data: see exif.h. Searches the first directory of the TIFF
 * structure, within the bounds of the block.
 */
#include "exif.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    TAG_ORIENTATION = 0x0112,
    TYPE_BYTE = 1,
    TYPE_SHORT = 3,
    TYPE_LONG = 4,
    ENTRY_SIZE = 12,
};

struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
};

/* The caller has checked that the bytes are within the block. */
static uint32_t tiff_u16(const struct tiff *tiff, size_t at)
{
    const uint8_t *p = tiff->bytes + at;

    return tiff->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t tiff_u32(const struct tiff *tiff, size_t at)
{
    uint32_t first = tiff_u16(tiff, at);
    uint32_t second = tiff_u16(tiff, at + 2);

    return tiff->big_endian ? first << 16 | second : second << 16 | first;
}

/* The value of a directory entry. 0: it is not a single integer. */
static uint32_t entry_value(const struct tiff *tiff, size_t entry)
{
    uint32_t type = tiff_u16(tiff, entry + 2);

    if (tiff_u32(tiff, entry + 4) != 1)
        return 0;
    if (type == TYPE_SHORT)
        return tiff_u16(tiff, entry + 8);
    if (type == TYPE_LONG)
        return tiff_u32(tiff, entry + 8);
    return type == TYPE_BYTE ? tiff->bytes[entry + 8] : 0;
}

static int directory_orientation(const struct tiff *tiff, size_t directory)
{
    int orientation = EXIF_ORIENTATION_NORMAL;
    size_t entries = tiff_u16(tiff, directory);

    for (size_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + i * ENTRY_SIZE;

        if (entry + ENTRY_SIZE > tiff->size) /* cut off: entries before it count */
            break;
        if (tiff_u16(tiff, entry) == TAG_ORIENTATION) {
            uint32_t value = entry_value(tiff, entry);

            orientation = value >= 1 && value <= 8 ? (int)value : EXIF_ORIENTATION_NORMAL;
        }
    }
    return orientation;
}

int exif_orientation(const void *bytes, size_t size)
{
    static const uint8_t prefix[] = {'E', 'x', 'i', 'f', 0, 0};
    struct tiff tiff = {.bytes = bytes, .size = size};
    size_t directory;

    if (size >= sizeof(prefix) && memcmp(bytes, prefix, sizeof(prefix)) == 0) {
        tiff.bytes += sizeof(prefix);
        tiff.size -= sizeof(prefix);
    }
    if (tiff.size < 8)
        return EXIF_ORIENTATION_NORMAL;
    if (memcmp(tiff.bytes, "MM", 2) == 0)
        tiff.big_endian = true;
    else if (memcmp(tiff.bytes, "II", 2) != 0)
        return EXIF_ORIENTATION_NORMAL;
    if (tiff_u16(&tiff, 2) != 42)
        return EXIF_ORIENTATION_NORMAL;
    directory = tiff_u32(&tiff, 4);
    if (directory > tiff.size - 2)
        return EXIF_ORIENTATION_NORMAL;
    return directory_orientation(&tiff, directory);
}
