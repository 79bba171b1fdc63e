/* SPDX-License-Identifier: MIT */
/* Parses the command line of mpthumb: see mpthumb_options.h. */
#include "mpthumb_options.h"

#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mppool.h"
#include "option_value.h"

#define SIDE_MAX_PX 65500 /* the limit of libjpeg */
#define BLUR_MAX_PX 1000

enum {
    OPTION_FILES_FROM = 256,
    OPTION_FLAT,
    OPTION_BESIDE,
    OPTION_SUFFIX,
    OPTION_NO_ORIENT,
    OPTION_EXACT,
    OPTION_FIT,
    OPTION_ENLARGE,
    OPTION_BACKGROUND,
    OPTION_PROGRESSIVE,
    OPTION_OPTIMIZE,
    OPTION_MAX_PIXELS,
    OPTION_ON_TRUNCATED,
    OPTION_READ_AHEAD,
    OPTION_JOURNAL,
    OPTION_NO_JOURNAL,
    OPTION_JOURNAL_SYNC,
    OPTION_JOBLOG,
    OPTION_RESUME,
    OPTION_RETRY_FAILED,
    OPTION_SKIP_EXISTING,
    OPTION_VERIFY,
    OPTION_TIMEOUT,
    OPTION_RETRIES,
    OPTION_MAX_FAILURES,
    OPTION_TIME_LIMIT,
    OPTION_SHARD,
    OPTION_QUIET,
    OPTION_DRY_RUN,
    OPTION_HELP,
    OPTION_VERSION,
};

static const char short_options[] = ":0o:s:b:f:q:j:v"; /* the colon: report missing values as ':' */

static const struct option long_options[] = {
    {"files-from", required_argument, NULL, OPTION_FILES_FROM},
    {"null", no_argument, NULL, '0'},
    {"output", required_argument, NULL, 'o'},
    {"flat", no_argument, NULL, OPTION_FLAT},
    {"beside", no_argument, NULL, OPTION_BESIDE},
    {"suffix", required_argument, NULL, OPTION_SUFFIX},
    {"size", required_argument, NULL, 's'},
    {"blur", required_argument, NULL, 'b'},
    {"no-orient", no_argument, NULL, OPTION_NO_ORIENT},
    {"exact", no_argument, NULL, OPTION_EXACT},
    {"fit", required_argument, NULL, OPTION_FIT},
    {"enlarge", no_argument, NULL, OPTION_ENLARGE},
    {"background", required_argument, NULL, OPTION_BACKGROUND},
    {"progressive", no_argument, NULL, OPTION_PROGRESSIVE},
    {"optimize", no_argument, NULL, OPTION_OPTIMIZE},
    {"max-pixels", required_argument, NULL, OPTION_MAX_PIXELS},
    {"on-truncated", required_argument, NULL, OPTION_ON_TRUNCATED},
    {"format", required_argument, NULL, 'f'},
    {"quality", required_argument, NULL, 'q'},
    {"workers", required_argument, NULL, 'j'},
    {"read-ahead", required_argument, NULL, OPTION_READ_AHEAD},
    {"journal", required_argument, NULL, OPTION_JOURNAL},
    {"no-journal", no_argument, NULL, OPTION_NO_JOURNAL},
    {"journal-sync", required_argument, NULL, OPTION_JOURNAL_SYNC},
    {"joblog", required_argument, NULL, OPTION_JOBLOG},
    {"resume", no_argument, NULL, OPTION_RESUME},
    {"retry-failed", no_argument, NULL, OPTION_RETRY_FAILED},
    {"skip-existing", no_argument, NULL, OPTION_SKIP_EXISTING},
    {"verify", no_argument, NULL, OPTION_VERIFY},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"retries", required_argument, NULL, OPTION_RETRIES},
    {"max-failures", required_argument, NULL, OPTION_MAX_FAILURES},
    {"time-limit", required_argument, NULL, OPTION_TIME_LIMIT},
    {"shard", required_argument, NULL, OPTION_SHARD},
    {"verbose", no_argument, NULL, 'v'},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {0},
};

