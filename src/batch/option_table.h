/* SPDX-License-Identifier: MIT */
/*
 * option_table: tables of options (struct mpb_option): parses a command line into settings, writes
 * values as text, and formats --help.
 */
#ifndef OPTION_TABLE_H
#define OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "mpbatch.h"

enum { OPTION_TABLES_MAX = 2, OPTION_VALUE_SIZE = 512 };

/* A table and the settings that its offsets refer to. */
struct option_table {
    const struct mpb_option *options; /* ends with name NULL; NULL: an empty table */
    void *settings;
};

/* The engine's table, and that of the job if it is known. Names and letters are unique. */
struct option_tables {
    struct option_table tables[OPTION_TABLES_MAX];
    size_t count;
};

/* Stores the defaults of one table. -1: a default is not a valid value (a mistake in the table). */
int option_table_set_defaults(const struct option_table *table, struct mpp_error *error);

/* Stores one value as if it stood on the command line. text NULL: an option without a value. A flag
 * also takes the words that option_table_format writes, yes and no. */
int option_table_set(const struct option_table *table, const struct mpb_option *option,
                     const char *text, struct mpp_error *error);

/* Parses the words of argv from argv[first] on, with the rules of getopt_long: options and other
 * words may be mixed, unless `in_order`: then it stops at the first other word. `--` ends the
 * options; unique abbreviations of long options are accepted. Reorders argv. *rest is the index of
 * the first word that is not an option.
 *
 * seen is called for each option after its value was stored; it may refuse it. True in *stop ends
 * the parsing at once, for --help and --version. Not thread-safe. */
struct option_seen {
    int (*seen)(void *context, const struct mpb_option *option, bool *stop,
                struct mpp_error *error);
    void *context;
};
int option_tables_parse(const struct option_tables *tables, int argc, char **argv, int first,
                        bool in_order, const struct option_seen *seen, int *rest,
                        struct mpp_error *error);

/* Writes the value of an option as text, the same for the same value: yes or no for a flag. */
void option_table_format(const struct option_table *table, const struct mpb_option *option,
                         char text[OPTION_VALUE_SIZE]);

/* Appends the lines of --help for the options of one group that `shown` does not leave out. shown
 * NULL: all of them. */
void option_tables_help(const struct option_tables *tables, const char *group,
                        bool (*shown)(const void *context, const struct mpb_option *option),
                        const void *context, struct buf *out);

#endif
