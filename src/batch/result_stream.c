/* SPDX-License-Identifier: MIT */
/* The output of a run, to stdout or a file: see result_stream.h. */
#include "result_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "output_name.h"
#include "read_write_full.h"

enum { PENDING_BYTES = 1 << 16, PIECE_BYTES = 1 << 20 };

/* ---- Opening ---- */

int result_stream_open(struct mpb_output *output, const char *path, struct mpp_error *error)
{
    struct stat status;
    *output = (struct mpb_output){.file = ATOMIC_FILE_INIT};
    if (!path || strcmp(path, "-") == 0)
        return 0;
    output->path = path;
    int missing = lstat(path, &status);
    if (missing && errno != ENOENT)
        return mpp_error_set_errno(error, "cannot write '%.800s'", path);
    if (!*output_name_base(path) || (!missing && !S_ISREG(status.st_mode)))
        return mpp_error_set(error, "the output '%.800s' is not a regular file", path);
    return atomic_file_create(&output->file, path, error);
}

/* ---- Writing ---- */

/* Sets the error for errno. After the first one nothing more is written: there would be a gap. */
static int output_fail(struct mpb_output *output, struct mpp_error *error)
{
    output->failed = errno;
    return output->path ? mpp_error_set_errno(error, "cannot write '%.800s'", output->path)
                        : mpp_error_set_errno(error, "cannot write to standard output");
}

static int write_now(struct mpb_output *output, const void *bytes, size_t size,
                     struct mpp_error *error)
{
    int fd = output->path ? output->file.fd : STDOUT_FILENO;
    return write_in_full(fd, bytes, size) ? output_fail(output, error) : 0;
}

static int write_pending(struct mpb_output *output, struct mpp_error *error)
{
    if (output->failed) {
        errno = output->failed;
        return output_fail(output, error);
    }
    int result = write_now(output, output->pending.data, output->pending.size, error);
    buf_clear(&output->pending);
    return result;
}

int mpb_output_write(struct mpb_output *output, const void *bytes, size_t size,
                     struct mpp_error *error)
{
    if ((output->failed || size > PENDING_BYTES - output->pending.size) &&
        write_pending(output, error))
        return -1;
    if (size > PENDING_BYTES) {
        if (write_now(output, bytes, size, error))
            return -1;
    } else {
        buf_put(&output->pending, bytes, size);
        if (output->pending.failed) {
            errno = ENOMEM;
            return output_fail(output, error);
        }
    }
    return 0;
}

int result_stream_commit(struct mpb_output *output, struct mpp_error *error)
{
    bool exists;
    if (write_pending(output, error))
        return -1;
    if (!output->path)
        return 0;
    /* The results are removed from the spool after this, so their copy must be on disk. */
    if (sync_data(output->file.fd))
        return output_fail(output, error);
    return atomic_file_commit(&output->file, true, &exists, error);
}

void result_stream_release(struct mpb_output *output)
{
    if (!output->path && output->pending.size)
        write_pending(output, NULL);
    atomic_file_abandon(&output->file);
    buf_release(&output->pending);
}

/* ---- Pieces ---- */

/* What a loop over the pieces of a spooled result holds. */
struct piece_source {
    const struct result_ref *ref;
    struct spool_reader *reader;
    uint8_t *bytes;
    XXH3_state_t *hash;
};

/* Reads a piece, and compares the checksum if it is the last one. */
static int read_piece(struct piece_source *source, uint64_t at, struct mpb_piece *piece,
                      struct mpp_error *error)
{
    struct mpp_error why;
    size_t size = piece->bytes.size;
    if (spool_read(source->reader, source->ref, at, source->bytes, size, &why))
        return mpp_error_set(
            error, "the result of '%.300s' cannot be read: %.600s; run again with --resume",
            piece->input, why.text);
    XXH3_64bits_update(source->hash, source->bytes, size);
    if (piece->last && XXH3_64bits_digest(source->hash) != source->ref->xxh3)
        return mpp_error_set(
            error, "the result of '%.800s' in the spool is damaged; run again with --resume",
            piece->input);
    piece->bytes.data = source->bytes;
    return 0;
}

int result_stream_pieces(const struct result_ref *ref, const char *input,
                         struct spool_reader *reader,
                         int (*piece)(void *context, const struct mpb_piece *piece,
                                      struct mpp_error *error),
                         void *context, struct mpp_error *error)
{
    struct piece_source source = {.ref = ref, .reader = reader};
    bool spooled = ref->place == RESULT_SPOOLED;
    uint64_t size = spooled ? ref->size : ref->bytes.size;
    struct mpb_piece now = {.input = input, .last = ref->place == RESULT_NONE};
    int result = 0;
    if (spooled) {
        source.bytes = malloc(size < PIECE_BYTES ? (size_t)size + 1 : PIECE_BYTES);
        source.hash = XXH3_createState();
        if (!source.bytes || !source.hash || XXH3_64bits_reset(source.hash) == XXH_ERROR)
            result = mpp_error_set(error, "out of memory");
    }
    for (uint64_t at = 0; result == 0 && !now.last; at += now.bytes.size) {
        now.bytes.size = size - at < PIECE_BYTES ? (size_t)(size - at) : PIECE_BYTES;
        now.first = at == 0;
        now.last = at + now.bytes.size == size;
        if (spooled)
            result = read_piece(&source, at, &now, error);
        else
            now.bytes.data = size ? (const uint8_t *)ref->bytes.data + at : NULL;
        if (result == 0 && piece)
            result = piece(context, &now, error);
    }
    XXH3_freeState(source.hash);
    free(source.bytes);
    return result;
}
