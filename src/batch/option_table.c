/* SPDX-License-Identifier: MIT */
/* Tables of options: see option_table.h. Each type has one function that stores a value; writing a
 * value as text is one switch. */
#include "option_table.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_CODE = 256, HELP_COLUMN = 26, HELP_WIDTH = 96 };

/* ---- Values ---- */

/* 0: no limit. */
static double maximum_of(const struct mpb_option *option)
{
    return option->type == MPB_INT && !option->maximum ? INT_MAX : option->maximum;
}

static bool in_range(const struct mpb_option *option, double value)
{
    double maximum = maximum_of(option);
    return value >= option->minimum && (!maximum || value <= maximum);
}

static int refuse_number(const struct mpb_option *option, const char *text, struct mpp_error *error)
{
    const char *kind = option->type == MPB_REAL ? "number" : "whole number";
    double maximum = maximum_of(option);
    if (!maximum)
        return mpp_error_set(error, "--%s takes a %s of at least %.15g, not '%.200s'", option->name,
                             kind, option->minimum, text);
    return mpp_error_set(error, "--%s takes a %s from %.16g to %.16g, not '%.200s'", option->name,
                         kind, option->minimum, maximum, text);
}

static int set_flag(const struct mpb_option *option, const char *text, bool *value,
                    struct mpp_error *error)
{
    *value = !text || strcmp(text, "yes") == 0;
    if (!*value && strcmp(text, "no") != 0)
        return mpp_error_set(error, "--%s takes yes or no, not '%.200s'", option->name, text);
    return 0;
}

static int set_int(const struct mpb_option *option, const char *text, int *value,
                   struct mpp_error *error)
{
    bool sign = *text == '-' && option->minimum < 0;
    char *end = NULL;
    errno = 0;
    long number = isdigit((unsigned char)text[sign]) ? strtol(text, &end, 10) : 0;
    if (!end || errno || *end || number < INT_MIN || number > INT_MAX ||
        !in_range(option, (double)number))
        return refuse_number(option, text, error);
    *value = (int)number;
    return 0;
}

static int set_count(const struct mpb_option *option, const char *text, uint64_t *value,
                     struct mpp_error *error)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    if (!end || errno || *end || !in_range(option, (double)number))
        return refuse_number(option, text, error);
    *value = number;
    return 0;
}

static int set_real(const struct mpb_option *option, const char *text, double *value,
                    struct mpp_error *error)
{
    char *end = NULL;
    bool plain = *text != '+' && strspn(text, "0123456789.eE+-") == strlen(text);
    double number = plain ? strtod(text, &end) : NAN;
    if (!isfinite(number) || end == text || *end || (signbit(number) && option->minimum >= 0) ||
        !in_range(option, number))
        return refuse_number(option, text, error);
    *value = number + 0.0; /* makes 0 of -0 */
    return 0;
}

static int set_seconds(const struct mpb_option *option, const char *text, double *value,
                       struct mpp_error *error)
{
    char *end = NULL;
    bool plain = strspn(text, "0123456789.") == strlen(text);
    double number = plain ? strtod(text, &end) : NAN;
    if (!isfinite(number) || end == text || *end)
        return mpp_error_set(
            error, "--%s takes seconds as a decimal number, such as 90 or 0.5, not '%.200s'",
            option->name, text);
    if (number < option->minimum)
        return mpp_error_set(error, "--%s takes at least %.15g seconds", option->name,
                             option->minimum);
    *value = number;
    return 0;
}

static int set_bytes(const struct mpb_option *option, const char *text, size_t *value,
                     struct mpp_error *error)
{
    static const char units[] = "KMGT";
    char *end = NULL;
    errno = 0;
    unsigned long long number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    const char *unit = number && *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (!number || errno || (unit ? end[1] : *end) || number > SIZE_MAX >> shift)
        return mpp_error_set(error,
                             "--%s takes a number of bytes, such as 512M or 2G, not '%.200s'",
                             option->name, text);
    *value = (size_t)number << shift;
    return 0;
}

/* Values are compared at --resume as option_table_format writes them, so a text must fit there. */
static int set_text(const struct mpb_option *option, const char *text, const char **value,
                    struct mpp_error *error)
{
    if (!*text)
        return mpp_error_set(error, "--%s takes a name that is not empty", option->name);
    if (option->decides && strlen(text) >= OPTION_VALUE_SIZE)
        return mpp_error_set(error, "--%s takes at most %d bytes", option->name,
                             OPTION_VALUE_SIZE - 1);
    *value = text;
    return 0;
}

