/* SPDX-License-Identifier: MIT */
/* Messages on stderr, one line each: see log.h. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define TEXT_SIZE 12288 /* holds two paths of PATH_MAX, an error text and some words */

size_t log_escape(const char *text, char *to, size_t size)
{
    size_t used = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && used + 5 <= size; c++) {
        if (*c < 0x20 || *c == 0x7f)
            used += (size_t)snprintf(to + used, size - used, "\\%03o", *c);
        else
            to[used++] = (char)*c;
    }
    to[used] = '\0';
    return used;
}

void log_line(const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    char line[4 * sizeof text + 64];
    size_t used = (size_t)snprintf(line, 64, "%.60s: ", program_invocation_short_name);
    used += log_escape(text, line + used, sizeof line - used - 1);
    line[used++] = '\n';
    for (size_t done = 0; done < used;) {
        ssize_t n = write(STDERR_FILENO, line + done, used - done);
        if (n < 0 && errno != EINTR)
            return;
        done += n > 0 ? (size_t)n : 0;
    }
}
