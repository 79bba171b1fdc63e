/* SPDX-License-Identifier: MIT */
/*
 * test_geometry: thumbnail sizes are those of Pillow in a table, and regions, reductions and
 * decoding scales follow their rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "geometry.h"

static void fit_equals_the_table(void **state)
{
    static const struct {
        struct geometry_size source;
        struct geometry_size box;
        struct geometry_size thumbnail;
    } rows[] = {
#include "geometry_table.h"
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct geometry_size got = geometry_fit(rows[i].source, rows[i].box, false);

        if (got.width_px != rows[i].thumbnail.width_px ||
            got.height_px != rows[i].thumbnail.height_px)
            fail_msg("%d x %d into %d x %d: %d x %d, not %d x %d", rows[i].source.width_px,
                     rows[i].source.height_px, rows[i].box.width_px, rows[i].box.height_px,
                     got.width_px, got.height_px, rows[i].thumbnail.width_px,
                     rows[i].thumbnail.height_px);
    }
}

static void fit_neither_enlarges_nor_exceeds_the_box(void **state)
{
    (void)state;
    for (int width = 1; width < 200; width += 3) {
        for (int height = 1; height < 200; height += 7) {
            struct geometry_size got = geometry_fit((struct geometry_size){width, height},
                                                    (struct geometry_size){50, 40}, false);

            assert_in_range(got.width_px, 1, width < 50 ? width : 50);
            assert_in_range(got.height_px, 1, height < 40 ? height : 40);
        }
    }
}

static void check_plan(struct geometry_plan got, struct geometry_size region, int left, int top,
                       struct geometry_size thumbnail)
{
    assert_int_equal(got.region.width_px, region.width_px);
    assert_int_equal(got.region.height_px, region.height_px);
    assert_int_equal(got.left_px, left);
    assert_int_equal(got.top_px, top);
    assert_int_equal(got.thumbnail.width_px, thumbnail.width_px);
    assert_int_equal(got.thumbnail.height_px, thumbnail.height_px);
}

#define SIZE(width, height) ((struct geometry_size){width, height})

static void each_mode_has_its_region_and_size(void **state)
{
    (void)state;
    check_plan(geometry_plan(SIZE(400, 300), SIZE(50, 50), GEOMETRY_INSIDE, false), SIZE(400, 300),
               0, 0, SIZE(50, 38));
    check_plan(geometry_plan(SIZE(40, 30), SIZE(50, 50), GEOMETRY_INSIDE, false), SIZE(40, 30), 0,
               0, SIZE(40, 30));
    check_plan(geometry_plan(SIZE(40, 30), SIZE(50, 50), GEOMETRY_INSIDE, true), SIZE(40, 30), 0, 0,
               SIZE(50, 38));
    check_plan(geometry_plan(SIZE(400, 300), SIZE(50, 50), GEOMETRY_COVER, false), SIZE(300, 300),
               50, 0, SIZE(50, 50));
    check_plan(geometry_plan(SIZE(300, 401), SIZE(100, 50), GEOMETRY_COVER, false), SIZE(300, 150),
               0, 125, SIZE(100, 50));
    check_plan(geometry_plan(SIZE(40, 30), SIZE(50, 50), GEOMETRY_COVER, false), SIZE(30, 30), 5, 0,
               SIZE(30, 30));
    check_plan(geometry_plan(SIZE(40, 30), SIZE(50, 50), GEOMETRY_COVER, true), SIZE(30, 30), 5, 0,
               SIZE(50, 50));
    check_plan(geometry_plan(SIZE(400, 30), SIZE(50, 50), GEOMETRY_FILL, false), SIZE(400, 30), 0,
               0, SIZE(50, 30));
    check_plan(geometry_plan(SIZE(400, 30), SIZE(50, 50), GEOMETRY_FILL, true), SIZE(400, 30), 0, 0,
               SIZE(50, 50));
    check_plan(geometry_plan(SIZE(1, 65500), SIZE(50, 50), GEOMETRY_COVER, false), SIZE(1, 1), 0,
               32749, SIZE(1, 1));
    check_plan(geometry_plan(SIZE(65500, 1), SIZE(50, 1), GEOMETRY_COVER, false), SIZE(50, 1),
               32725, 0, SIZE(50, 1));
}

static void reduction_leaves_a_factor_of_two_to_the_filter(void **state)
{
    static const struct {
        int source_px, thumbnail_px, reduction;
    } rows[] = {
        {50, 50, 1},  {99, 50, 1},       {199, 50, 1},   {200, 50, 2},    {299, 50, 2},
        {300, 50, 3}, {4000, 50, 40},    {4099, 50, 40}, {3, 1, 1},       {4, 1, 2},
        {1, 1, 1},    {65500, 1, 32750}, {500, 128, 1},  {5472, 128, 21},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(geometry_reduction(rows[i].source_px, rows[i].thumbnail_px),
                         rows[i].reduction);
}

static void scale_follows_the_filter_width(void **state)
{
    static const struct {
        struct geometry_size source;
        struct geometry_size thumbnail;
        double sigma;
        int eighths;
    } rows[] = {
        {{50, 50}, {50, 50}, 0, 8},      {{500, 375}, {500, 375}, 2, 4},
        {{500, 375}, {50, 38}, 2, 2},    {{500, 375}, {50, 38}, 0, 2},
        {{500, 375}, {128, 96}, 0, 8},   {{4000, 3000}, {50, 38}, 2, 1},
        {{4000, 3000}, {128, 96}, 0, 1}, {{500, 375}, {500, 375}, 10, 1},
        {{1000, 2}, {50, 1}, 0, 8}, /* the side that shrinks least decides */
        {{2, 1000}, {1, 50}, 0, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(geometry_decode_scale(rows[i].source, rows[i].thumbnail, rows[i].sigma),
                         rows[i].eighths);
}

static void orientations_5_to_8_swap_sides(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++)
        assert_int_equal(geometry_swaps_sides(orientation), orientation >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_equals_the_table),
        cmocka_unit_test(fit_neither_enlarges_nor_exceeds_the_box),
        cmocka_unit_test(each_mode_has_its_region_and_size),
        cmocka_unit_test(reduction_leaves_a_factor_of_two_to_the_filter),
        cmocka_unit_test(scale_follows_the_filter_width),
        cmocka_unit_test(orientations_5_to_8_swap_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