static int set_choice(const struct mpb_option *option, const char *text, int *value,
                      struct mpp_error *error)
{
    const char *const *choices = option->choices;
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0) {
            *value = i;
            return 0;
        }
    char names[512] = "";
    for (size_t i = 0, used = 0; choices[i] && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 i == 0           ? ""
                                 : choices[i + 1] ? ", "
                                                  : " or ",
                                 choices[i]);
    return mpp_error_set(error, "--%s takes %s, not '%.200s'", option->name, names, text);
}

static bool takes_value(const struct mpb_option *option)
{
    return option->type != MPB_FLAG && (option->type != MPB_CUSTOM || option->argument);
}

int option_table_set(const struct option_table *table, const struct mpb_option *option,
                     const char *text, struct mpp_error *error)
{
    void *member = (char *)table->settings + option->offset;
    if (!text && takes_value(option))
        return mpp_error_set(error, "option '--%s' needs a value", option->name);
    switch (option->type) {
    case MPB_FLAG:
        return set_flag(option, text, member, error);
    case MPB_INT:
        return set_int(option, text, member, error);
    case MPB_COUNT:
        return set_count(option, text, member, error);
    case MPB_REAL:
        return set_real(option, text, member, error);
    case MPB_SECONDS:
        return set_seconds(option, text, member, error);
    case MPB_BYTES:
        return set_bytes(option, text, member, error);
    case MPB_TEXT:
        return set_text(option, text, member, error);
    case MPB_CHOICE:
        return set_choice(option, text, member, error);
    case MPB_CUSTOM:
        return option->parse(text, member, error);
    }
    return mpp_error_set(error, "option '--%s' has no valid type", option->name);
}

int option_table_set_defaults(const struct option_table *table, struct mpp_error *error)
{
    for (const struct mpb_option *option = table->options; option && option->name; option++)
        if (option->initial && option_table_set(table, option, option->initial, error))
            return -1;
    return 0;
}

void option_table_format(const struct option_table *table, const struct mpb_option *option,
                         char text[OPTION_VALUE_SIZE])
{
    const void *member = (const char *)table->settings + option->offset;
    text[0] = '\0';
    switch (option->type) {
    case MPB_FLAG:
        snprintf(text, OPTION_VALUE_SIZE, "%s", *(const bool *)member ? "yes" : "no");
        return;
    case MPB_INT:
        snprintf(text, OPTION_VALUE_SIZE, "%d", *(const int *)member);
        return;
    case MPB_COUNT:
        snprintf(text, OPTION_VALUE_SIZE, "%" PRIu64, *(const uint64_t *)member);
        return;
    case MPB_REAL:
    case MPB_SECONDS:
        snprintf(text, OPTION_VALUE_SIZE, "%.17g", *(const double *)member);
        return;
    case MPB_BYTES:
        snprintf(text, OPTION_VALUE_SIZE, "%zu", *(const size_t *)member);
        return;
    case MPB_TEXT:
        snprintf(text, OPTION_VALUE_SIZE, "%s",
                 *(const char *const *)member ? *(const char *const *)member : "");
        return;
    case MPB_CHOICE:
        snprintf(text, OPTION_VALUE_SIZE, "%s", option->choices[*(const int *)member]);
        return;
    case MPB_CUSTOM:
        if (option->format)
            option->format(member, text, OPTION_VALUE_SIZE);
        return;
    }
}

/* ---- The command line ---- */

/* Counts through all tables. NULL: there are not so many options. */
static const struct mpb_option *option_at(const struct option_tables *tables, size_t index,
                                          const struct option_table **table)
{
    for (*table = tables->tables; *table < tables->tables + tables->count; ++*table)
        for (const struct mpb_option *option = (*table)->options; option && option->name; option++)
            if (index-- == 0)
                return option;
    return NULL;
}

/* The option for a code of getopt_long. NULL: the code stands for an error. */
static const struct mpb_option *option_of_code(const struct option_tables *tables, int code,
                                               const struct option_table **table)
{
    const struct mpb_option *option;
    if (code >= LONG_CODE)
        return option_at(tables, (size_t)(code - LONG_CODE), table);
    for (size_t i = 0; (option = option_at(tables, i, table)); i++)
        if (option->letter == code)
            return option;
    return NULL;
}

/* Whether the word begins like a long option, as "--s" begins like --size. */
static bool abbreviates_option(const char *word, const struct option_tables *tables)
{
    const struct option_table *table;
    const struct mpb_option *option;
    const char *name = word + strspn(word, "-");
    size_t size = strcspn(name, "=");
    for (size_t i = 0; (option = option_at(tables, i, &table)); i++)
        if (strncmp(option->name, name, size) == 0)
            return true;
    return false;
}

/* Describes an error that getopt_long reported by returning '?' or ':' as code. optopt is 0 for an
 * unknown long option, LONG_CODE or more for a known one. */
