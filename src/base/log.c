/* One line at a time on stderr: see log.h. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void log_line(const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    char line[4 * sizeof text + 64];
    int used = snprintf(line, 64, "%s: ", program_invocation_short_name);
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            used += snprintf(line + used, sizeof line - (size_t)used, "\\%03o", (unsigned char)*c);
        else
            line[used++] = *c;
    }
    line[used++] = '\n';
    for (int done = 0; done < used;) {
        ssize_t n = write(STDERR_FILENO, line + done, (size_t)(used - done));
        if (n < 0 && errno != EINTR)
            return;
        done += n > 0 ? (int)n : 0;
    }
}
