/* SPDX-License-Identifier: MIT */
/* thumbnail_settings: command lines of a program that runs only the thumbnail job, and the settings
 * or the message that they give. The codec table has one more row, the PPM codec of codec_ppm.c. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command_line.h"
#include "jobs.h"
#include "option_table.h"
#include "thumbnail_settings.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

extern const struct image_codec image_codec_ppm;

static const struct mpb_job *const jobs[] = {&thumbnail_job, NULL};
static struct command_line command;
static const struct thumbnail_settings *settings;

/* Parses a copy of the words, because getopt reorders them. `words` ends with NULL. */
static enum command_status parse(const char *const *words, struct mpp_error *error)
{
    static char *argv[24];
    int argc = 1;
    argv[0] = "mpthumb";
    while (*words)
        argv[argc++] = (char *)*words++;
    argv[argc] = NULL;
    command_line_release(&command);
    enum command_status status = command_line_parse(argc, argv, jobs, &command, error);
    settings = command.settings;
    return status;
}

static void parse_text(enum command_status wanted, const char *const *words)
{
    struct mpp_error error = {""};
    if (parse(words, &error) != wanted)
        fail_msg("%s: %s", words[0], error.text);
}

#define PARSE(...) parse_text(COMMAND_RUN, (const char *const[]){__VA_ARGS__, NULL})

static int release(void **state)
{
    (void)state;
    command_line_release(&command);
    command = (struct command_line){0};
    return 0;
}

static void defaults_of_the_job_and_of_the_engine(void **state)
{
    (void)state;
    PARSE("images");
    const struct run_options *options = &command.options;
    assert_ptr_equal(command.job, &thumbnail_job);
    assert_int_equal(options->run.input_count, 1);
    assert_string_equal(options->run.inputs[0], "images");
    assert_string_equal(options->run.output, "thumbs");
    assert_null(options->run.files_from);
    assert_false(options->run.writes_beside_inputs || options->run.dry_run || options->run.verify ||
                 options->run.resume || options->run.skip_existing || options->run.verbose);
    assert_int_equal(options->workers, 0);
    assert_int_equal(options->max_workers, 0);
    assert_int_equal(options->read_ahead, 16);
    assert_int_equal(options->retries, 1);
    assert_int_equal(options->max_tasks_per_worker, 0);
    assert_true(options->timeout_s == 300 && options->journal_sync_s == 5 &&
                options->time_limit_s == 0);
    assert_true(options->memory_limit_bytes == 0 && options->chunk == 0 && options->count == 0);
    assert_true(options->shard.count == 0 && options->failures.count == 0 &&
                options->failures.percent == 0 && !options->include.count);
    assert_false(options->null || options->quiet || options->help || options->version ||
                 options->in_process || options->no_journal || options->retry_failed ||
                 options->keep_spool);
    assert_null(options->journal);
    assert_null(options->run_directory);
    assert_null(options->joblog);

    const struct thumbnail_options *image = &settings->image;
    assert_string_equal(settings->suffix, "");
    assert_false(settings->flat || settings->beside || image->enlarge || image->progressive ||
                 image->optimize || image->keep_truncated || image->exact);
    assert_int_equal(image->box_width_px, 50);
    assert_int_equal(image->box_height_px, 50);
    assert_int_equal(image->fit, IMAGE_INSIDE);
    assert_true(image->blur_sigma == 2);
    assert_null(image->format);
    assert_int_equal(image->quality, 75);
    assert_memory_equal(image->background, "\xff\xff\xff", 3);
    assert_true(image->max_pixels == IMAGE_MAX_PIXELS);
    assert_true(image->orient);
}

