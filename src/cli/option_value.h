/*
 * arguments: the values of options, checked; and what is said when the command line makes no sense.
 * Each returns -1 with one line in error.
 */
#ifndef OPTION_VALUE_H
#define OPTION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

/* Digits only, within the range; *end is what follows them. */
bool option_value_digits(const char *text, int minimum, int maximum, int *value, const char **end);

int option_value_count(const char *option, const char *text, int minimum, int maximum, int *value,
                       struct mpp_error *error);
int option_value_seconds(const char *option, const char *text, double *value,
                         struct mpp_error *error);
int option_value_bytes(const char *option, const char *text, size_t *value,
                       struct mpp_error *error);

/* What getopt_long (with opterr 0 and a leading colon) could not make sense of. A cluster of short
 * options has optopt, a long one has not. */
int option_value_refuse(int code, char **argv, struct mpp_error *error);

#endif