static int refuse_word(const struct option_tables *tables, int code, const char *word,
                       struct mpp_error *error)
{
    bool is_long = !optopt || optopt >= LONG_CODE;
    if (code == ':' && is_long)
        return mpp_error_set(error, "option '%.200s' needs a value", word);
    if (code == ':')
        return mpp_error_set(error, "option '-%c' needs a value", optopt);
    if (!is_long)
        return mpp_error_set(error, "unknown option '-%c'", optopt);
    if (optopt)
        return mpp_error_set(error, "option '%.200s' takes no value", word);
    /* getopt_long would have accepted the abbreviation of a single option. */
    if (abbreviates_option(word, tables))
        return mpp_error_set(error, "ambiguous option '%.200s': write its full name", word);
    return mpp_error_set(error, "unknown option '%.200s'", word);
}

/* What getopt_long takes: letters such as "+:ab:", where the colon in front makes it return ':' for
 * a missing value, and long options with codes from LONG_CODE. The caller frees both. */
static int make_getopt_tables(const struct option_tables *tables, bool in_order, char **letters,
                              struct option **names, struct mpp_error *error)
{
    const struct option_table *table;
    const struct mpb_option *option;
    size_t count = 0;
    while (option_at(tables, count, &table))
        count++;
    *letters = malloc(2 * count + 3);
    *names = calloc(count + 1, sizeof **names);
    if (!*letters || !*names)
        return mpp_error_set(error, "out of memory for the options");
    char *end = stpcpy(*letters, in_order ? "+:" : ":");
    for (size_t i = 0; (option = option_at(tables, i, &table)); i++) {
        bool value = takes_value(option);
        (*names)[i] = (struct option){.name = option->name,
                                      .has_arg = value ? required_argument : no_argument,
                                      .val = LONG_CODE + (int)i};
        if (option->letter) {
            *end++ = option->letter;
            end = stpcpy(end, value ? ":" : "");
        }
    }
    return 0;
}

int option_tables_parse(const struct option_tables *tables, int argc, char **argv, int first,
                        bool in_order, const struct option_seen *seen, int *rest,
                        struct mpp_error *error)
{
    char *letters = NULL;
    struct option *names = NULL;
    bool stop = false;
    int failed = make_getopt_tables(tables, in_order, &letters, &names, error);
    argv += first - 1; /* getopt_long skips one word */
    opterr = 0;
    optind = 0; /* makes glibc's getopt start again */
    for (int code; !failed && !stop;) {
        const struct option_table *table;
        code = getopt_long(argc - first + 1, argv, letters, names, NULL);
        if (code < 0)
            break;
        const struct mpb_option *option = option_of_code(tables, code, &table);
        failed = option ? option_table_set(table, option, optarg, error)
                        : refuse_word(tables, code, argv[optind - 1], error);
        if (!failed && seen)
            failed = seen->seen(seen->context, option, &stop, error);
    }
    *rest = first - 1 + optind;
    free(letters);
    free(names);
    return failed;
}

/* ---- Help ---- */

/* Adds a word to a paragraph. *column is where the line ends now. */
static void put_word(struct buf *out, size_t *column, const char *word, size_t size)
{
    bool first = *column == HELP_COLUMN;
    if (!first && *column + 1 + size > HELP_WIDTH) {
        buf_printf(out, "\n%*s", HELP_COLUMN, "");
        *column = HELP_COLUMN;
    } else if (!first) {
        buf_put_u8(out, ' ');
        ++*column;
    }
    buf_put(out, word, size);
    *column += size;
}

static void put_option(struct buf *out, const struct mpb_option *option)
{
    char words[256], letter[] = "    ";
    size_t column = HELP_COLUMN;
    const char *help = option->help ? option->help : "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(words, sizeof words, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    if (strlen(words) < HELP_COLUMN)
        buf_printf(out, "%-*s", HELP_COLUMN, words);
    else
        buf_printf(out, "%s\n%*s", words, HELP_COLUMN, "");
    for (const char *word = help + strspn(help, " "); *word; word += strspn(word, " ")) {
        size_t size = strcspn(word, " ");
        put_word(out, &column, word, size);
        word += size;
    }
    if (option->initial && !strstr(help, "(default")) {
        snprintf(words, sizeof words, "(default: %s)", option->initial);
        put_word(out, &column, words, strlen(words));
    }
    buf_put_u8(out, '\n');
}

void option_tables_help(const struct option_tables *tables, const char *group,
                        bool (*shown)(const void *context, const struct mpb_option *option),
                        const void *context, struct buf *out)
{
    const struct option_table *table;
    const struct mpb_option *option;
    for (size_t i = 0; (option = option_at(tables, i, &table)); i++)
        if (option->group && strcmp(option->group, group) == 0 &&
            (!shown || shown(context, option)))
            put_option(out, option);
}
