/* SPDX-License-Identifier: MIT */
/* Loads the source of a task: see thumbnail_source.h. */
#include "thumbnail_source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "codec.h"
#include "file_type_guess.h"
#include "read_write_full.h"
#include "regular_file.h"

#define SOURCE_MAX_BYTES (UINT64_C(4) << 30) /* larger files are refused before they are read */
#define AHEAD_BYTES      (4 << 20)           /* larger files are opened ahead, but read later */
#define STREAM_BYTES     (16 << 20)          /* larger files stream, if their format can */
#define UNUSED_BYTES     ((size_t)16 << 20)  /* of buffers that are kept for the next sources */
#define HEAD_BYTES       FILE_TYPE_GUESS_BYTES
_Static_assert(HEAD_BYTES >= IMAGE_CODEC_SNIFF_BYTES, "a codec needs more bytes to be recognised");

/* Whether a file whose content is not an image is skipped rather than counted as an error: it was
 * found in a directory, and its name is not that of an image. A file that exists but cannot be read
 * is always an error, because it could be an image. */
static bool may_be_skipped(const struct thumbnail_task *task)
{
    return (task->flags & THUMBNAIL_WALKED) && !image_codec_by_file_name(task->source);
}

static int open_source(struct thumbnail_source *source, const struct thumbnail_task *task,
                       struct mpp_error *error)
{
    source->fd = regular_file_open(task->source, &source->status, error);
    if (source->fd < 0) {
        bool skippable = !errno || errno == ENOENT || errno == ENXIO || errno == ELOOP;
        source->not_image = skippable && may_be_skipped(task);
        return source->not_image ? 0 : -1;
    }
    if (source->status.st_size == 0) {
        source->not_image = may_be_skipped(task);
        return source->not_image ? 0 : mpp_error_set(error, "an empty file");
    }
    if ((uint64_t)source->status.st_size > SOURCE_MAX_BYTES)
        return mpp_error_set(error, "%lld bytes are more than this program reads (4 GiB)",
                             (long long)source->status.st_size);
    return 0;
}

/* Recognises the format by the first bytes. If the file is not an image, nothing else is read. */
static int sniff_source(struct thumbnail_source *source, const struct thumbnail_task *task,
                        struct mpp_error *error)
{
    uint8_t head[HEAD_BYTES];
    ssize_t got = pread_in_full(source->fd, head, sizeof head, 0);
    if (got < 0)
        return mpp_error_set_errno(error, "cannot read");
    const struct image_codec *content = image_codec_by_content(head, (size_t)got);
    source->not_image = !content && may_be_skipped(task);
    source->streams = content && content->streams && source->status.st_size > STREAM_BYTES;
    if (content || source->not_image)
        return 0;
    const char *like = file_type_guess(head, (size_t)got);
    char titles[128];
    return mpp_error_set(error, "not a %s file%s%s", image_codec_titles(titles, sizeof titles),
                         like ? ", it looks like " : "", like ? like : "");
}

int thumbnail_source_read(struct thumbnail_source *source, struct mpp_error *error)
{
    struct buf *bytes = &source->bytes;
    size_t wanted = (size_t)source->status.st_size + 1; /* one more, to see the end */
    for (;;) {
        uint8_t *to = buf_reserve(bytes, wanted);
        if (!to)
            return mpp_error_set(error, "out of memory for a file of %lld bytes",
                                 (long long)source->status.st_size);
        ssize_t got = read(source->fd, to, wanted);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return mpp_error_set_errno(error, "cannot read");
        if (got == 0)
            return 0;
        bytes->size += (size_t)got;
        if (bytes->size > SOURCE_MAX_BYTES)
            return mpp_error_set(error, "the file grew while it was read");
        wanted = wanted > (size_t)got ? wanted - (size_t)got : 65536;
    }
}

bool thumbnail_source_read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct thumbnail_source *source = context;
    ssize_t got = pread_in_full(source->fd, to, size, at);
    if (got >= 0 && (size_t)got < size)
        errno = ENODATA; /* the file was truncated after it was opened */
    return got == (ssize_t)size;
}

/* Unused sources, kept because of their buffers: the kernel clears every page of new memory, which
 * takes a tenth of the total time for large files. */
static struct {
    pthread_mutex_t mutex;
    struct thumbnail_source *first;
    size_t bytes;
} unused = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct thumbnail_source *new_source(void)
{
    pthread_mutex_lock(&unused.mutex);
    struct thumbnail_source *source = unused.first;
    if (source) {
        unused.first = source->next;
        unused.bytes -= source->bytes.capacity;
    }
    pthread_mutex_unlock(&unused.mutex);
    if (!source && !(source = calloc(1, sizeof *source)))
        return NULL;
    struct buf bytes = source->bytes;
    buf_clear(&bytes);
    *source = (struct thumbnail_source){.fd = -1, .bytes = bytes};
    return source;
}

void thumbnail_source_free(struct thumbnail_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    pthread_mutex_lock(&unused.mutex);
    bool kept = source->bytes.capacity <= UNUSED_BYTES - unused.bytes;
    if (kept) {
        unused.bytes += source->bytes.capacity;
        source->next = unused.first;
        unused.first = source;
    }
    pthread_mutex_unlock(&unused.mutex);
    if (!kept) {
        buf_release(&source->bytes);
        free(source);
    }
}

void thumbnail_source_free_unused(void)
{
    for (struct thumbnail_source *source; (source = unused.first);) {
        unused.first = source->next;
        buf_release(&source->bytes);
        free(source);
    }
    unused.bytes = 0;
}

static int prepare_source(struct thumbnail_source *source, const struct thumbnail_task *task,
                          bool dry_run, struct mpp_error *error)
{
    if (open_source(source, task, error))
        return -1;
    if (source->not_image)
        return 0;
    if (sniff_source(source, task, error))
        return -1;
    if (source->not_image || dry_run)
        return 0;
    if (source->status.st_size <= AHEAD_BYTES)
        return thumbnail_source_read(source, error);
    posix_fadvise(source->fd, 0, 0, POSIX_FADV_WILLNEED); /* only advice: failures do not matter */
    return 0;
}

struct thumbnail_source *thumbnail_source_load(const struct thumbnail_task *task, bool dry_run,
                                               struct mpp_error *error)
{
    struct thumbnail_source *source = new_source();
    if (!source) {
        mpp_error_set(error, "out of memory");
        return NULL;
    }
    if (prepare_source(source, task, dry_run, error) == 0)
        return source;
    int saved = errno;
    thumbnail_source_free(source);
    errno = saved;
    return NULL;
}
