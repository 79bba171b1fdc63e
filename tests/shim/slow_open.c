/* SPDX-License-Identifier: MIT */
/*
 * Simulates a slow network file system, with LD_PRELOAD: open(2) for reading of a file below
 * $SLOW_BELOW takes $SLOW_MS milliseconds longer.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int (*real_open)(const char *, int, ...);

/* Also called by open, which other libraries may call before this constructor runs. */
__attribute__((constructor)) static void find_real(void)
{
    if (real_open)
        return;
    void *found = dlsym(RTLD_NEXT, "open");
    memcpy(&real_open, &found,
           sizeof real_open); /* ISO C does not convert object to function pointers */
}

static void delay(const char *path)
{
    const char *below = getenv("SLOW_BELOW"), *ms = getenv("SLOW_MS");
    if (!below || !ms || strncmp(path, below, strlen(below)) != 0)
        return;
    int saved = errno;
    long long ns = atoll(ms) * 1000000;
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (nanosleep(&time, &time) && errno == EINTR)
        ;
    errno = saved;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    find_real();
    va_start(arguments, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
    va_end(arguments);
    if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_DIRECTORY))
        delay(path);
    return real_open(path, flags, mode);
}
