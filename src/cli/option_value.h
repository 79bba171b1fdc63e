/* SPDX-License-Identifier: MIT */
/*
 * option_value: parses and checks the values of command-line options. The functions that return int
 * return 0, or -1 with a one-line message for the user in error.
 */
#ifndef OPTION_VALUE_H
#define OPTION_VALUE_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

/* Reads a number from minimum to maximum at the start of the text, digits only. *end points to the
 * text after it. False: there is no such number. */
bool option_value_digits(const char *text, int minimum, int maximum, int *value, const char **end);

/* A whole number from minimum to maximum. */
int option_value_count(const char *option, const char *text, int minimum, int maximum, int *value,
                       struct mpp_error *error);

/* A number of seconds, at least 0, with or without decimals. */
int option_value_seconds(const char *option, const char *text, double *value,
                         struct mpp_error *error);

/* A number of bytes, at least 1, optionally with K, M, G or T for powers of 1024. */
int option_value_bytes(const char *option, const char *text, size_t *value,
                       struct mpp_error *error);

/* Describes an error that getopt_long reported by returning '?' or ':' as code. long_options are
 * those that were passed to it. Needs opterr 0 and an option string that begins with a colon.
 * Returns -1. */
int option_value_error(int code, char **argv, const struct option *long_options,
                       struct mpp_error *error);

#endif
