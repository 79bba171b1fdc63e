/* SPDX-License-Identifier: MIT */
/* Writes, reads and removes spool files: see spool.h. */
#include "spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "read_write_full.h"
#include "regular_file.h"

#define FILE_NAME "%" PRIu32 "-%" PRIu32 "-%" PRIu32 ".spool"

enum { PENDING_MAX = 1 << 16 };

/* The path of the file with this result. */
static int make_path(char path[PATH_MAX], const char *directory, const struct result_ref *ref,
                     struct mpp_error *error)
{
    int size = snprintf(path, PATH_MAX, "%s/" FILE_NAME, directory, ref->run, ref->rank, ref->slot);
    if (size >= 0 && size < PATH_MAX)
        return 0;
    errno = ENAMETOOLONG;
    return mpp_error_set_errno(error, "cannot use the spool directory '%.800s'", directory);
}

static int open_regular(const char *path, int flags, struct stat *status, struct mpp_error *error)
{
    int fd = regular_file_open_with(path, flags | O_NOFOLLOW, status);
    if (fd >= 0)
        return fd;
    if (errno == ELOOP)
        return mpp_error_set(error, "the spool file '%.800s' is a symbolic link", path);
    if (errno)
        return mpp_error_set_errno(error, "cannot open the spool file '%.800s'", path);
    errno = EINVAL;
    return mpp_error_set(error, "the spool file '%.800s' is not a regular file", path);
}

/* ---- Writing ---- */

struct spool_writer {
    XXH3_state_t *hash;    /* of the current result */
    int fd;                /* -1: to be opened again */
    int failed;            /* errno of the first failure in the current result; 0: none */
    bool begun;            /* there is a current result */
    struct result_ref ref; /* to the current result; the size is without what is pending */
    bool unsynced;         /* there are finished results that may not be on disk, */
    uint64_t synced;       /* from this offset on */
    size_t pending_size;
    char path[PATH_MAX];
    uint8_t pending[PENDING_MAX];
};

static int writer_open(struct spool_writer *writer, struct mpp_error *error)
{
    struct stat status;
    writer->fd = open_regular(writer->path, O_WRONLY | O_APPEND | O_CREAT, &status, error);
    return writer->fd < 0 ? -1 : 0;
}

struct spool_writer *spool_writer_new(const char *directory, uint32_t run, uint32_t rank,
                                      uint32_t slot, struct mpp_error *error)
{
    struct spool_writer *writer = calloc(1, sizeof *writer);
    if (!writer || !(writer->hash = XXH3_createState())) {
        free(writer);
        mpp_error_set(error, "out of memory");
        errno = ENOMEM;
        return NULL;
    }
    writer->fd = -1;
    writer->ref =
        (struct result_ref){.place = RESULT_SPOOLED, .run = run, .rank = rank, .slot = slot};
    if (make_path(writer->path, directory, &writer->ref, error) == 0 &&
        writer_open(writer, error) == 0)
        return writer;
    spool_writer_free(writer);
    return NULL;
}

void spool_writer_free(struct spool_writer *writer)
{
    int saved = errno;
    if (!writer)
        return;
    spool_writer_drop(writer);
    if (writer->fd >= 0)
        close(writer->fd);
    XXH3_freeState(writer->hash);
    free(writer);
    errno = saved;
}

/* Sets the error for errno, which all further calls about this result get too. */
static int writer_fail(struct spool_writer *writer, struct mpp_error *error)
{
    writer->failed = errno;
    return mpp_error_set_errno(error, "cannot write the spool file '%.800s'", writer->path);
}

/* Begins a result at the end that the file has now. It need not be the end of the last result: a
 * killed process may have left bytes there, or cutting them off failed. */
static int writer_begin(struct spool_writer *writer, struct mpp_error *error)
{
    if (writer->fd < 0 && writer_open(writer, error)) {
        writer->failed = errno;
        return -1;
    }
    off_t end = lseek(writer->fd, 0, SEEK_END);
    if (end < 0)
        return writer_fail(writer, error);
    writer->ref.offset = (uint64_t)end;
    writer->ref.size = 0;
    writer->begun = true;
    XXH3_64bits_reset(writer->hash);
    return 0;
}

