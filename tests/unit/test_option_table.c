/* SPDX-License-Identifier: MIT */
/* option_table: command lines over two small tables; the values, messages and help they give. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "option_table.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define WORDS_MAX    12

struct engine_values {
    bool verbose, quiet, help;
    int workers, retries;
    double timeout_s, sync_s;
    size_t memory_bytes;
    const char *output, *journal;
};

struct picture_values {
    bool flat;
    double blur, shift;
    int offset, any, fit, on_truncated;
    uint64_t max_pixels, seed;
    const char *label;
    struct pair {
        int left, right;
    } pair;
    int marks;
};

static int parse_pair(const char *text, void *member, struct mpp_error *error)
{
    struct pair *pair = member;
    char end;
    if (sscanf(text, "%d/%d%c", &pair->left, &pair->right, &end) != 2)
        return mpp_error_set(error, "--pair takes I/N, not '%.200s'", text);
    return 0;
}

static void format_pair(const void *member, char *text, size_t size)
{
    const struct pair *pair = member;
    snprintf(text, size, "%d/%d", pair->left, pair->right);
}

/* An option without a value that counts how often it is given. */
static int parse_mark(const char *text, void *member, struct mpp_error *error)
{
    (void)error;
    assert_null(text);
    ++*(int *)member;
    return 0;
}

#define IN_ENGINE(member)  .offset = offsetof(struct engine_values, member)
#define IN_PICTURE(member) .offset = offsetof(struct picture_values, member)

static const char *const fits[] = {"inside", "cover", "fill", NULL};
static const char *const truncated[] = {"fail", "keep", NULL};

static const struct mpb_option engine_options[] = {
    {.name = "output",
     .letter = 'o',
     .type = MPB_TEXT,
     .argument = "DIR",
     .initial = "thumbs",
     .help = "output directory",
     .group = "Outputs",
     IN_ENGINE(output)},
    {.name = "journal",
     .type = MPB_TEXT,
     .argument = "FILE",
     .help = "write the journal to FILE, not to OUTPUT/.mpthumb/journal.jsonl",
     .group = "Run",
     IN_ENGINE(journal)},
    {.name = "journal-sync",
     .type = MPB_SECONDS,
     .argument = "SEC",
     .initial = "5",
     .help = "write the journal to disk at least every SEC seconds",
     .group = "Run",
     .minimum = 0.1,
     IN_ENGINE(sync_s)},
    {.name = "workers",
     .letter = 'j',
     .type = MPB_INT,
     .argument = "N",
     .help = "worker processes per rank (default: the cores it may use)",
     .group = "Run",
     .minimum = 1,
     .maximum = 1024,
     IN_ENGINE(workers)},
    {.name = "retries",
     .type = MPB_INT,
     .argument = "N",
     .initial = "1",
     .help = "further attempts after a crash",
     .group = "Run",
     .maximum = 1000,
     IN_ENGINE(retries)},
    {.name = "timeout",
     .type = MPB_SECONDS,
     .argument = "SEC",
     .initial = "300",
     .help = "a file that takes longer fails; 0: no limit",
     .group = "Run",
     IN_ENGINE(timeout_s)},
    {.name = "memory-limit",
     .type = MPB_BYTES,
     .argument = "BYTES",
     .help = "address space of a worker",
     .group = "Run",
     IN_ENGINE(memory_bytes)},
    {.name = "verbose", .letter = 'v', .type = MPB_FLAG, .group = "Run", IN_ENGINE(verbose)},
    {.name = "quiet", .type = MPB_FLAG, .initial = "no", .group = "Run", IN_ENGINE(quiet)},
    {.name = "help", .type = MPB_FLAG, .group = "Run", IN_ENGINE(help)},
    {0},
};

