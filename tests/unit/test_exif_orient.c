/* SPDX-License-Identifier: MIT */
/*
 * test_exif_orient: the orientation in intact, damaged and truncated EXIF data, and how pixels are
 * oriented.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exif.h"
#include "image_fixture.h"
#include "orient.h"
#include "png_read_exif.h"

static void put_u16(struct buf *out, bool big_endian, unsigned value)
{
    buf_put_u8(out, (uint8_t)(big_endian ? value >> 8 : value));
    buf_put_u8(out, (uint8_t)(big_endian ? value : value >> 8));
}

static void put_u32(struct buf *out, bool big_endian, unsigned value)
{
    put_u16(out, big_endian, big_endian ? value >> 16 : value & 0xFFFF);
    put_u16(out, big_endian, big_endian ? value & 0xFFFF : value >> 16);
}

static void put_entry(struct buf *out, bool big_endian, unsigned tag, unsigned type, unsigned count,
                      unsigned value)
{
    put_u16(out, big_endian, tag);
    put_u16(out, big_endian, type);
    put_u32(out, big_endian, count);
    if (type == 3) {
        put_u16(out, big_endian, value);
        put_u16(out, big_endian, 0);
    } else {
        put_u32(out, big_endian, value);
    }
}

/* A block of three entries, the orientation in the middle. */
static void put_exif(struct buf *out, bool prefix, bool big_endian, unsigned type, unsigned count,
                     unsigned value)
{
    if (prefix)
        buf_put(out, "Exif\0", 6);
    buf_put(out, big_endian ? "MM" : "II", 2);
    put_u16(out, big_endian, 42);
    put_u32(out, big_endian, 8);
    put_u16(out, big_endian, 3);
    put_entry(out, big_endian, 0x010F, 2, 4, 0x41424300);
    put_entry(out, big_endian, 0x0112, type, count, value);
    put_entry(out, big_endian, 0x0128, 3, 1, 2);
    put_u32(out, big_endian, 0);
}

static void exif_reads_all_orientations(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4 * 10; i++) {
        unsigned value = i / 4;
        struct buf exif = BUF_INIT;

        put_exif(&exif, i % 2 != 0, i / 2 % 2 != 0, 3, 1, value);
        assert_int_equal(exif_orientation(exif.data, exif.size),
                         value >= 1 && value <= 8 ? value : 1);
        buf_release(&exif);
    }
}

static void truncated_exif_is_1_or_right(void **state)
{
    struct buf exif = BUF_INIT;

    (void)state;
    put_exif(&exif, true, true, 3, 1, 6);
    for (size_t size = 0; size <= exif.size; size++) {
        /* an array of exactly this size, so that a sanitizer detects a read past its end */
        uint8_t *cut = malloc(size + (size == 0));
        size_t whole = 6 + 8 + 2 + 2 * 12; /* up to the end of the orientation's entry */

        memcpy(cut, exif.data, size);
        assert_int_equal(exif_orientation(cut, size), size >= whole ? 6 : 1);
        free(cut);
    }
    buf_release(&exif);
}

static void corrupt_exif_is_1(void **state)
{
    static const struct {
        unsigned type, count, value;
        size_t at; /* of a byte to change, or 0 */
        uint8_t byte;
        int orientation;
    } rows[] = {
        {4, 1, 6, 0, 0, 6},     /* a LONG */
        {3, 2, 6, 0, 0, 1},     /* two values */
        {3, 0, 6, 0, 0, 1},     /* none */
        {2, 1, 6, 0, 0, 1},     /* a text */
        {3, 1, 65535, 0, 0, 1}, /* out of range */
        {3, 1, 6, 6, 'X', 1},   /* byte order */
        {3, 1, 6, 9, 43, 1},    /* not TIFF */
        {3, 1, 6, 10, 0xFF, 1}, /* directory far outside */
        {3, 1, 6, 13, 0xFF, 1}, /* directory just outside */
        {3, 1, 6, 14, 0xFF, 6}, /* more entries than there are */
        {3, 1, 6, 0, 0, 6},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf exif = BUF_INIT;

        put_exif(&exif, true, true, rows[i].type, rows[i].count, rows[i].value);
        if (rows[i].at != 0)
            exif.data[rows[i].at] = rows[i].byte;
        assert_int_equal(exif_orientation(exif.data, exif.size), rows[i].orientation);
        buf_release(&exif);
    }
}

static void put_hex_profile(struct buf *out, const struct buf *exif)
{
    static const char digits[] = "0123456789abcdef";

    buf_put(out, "Raw profile type exif", 22);
    buf_put(out, "\nexif\n    1234\n", 15);
    for (size_t i = 0; i < exif->size; i++) {
        buf_put_u8(out, (uint8_t)digits[exif->data[i] >> 4]);
        buf_put_u8(out, (uint8_t)digits[exif->data[i] & 15]);
        if (i % 36 == 35)
            buf_put_u8(out, '\n');
    }
}

static void png_exif_is_found_in_chunk_and_text(void **state)
{
    struct buf exif = BUF_INIT;
    struct buf text = BUF_INIT;

    (void)state;
    put_exif(&exif, true, false, 3, 1, 8);
    put_hex_profile(&text, &exif);
    for (int as_text = 0; as_text < 2; as_text++) {
        struct buf png = BUF_INIT;

        buf_put(&png, "\x89PNG\r\n\x1a\n", 8);
        png_fixture_chunk(&png, "IDAT", "abc", 3);
        if (as_text)
            png_fixture_chunk(&png, "tEXt", text.data, (uint32_t)text.size);
        else
            png_fixture_chunk(&png, "eXIf", exif.data + 6, (uint32_t)exif.size - 6);
        for (size_t size = 0; size <= png.size; size++) {
            uint8_t *cut = malloc(size + (size == 0));

            memcpy(cut, png.data, size);
            assert_int_equal(
                png_read_exif_orientation(&(struct byte_source){.bytes = cut, .size = size}),
                size == png.size ? 8 : 1);
            free(cut);
        }
        buf_release(&png);
    }
    buf_release(&exif);
    buf_release(&text);
}

/* The orientations as the EXIF standard draws them. */
static void all_orientations(void **state)
{
    static const uint8_t stored[] = {1, 2, 3, 4, 5, 6}; /* 3 wide, 2 high */
    static const uint8_t displayed[9][6] = {
        [1] = {1, 2, 3, 4, 5, 6}, [2] = {3, 2, 1, 6, 5, 4}, [3] = {6, 5, 4, 3, 2, 1},
        [4] = {4, 5, 6, 1, 2, 3}, [5] = {1, 4, 2, 5, 3, 6}, [6] = {4, 1, 5, 2, 6, 3},
        [7] = {6, 3, 5, 2, 4, 1}, [8] = {3, 6, 2, 5, 1, 4},
    };
    uint8_t out[18];

    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        uint8_t rgb[18];

        orient_pixels(stored, 3, 2, 1, orientation, out);
        assert_memory_equal(out, displayed[orientation], 6);
        for (int i = 0; i < 18; i++)
            rgb[i] = (uint8_t)(stored[i / 3] * 10 + i % 3);
        orient_pixels(rgb, 3, 2, 3, orientation, out);
        for (int i = 0; i < 18; i++)
            assert_int_equal(out[i], displayed[orientation][i / 3] * 10 + i % 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exif_reads_all_orientations),
        cmocka_unit_test(truncated_exif_is_1_or_right),
        cmocka_unit_test(corrupt_exif_is_1),
        cmocka_unit_test(png_exif_is_found_in_chunk_and_text),
        cmocka_unit_test(all_orientations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
