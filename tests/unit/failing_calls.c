/* SPDX-License-Identifier: MIT */
/* System calls that fail: see failing_calls.h. */
#include "failing_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

int __real_open(const char *path, int flags, ...);
int __real_openat(int directory, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __real_pread(int fd, void *bytes, size_t size, off_t at);
off_t __real_lseek(int fd, off_t at, int whence);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_linkat(int from_directory, const char *from, int directory, const char *to, int flags);
int __real_renameat(int from_directory, const char *from, int directory, const char *to);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at);
off_t __wrap_lseek(int fd, off_t at, int whence);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_linkat(int from_directory, const char *from, int directory, const char *to, int flags);
int __wrap_renameat(int from_directory, const char *from, int directory, const char *to);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned counted_kinds, count, fail_at;
static int error_number;
static bool fail_later, unsynced;

void calls_arm(unsigned kinds, unsigned at, int error)
{
    counted_kinds = kinds;
    fail_at = at;
    error_number = error;
    count = 0;
    fail_later = unsynced = false;
}

void calls_arm_from(unsigned kinds, unsigned at, int error)
{
    calls_arm(kinds, at, error);
    fail_later = true;
}

unsigned calls_disarm(void)
{
    counted_kinds = 0;
    return count;
}

bool calls_left_unsynced(void)
{
    return unsynced;
}

/* Counts a call. True: it must fail. */
static bool hit(enum failing_call kind)
{
    if (!(counted_kinds & kind))
        return false;
    count++;
    return count == fail_at || (fail_later && fail_at && count > fail_at);
}

/* The same for calls that cannot be short. */
static bool fails(enum failing_call kind)
{
    if (!hit(kind) || error_number == CALLS_SHORT)
        return false;
    errno = kind == CALL_MEMORY ? ENOMEM : error_number;
    return true;
}

static bool fails_short(enum failing_call kind, size_t *size)
{
    if (!hit(kind))
        return false;
    if (error_number == CALLS_SHORT) {
        *size = *size ? 1 : 0;
        return false;
    }
    errno = error_number;
    return true;
}

static int mode_of(int flags, va_list arguments)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails(CALL_OPEN) ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = mode_of(flags, arguments);
    va_end(arguments);
    return fails(CALL_OPEN) ? -1 : __real_openat(directory, path, flags, mode);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size)
{
    unsynced = true;
    return fails_short(CALL_WRITE, &size) ? -1 : __real_write(fd, bytes, size);
}

ssize_t __wrap_pread(int fd, void *bytes, size_t size, off_t at)
{
    return fails_short(CALL_READ, &size) ? -1 : __real_pread(fd, bytes, size, at);
}

off_t __wrap_lseek(int fd, off_t at, int whence)
{
    return fails(CALL_SEEK) ? -1 : __real_lseek(fd, at, whence);
}

int __wrap_fdatasync(int fd)
{
    int result = fails(CALL_SYNC) ? -1 : __real_fdatasync(fd);
    unsynced = unsynced && result;
    return result;
}

int __wrap_ftruncate(int fd, off_t size)
{
    return fails(CALL_TRUNCATE) ? -1 : __real_ftruncate(fd, size);
}

int __wrap_linkat(int from_directory, const char *from, int directory, const char *to, int flags)
{
    return fails(CALL_NAME) ? -1 : __real_linkat(from_directory, from, directory, to, flags);
}

int __wrap_renameat(int from_directory, const char *from, int directory, const char *to)
{
    return fails(CALL_NAME) ? -1 : __real_renameat(from_directory, from, directory, to);
}

void *__wrap_malloc(size_t size)
{
    return fails(CALL_MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t items, size_t size)
{
    return fails(CALL_MEMORY) ? NULL : __real_calloc(items, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails(CALL_MEMORY) ? NULL : __real_realloc(old, size);
}