static int writer_write(struct spool_writer *writer, const void *bytes, size_t size,
                        struct mpp_error *error)
{
    XXH3_64bits_update(writer->hash, bytes, size);
    writer->ref.size += size;
    return write_in_full(writer->fd, bytes, size) ? writer_fail(writer, error) : 0;
}

static int writer_flush(struct spool_writer *writer, struct mpp_error *error)
{
    size_t size = writer->pending_size;
    writer->pending_size = 0;
    return writer_write(writer, writer->pending, size, error);
}

int spool_writer_put(struct spool_writer *writer, const void *bytes, size_t size,
                     struct mpp_error *error)
{
    if (writer->failed) {
        errno = writer->failed;
        return writer_fail(writer, error);
    }
    if (!writer->begun && writer_begin(writer, error))
        return -1;
    if (size > PENDING_MAX - writer->pending_size && writer_flush(writer, error))
        return -1;
    if (size > PENDING_MAX)
        return writer_write(writer, bytes, size, error);
    if (size)
        memcpy(writer->pending + writer->pending_size, bytes, size);
    writer->pending_size += size;
    return 0;
}

int spool_writer_finish(struct spool_writer *writer, struct result_ref *ref,
                        struct mpp_error *error)
{
    if (spool_writer_put(writer, NULL, 0, error) || writer_flush(writer, error)) {
        spool_writer_drop(writer);
        return -1;
    }
    *ref = writer->ref;
    ref->xxh3 = XXH3_64bits_digest(writer->hash);
    if (!writer->unsynced)
        writer->synced = writer->ref.offset;
    writer->unsynced = true;
    writer->begun = false;
    return 0;
}

/* A failed fdatasync is never repeated: Linux marks pages that it could not write as clean, so a
 * second call succeeds although the bytes are lost. Therefore the next result begins with a new
 * descriptor, whose syncs report errors of their own. */
int spool_writer_sync(struct spool_writer *writer, struct mpp_error *error)
{
    if (!writer->unsynced)
        return 0;
    writer->unsynced = false;
    if (writer->fd < 0 && writer_open(writer, error)) /* closed after a failed write */
        return -1;
    if (sync_data(writer->fd) == 0)
        return 0;
    writer_fail(writer, error);
    writer->ref.offset = writer->synced; /* the results since then are lost: cut them off */
    writer->ref.size = 1;
    writer->begun = true;
    spool_writer_drop(writer);
    return -1;
}

/* After a failed write the bytes are cut off, and the next result begins with a new descriptor. The
 * results before it stay: those that were synced are valid. */
void spool_writer_drop(struct spool_writer *writer)
{
    int saved = errno;
    if (writer->begun && writer->ref.size && ftruncate(writer->fd, (off_t)writer->ref.offset))
        writer->failed = errno; /* the bytes stay, and nothing refers to them */
    if (writer->failed && writer->fd >= 0) {
        close(writer->fd);
        writer->fd = -1;
    }
    writer->failed = 0;
    writer->pending_size = 0;
    writer->begun = false;
    errno = saved;
}

/* ---- Reading ---- */

struct open_spool {
    struct result_ref ref; /* to a result in it */
    int fd;                /* -1: the entry is free */
    uint64_t size;         /* of the file when it was opened */
    uint64_t used;         /* the reader's clock when it was read last */
};

struct spool_reader {
    const char *directory;
    uint64_t clock; /* counts reads */
    struct open_spool files[SPOOL_OPEN_MAX];
};

struct spool_reader *spool_reader_new(const char *directory, struct mpp_error *error)
{
    struct spool_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        mpp_error_set(error, "out of memory");
        return NULL;
    }
    reader->directory = directory;
    for (size_t i = 0; i < SPOOL_OPEN_MAX; i++)
        reader->files[i].fd = -1;
    return reader;
}

static void close_file(struct open_spool *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    file->used = 0;
}

void spool_reader_free(struct spool_reader *reader)
{
    for (size_t i = 0; reader && i < SPOOL_OPEN_MAX; i++)
        close_file(&reader->files[i]);
    free(reader);
}