static const struct mpb_option picture_options[] = {
    {.name = "fit",
     .type = MPB_CHOICE,
     .argument = "HOW",
     .initial = "inside",
     .help = "inside: fit into the box; cover: fill the box and crop; fill: fill the box and "
             "distort",
     .group = "Outputs",
     .choices = fits,
     IN_PICTURE(fit)},
    {.name = "on-truncated",
     .type = MPB_CHOICE,
     .argument = "HOW",
     .choices = truncated,
     IN_PICTURE(on_truncated)},
    {.name = "flat",
     .type = MPB_FLAG,
     .help = "put all thumbnails into DIR itself, 100%% and 5% of them",
     .group = "Outputs",
     IN_PICTURE(flat)},
    {.name = "blur",
     .letter = 'b',
     .type = MPB_REAL,
     .argument = "RADIUS",
     .initial = "2",
     .maximum = 1000,
     IN_PICTURE(blur)},
    {.name = "shift",
     .type = MPB_REAL,
     .argument = "X",
     .minimum = -0.5,
     .maximum = 0.5,
     IN_PICTURE(shift)},
    {.name = "offset",
     .type = MPB_INT,
     .argument = "N",
     .minimum = -5,
     .maximum = 5,
     IN_PICTURE(offset)},
    {.name = "any", .type = MPB_INT, .argument = "N", IN_PICTURE(any)},
    {.name = "max-pixels",
     .type = MPB_COUNT,
     .argument = "N",
     .initial = "268435456",
     .minimum = 1,
     IN_PICTURE(max_pixels)},
    {.name = "seed", .type = MPB_COUNT, .argument = "N", .maximum = 99, IN_PICTURE(seed)},
    {.name = "label", .type = MPB_TEXT, .argument = "T", .decides = true, IN_PICTURE(label)},
    {.name = "pair",
     .letter = 'p',
     .type = MPB_CUSTOM,
     .argument = "N|N%",
     .initial = "1/2",
     .help = "two numbers whose words leave one space",
     .group = "Outputs",
     .parse = parse_pair,
     .format = format_pair,
     IN_PICTURE(pair)},
    {.name = "mark", .letter = 'm', .type = MPB_CUSTOM, .parse = parse_mark, IN_PICTURE(marks)},
    {0},
};

static struct engine_values engine;
static struct picture_values picture;
static const struct option_tables both = {{{engine_options, &engine}, {picture_options, &picture}},
                                          2};
static char *argv[WORDS_MAX + 3];
static int argc, rest;

