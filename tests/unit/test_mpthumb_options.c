/* SPDX-License-Identifier: MIT */
/* mpthumb_options: command lines and the struct or the error message that they give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mpthumb_options.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define WORDS_MAX    12

/* Parses a copy of the words, because getopt reorders them. `words` ends with NULL. */
static int parse(const char *const *words, struct mpthumb_options *options, struct mpp_error *error)
{
    static char *argv[WORDS_MAX + 2];
    int argc = 1;
    argv[0] = "mpthumb";
    while (*words)
        argv[argc++] = (char *)*words++;
    argv[argc] = NULL;
    return mpthumb_options_parse(argc, argv, options, error);
}

#define PARSE(options, ...)                                                                        \
    assert_int_equal(parse((const char *const[]){__VA_ARGS__, NULL}, &(options), &error), 0)

static void test_defaults(void **state)
{
    (void)state;
    struct mpthumb_options options;
    struct mpp_error error;
    PARSE(options, "images");
    assert_int_equal(options.input_count, 1);
    assert_string_equal(options.inputs[0], "images");
    assert_string_equal(options.output, "thumbs");
    assert_string_equal(options.suffix, "");
    assert_null(options.files_from);
    assert_int_equal(options.image.box_width_px, 50);
    assert_int_equal(options.image.box_height_px, 50);
    assert_true(options.image.blur_sigma == 2);
    assert_null(options.image.format);
    assert_int_equal(options.image.quality, 75);
    assert_true(options.image.orient);
    assert_int_equal(options.workers, 0);
    assert_false(options.flat || options.beside || options.verbose || options.quiet ||
                 options.dry_run || options.null || options.help || options.version);
}

static void test_all_options_given(void **state)
{
    (void)state;
    struct mpthumb_options options;
    struct mpp_error error;
    PARSE(options, "a.jpg", "-vs128x64", "-b", "0.5", "-fpng", "-q1", "-j1024", "-o", "out", "--",
          "-v.jpg");
    assert_int_equal(options.input_count, 2);
    assert_string_equal(options.inputs[0], "a.jpg");
    assert_string_equal(options.inputs[1], "-v.jpg");
    assert_int_equal(options.image.box_width_px, 128);
    assert_int_equal(options.image.box_height_px, 64);
    assert_true(options.image.blur_sigma == 0.5);
    assert_ptr_equal(options.image.format, &image_codec_png);
    assert_int_equal(options.image.quality, 1);
    assert_int_equal(options.workers, 1024);
    assert_string_equal(options.output, "out");
    assert_true(options.verbose);

    PARSE(options, "-0", "--files-from", "-", "--flat", "--suffix", "_t", "--no-orient",
          "--dry-run", "--quiet");
    assert_string_equal(options.files_from, "-");
    assert_true(options.null && options.flat && options.quiet && options.dry_run);
    assert_false(options.image.orient);
    assert_int_equal(options.input_count, 0);

    PARSE(options, "--beside", "--suffix=_thumbnail", "--format=jpeg", "--size=65500", "a");
    assert_true(options.beside);
    assert_null(options.output);
    assert_ptr_equal(options.image.format, &image_codec_jpeg);
    assert_int_equal(options.image.box_height_px, 65500);
}