/* The entry of the result's file; if the file is not open, a free entry. Closes the file that was
 * not used for the longest time if none is free. */
static struct open_spool *find_file(struct spool_reader *reader, const struct result_ref *ref)
{
    struct open_spool *oldest = reader->files;
    for (size_t i = 0; i < SPOOL_OPEN_MAX; i++) {
        struct open_spool *file = &reader->files[i];
        if (file->fd >= 0 && file->ref.run == ref->run && file->ref.rank == ref->rank &&
            file->ref.slot == ref->slot)
            return file;
        if (file->used < oldest->used)
            oldest = file;
    }
    close_file(oldest);
    return oldest;
}

static int set_too_short(const char *path, const struct result_ref *ref, struct mpp_error *error)
{
    return mpp_error_set(error,
                         "the spool file '%.800s' ends before a result of %" PRIu64
                         " bytes at offset %" PRIu64,
                         path, ref->size, ref->offset);
}

static int open_file(struct open_spool *file, const char *path, const struct result_ref *ref,
                     struct mpp_error *error)
{
    struct stat status;
    close_file(file);
    file->fd = open_regular(path, O_RDONLY, &status, error);
    if (file->fd < 0)
        return -1;
    file->ref = *ref;
    file->size = (uint64_t)status.st_size;
    if (ref->size <= file->size && ref->offset <= file->size - ref->size)
        return 0;
    return set_too_short(path, ref, error);
}

/* A network file system shows a reader what had been synced before the reader opened the file. So a
 * result that was appended since then needs a new descriptor, and a read that fails is tried once
 * more with one. */
int spool_read(struct spool_reader *reader, const struct result_ref *ref, uint64_t at, void *to,
               size_t size, struct mpp_error *error)
{
    char path[PATH_MAX];
    if (ref->place != RESULT_SPOOLED || at > ref->size || size > ref->size - at)
        return mpp_error_set(error, "a reference to a spool file is damaged");
    if (make_path(path, reader->directory, ref, error))
        return -1;
    struct open_spool *file = find_file(reader, ref);
    for (bool fresh = false;;) {
        if (file->fd < 0 || ref->size > file->size || ref->offset > file->size - ref->size) {
            if (open_file(file, path, ref, error))
                return -1;
            fresh = true;
        }
        file->used = ++reader->clock;
        ssize_t got = pread_in_full(file->fd, to, size, ref->offset + at);
        if (got == (ssize_t)size)
            return 0;
        int reason = errno;
        close_file(file);
        errno = reason;
        if (fresh)
            return got < 0 ? mpp_error_set_errno(error, "cannot read the spool file '%.800s'", path)
                           : set_too_short(path, ref, error);
    }
}

/* ---- Removing ---- */

static bool is_spool_of(const char *name, uint32_t first_run, uint32_t last_run)
{
    uint32_t run, rank, slot;
    char made[48];
    if (sscanf(name, "%" SCNu32 "-%" SCNu32 "-%" SCNu32, &run, &rank, &slot) != 3)
        return false;
    snprintf(made, sizeof made, FILE_NAME, run, rank, slot);
    return strcmp(name, made) == 0 && first_run <= run && run <= last_run;
}

int spool_remove(const char *directory, uint32_t first_run, uint32_t last_run,
                 struct mpp_error *error)
{
    int result = 0;
    bool removed;
    DIR *stream = opendir(directory);
    if (!stream)
        return errno == ENOENT ? 0
                               : mpp_error_set_errno(
                                     error, "cannot read the spool directory '%.800s'", directory);
    do { /* again, because some file systems skip entries when others are removed */
        removed = false;
        rewinddir(stream);
        for (struct dirent *entry; (entry = readdir(stream));) {
            if (!is_spool_of(entry->d_name, first_run, last_run))
                continue;
            if (unlinkat(dirfd(stream), entry->d_name, 0) == 0)
                removed = true;
            else if (errno != ENOENT)
                result = mpp_error_set_errno(error, "cannot remove the spool file '%.700s/%s'",
                                             directory, entry->d_name);
        }
    } while (removed);
    closedir(stream);
    rmdir(directory); /* fails if it is not empty */
    return result;
}