static int parse_size(const char *text, struct thumbnail_options *image, struct mpp_error *error)
{
    const char *end;
    if (!option_value_digits(text, 1, SIDE_MAX_PX, &image->box_width_px, &end))
        goto invalid;
    image->box_height_px = image->box_width_px;
    if (*end == 'x' && !option_value_digits(end + 1, 1, SIDE_MAX_PX, &image->box_height_px, &end))
        goto invalid;
    if (*end == '\0')
        return 0;
invalid:
    return mpp_error_set(error, "--size takes N or WxH, each from 1 to %d, not '%.200s'",
                         SIDE_MAX_PX, text);
}

static int parse_blur(const char *text, double *sigma, struct mpp_error *error)
{
    char *end = NULL;
    bool plain = *text && strspn(text, "0123456789.eE+-") == strlen(text) && *text != '+';
    *sigma = plain ? strtod(text, &end) : -1;
    if (!plain || end == text || *end || !isfinite(*sigma) || signbit(*sigma) ||
        *sigma > BLUR_MAX_PX)
        return mpp_error_set(error, "--blur takes a number from 0 to %d, not '%.200s'", BLUR_MAX_PX,
                             text);
    return 0;
}

static int parse_format(const char *text, const struct image_codec **format,
                        struct mpp_error *error)
{
    char names[128];
    *format = image_codec_by_name(text);
    if (*format || strcmp(text, "same") == 0)
        return 0;
    return mpp_error_set(error, "--format takes %s, not '%.200s'",
                         image_codec_names("same", names, sizeof names), text);
}

static int parse_fit(const char *text, enum image_fit *fit, struct mpp_error *error)
{
    if (strcmp(text, "inside") == 0)
        *fit = IMAGE_INSIDE;
    else if (strcmp(text, "cover") == 0)
        *fit = IMAGE_COVER;
    else if (strcmp(text, "fill") == 0)
        *fit = IMAGE_FILL;
    else
        return mpp_error_set(error, "--fit takes inside, cover or fill, not '%.200s'", text);
    return 0;
}

/* "#rrggbb" or "rrggbb", "white", "black". */
static int parse_background(const char *text, uint8_t background[3], struct mpp_error *error)
{
    const char *digits = strcmp(text, "white") == 0   ? "ffffff"
                         : strcmp(text, "black") == 0 ? "000000"
                                                      : text + (*text == '#');
    if (strlen(digits) != 6 || strspn(digits, "0123456789abcdefABCDEF") != 6)
        return mpp_error_set(error, "--background takes RRGGBB, white or black, not '%.200s'",
                             text);
    unsigned long value = strtoul(digits, NULL, 16);
    for (int i = 0; i < 3; i++)
        background[i] = (uint8_t)(value >> (16 - 8 * i));
    return 0;
}

static int parse_max_pixels(const char *text, uint64_t *pixels, struct mpp_error *error)
{
    size_t digits = strspn(text, "0123456789");
    *pixels = digits && digits < 19 ? strtoull(text, NULL, 10) : 0;
    if (!*pixels || text[digits])
        return mpp_error_set(error, "--max-pixels takes a whole number of at least 1, not '%.200s'",
                             text);
    return 0;
}

static int parse_on_truncated(const char *text, bool *keep, struct mpp_error *error)
{
    *keep = strcmp(text, "keep") == 0;
    if (!*keep && strcmp(text, "fail") != 0)
        return mpp_error_set(error, "--on-truncated takes fail or keep, not '%.200s'", text);
    return 0;
}

/* A number of failures, or a percentage of the inputs finished. */
static int parse_max_failures(const char *text, struct mpthumb_options *options,
                              struct mpp_error *error)
{
    const char *end;
    int number;
    if (option_value_digits(text, 1, INT_MAX, &number, &end)) {
        if (*end == '\0') {
            options->failures_max = (uint64_t)number;
            return 0;
        }
        if (strcmp(end, "%") == 0 && number <= 100) {
            options->failures_max_percent = number;
            return 0;
        }
    }
    return mpp_error_set(
        error, "--max-failures takes N of at least 1, or N%% from 1%% to 100%%, not '%.200s'",
        text);
}

