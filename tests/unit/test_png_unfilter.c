/* SPDX-License-Identifier: MIT */
/*
 * test_png_unfilter: compares the functions that undo the row filters of a PNG with the formulas of
 * the specification, applied byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "png_unfilter.h"

enum { SIZE_MAX_BYTES = 240 };

static int paeth(int a, int b, int c)
{
    int p = a + b - c, pa = abs(p - a), pb = abs(p - b), pc = abs(p - c);
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

static void unfilter_by_formula(int filter, uint8_t *row, const uint8_t *above, size_t size,
                                int pixel_bytes)
{
    for (size_t i = 0; i < size; i++) {
        int a = i >= (size_t)pixel_bytes ? row[i - (size_t)pixel_bytes] : 0;
        int c = i >= (size_t)pixel_bytes ? above[i - (size_t)pixel_bytes] : 0;
        int b = above[i];
        const int guesses[] = {0, a, b, (a + b) / 2, paeth(a, b, c)};
        row[i] = (uint8_t)(row[i] + guesses[filter]);
    }
}

static uint64_t random_state = 1;

static uint8_t random_byte(int round)
{
    static const uint8_t extremes[] = {0, 255, 1, 254, 127, 128};
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    uint8_t byte = (uint8_t)(random_state >> 56);
    return round % 2 ? byte : extremes[byte % sizeof extremes];
}

static void test_all_filters(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++)
        for (int filter = 0; filter <= 4; filter++)
            for (int pixel_bytes = 1; pixel_bytes <= 4; pixel_bytes++) {
                size_t size = (size_t)(1 + round % 60) * (size_t)pixel_bytes;
                uint8_t row[SIZE_MAX_BYTES + PNG_UNFILTER_SLACK], wanted[SIZE_MAX_BYTES];
                uint8_t above[SIZE_MAX_BYTES + PNG_UNFILTER_SLACK];
                for (size_t i = 0; i < sizeof row; i++) {
                    row[i] = random_byte(round);
                    above[i] = random_byte(round);
                }
                uint8_t slack[PNG_UNFILTER_SLACK];
                memcpy(slack, row + size, sizeof slack);
                memcpy(wanted, row, size);
                unfilter_by_formula(filter, wanted, above, size, pixel_bytes);
                assert_true(png_unfilter(filter, row, above, size, pixel_bytes));
                assert_memory_equal(row, wanted, size);
                assert_memory_equal(row + size, slack, sizeof slack);
            }
}

static void test_two_rows(void **state)
{
    (void)state;
    static const int widths[] = {1, 2, 3, 4, 6, 8};
    for (int round = 0; round < 200; round++)
        for (int filters = 0; filters < 25; filters++)
            for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
                size_t size = (size_t)(1 + round % 30) * (size_t)widths[i];
                uint8_t above[SIZE_MAX_BYTES + PNG_UNFILTER_SLACK];
                uint8_t rows[2 * (SIZE_MAX_BYTES + 1) + PNG_UNFILTER_SLACK], wanted[sizeof rows];
                for (size_t j = 0; j < sizeof rows; j++)
                    rows[j] = random_byte(round);
                for (size_t j = 0; j < sizeof above; j++)
                    above[j] = random_byte(round);
                uint8_t *row = rows + 1, *next = row + size + 1;
                row[-1] = (uint8_t)(filters / 5);
                next[-1] = (uint8_t)(filters % 5);
                memcpy(wanted, rows, sizeof rows);
                unfilter_by_formula(filters / 5, wanted + 1, above, size, widths[i]);
                unfilter_by_formula(filters % 5, wanted + 2 + size, wanted + 1, size, widths[i]);
                assert_true(png_unfilter_two(row, next, above, size, widths[i]));
                assert_memory_equal(rows, wanted, sizeof rows);
            }
}

static void test_unknown_filter(void **state)
{
    (void)state;
    uint8_t row[4 + PNG_UNFILTER_SLACK] = {0}, above[4 + PNG_UNFILTER_SLACK] = {0};
    assert_false(png_unfilter(5, row, above, 4, 4));
    assert_false(png_unfilter(255, row, above, 4, 4));
    uint8_t rows[10 + PNG_UNFILTER_SLACK] = {4, 0, 0, 0, 0, 5};
    assert_false(png_unfilter_two(rows + 1, rows + 6, above, 4, 4));
    rows[0] = 5, rows[5] = 4;
    assert_false(png_unfilter_two(rows + 1, rows + 6, above, 4, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_filters),
                                       cmocka_unit_test(test_two_rows),
                                       cmocka_unit_test(test_unknown_filter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