/* Parses a copy of the words, because getopt reorders them. `words` ends with NULL. */
static int parse_with(const char *const *words, bool in_order, const struct option_seen *seen,
                      struct mpp_error *error)
{
    engine = (struct engine_values){0};
    picture = (struct picture_values){0};
    argc = 1;
    argv[0] = "program";
    while (*words)
        argv[argc++] = (char *)*words++;
    argv[argc] = NULL;
    if (option_table_set_defaults(&both.tables[0], error) ||
        option_table_set_defaults(&both.tables[1], error))
        return -1;
    return option_tables_parse(&both, argc, argv, 1, in_order, seen, &rest, error);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define PARSE(...) assert_int_equal(parse_with(WORDS(__VA_ARGS__), false, NULL, NULL), 0)

static const struct mpb_option *find(const char *name, const struct option_table **table)
{
    for (*table = both.tables; *table < both.tables + both.count; ++*table)
        for (const struct mpb_option *option = (*table)->options; option->name; option++)
            if (strcmp(option->name, name) == 0)
                return option;
    return NULL;
}

static const char *value_of(const char *name)
{
    static char text[OPTION_VALUE_SIZE];
    const struct option_table *table;
    const struct mpb_option *option = find(name, &table);
    assert_non_null(option);
    option_table_format(table, option, text);
    return text;
}

static void defaults_are_values_of_the_table(void **state)
{
    (void)state;
    PARSE("images");
    assert_int_equal(rest, 1);
    assert_string_equal(engine.output, "thumbs");
    assert_null(engine.journal);
    assert_true(engine.sync_s == 5 && engine.timeout_s == 300 && picture.blur == 2);
    assert_int_equal(engine.retries, 1);
    assert_int_equal(engine.workers, 0);
    assert_int_equal(picture.max_pixels, 268435456);
    assert_int_equal(picture.pair.right, 2);
    assert_false(engine.verbose || engine.quiet || picture.flat);

    struct mpp_error error;
    struct picture_values values;
    const struct mpb_option wrong[] = {
        {.name = "seed", .type = MPB_COUNT, .initial = "many", .maximum = 9, IN_PICTURE(seed)},
        {0}};
    const struct option_table table = {wrong, &values};
    assert_int_equal(option_table_set_defaults(&table, &error), -1);
    assert_string_equal(error.text, "--seed takes a whole number from 0 to 9, not 'many'");
    assert_int_equal(option_table_set_defaults(&(struct option_table){0}, &error), 0);
}

static void all_forms_of_options(void **state)
{
    (void)state;
    PARSE("a.jpg", "-vb0.5", "-j", "1024", "-ofoo", "--fit=cover", "--max-pix", "7", "-mm", "--",
          "-v.jpg");
    assert_int_equal(argc - rest, 2);
    assert_string_equal(argv[rest], "a.jpg");
    assert_string_equal(argv[rest + 1], "-v.jpg");
    assert_true(engine.verbose && picture.blur == 0.5);
    assert_int_equal(engine.workers, 1024);
    assert_string_equal(engine.output, "foo");
    assert_int_equal(picture.fit, 1);
    assert_int_equal(picture.max_pixels, 7);
    assert_int_equal(picture.marks, 2);

    /* A full name that is also the beginning of another one, a value that looks like an option. */
    PARSE("--journal", "--flat", "-", "--journal-sync=0.1");
    assert_string_equal(engine.journal, "--flat");
    assert_true(engine.sync_s == 0.1);
    assert_false(picture.flat);
    assert_string_equal(argv[rest], "-");
}

static void in_order_stops_at_the_first_word(void **state)
{
    (void)state;
    struct mpp_error error;
    assert_int_equal(
        parse_with(WORDS("-v", "--retries", "3", "job", "--flat", "--bogus"), true, NULL, &error),
        0);
    assert_int_equal(rest, 4);
    assert_true(engine.verbose && !picture.flat);

    /* The words from there on. */
    assert_int_equal(parse_with(WORDS("-v", "job", "--flat", "x", "--mark"), true, NULL, &error),
                     0);
    assert_int_equal(rest, 2);
    assert_int_equal(option_tables_parse(&both, argc, argv, rest + 1, false, NULL, &rest, &error),
                     0);
    assert_int_equal(rest, 5);
    assert_string_equal(argv[rest], "x");
    assert_string_equal(argv[2], "job");
    assert_true(picture.flat && picture.marks == 1);

    assert_int_equal(parse_with(WORDS("-v", "--", "--flat"), true, NULL, &error), 0);
    assert_int_equal(rest, 3);
    assert_string_equal(argv[rest], "--flat");
}

/* Takes note of each option, refuses --quiet, and stops at --help. */
static int note_option(void *context, const struct mpb_option *option, bool *stop,
                       struct mpp_error *error)
{
    strcat(strcat(context, option->name), " ");
    *stop = engine.help;
    return engine.quiet ? mpp_error_set(error, "--quiet means nothing for this job") : 0;
}

static void seen_may_refuse_and_stop(void **state)
{
    (void)state;
    char names[100] = "";
    struct mpp_error error;
    const struct option_seen seen = {note_option, names};
    assert_int_equal(parse_with(WORDS("-vp3/4", "a", "--help", "--bogus"), false, &seen, &error),
                     0);
    assert_string_equal(names, "verbose pair help ");
    assert_int_equal(parse_with(WORDS("--quiet", "--bogus"), false, &seen, &error), -1);
    assert_string_equal(error.text, "--quiet means nothing for this job");
    names[0] = '\0';
    assert_int_equal(parse_with(WORDS("--fit=x"), false, &seen, &error), -1);
    assert_string_equal(names, "");
}

static void wrong_words_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *words[4], *message;
    } cases[] = {
        {{"--bogus", "a"}, "unknown option '--bogus'"},
        {{"--bogus=1", "a"}, "unknown option '--bogus=1'"},
        {{"--m", "1", "a"}, "ambiguous option '--m': write its full name"},
        {{"--m=1", "a"}, "ambiguous option '--m=1': write its full name"},
        {{"--jour", "1", "a"}, "ambiguous option '--jour': write its full name"},
        {{"-Z", "a"}, "unknown option '-Z'"},
        {{"-vZ", "a"}, "unknown option '-Z'"},
        {{"--flat", "-Zv", "a"}, "unknown option '-Z'"},
        {{"-?", "a"}, "unknown option '-?'"},
        {{"-:", "a"}, "unknown option '-:'"},
        {{"-h"}, "unknown option '-h'"},
        {{"a", "-o"}, "option '-o' needs a value"},
        {{"a", "-vo"}, "option '-o' needs a value"},
        {{"a", "--output"}, "option '--output' needs a value"},
        {{"a", "--label"}, "option '--label' needs a value"},
        {{"--flat=1", "a"}, "option '--flat=1' takes no value"},
        {{"--verbose=1", "a"}, "option '--verbose=1' takes no value"},
        {{"--mark=1", "a"}, "option '--mark=1' takes no value"},
        {{"-o", "", "a"}, "--output takes a name that is not empty"},
        {{"--journal="}, "--journal takes a name that is not empty"},
        {{"--fit", "x"}, "--fit takes inside, cover or fill, not 'x'"},
        {{"--fit", "Fill"}, "--fit takes inside, cover or fill, not 'Fill'"},
        {{"--fit", ""}, "--fit takes inside, cover or fill, not ''"},
        {{"--on-truncated", "no"}, "--on-truncated takes fail or keep, not 'no'"},
        {{"-p", "7"}, "--pair takes I/N, not '7'"},
        {{"--journal-sync", "0.09"}, "--journal-sync takes at least 0.1 seconds"},
        {{"--journal-sync", "0"}, "--journal-sync takes at least 0.1 seconds"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpp_error error = {""};
        assert_int_equal(parse_with(cases[i].words, false, NULL, &error), -1);
        assert_string_equal(error.text, cases[i].message);
    }
}