static int parse_journal_sync(const char *text, double *sync_s, struct mpp_error *error)
{
    if (option_value_seconds("--journal-sync", text, sync_s, error))
        return -1;
    return *sync_s < 0.1 ? mpp_error_set(error, "--journal-sync takes at least 0.1 seconds") : 0;
}

static int parse_time_limit(const char *text, double *limit_s, struct mpp_error *error)
{
    if (strcmp(text, "auto") != 0)
        return option_value_seconds("--time-limit", text, limit_s, error);
    *limit_s = TIME_LIMIT_AUTO;
    return 0;
}

static int parse_shard(const char *text, struct mpthumb_options *options, struct mpp_error *error)
{
    const char *end;
    if (option_value_digits(text, 1, INT_MAX, &options->shard, &end) && *end == '/' &&
        option_value_digits(end + 1, 1, INT_MAX, &options->shards, &end) && *end == '\0' &&
        options->shard <= options->shards)
        return 0;
    return mpp_error_set(error, "--shard takes I/N with I from 1 to N, not '%.200s'", text);
}

static int parse_text(const char *option, const char *text, const char **value,
                      struct mpp_error *error)
{
    if (!*text)
        return mpp_error_set(error, "%s takes a name that is not empty", option);
    *value = text;
    return 0;
}

static int parse_suffix(const char *text, const char **suffix, struct mpp_error *error)
{
    if (strchr(text, '/'))
        return mpp_error_set(error, "--suffix takes a text without '/', not '%.200s'", text);
    *suffix = text;
    return 0;
}

static int handle_option(int code, char **argv, struct mpthumb_options *options,
                         struct mpp_error *error)
{
    switch (code) {
    case OPTION_FILES_FROM:
        return parse_text("--files-from", optarg, &options->files_from, error);
    case '0':
        options->null = true;
        return 0;
    case 'o':
        return parse_text("--output", optarg, &options->output, error);
    case OPTION_FLAT:
        options->flat = true;
        return 0;
    case OPTION_BESIDE:
        options->beside = true;
        return 0;
    case OPTION_SUFFIX:
        return parse_suffix(optarg, &options->suffix, error);
    case 's':
        return parse_size(optarg, &options->image, error);
    case 'b':
        return parse_blur(optarg, &options->image.blur_sigma, error);
    case OPTION_NO_ORIENT:
        options->image.orient = false;
        return 0;
    case OPTION_EXACT:
        options->image.exact = true;
        return 0;
    case 'f':
        return parse_format(optarg, &options->image.format, error);
    case 'q':
        return option_value_count("--quality", optarg, 1, 100, &options->image.quality, error);
    case 'j':
        return option_value_count("--workers", optarg, 1, MPP_WORKERS_MAX, &options->workers,
                                  error);
    case OPTION_FIT:
        return parse_fit(optarg, &options->image.fit, error);
    case OPTION_ENLARGE:
        options->image.enlarge = true;
        return 0;
    case OPTION_BACKGROUND:
        return parse_background(optarg, options->image.background, error);
    case OPTION_PROGRESSIVE:
        options->image.progressive = true;
        return 0;
    case OPTION_OPTIMIZE:
        options->image.optimize = true;
        return 0;
    case OPTION_MAX_PIXELS:
        return parse_max_pixels(optarg, &options->image.max_pixels, error);
    case OPTION_ON_TRUNCATED:
        return parse_on_truncated(optarg, &options->image.keep_truncated, error);
    case OPTION_READ_AHEAD:
        return option_value_count("--read-ahead", optarg, 0, MPP_READ_AHEAD_MAX,
                                  &options->read_ahead, error);
    case OPTION_JOURNAL:
        return parse_text("--journal", optarg, &options->journal, error);
    case OPTION_NO_JOURNAL:
        options->no_journal = true;
        return 0;
    case OPTION_JOURNAL_SYNC:
        return parse_journal_sync(optarg, &options->journal_sync_s, error);
    case OPTION_JOBLOG:
        return parse_text("--joblog", optarg, &options->joblog, error);
    case OPTION_RESUME:
        options->resume = true;
        return 0;
    case OPTION_RETRY_FAILED:
        options->resume = options->retry_failed = true;
        return 0;
    case OPTION_SKIP_EXISTING:
        options->skip_existing = true;
        return 0;
    case OPTION_VERIFY:
        options->verify = true;
        return 0;
    case OPTION_TIMEOUT:
        return option_value_seconds("--timeout", optarg, &options->timeout_s, error);
    case OPTION_RETRIES:
        return option_value_count("--retries", optarg, 0, 1000, &options->retries, error);
    case OPTION_MAX_FAILURES:
        return parse_max_failures(optarg, options, error);
    case OPTION_TIME_LIMIT:
        return parse_time_limit(optarg, &options->time_limit_s, error);
    case OPTION_SHARD:
        return parse_shard(optarg, options, error);
    case 'v':
        options->verbose = true;
        return 0;
    case OPTION_QUIET:
        options->quiet = true;
        return 0;
    case OPTION_DRY_RUN:
        options->dry_run = true;
        return 0;
    case OPTION_HELP:
        options->help = true;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    default:
        return option_value_error(code, argv, long_options, error);
    }
}

