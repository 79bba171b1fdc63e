/* SPDX-License-Identifier: MIT */
/*
 * Injects file system errors, with LD_PRELOAD. Counts the calls below that concern a path under
 * $FAULT_BELOW, as an argument or through a descriptor, over all processes of a run from 1. The
 * call number $FAULT_AT fails; if $FAULT_ON is set, all later ones fail too.
 *
 * $FAULT_ENDING, such as ".spool": only calls that concern a path with this ending are counted.
 * $FAULT_CALL, such as "fdatasync": only calls of this function are counted.
 *
 * $FAULT_ERROR is the error: EIO, EINTR, ENOSPC, EDQUOT, EROFS, or SHORT, which makes a call read
 * or write only one byte. With ENOSPC, EDQUOT and EROFS only calls that write are counted. The
 * file $FAULT_COUNT holds the counter, 8 bytes, shared by the processes.
 *
 * Calls: open, openat, read, pread, write, rename, renameat, renameat2, linkat, mkdir, mkdirat,
 * ftruncate, fsync, fdatasync.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int (*open)(const char *, int, ...);
    int (*openat)(int, const char *, int, ...);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*write)(int, const void *, size_t);
    int (*rename)(const char *, const char *);
    int (*renameat)(int, const char *, int, const char *);
    int (*renameat2)(int, const char *, int, const char *, unsigned);
    int (*linkat)(int, const char *, int, const char *, int);
    int (*mkdir)(const char *, mode_t);
    int (*mkdirat)(int, const char *, mode_t);
    int (*ftruncate)(int, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
} real;

static const char *path_prefix; /* NULL: no call fails */
static const char *path_ending; /* "": any */
static const char *only_call;   /* NULL: all */
static _Atomic uint64_t *count; /* shared by all processes */
static uint64_t fail_at;
static bool fail_later, is_short, only_writing;
static int error_number;

static const struct {
    const char *name;
    int number;
} errors[] = {{"EINTR", EINTR}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found); /* ISO C does not convert object to function pointers */
}

/* Also called by the wrappers, which other libraries may call before this constructor runs. */
__attribute__((constructor)) static void begin(void)
{
    if (real.open)
        return;
    find(&real.open, "open");
    find(&real.openat, "openat");
    find(&real.read, "read");
    find(&real.pread, "pread");
    find(&real.write, "write");
    find(&real.rename, "rename");
    find(&real.renameat, "renameat");
    find(&real.renameat2, "renameat2");
    find(&real.linkat, "linkat");
    find(&real.mkdir, "mkdir");
    find(&real.mkdirat, "mkdirat");
    find(&real.ftruncate, "ftruncate");
    find(&real.fsync, "fsync");
    find(&real.fdatasync, "fdatasync");
    const char *file = getenv("FAULT_COUNT"), *error = getenv("FAULT_ERROR");
    const char *where = getenv("FAULT_AT");
    if (!file || !error || !where || !getenv("FAULT_BELOW"))
        return;
    int fd = real.open(file, O_RDWR | O_CLOEXEC);
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (shared == MAP_FAILED)
        abort();
    close(fd);
    fail_at = strtoull(where, NULL, 10);
    fail_later = getenv("FAULT_ON");
    is_short = strcmp(error, "SHORT") == 0;
    error_number = EIO;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(error, errors[i].name) == 0)
            error_number = errors[i].number;
    only_writing = error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS;
    only_call = getenv("FAULT_CALL");
    path_ending = getenv("FAULT_ENDING") ? getenv("FAULT_ENDING") : "";
    count = shared;
    path_prefix = getenv("FAULT_BELOW");
}

/* Counts a call. True: it must fail. */
static bool count_call(void)
{
    uint64_t call = atomic_fetch_add(count, 1) + 1;
    return call == fail_at || (fail_later && fail_at && call > fail_at);
}

static bool path_matches(const char *path)
{
    size_t size = strlen(path), ending = strlen(path_ending);
    return strncmp(path, path_prefix, strlen(path_prefix)) == 0 && size >= ending &&
           strcmp(path + size - ending, path_ending) == 0;
}

static bool concerns(const char *call, int directory, const char *path, bool writes)
{
    char link[64], whole[2 * PATH_MAX];
    begin();
    if (!path_prefix || (only_call && strcmp(call, only_call) != 0) || (only_writing && !writes))
        return false;
    if (path && *path == '/')
        return path_matches(path);
    if (directory == AT_FDCWD)
        snprintf(link, sizeof link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    ssize_t size = readlink(link, whole, PATH_MAX);
    if (size < 0)
        return false;
    snprintf(whole + size, sizeof whole - (size_t)size, "%s%s", path ? "/" : "", path ? path : "");
    return path_matches(whole);
}

/* True: the call must fail; errno is set. */
static bool fails(const char *call, int directory, const char *path, bool writes)
{
    int saved = errno;
    bool failing = concerns(call, directory, path, writes) && count_call() && !is_short;
    errno = failing ? error_number : saved;
    return failing;
}

/* The same for calls that can be short: those get a smaller *size and do not fail. */
static bool fails_short(const char *call, int fd, size_t *size, bool writes)
{
    int saved = errno;
    bool hit = concerns(call, fd, NULL, writes) && count_call();
    errno = saved;
    if (!hit)
        return false;
    if (is_short) {
        *size = *size > 1 ? 1 : *size;
        return false;
    }
    errno = error_number;
    return true;
}

static bool writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fails(__func__, AT_FDCWD, path, writes(flags)) ? -1 : real.open(path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fails(__func__, directory, path, writes(flags))
               ? -1
               : real.openat(directory, path, flags, mode);
}

ssize_t read(int fd, void *to, size_t size)
{
    return fails_short(__func__, fd, &size, false) ? -1 : real.read(fd, to, size);
}

ssize_t pread(int fd, void *to, size_t size, off_t offset)
{
    return fails_short(__func__, fd, &size, false) ? -1 : real.pread(fd, to, size, offset);
}

ssize_t write(int fd, const void *from, size_t size)
{
    return fails_short(__func__, fd, &size, true) ? -1 : real.write(fd, from, size);
}

int rename(const char *from, const char *to)
{
    return fails(__func__, AT_FDCWD, to, true) ? -1 : real.rename(from, to);
}

int renameat(int from_directory, const char *from, int directory, const char *to)
{
    return fails(__func__, directory, to, true)
               ? -1
               : real.renameat(from_directory, from, directory, to);
}

int renameat2(int from_directory, const char *from, int directory, const char *to, unsigned flags)
{
    return fails(__func__, directory, to, true)
               ? -1
               : real.renameat2(from_directory, from, directory, to, flags);
}

int linkat(int from_directory, const char *from, int directory, const char *to, int flags)
{
    return fails(__func__, directory, to, true)
               ? -1
               : real.linkat(from_directory, from, directory, to, flags);
}

int mkdir(const char *path, mode_t mode)
{
    return fails(__func__, AT_FDCWD, path, true) ? -1 : real.mkdir(path, mode);
}

int mkdirat(int directory, const char *path, mode_t mode)
{
    return fails(__func__, directory, path, true) ? -1 : real.mkdirat(directory, path, mode);
}

int ftruncate(int fd, off_t size)
{
    return fails(__func__, fd, NULL, true) ? -1 : real.ftruncate(fd, size);
}

int fsync(int fd)
{
    return fails(__func__, fd, NULL, true) ? -1 : real.fsync(fd);
}

int fdatasync(int fd)
{
    return fails(__func__, fd, NULL, true) ? -1 : real.fdatasync(fd);
}