static void all_options_of_the_job(void **state)
{
    (void)state;
    PARSE("a.jpg", "-vs128x64", "-b", "0.5", "-fpng", "-q1", "-j1024", "-o", "out", "--", "-v.jpg");
    assert_int_equal(command.options.run.input_count, 2);
    assert_string_equal(command.options.run.inputs[0], "a.jpg");
    assert_string_equal(command.options.run.inputs[1], "-v.jpg");
    assert_int_equal(settings->image.box_width_px, 128);
    assert_int_equal(settings->image.box_height_px, 64);
    assert_true(settings->image.blur_sigma == 0.5);
    assert_ptr_equal(settings->image.format, &image_codec_png);
    assert_int_equal(settings->image.quality, 1);
    assert_int_equal(command.options.workers, 1024);
    assert_string_equal(command.options.run.output, "out");
    assert_true(command.options.run.verbose);

    PARSE("-0", "--files-from", "-", "--flat", "--suffix", "_t", "--no-orient", "--dry-run",
          "--quiet");
    assert_string_equal(command.options.run.files_from, "-");
    assert_string_equal(settings->suffix, "_t");
    assert_true(command.options.null && settings->flat && command.options.quiet &&
                command.options.run.dry_run);
    assert_false(settings->image.orient);
    assert_int_equal(command.options.run.input_count, 0);

    PARSE("--beside", "--suffix=_thumbnail", "--format=jpeg", "--size=65500", "a");
    assert_true(settings->beside && command.options.run.writes_beside_inputs);
    assert_null(command.options.run.output);
    assert_ptr_equal(settings->image.format, &image_codec_jpeg);
    assert_int_equal(settings->image.box_height_px, 65500);

    PARSE("--fit=cover", "--on-truncated=keep", "--enlarge", "--progressive", "--optimize",
          "--exact", "--background", "#10aBff", "--max-pixels", "1", "--blur=0", "--format=ppm",
          "--timeout", "0.5", "a");
    assert_int_equal(settings->image.fit, IMAGE_COVER);
    assert_true(settings->image.keep_truncated && settings->image.enlarge &&
                settings->image.progressive && settings->image.optimize && settings->image.exact);
    assert_memory_equal(settings->image.background, "\x10\xab\xff", 3);
    assert_true(settings->image.max_pixels == 1 && settings->image.blur_sigma == 0);
    assert_ptr_equal(settings->image.format, &image_codec_ppm);
    assert_true(command.options.timeout_s == 0.5);

    PARSE("--format=png", "--format=same", "--background=black", "--fit=fill", "a");
    assert_null(settings->image.format);
    assert_memory_equal(settings->image.background, "\0\0\0", 3);
    assert_int_equal(settings->image.fit, IMAGE_FILL);
}

static void wrong_command_lines_are_explained(void **state)
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
        {{"-s", "x9", "a"}, "--size takes N or WxH, each from 1 to 65500, not 'x9'"},
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
        {{"-f", "gif", "a"}, "--format takes same, jpeg, png or ppm, not 'gif'"},
        {{"-f", "", "a"}, "--format takes same, jpeg, png or ppm, not ''"},
        {{"--fit=x", "a"}, "--fit takes inside, cover or fill, not 'x'"},
        {{"--on-truncated=x", "a"}, "--on-truncated takes fail or keep, not 'x'"},
        {{"--max-pixels=0", "a"}, "--max-pixels takes a whole number of at least 1, not '0'"},
        {{"--background", "#12345", "a"},
         "--background takes RRGGBB, white or black, not '#12345'"},
        {{"--background", "0x1234", "a"},
         "--background takes RRGGBB, white or black, not '0x1234'"},
        {{"--background", "##12345", "a"},
         "--background takes RRGGBB, white or black, not '##12345'"},
        {{"-o", "", "a"}, "--output takes a name that is not empty"},
        {{"--files-from", ""}, "--files-from takes a name that is not empty"},
        {{"--suffix", "a/b", "a"}, "--suffix takes a text without '/', not 'a/b'"},
        {{"--beside", "a"}, "--beside needs --suffix, otherwise thumbnails would replace images"},
        {{"--beside", "--suffix", "", "a"},
         "--beside needs --suffix, otherwise thumbnails would replace images"},
        {{"--beside", "--suffix=_t", "-o", "d", "a"},
         "--beside and --output cannot be used together"},
        {{"--beside", "--suffix=_t", "-o", "thumbs", "a"}, /* the default, but given */
         "--beside and --output cannot be used together"},
        {{"--beside", "--suffix=_t", "--flat", "a"}, "--beside and --flat cannot be used together"},
        {{"-v", "--quiet", "a"}, "--verbose and --quiet cannot be used together"},
        {{"-0", "a"}, "--null needs --files-from"},
        {{"--timeout", "1e300", "a"},
         "--timeout takes seconds as a decimal number, such as 90 or 0.5, not '1e300'"},
        {{"--time-limit", "1e-9", "a"},
         "--time-limit takes seconds as a decimal number, such as 90 or 0.5, or auto, not '1e-9'"},
        {{"--journal-sync", "-1", "a"},
         "--journal-sync takes seconds as a decimal number, such as 90 or 0.5, not '-1'"},
        {{"--count", "3"}, "--count means nothing for 'thumbnail': its inputs are files"},
        {{"--keep-spool", "a"},
         "--keep-spool means nothing for 'thumbnail': it has no results to collect"},
        {{"--spool-dir=s", "a"},
         "--spool-dir means nothing for 'thumbnail': it has no results to collect"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpp_error error = {""};
        assert_int_equal(parse(cases[i].words, &error), COMMAND_WRONG);
        assert_string_equal(error.text, cases[i].message);
    }
}