/* Values that an option refuses, and what the message says that it takes. */
static void wrong_numbers_are_explained(void **state)
{
    (void)state;
    static const struct {
        const char *name, *takes, *values[18];
    } cases[] = {
        {"workers",
         "a whole number from 1 to 1024",
         {"0", "1025", "-1", "+1", " 1", "1 ", "7.5", "x", "", "0x1", "1e2", "2147483648",
          "4294967297", "99999999999999999999"}},
        {"retries", "a whole number from 0 to 1000", {"x", "-0", "1001", "-1"}},
        {"offset", "a whole number from -5 to 5", {"-6", "6", "--5", "- 5", "-", "+5"}},
        {"any", "a whole number from 0 to 2147483647", {"-1", "2147483648", "x"}},
        {"seed", "a whole number from 0 to 99", {"100", "-1", "+1", " 1", "1 ", "", "1.0"}},
        {"max-pixels",
         "a whole number of at least 1",
         {"0", "-1", "x", "", "1e3", " 5", "+5", "5K", "18446744073709551616"}},
        {"blur",
         "a number from 0 to 1000",
         {"-1", "-0", "nan", "inf", "-inf", "0x2", "1000.1", "1e999", "2-", "", "+2", " 2", "2 ",
          "e5", ".", "1,5", "0x1p3"}},
        {"shift", "a number from -0.5 to 0.5", {"-0.51", "0.51", "+0.1", "--0", "x"}},
        {"timeout",
         "seconds as a decimal number, such as 90 or 0.5",
         {"1e300", "1e-9", "-1", "-0", "+1", "x", "", ".", "1.2.3", "inf", "nan", "0x10", " 1",
          "1 ", "1s"}},
        {"memory-limit",
         "a number of bytes, such as 512M or 2G",
         {"0", "0K", "", "x", "M", "-1", "+1", " 1", "1 M", "1.5G", "1KB", "1Ki", "1P",
          "18446744073709551616", "16777216T", "17179869184G", "0x10"}},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t k = 0; k < COUNT(cases[i].values) && cases[i].values[k]; k++) {
            char word[100], message[200];
            struct mpp_error error = {""};
            snprintf(word, sizeof word, "--%s=%s", cases[i].name, cases[i].values[k]);
            snprintf(message, sizeof message, "--%s takes %s, not '%s'", cases[i].name,
                     cases[i].takes, cases[i].values[k]);
            assert_int_equal(parse_with(WORDS(word), false, NULL, &error), -1);
            assert_string_equal(error.text, message);
        }
}

