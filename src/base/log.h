/*
 * log: whole lines on stderr, each with the program's name in front. Rank 0 and the ranks' fatal
 * errors speak through it; nothing below it prints.
 */
#ifndef LOG_H
#define LOG_H

/* "mpthumb: TEXT\n" in one write, so that lines of several processes never mix. Control characters
 * in the text (file names may hold them) are shown as \ooo. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