/* The journal stores these texts, and --resume compares them: two command lines that mean the same
 * give the same text, which is itself a value of the option. */
static void deciding_values_as_text(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *text;
    } cases[] = {
        {"flat", NULL, "yes"},
        {"beside", NULL, "yes"},
        {"suffix", "", ""},
        {"suffix", "_t 1", "_t 1"},
        {"format", "same", "same"},
        {"format", "jpg", "jpeg"},
        {"format", "ppm", "ppm"},
        {"quality", "075", "75"},
        {"progressive", NULL, "yes"},
        {"optimize", NULL, "yes"},
        {"background", "#FFffFF", "ffffff"},
        {"background", "white", "ffffff"},
        {"background", "black", "000000"},
        {"background", "01020a", "01020a"},
        {"size", "50", "50x50"},
        {"size", "7x65500", "7x65500"},
        {"fit", "inside", "inside"},
        {"fit", "fill", "fill"},
        {"enlarge", NULL, "yes"},
        {"blur", "2.0", "2"},
        {"blur", "1e-5", "1.0000000000000001e-05"},
        {"blur", "0.1", "0.10000000000000001"},
        {"no-orient", NULL, "yes"},
        {"exact", NULL, "yes"},
        {"max-pixels", "18446744073709551615", "18446744073709551615"},
        {"on-truncated", "keep", "keep"},
    };
    size_t found = 0;
    for (const struct mpb_option *option = thumbnail_option_table; option->name; option++) {
        struct thumbnail_settings values;
        const struct option_table table = {thumbnail_option_table, &values};
        size_t before = found;
        assert_true(option->decides);
        for (size_t i = 0; i < COUNT(cases); i++) {
            char text[OPTION_VALUE_SIZE], again[OPTION_VALUE_SIZE];
            struct mpp_error error = {""};
            if (strcmp(cases[i].name, option->name) != 0)
                continue;
            memset(&values, 0, sizeof values);
            assert_int_equal(option_table_set(&table, option, cases[i].value, &error), 0);
            option_table_format(&table, option, text);
            assert_string_equal(text, cases[i].text);
            memset(&values, 0, sizeof values);
            assert_int_equal(option_table_set(&table, option, text, &error), 0);
            option_table_format(&table, option, again);
            assert_string_equal(again, text);
            found++;
        }
        if (found == before)
            fail_msg("no case for --%s", option->name);
    }
    assert_int_equal(found, COUNT(cases));
}

static void help_names_all_formats_and_is_complete(void **state)
{
    (void)state;
    const char *last = "75 stopped early, run again with --resume to continue.\n";
    parse_text(COMMAND_TEXT, (const char *const[]){"--help", NULL});
    buf_put_u8(&command.text, '\0');
    const char *help = (const char *)command.text.data;
    assert_non_null(strstr(help, "Usage: mpthumb [OPTION]... INPUT...\n"));
    assert_non_null(strstr(help, "jpeg, png, ppm, or same: that of the source (default: same)\n"));
    assert_non_null(strstr(help, "--output DIR        output directory (default: thumbs)\n"));
    assert_non_null(strstr(help, "a task that takes longer fails; 0: no limit (default: 300)\n"));
    assert_non_null(strstr(help, "  --max-failures N|N%"));
    assert_null(strstr(help, "%%"));
    assert_string_equal(help + strlen(help) - strlen(last), last);
    parse_text(COMMAND_TEXT, (const char *const[]){"--version", "--frob", NULL});
}

int main(void)
{
    program_invocation_short_name = "mpthumb";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(defaults_of_the_job_and_of_the_engine, release),
        cmocka_unit_test_teardown(all_options_of_the_job, release),
        cmocka_unit_test_teardown(wrong_command_lines_are_explained, release),
        cmocka_unit_test_teardown(deciding_values_as_text, release),
        cmocka_unit_test_teardown(help_names_all_formats_and_is_complete, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
