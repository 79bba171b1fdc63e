/* SPDX-License-Identifier: MIT */
/* One-line error texts: see mpp_error.h. */
#include "mpp_error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int mpp_error_set(struct mpp_error *error, const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    if (error)
        vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    errno = saved;
    return -1;
}

int mpp_error_set_errno(struct mpp_error *error, const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    if (error) {
        vsnprintf(error->text, sizeof error->text, format, args);
        size_t used = strlen(error->text);
        snprintf(error->text + used, sizeof error->text - used, ": %s", strerror(saved));
    }
    va_end(args);
    errno = saved;
    return -1;
}
