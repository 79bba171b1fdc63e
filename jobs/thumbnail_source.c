/* The image a task is about: see thumbnail_source.h. */
#include "thumbnail_source.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_type_guess.h"
#include "read_write_full.h"
#include "thumbnail_resume.h"

#define SOURCE_MAX_BYTES (UINT64_C(4) << 30) /* a larger file is refused before it is read */
#define AHEAD_BYTES      (4 << 20)          /* a larger one is opened ahead, and read in its turn */
#define STREAM_BYTES     (16 << 20)         /* a larger PNG is read while it is decoded */
#define SPARE_BYTES      ((size_t)16 << 20) /* of buffers kept for the next sources */
#define HEAD_BYTES       32                 /* enough to tell what a file is */

static int refuse_open(const char *path, struct mpp_error *error)
{
    struct stat status;
    switch (errno) {
    case ENOENT:
        if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
            return mpp_error_set(error, "a symbolic link to nothing");
        return mpp_error_set(error, "no such file");
    case EACCES:
        return mpp_error_set(error, "permission denied");
    case ELOOP:
        return mpp_error_set(error, "symbolic links in a circle");
    case ENXIO:
        return mpp_error_set(error, "a socket or a device, not a regular file");
    default:
        return mpp_error_set_errno(error, "cannot open");
    }
}

static int refuse_type(mode_t mode, struct mpp_error *error)
{
    const char *what = "something else";
    if (S_ISDIR(mode))
        what = "a directory";
    else if (S_ISFIFO(mode))
        what = "a FIFO";
    else if (S_ISCHR(mode) || S_ISBLK(mode))
        what = "a device";
    else if (S_ISSOCK(mode))
        what = "a socket";
    return mpp_error_set(error, "%s, not a regular file", what);
}

/* In a walk, what is not called an image and cannot be one is passed over. A file that exists but
 * may not be read could be one: that stays an error. */
static bool may_be_stranger(const struct thumbnail_task *task)
{
    return (task->flags & THUMBNAIL_WALKED) && image_format_of_name(task->source) == IMAGE_UNKNOWN;
}

static int open_source(struct thumbnail_source *source, const struct thumbnail_task *task,
                       struct mpp_error *error)
{
    /* Neither a FIFO without a writer nor a terminal may hold us up. */
    source->fd =
        TEMP_FAILURE_RETRY(open(task->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (source->fd < 0) {
        bool passable = errno == ENOENT || errno == ENXIO || errno == ELOOP;
        source->stranger = passable && may_be_stranger(task);
        return source->stranger ? 0 : refuse_open(task->source, error);
    }
    if (fstat(source->fd, &source->status))
        return mpp_error_set_errno(error, "cannot read");
    if (!S_ISREG(source->status.st_mode) || source->status.st_size == 0) {
        source->stranger = may_be_stranger(task);
        if (source->stranger)
            return 0;
        if (!S_ISREG(source->status.st_mode))
            return refuse_type(source->status.st_mode, error);
        return mpp_error_set(error, "an empty file");
    }
    if ((uint64_t)source->status.st_size > SOURCE_MAX_BYTES)
        return mpp_error_set(error, "%lld bytes are more than this program reads (4 GiB)",
                             (long long)source->status.st_size);
    return 0;
}

/* Looks at the first bytes; nothing else is read of what is no image. */
static int sniff_source(struct thumbnail_source *source, const struct thumbnail_task *task,
                        struct mpp_error *error)
{
    uint8_t head[HEAD_BYTES];
    ssize_t got = pread_in_full(source->fd, head, sizeof head, 0);
    if (got < 0)
        return mpp_error_set_errno(error, "cannot read");
    enum image_format content = image_sniff(head, (size_t)got);
    enum image_format name = image_format_of_name(task->source);
    source->mismatch = name && content && name != content;
    source->stranger = !content && may_be_stranger(task);
    source->streams = content == IMAGE_PNG && source->status.st_size > STREAM_BYTES;
    if (content || source->stranger)
        return 0;
    const char *like = file_type_guess(head, (size_t)got);
    return mpp_error_set(error, "not a JPEG or PNG file%s%s", like ? ", it looks like " : "",
                         like ? like : "");
}

int thumbnail_source_read(struct thumbnail_source *source, struct mpp_error *error)
{
    struct buf *bytes = &source->bytes;
    size_t wanted = (size_t)source->status.st_size + 1; /* one more: to meet the end at once */
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
            return mpp_error_set(error, "grows while it is read");
        wanted = wanted > (size_t)got ? wanted - (size_t)got : 65536;
    }
}

/* For the decoder of a source that streams. */
bool thumbnail_source_read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct thumbnail_source *source = context;
    ssize_t got = pread_in_full(source->fd, to, size, at);
    if (got >= 0 && (size_t)got < size)
        errno = ENODATA; /* it became shorter */
    return got == (ssize_t)size;
}

/* Sources that are done with, for their memory: pages that were used before need not be cleared by
 * the kernel again, which for large files took a tenth of all time. */
static struct {
    pthread_mutex_t mutex;
    struct thumbnail_source *first;
    size_t bytes;
} spare = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct thumbnail_source *new_source(void)
{
    pthread_mutex_lock(&spare.mutex);
    struct thumbnail_source *source = spare.first;
    if (source) {
        spare.first = source->next;
        spare.bytes -= source->bytes.capacity;
    }
    pthread_mutex_unlock(&spare.mutex);
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
    pthread_mutex_lock(&spare.mutex);
    bool kept = source->bytes.capacity <= SPARE_BYTES - spare.bytes;
    if (kept) {
        spare.bytes += source->bytes.capacity;
        source->next = spare.first;
        spare.first = source;
    }
    pthread_mutex_unlock(&spare.mutex);
    if (!kept) {
        buf_release(&source->bytes);
        free(source);
    }
}

void thumbnail_source_free_spare(void)
{
    for (struct thumbnail_source *source; (source = spare.first);) {
        spare.first = source->next;
        buf_release(&source->bytes);
        free(source);
    }
    spare.bytes = 0;
}

static int prepare_source(struct thumbnail_source *source, const struct thumbnail_setup *setup,
                          const struct thumbnail_task *task, struct mpp_error *error)
{
    if (task->flags & THUMBNAIL_CHECK) {
        source->kept = true; /* whatever it is, nothing is made */
        return thumbnail_resume_check(setup, task, error);
    }
    source->kept = ((task->flags & THUMBNAIL_EXISTING) && thumbnail_resume_is_there(setup, task)) ||
                   ((task->flags & THUMBNAIL_RECORDED) && thumbnail_resume_is_same(task) &&
                    thumbnail_resume_is_there(setup, task));
    if (source->kept)
        return 0;
    if (open_source(source, task, error))
        return -1;
    if (source->stranger)
        return 0;
    if (sniff_source(source, task, error))
        return -1;
    if (source->stranger || setup->dry_run)
        return 0;
    if (source->status.st_size <= AHEAD_BYTES)
        return thumbnail_source_read(source, error);
    posix_fadvise(source->fd, 0, 0, POSIX_FADV_WILLNEED); /* not in vain where it fails */
    return 0;
}

struct thumbnail_source *thumbnail_source_load(const struct thumbnail_setup *setup,
                                               const struct thumbnail_task *task,
                                               struct mpp_error *error)
{
    struct thumbnail_source *source = new_source();
    if (!source) {
        mpp_error_set(error, "out of memory");
        return NULL;
    }
    if (prepare_source(source, setup, task, error) == 0)
        return source;
    int kept = errno;
    thumbnail_source_free(source);
    errno = kept;
    return NULL;
}