/* Checks that the options fit together. */
static int check_combination(const struct mpthumb_options *options, struct mpp_error *error)
{
    if (options->beside && options->output)
        return mpp_error_set(error, "--beside and --output cannot be used together");
    if (options->beside && options->flat)
        return mpp_error_set(error, "--beside and --flat cannot be used together");
    if (options->beside && !*options->suffix)
        return mpp_error_set(error,
                             "--beside needs --suffix, otherwise thumbnails would replace images");
    if (options->verbose && options->quiet)
        return mpp_error_set(error, "--verbose and --quiet cannot be used together");
    if (options->null && !options->files_from)
        return mpp_error_set(error, "--null needs --files-from");
    if (options->no_journal && (options->journal || options->resume || options->verify))
        return mpp_error_set(error, "--no-journal cannot be used with --journal, --resume, "
                                    "--retry-failed or --verify");
    if (options->beside && (options->resume || options->verify) && !options->journal)
        return mpp_error_set(error, "with --beside there is no default journal; "
                                    "name one with --journal");
    if (options->skip_existing && options->verify)
        return mpp_error_set(error, "--skip-existing and --verify cannot be used together");
    if (!options->input_count && !options->files_from)
        return mpp_error_set(error, "no input: name files or directories, or give --files-from");
    return 0;
}

int mpthumb_options_parse(int argc, char **argv, struct mpthumb_options *options,
                          struct mpp_error *error)
{
    *options = (struct mpthumb_options){.suffix = "",
                                        .read_ahead = 16,
                                        .journal_sync_s = 5,
                                        .timeout_s = 300,
                                        .retries = 1,
                                        .image = {.box_width_px = 50,
                                                  .box_height_px = 50,
                                                  .blur_sigma = 2,
                                                  .quality = 75,
                                                  .background = {255, 255, 255},
                                                  .max_pixels = IMAGE_MAX_PIXELS,
                                                  .orient = true}};
    opterr = 0;
    optind = 0; /* makes glibc's getopt start again */
    for (int code; (code = getopt_long(argc, argv, short_options, long_options, NULL)) != -1;) {
        if (handle_option(code, argv, options, error))
            return -1;
        if (options->help || options->version)
            return 0;
    }
    options->inputs = argv + optind;
    options->input_count = (size_t)(argc - optind);
    if (check_combination(options, error))
        return -1;
    if (!options->beside && !options->output)
        options->output = "thumbs";
    return 0;
}
