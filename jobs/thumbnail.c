/*
 * The thumbnail job: see thumbnail.h.
 *
 * It runs in a worker process and touches the file system for itself: names come in, a small
 * outcome goes back. Sources are opened and, unless they are large, read ahead. Everything about a
 * source that can be wrong has a message of its own; they follow "mpthumb: 'SOURCE': ".
 */
#include "thumbnail.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "atomic_file.h"
#include "looks_like.h"
#include "whole_io.h"

#define SOURCE_MAX_BYTES (UINT64_C(4) << 30) /* a larger file is refused before it is read */
#define AHEAD_BYTES      (4 << 20)          /* a larger one is opened ahead, and read in its turn */
#define STREAM_BYTES     (16 << 20)         /* a larger PNG is read while it is decoded */
#define SPARE_BYTES      ((size_t)16 << 20) /* of buffers kept for the next sources */
#define HEAD_BYTES       32                 /* enough to tell what a file is */

struct worker_state {
    const struct thumbnail_setup *setup;
    struct thumbnailer *thumbnailer;
    int root;        /* the output directory; -1: none */
    char *root_path; /* without links; NULL: none */
    struct buf output;
    struct buf outcome;
};

/* What load makes of a source. */
struct source {
    int fd;
    struct stat status;
    bool stranger; /* neither by name nor by content an image: passed over */
    bool mismatch; /* the name says one format and the content the other */
    bool streams;  /* it is read while it is decoded */
    bool kept;     /* its output is there already: nothing is to be done */
    struct buf bytes;
    struct source *next; /* spare */
};

/* One task on its way. */
struct passage {
    struct thumbnail_task task;
    struct source *source;
    struct thumbnail_outcome outcome;
    int writing; /* the errno for which the output could not be written */
};

static void state_free(struct worker_state *state)
{
    if (!state)
        return;
    thumbnailer_free(state->thumbnailer);
    if (state->root >= 0)
        close(state->root);
    free(state->root_path);
    buf_release(&state->output);
    buf_release(&state->outcome);
    free(state);
}

static int thumbnail_open(void **out, const void *initargs, struct mpp_error *error)
{
    struct worker_state *state = calloc(1, sizeof *state);
    if (!state)
        return mpp_error_set(error, "out of memory");
    state->setup = initargs;
    state->root = -1;
    state->thumbnailer = thumbnailer_new();
    if (!state->thumbnailer) {
        mpp_error_set(error, "out of memory");
        goto failed;
    }
    if (state->setup->output && !state->setup->dry_run &&
        output_directory_open(state->setup->output, &state->root, error))
        goto failed;
    if (state->setup->output)
        state->root_path = realpath(state->setup->output, NULL);
    *out = state;
    return 0;
failed:
    state_free(state);
    return -1;
}

/* ---- The source ---- */

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

