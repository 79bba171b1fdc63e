/* SPDX-License-Identifier: MIT */
/*
 * log: messages for the user on stderr, one line each, beginning with the program's name. The
 * programs print with it on rank 0. The library prints only when a rank ends with a fatal error;
 * all other errors of the library and the jobs are returned as a struct mpp_error.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

/* Prints "PROGRAM: TEXT\n" with a single write(2), so that lines of several processes do not mix.
 * Control characters in the text, which a file name may contain, are printed as \ooo (octal). A
 * text longer than two paths of PATH_MAX is cut. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies `text` to `to` with control characters replaced by \ooo, so that it stays on one line and
 * cannot control a terminal. The copy is cut to fit into `size` bytes and ends with a zero. Returns
 * its length. */
size_t log_escape(const char *text, char *to, size_t size);

#endif
