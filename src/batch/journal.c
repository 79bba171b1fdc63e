/* SPDX-License-Identifier: MIT */
/* Opens, locks, writes and syncs the file of a journal: see journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "read_write_full.h"
#include "regular_file.h"

enum { BATCH_BYTES = 1 << 16 };

/* ---- Opening ---- */

static int open_file(const char *path, enum journal_mode mode, int extra, struct mpp_error *error)
{
    struct stat status;
    int flags = mode == JOURNAL_READ ? O_RDONLY : O_RDWR | O_CREAT;
    int fd = regular_file_open_with(path, flags | extra | O_NOFOLLOW, &status);
    if (fd >= 0)
        return fd;
    if (!errno)
        return mpp_error_set(error, "is not a regular file");
    return mpp_error_set_errno(error,
                               mode == JOURNAL_READ ? "cannot be read" : "cannot be written");
}

/* The lock belongs to the open file description, so the kernel releases it when the process
 * ends. */
static int lock(int fd, struct mpp_error *error)
{
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET}; /* of the whole file */
    if (fcntl(fd, F_OFD_SETLK, &request) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return mpp_error_set(error, "is being written by another run; wait until that run has "
                                    "ended, or use another file with --journal");
    if (errno == ENOLCK || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)
        return 0; /* the file system has no locks */
    return mpp_error_set_errno(error, "cannot be locked");
}

/* The first of FILE.old, FILE.old.2, FILE.old.3... that does not exist. Nobody else takes it
 * meanwhile: the caller holds the lock on FILE. */
static int find_free_name(const char *path, char name[PATH_MAX], struct mpp_error *error)
{
    struct stat status;
    for (unsigned number = 1; number; number++) {
        int size = number == 1 ? snprintf(name, PATH_MAX, "%s.old", path)
                               : snprintf(name, PATH_MAX, "%s.old.%u", path, number);
        if (size >= PATH_MAX)
            break;
        if (lstat(name, &status))
            return errno == ENOENT ? 0 : mpp_error_set_errno(error, "cannot be renamed");
    }
    return mpp_error_set(error, "cannot be renamed: the new name is too long");
}

/* Keeps an existing journal under another name and opens a new one in its place. The caller holds
 * the lock on the existing file. */
static int rename_existing(int *fd, const char *path, struct mpp_error *error)
{
    char old[PATH_MAX];
    if (find_free_name(path, old, error))
        return -1;
    if (TEMP_FAILURE_RETRY(rename(path, old)))
        return mpp_error_set_errno(error, "cannot be renamed to '%.800s'", old);
    int fresh = open_file(path, JOURNAL_FRESH, O_EXCL, error);
    if (fresh < 0)
        return -1;
    close(*fd);
    *fd = fresh;
    return lock(*fd, error);
}

/* Opens and locks the journal. Another run can rename the file between the two steps: fails if
 * the locked file does not have this name any more. */