static int open_source(struct source *source, const struct thumbnail_task *task,
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
static int sniff_source(struct source *source, const struct thumbnail_task *task,
                        struct mpp_error *error)
{
    uint8_t head[HEAD_BYTES];
    ssize_t got = whole_pread(source->fd, head, sizeof head, 0);
    if (got < 0)
        return mpp_error_set_errno(error, "cannot read");
    enum image_format content = image_sniff(head, (size_t)got);
    enum image_format name = image_format_of_name(task->source);
    source->mismatch = name && content && name != content;
    source->stranger = !content && may_be_stranger(task);
    source->streams = content == IMAGE_PNG && source->status.st_size > STREAM_BYTES;
    if (content || source->stranger)
        return 0;
    const char *like = looks_like(head, (size_t)got);
    return mpp_error_set(error, "not a JPEG or PNG file%s%s", like ? ", it looks like " : "",
                         like ? like : "");
}

static int read_source(struct source *source, struct mpp_error *error)
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
static bool read_at(void *context, uint64_t at, void *to, size_t size)
{
    const struct source *source = context;
    ssize_t got = whole_pread(source->fd, to, size, at);
    if (got >= 0 && (size_t)got < size)
        errno = ENODATA; /* it became shorter */
    return got == (ssize_t)size;
}

/* Sources that are done with, for their memory: pages that were used before need not be cleared by
 * the kernel again, which for large files took a tenth of all time. */
static struct {
    pthread_mutex_t mutex;
    struct source *first;
    size_t bytes;
} spare = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct source *new_source(void)
{
    pthread_mutex_lock(&spare.mutex);
    struct source *source = spare.first;
    if (source) {
        spare.first = source->next;
        spare.bytes -= source->bytes.capacity;
    }
    pthread_mutex_unlock(&spare.mutex);
    if (!source && !(source = calloc(1, sizeof *source)))
        return NULL;
    struct buf bytes = source->bytes;
    buf_clear(&bytes);
    *source = (struct source){.fd = -1, .bytes = bytes};
    return source;
}

static void thumbnail_unload(void *loaded)
{
    struct source *source = loaded;
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

static void free_spare_sources(void)
{
    for (struct source *source; (source = spare.first);) {
        spare.first = source->next;
        buf_release(&source->bytes);
        free(source);
    }
    spare.bytes = 0;
}

/* ---- What is there already ---- */

static int64_t mtime_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* Is there a regular file where the output goes? *path is its path, 2 * PATH_MAX bytes. */
static bool find_output(const struct thumbnail_setup *setup, const struct thumbnail_task *task,
                        char *path)
{
    struct stat status;
    const char *slash = strrchr(task->source, '/');
    if (setup->output)
        snprintf(path, 2 * PATH_MAX, "%s/%s", setup->output, task->output);
    else
        snprintf(path, 2 * PATH_MAX, "%.*s%s", slash ? (int)(slash - task->source) + 1 : 0,
                 task->source, task->output);
    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

/* A file's checksum; false: it cannot be read. */
static bool sum_file(const char *path, uint64_t *xxh3)
{
    uint8_t bytes[65536];
    XXH3_state_t *state = XXH3_createState();
    ssize_t got = -1;
    int fd =
        TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (fd >= 0 && state && XXH3_64bits_reset(state) == XXH_OK)
        for (uint64_t at = 0; (got = whole_pread(fd, bytes, sizeof bytes, at)) > 0;
             at += (uint64_t)got)
            XXH3_64bits_update(state, bytes, (size_t)got);
    *xxh3 = state ? XXH3_64bits_digest(state) : 0;
    XXH3_freeState(state);
    if (fd >= 0)
        close(fd);
    return got == 0;
}

/* Is the output there, and as it was recorded? */
static bool output_is_there(const struct thumbnail_setup *setup, const struct thumbnail_task *task)
{
    char path[2 * PATH_MAX];
    uint64_t xxh3;
    return find_output(setup, task, path) &&
           (!(task->flags & THUMBNAIL_VERIFY) ||
            (sum_file(path, &xxh3) && xxh3 == task->recorded.xxh3));
}

/* Has the source not changed since it was recorded? It is not opened for that, which may take
 * longer than anything else. */
static bool source_is_as_recorded(const struct thumbnail_task *task)
{
    struct stat status;
    return stat(task->source, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == task->recorded.size_bytes &&
           mtime_ns(&status) == task->recorded.mtime_ns;
}

/* An output is held beside what was recorded, and the source not asked. */
static int check_output(struct source *source, const struct thumbnail_setup *setup,
                        const struct thumbnail_task *task, struct mpp_error *error)
{
    source->kept = true;
    if (!(task->flags & THUMBNAIL_RECORDED))
        return mpp_error_set(error, "the journal does not say that it is done");
    char path[2 * PATH_MAX];
    if (output_is_there(setup, task))
        return 0;
    if (!find_output(setup, task, path))
        return mpp_error_set(error, "its thumbnail %.800s is not there", task->output);
    return mpp_error_set(error, "its thumbnail %.800s is not the one that was written",
                         task->output);
}

static int prepare_source(struct source *source, const struct thumbnail_setup *setup,
                          const struct thumbnail_task *task, struct mpp_error *error)
{
    if (task->flags & THUMBNAIL_CHECK)
        return check_output(source, setup, task, error);
    source->kept = ((task->flags & THUMBNAIL_EXISTING) && output_is_there(setup, task)) ||
                   ((task->flags & THUMBNAIL_RECORDED) && source_is_as_recorded(task) &&
                    output_is_there(setup, task));
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
        return read_source(source, error);
    posix_fadvise(source->fd, 0, 0, POSIX_FADV_WILLNEED); /* not in vain where it fails */
    return 0;
}

static void thumbnail_close(void *state)
{
    state_free(state);
    free_spare_sources();
}

static int thumbnail_load(const void *initargs, struct mpp_bytes payload, void **loaded,
                          struct mpp_error *error)
{
    struct thumbnail_task task;
    if (thumbnail_task_decode(payload, &task, error))
        return -1;
    struct source *source = new_source();
    if (!source)
        return mpp_error_set(error, "out of memory");
    if (prepare_source(source, initargs, &task, error)) {
        int kept = errno;
        thumbnail_unload(source);
        errno = kept;
        return -1;
    }
    *loaded = source;
    return 0;
}

/* ---- The output ---- */

static bool lies_in(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 &&
           (size == 1 || path[size] == '/' || path[size] == '\0');
}

/* A listed name could be one of the thumbnails themselves. */
static int refuse_inside_output(const struct worker_state *state, const struct passage *passage,
                                struct mpp_error *error)
{
    if (!(passage->task.flags & THUMBNAIL_LISTED) || !state->root_path)
        return 0;
    char *real = realpath(passage->task.source, NULL);
    bool inside = real && lies_in(real, state->root_path);
    free(real);
    return inside ? mpp_error_set(error, "lies in the output directory; choose another --output")
                  : 0;
}

/* The directory that the output's path is relative to; the caller closes it unless it is the
 * root. */
static int open_base(const struct worker_state *state, const struct passage *passage, int *fd,
                     struct mpp_error *error)
{
    *fd = state->root;
    if (state->root >= 0)
        return 0;
    char directory[PATH_MAX] = ".";
    const char *slash = strrchr(passage->task.source, '/');
    size_t size = slash ? (size_t)(slash - passage->task.source) + 1 : 0;
    if (size >= sizeof directory)
        return mpp_error_set(error, "its path is too long");
    if (size) {
        memcpy(directory, passage->task.source, size);
        directory[size] = '\0';
    }
    *fd = TEMP_FAILURE_RETRY(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return *fd < 0 ? mpp_error_set_errno(error, "cannot open its directory") : 0;
}

static int commit(struct atomic_file *file, const struct worker_state *state,
                  const struct passage *passage, struct mpp_error *error)
{
    bool replace = !(passage->task.flags & THUMBNAIL_NO_REPLACE);
    bool exists;
    if (atomic_file_is_at(file, &passage->source->status))
        return mpp_error_set(error, "its thumbnail would replace the image itself; "
                                    "choose another --output or a --suffix");
    if (atomic_file_commit(file, replace, &exists, error))
        return -1;
    /* The very same thumbnail is there from an earlier run: that is what was wanted. */
    if (exists && !atomic_file_holds(file, state->output.data, state->output.size))
        return mpp_error_set(error,
                             "its thumbnail would replace %.800s, which may be an input; "
                             "remove that or choose another --suffix",
                             passage->task.output);
    return 0;
}

static int write_output(struct worker_state *state, struct passage *passage,
                        struct mpp_error *error)
{
    struct atomic_file file = ATOMIC_FILE_INIT;
    int base;
    int result = -1;
    if (open_base(state, passage, &base, error))
        return -1;
    errno = 0;
    if (atomic_file_open(&file, base, passage->task.output, error) == 0 &&
        atomic_file_write(&file, state->output.data, state->output.size, error) == 0)
        result = commit(&file, state, passage, error);
    passage->writing = result ? errno : 0;
    atomic_file_abandon(&file);
    if (base != state->root)
        close(base);
    return result;
}

/* ---- The task ---- */

static int make_thumbnail(struct worker_state *state, struct passage *passage,
                          struct mpp_error *error)
{
    struct thumbnail_options options = state->setup->image;
    struct thumbnail_outcome *outcome = &passage->outcome;
    struct source *source = passage->source;
    if (!source->bytes.size && !source->streams && read_source(source, error))
        return -1;
    struct image_source image = {.bytes = source->streams ? NULL : source->bytes.data,
                                 .size = source->streams ? (uint64_t)source->status.st_size
                                                         : source->bytes.size,
                                 .read_at = read_at,
                                 .context = source};
    if (options.format == IMAGE_UNKNOWN)
        options.format = image_format_of_name(passage->task.source);
    buf_clear(&state->output);
    if (thumbnailer_run(state->thumbnailer, &image, &options, &state->output, &outcome->info,
                        error))
        return -1;
    if (state->output.failed)
        return mpp_error_set(error, "out of memory");
    if ((passage->task.flags & THUMBNAIL_SUFFIXED) &&
        outcome->info.source_width_px <= options.box_width_px &&
        outcome->info.source_height_px <= options.box_height_px) {
        outcome->status = THUMBNAIL_THUMBNAIL;
        return 0;
    }
    outcome->source_bytes = image.size;
    outcome->output_bytes = state->output.size;
    outcome->output_xxh3 = XXH3_64bits(state->output.data, state->output.size);
    return write_output(state, passage, error);
}

/* Nothing else will find room either: that is no fault of this source. */
static bool is_for_all(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EROFS;
}

static int run_passage(struct worker_state *state, struct passage *passage, struct mpp_error *error)
{
    passage->outcome.mismatch = passage->source->mismatch;
    passage->outcome.source_mtime_ns = mtime_ns(&passage->source->status);
    if (passage->source->kept) {
        passage->outcome.status = THUMBNAIL_KEPT;
        return 0;
    }
    if (passage->source->stranger) {
        passage->outcome.status = THUMBNAIL_SKIPPED;
        return 0;
    }
    if (refuse_inside_output(state, passage, error))
        return -1;
    return state->setup->dry_run ? 0 : make_thumbnail(state, passage, error);
}

static int thumbnail_run(void *opaque, struct mpp_bytes payload, struct mpp_result *result,
                         struct mpp_error *error)
{
    struct worker_state *state = opaque;
    struct passage passage = {.source = mpp_result_loaded(result)};
    if (thumbnail_task_decode(payload, &passage.task, error))
        return -1;
    if (run_passage(state, &passage, error)) {
        if (!passage.writing || !is_for_all(passage.writing))
            return -1;
        passage.outcome.status = THUMBNAIL_NO_ROOM;
        passage.outcome.text = error->text;
    }
    buf_clear(&state->outcome);
    thumbnail_outcome_encode(&passage.outcome, &state->outcome);
    return state->outcome.failed || mpp_result_set(result, state->outcome.data, state->outcome.size)
               ? mpp_error_set(error, "out of memory")
               : 0;
}

const struct mpp_job thumbnail_job = {
    .name = "thumbnail",
    .summary = "makes a thumbnail of a JPEG or PNG file",
    .open = thumbnail_open,
    .load = thumbnail_load,
    .unload = thumbnail_unload,
    .run = thumbnail_run,
    .close = thumbnail_close,
};
