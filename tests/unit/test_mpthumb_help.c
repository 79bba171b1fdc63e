/* SPDX-License-Identifier: MIT */
/* mpthumb_help: --help names every image format of the codec table, here with one more row, the PPM
 * codec of codec_ppm.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mpthumb_help.h"

static void help_names_all_formats(void **state)
{
    (void)state;
    assert_non_null(strstr(mpthumb_help_text(), "each JPEG, PNG or PPM file"));
    assert_non_null(strstr(mpthumb_help_text(), "same, jpeg, png or ppm"));
}

/* The text contains percent signs, and its last line must not be cut off. */
static void help_is_complete(void **state)
{
    (void)state;
    const char *help = mpthumb_help_text();
    const char *last = "75 stopped early, run again with --resume to continue.\n";
    assert_non_null(strstr(help, "--max-failures N|N% stop early after N failures, or when N% of"));
    assert_null(strstr(help, "%%"));
    assert_string_equal(help + strlen(help) - strlen(last), last);
    assert_string_equal(mpthumb_help_text(), help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_names_all_formats),
        cmocka_unit_test(help_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