static void test_help_and_version_need_nothing_else(void **state)
{
    (void)state;
    struct mpthumb_options options;
    struct mpp_error error;
    PARSE(options, "--help");
    assert_true(options.help);
    PARSE(options, "--version", "--frob");
    assert_true(options.version);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *words[6], *message;
    } cases[] = {
        {{NULL}, "no input: name files or directories, or give --files-from"},
        {{"--frob", "a"}, "unknown option '--frob'"},
        {{"--s", "1", "a"}, "ambiguous option '--s': write its full name"},
        {{"-Z", "a"}, "unknown option '-Z'"},
        {{"-vZ", "a"}, "unknown option '-Z'"},
        {{"a", "-o"}, "option '-o' needs a value"},
        {{"a", "--suffix"}, "option '--suffix' needs a value"},
        {{"--flat=1", "a"}, "option '--flat=1' takes no value"},
        {{"-s", "0", "a"}, "--size takes N or WxH, each from 1 to 65500, not '0'"},
        {{"-s", "65501", "a"}, "--size takes N or WxH, each from 1 to 65500, not '65501'"},
        {{"-s", "9x0", "a"}, "--size takes N or WxH, each from 1 to 65500, not '9x0'"},
        {{"-s", "9x", "a"}, "--size takes N or WxH, each from 1 to 65500, not '9x'"},
        {{"-s", "9x9x9", "a"}, "--size takes N or WxH, each from 1 to 65500, not '9x9x9'"},
        {{"-s", " 9", "a"}, "--size takes N or WxH, each from 1 to 65500, not ' 9'"},
        {{"-s", "+9", "a"}, "--size takes N or WxH, each from 1 to 65500, not '+9'"},
        {{"-s", "9 ", "a"}, "--size takes N or WxH, each from 1 to 65500, not '9 '"},
        {{"-b", "-1", "a"}, "--blur takes a number from 0 to 1000, not '-1'"},
        {{"-b", "nan", "a"}, "--blur takes a number from 0 to 1000, not 'nan'"},
        {{"-b", "inf", "a"}, "--blur takes a number from 0 to 1000, not 'inf'"},
        {{"-b", "0x2", "a"}, "--blur takes a number from 0 to 1000, not '0x2'"},
        {{"-b", "1000.1", "a"}, "--blur takes a number from 0 to 1000, not '1000.1'"},
        {{"-b", "1e999", "a"}, "--blur takes a number from 0 to 1000, not '1e999'"},
        {{"-b", "2-", "a"}, "--blur takes a number from 0 to 1000, not '2-'"},
        {{"-b", "", "a"}, "--blur takes a number from 0 to 1000, not ''"},
        {{"-q", "0", "a"}, "--quality takes a whole number from 1 to 100, not '0'"},
        {{"-q", "101", "a"}, "--quality takes a whole number from 1 to 100, not '101'"},
        {{"-q", "7.5", "a"}, "--quality takes a whole number from 1 to 100, not '7.5'"},
        {{"-j", "0", "a"}, "--workers takes a whole number from 1 to 1024, not '0'"},
        {{"-j", "1025", "a"}, "--workers takes a whole number from 1 to 1024, not '1025'"},
        {{"-f", "gif", "a"}, "--format takes same, jpeg or png, not 'gif'"},
        {{"-o", "", "a"}, "--output takes a name that is not empty"},
        {{"--files-from", ""}, "--files-from takes a name that is not empty"},
        {{"--suffix", "a/b", "a"}, "--suffix takes a text without '/', not 'a/b'"},
        {{"--beside", "a"}, "--beside needs --suffix, otherwise thumbnails would replace images"},
        {{"--beside", "--suffix", "", "a"},
         "--beside needs --suffix, otherwise thumbnails would replace images"},
        {{"--beside", "--suffix=_t", "-o", "d", "a"},
         "--beside and --output cannot be used together"},
        {{"--beside", "--suffix=_t", "--flat", "a"}, "--beside and --flat cannot be used together"},
        {{"-v", "--quiet", "a"}, "--verbose and --quiet cannot be used together"},
        {{"-0", "a"}, "--null needs --files-from"},
        {{"--timeout", "1e300", "a"},
         "--timeout takes seconds as a decimal number, such as 90 or 0.5, not '1e300'"},
        {{"--time-limit", "1e-9", "a"},
         "--time-limit takes seconds as a decimal number, such as 90 or 0.5, not '1e-9'"},
        {{"--journal-sync", "-1", "a"},
         "--journal-sync takes seconds as a decimal number, such as 90 or 0.5, not '-1'"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpthumb_options options;
        struct mpp_error error = {""};
        assert_int_equal(parse(cases[i].words, &options, &error), -1);
        assert_string_equal(error.text, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_options_given),
        cmocka_unit_test(test_help_and_version_need_nothing_else),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
