/*
 * log: whole lines on stderr, each with the program's name in front. Rank 0 and the ranks' fatal
 * errors speak through it; nothing below it prints.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

/* "mpthumb: TEXT\n" in one write, so that lines of several processes never mix. Control characters
 * in the text (file names may hold them) are shown as \ooo. Two paths of full length fit. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Copies text with its control characters as \ooo, so that it stays one line and harmless on a
 * terminal. Cut at `size`, always terminated. Returns its length. */
size_t log_escape(const char *text, char *to, size_t size);

#endif