/* A huge value is infinite. */
static void seconds_are_finite(void **state)
{
    (void)state;
    char word[500] = "--timeout=";
    struct mpp_error error;
    memset(word + strlen(word), '9', 400);
    assert_int_equal(parse_with(WORDS(word), false, NULL, &error), -1);
    assert_non_null(strstr(error.text, "--timeout takes seconds as a decimal number"));
}

static void values_are_stored_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *written;
    } cases[] = {
        {"workers", "1", "1"},
        {"workers", "1024", "1024"},
        {"workers", "0010", "10"},
        {"retries", "0", "0"},
        {"offset", "-5", "-5"},
        {"any", "2147483647", "2147483647"},
        {"seed", "0", "0"},
        {"seed", "99", "99"},
        {"max-pixels", "999999999999999999", "999999999999999999"},
        {"max-pixels", "18446744073709551615", "18446744073709551615"},
        {"blur", "0", "0"},
        {"blur", "1e3", "1000"},
        {"blur", ".5", "0.5"},
        {"blur", "1E-1", "0.10000000000000001"},
        {"shift", "-0.5", "-0.5"},
        {"shift", "-0", "0"},
        {"timeout", "0", "0"},
        {"timeout", "90", "90"},
        {"timeout", "1.", "1"},
        {"journal-sync", "0.1", "0.10000000000000001"},
        {"memory-limit", "1", "1"},
        {"memory-limit", "512M", "536870912"},
        {"memory-limit", "2g", "2147483648"},
        {"memory-limit", "1K", "1024"},
        {"memory-limit", "16777215T", "18446742974197923840"},
        {"output", "a b", "a b"},
        {"fit", "inside", "inside"},
        {"fit", "fill", "fill"},
        {"on-truncated", "keep", "keep"},
        {"pair", "3/40", "3/40"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char word[100];
        snprintf(word, sizeof word, "--%s=%s", cases[i].name, cases[i].value);
        PARSE(word);
        assert_string_equal(value_of(cases[i].name), cases[i].written);
    }
    PARSE("--flat", "-m");
    assert_string_equal(value_of("flat"), "yes");
    assert_string_equal(value_of("quiet"), "no");
    assert_string_equal(value_of("journal"), "");
    assert_string_equal(value_of("mark"), "");
    assert_true(engine.timeout_s == 300 && picture.fit == 0);
}

/* Otherwise two texts could be the same when they are written. */
static void text_that_decides_has_a_limit(void **state)
{
    (void)state;
    char text[OPTION_VALUE_SIZE + 1] = "";
    struct mpp_error error;
    memset(text, 'x', OPTION_VALUE_SIZE);
    PARSE("--journal", text);
    assert_int_equal(parse_with(WORDS("--label", text), false, NULL, &error), -1);
    assert_string_equal(error.text, "--label takes at most 511 bytes");
    text[OPTION_VALUE_SIZE - 1] = '\0';
    PARSE("--label", text);
    assert_string_equal(value_of("label"), text);
}

static void one_option_is_found_and_set(void **state)
{
    (void)state;
    struct mpp_error error;
    const struct option_table *table;
    const struct mpb_option *option = find("flat", &table);
    assert_ptr_equal(table, &both.tables[1]);
    assert_int_equal(option_table_set(table, option, NULL, &error), 0);
    assert_true(picture.flat);
    assert_int_equal(option_table_set(table, option, "no", &error), 0);
    assert_false(picture.flat);
    assert_int_equal(option_table_set(table, option, "yes", &error), 0);
    assert_true(picture.flat);
    assert_int_equal(option_table_set(table, option, "1", &error), -1);
    assert_string_equal(error.text, "--flat takes yes or no, not '1'");
    option = find("fit", &table);
    assert_int_equal(option_table_set(table, option, NULL, &error), -1);
    assert_string_equal(error.text, "option '--fit' needs a value");

    const struct mpb_option wide = {
        .name = "any", .type = MPB_INT, .minimum = -1e10, .maximum = 1e10, IN_PICTURE(any)};
    assert_int_equal(option_table_set(table, &wide, "2147483648", &error), -1);
    assert_int_equal(option_table_set(table, &wide, "-2147483649", &error), -1);
    assert_int_equal(option_table_set(table, &wide, "-2147483648", &error), 0);
    assert_int_equal(picture.any, INT_MIN);
}

