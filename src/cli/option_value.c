/* SPDX-License-Identifier: MIT */
/* Parses the values of options: see option_value.h. */
#include "option_value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool option_value_digits(const char *text, int minimum, int maximum, int *value, const char **end)
{
    char *after;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    long number = strtol(text, &after, 10);
    if (errno || number < minimum || number > maximum)
        return false;
    *value = (int)number;
    *end = after;
    return true;
}

int option_value_count(const char *option, const char *text, int minimum, int maximum, int *value,
                       struct mpp_error *error)
{
    const char *end;
    if (!option_value_digits(text, minimum, maximum, value, &end) || *end)
        return mpp_error_set(error, "%s takes a whole number from %d to %d, not '%.200s'", option,
                             minimum, maximum, text);
    return 0;
}

int option_value_seconds(const char *option, const char *text, double *value,
                         struct mpp_error *error)
{
    char *end = NULL;
    bool plain = *text && strspn(text, "0123456789.") == strlen(text);
    *value = plain ? strtod(text, &end) : -1;
    if (!plain || *end || !isfinite(*value))
        return mpp_error_set(
            error, "%s takes seconds as a decimal number, such as 90 or 0.5, not '%.200s'", option,
            text);
    return 0;
}

int option_value_bytes(const char *option, const char *text, size_t *value, struct mpp_error *error)
{
    static const char units[] = "KMGT";
    char *end;
    errno = 0;
    unsigned long long number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    const char *unit = number && *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (!number || errno || (unit ? end[1] : *end) || number > SIZE_MAX >> shift)
        return mpp_error_set(error, "%s takes a number of bytes, such as 512M or 2G, not '%.200s'",
                             option, text);
    *value = (size_t)number << shift;
    return 0;
}

/* Whether the word begins like a long option, as "--s" begins like --size. */
static bool abbreviates_option(const char *word, const struct option *long_options)
{
    const char *name = word + strspn(word, "-");
    size_t size = strcspn(name, "=");
    for (; long_options->name; long_options++)
        if (strncmp(long_options->name, name, size) == 0)
            return true;
    return false;
}

int option_value_error(int code, char **argv, const struct option *long_options,
                       struct mpp_error *error)
{
    const char *word = argv[optind - 1];
    /* optopt is 0 for an unknown long option, above 255 for one that has no short form. */
    bool is_long = optopt == 0 || optopt > 255 || strncmp(word, "--", 2) == 0;
    if (code == ':' && is_long)
        return mpp_error_set(error, "option '%.200s' needs a value", word);
    if (code == ':')
        return mpp_error_set(error, "option '-%c' needs a value", optopt);
    if (is_long && optopt)
        return mpp_error_set(error, "option '%.200s' takes no value", word);
    if (is_long)
        /* getopt_long would have accepted the abbreviation of a single option. */
        return abbreviates_option(word, long_options)
                   ? mpp_error_set(error, "ambiguous option '%.200s': write its full name", word)
                   : mpp_error_set(error, "unknown option '%.200s'", word);
    return mpp_error_set(error, "unknown option '-%c'", optopt);
}
