/* SPDX-License-Identifier: MIT */
/* test_color: CMYK becomes RGB, and alpha is multiplied, divided and flattened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "color.h"

static void cmyk_becomes_rgb(void **state)
{
    static const struct {
        uint8_t cmyk[4];
        uint8_t rgb[3];
    } rows[] = {
        {{0, 0, 0, 0}, {255, 255, 255}},   {{0, 0, 0, 255}, {0, 0, 0}},
        {{255, 0, 0, 0}, {0, 255, 255}},   {{0, 255, 0, 0}, {255, 0, 255}},
        {{0, 0, 255, 128}, {127, 127, 0}}, {{100, 150, 200, 50}, {125, 84, 44}},
        {{255, 255, 255, 255}, {0, 0, 0}}, {{10, 20, 30, 40}, {207, 198, 190}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t inverted[4];
        uint8_t rgb[3];

        color_cmyk_to_rgb(rows[i].cmyk, 1, false, rgb);
        assert_memory_equal(rgb, rows[i].rgb, 3);
        for (int c = 0; c < 4; c++)
            inverted[c] = (uint8_t)(255 - rows[i].cmyk[c]);
        color_cmyk_to_rgb(inverted, 1, true, rgb);
        assert_memory_equal(rgb, rows[i].rgb, 3);
    }
}

static void alpha_is_multiplied_and_divided(void **state)
{
    (void)state;
    for (int alpha = 0; alpha < 256; alpha++) {
        for (int value = 0; value < 256; value++) {
            uint8_t pixel[4] = {(uint8_t)value, 0, 255, (uint8_t)alpha};
            uint8_t flat[4];

            color_premultiply(pixel, 1, 4);
            assert_int_equal(pixel[0], (value * alpha * 2 + 255) / 510);
            assert_int_equal(pixel[2], alpha);
            memcpy(flat, pixel, 4);
            color_flatten(flat, 1, 4, (const uint8_t[3]){255, 255, 255});
            assert_int_equal(flat[0], pixel[0] + 255 - alpha);
            assert_int_equal(flat[2], 255);
            color_unpremultiply(pixel, 1, 4);
            if (alpha > 0)
                assert_in_range(abs(pixel[0] - value), 0, 128 / alpha + 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cmyk_becomes_rgb),
        cmocka_unit_test(alpha_is_multiplied_and_divided),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