static bool not_retries(const void *context, const struct mpb_option *option)
{
    return strcmp(context, option->name) != 0 && option->help;
}

static void help_has_one_column(void **state)
{
    (void)state;
    static const char outputs[] =
        "  -o, --output DIR        output directory (default: thumbs)\n"
        "      --fit HOW           inside: fit into the box; cover: fill the box and crop; fill: "
        "fill the\n"
        "                          box and distort (default: inside)\n"
        "      --flat              put all thumbnails into DIR itself, 100%% and 5% of them\n"
        "  -p, --pair N|N%         two numbers whose words leave one space (default: 1/2)\n";
    static const char run[] =
        "      --journal FILE      write the journal to FILE, not to "
        "OUTPUT/.mpthumb/journal.jsonl\n"
        "      --journal-sync SEC  write the journal to disk at least every SEC seconds (default: "
        "5)\n"
        "  -j, --workers N         worker processes per rank (default: the cores it may use)\n"
        "      --timeout SEC       a file that takes longer fails; 0: no limit (default: 300)\n"
        "      --memory-limit BYTES\n"
        "                          address space of a worker\n";
    struct buf out = BUF_INIT;
    option_tables_help(&both, "Outputs", NULL, NULL, &out);
    option_tables_help(&both, "Run", not_retries, "retries", &out);
    option_tables_help(&both, "Nothing", NULL, NULL, &out);
    buf_put_u8(&out, '\0');
    assert_false(out.failed);
    assert_memory_equal(out.data, outputs, strlen(outputs));
    assert_string_equal((char *)out.data + strlen(outputs), run);
    buf_release(&out);
}

/* Lines have at most 96 bytes; words of 25 bytes leave one space in front of the help. */
static void help_is_wrapped_at_the_limit(void **state)
{
    (void)state;
    static const struct mpb_option options[] = {
        {.name = "max-failures", .argument = "N|N%", .help = "one space", .group = "g"},
        {.name = "max-failurez", .argument = "N|N%!", .help = "the next line", .group = "g"},
        {.name = "a",
         .initial = "a b",
         .help = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123 567890 "
                 "0123456789 0123456789 0123456789 0123456789 0123456789 012345678 0123",
         .group = "g"},
        {.name = "b", .initial = "1", .help = "text (default: one)", .group = "g"},
        {0}};
    static const char expected[] =
        "      --max-failures N|N% one space\n"
        "      --max-failurez N|N%!\n"
        "                          the next line\n"
        "      --a                 0123456789 0123456789 0123456789 0123456789 0123456789 "
        "0123456789 0123\n"
        "                          567890 0123456789 0123456789 0123456789 0123456789 0123456789\n"
        "                          012345678 0123 (default: a b)\n"
        "      --b                 text (default: one)\n";
    const struct option_tables tables = {{{options, NULL}}, 1};
    struct buf out = BUF_INIT;
    option_tables_help(&tables, "g", NULL, NULL, &out);
    buf_put_u8(&out, '\0');
    assert_string_equal((char *)out.data, expected);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_values_of_the_table),
        cmocka_unit_test(all_forms_of_options),
        cmocka_unit_test(in_order_stops_at_the_first_word),
        cmocka_unit_test(seen_may_refuse_and_stop),
        cmocka_unit_test(wrong_words_are_explained),
        cmocka_unit_test(wrong_numbers_are_explained),
        cmocka_unit_test(seconds_are_finite),
        cmocka_unit_test(values_are_stored_and_written),
        cmocka_unit_test(text_that_decides_has_a_limit),
        cmocka_unit_test(one_option_is_found_and_set),
        cmocka_unit_test(help_has_one_column),
        cmocka_unit_test(help_is_wrapped_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