static int open_locked(const char *path, enum journal_mode mode, struct mpp_error *error)
{
    struct stat opened, named;
    int fd = open_file(path, mode, 0, error);
    if (fd < 0 || mode == JOURNAL_READ)
        return fd;
    if (lock(fd, error) == 0) {
        if (fstat(fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev)
            return fd;
        mpp_error_set(error, "is being written by another run");
    }
    close(fd);
    return -1;
}

static bool is_journal(int fd)
{
    char head[64];
    ssize_t got = pread_in_full(fd, head, sizeof head, 0);
    return got > 0 && journal_begins_like_header(head, (size_t)got);
}

static int begin(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *index,
                 struct mpp_error *error)
{
    journal->run = 1;
    if (mode == JOURNAL_FRESH && !journal_is_bare(journal->fd))
        return is_journal(journal->fd)
                   ? rename_existing(&journal->fd, path, error)
                   : mpp_error_set(error, "is another file, not a journal; use another name");
    if (mode != JOURNAL_FRESH) {
        if (journal_index_read(index, header, journal->fd, &journal->size, error))
            return -1;
        journal->run = index->runs + (mode == JOURNAL_RESUME);
    }
    if (mode == JOURNAL_READ)
        return 0;
    if (TEMP_FAILURE_RETRY(ftruncate(journal->fd, (off_t)journal->size)) ||
        lseek(journal->fd, (off_t)journal->size, SEEK_SET) < 0)
        return mpp_error_set_errno(error, "cannot be written");
    return 0;
}

static void release(struct journal *journal)
{
    close(journal->fd);
    journal->fd = -1;
    buf_release(&journal->pending);
    journal_window_release(&journal->window);
    pthread_mutex_destroy(&journal->mutex);
}

int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *index,
                 struct mpp_error *error)
{
    struct mpp_error why;
    *journal = (struct journal){.read_only = mode == JOURNAL_READ};
    journal->fd = open_locked(path, mode, &why);
    if (journal->fd < 0)
        return mpp_error_set(error, "the journal '%.300s' %s", path, why.text);
    pthread_mutex_init(&journal->mutex, NULL);
    if (begin(journal, path, mode, header, index, &why)) {
        release(journal);
        return mpp_error_set(error, "the journal '%.300s' %s", path, why.text);
    }
    journal->window.fd = journal->fd;
    if (mode == JOURNAL_READ)
        return 0;
    journal_put_header(&journal->pending, header, journal->run, (int64_t)time(NULL));
    if (journal_sync(journal, &why) == 0)
        return 0;
    release(journal);
    return mpp_error_set(error, "the journal '%.300s' cannot be begun: %s", path, why.text);
}

/* ---- Writing ---- */

/* Writes the pending lines; the caller holds the mutex. After a failure the file is cut back to its
 * complete lines. */
static int flush(struct journal *journal, struct mpp_error *error)
{
    if (journal->failed)
        return mpp_error_set(error, "the journal could not be written");
    if (journal->pending.failed ||
        (journal->pending.size &&
         write_in_full(journal->fd, journal->pending.data, journal->pending.size))) {
        if (journal->pending.failed)
            errno = ENOMEM;
        journal->failed = true;
        mpp_error_set_errno(error, "cannot write the journal");
        if (ftruncate(journal->fd, (off_t)journal->size))
            return -1; /* the next reader drops the incomplete line */
        return -1;
    }
    journal->size += journal->pending.size;
    buf_clear(&journal->pending);
    return 0;
}

int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error)
{
    int result = 0;
    if (journal->fd < 0 || journal->read_only)
        return 0;
    pthread_mutex_lock(&journal->mutex);
    size_t before = journal->pending.size;
    journal_put_record(&journal->pending, record);
    if (journal->pending.size - before > JOURNAL_LINE_MAX) {
        journal->pending.size = before;
        result = mpp_error_set(error, "a line of the journal would be longer than a megabyte");
    } else if (journal->pending.size >= BATCH_BYTES || journal->pending.failed) {
        result = flush(journal, error);
    }
    pthread_mutex_unlock(&journal->mutex);
    return result;
}

int journal_sync(struct journal *journal, struct mpp_error *error)
{
    if (journal->fd < 0 || journal->read_only)
        return 0;
    pthread_mutex_lock(&journal->mutex);
    int result = flush(journal, error);
    uint64_t size = journal->size;
    bool synced = journal->synced >= size;
    pthread_mutex_unlock(&journal->mutex);
    if (result || synced)
        return result;
    if (sync_data(journal->fd))
        result = mpp_error_set_errno(error, "cannot sync the journal");
    pthread_mutex_lock(&journal->mutex);
    journal->failed |= result != 0; /* the kernel reports lost bytes only once */
    if (journal->synced < size)
        journal->synced = size;
    pthread_mutex_unlock(&journal->mutex);
    return result;
}

int journal_read_line(struct journal *journal, uint64_t at, const char **line, size_t *size,
                      struct mpp_error *error)
{
    struct mpp_error why;
    bool complete;
    if (journal->fd < 0)
        return mpp_error_set(error, "there is no journal");
    if (journal_window_line(&journal->window, at, line, size, &complete, &why))
        return mpp_error_set(error, "the journal %s", why.text);
    return complete ? 0 : mpp_error_set(error, "the journal was cut off while it was in use");
}

int journal_close(struct journal *journal, struct mpp_error *error)
{
    if (journal->fd < 0)
        return 0;
    int result = journal_sync(journal, error);
    release(journal);
    return result;
}
