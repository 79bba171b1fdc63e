/* The file of a journal: see journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "io_full.h"

enum { BATCH_BYTES = 1 << 16 };

/* ---- Opening ---- */

static int open_file(const char *path, enum journal_mode mode, int extra, struct mpp_error *error)
{
    int flags = mode == JOURNAL_READ ? O_RDONLY : O_RDWR | O_CREAT;
    int fd = TEMP_FAILURE_RETRY(
        open(path, flags | extra | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666));
    if (fd < 0)
        return mpp_error_set_errno(error,
                                   mode == JOURNAL_READ ? "cannot be read" : "cannot be written");
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    return mpp_error_set(error, "is no regular file");
}

/* The lock belongs to the open file and ends with it, however the process ends. */
static int lock(int fd, struct mpp_error *error)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    if (errno == EAGAIN || errno == EACCES)
        return mpp_error_set(error, "is being written by another run; wait for its end, or name "
                                    "another file with --journal");
    if (errno == ENOLCK || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)
        return 0; /* this file system has no locks */
    return mpp_error_set_errno(error, "cannot be locked");
}

/* What is there already goes aside. Whoever locked the file under this name may do so. */
static int set_aside(int *fd, const char *path, struct mpp_error *error)
{
    char old[PATH_MAX];
    if ((size_t)snprintf(old, sizeof old, "%s.old", path) >= sizeof old)
        return mpp_error_set(error, "has too long a name");
    if (TEMP_FAILURE_RETRY(rename(path, old)))
        return mpp_error_set_errno(error, "cannot be set aside as %.800s", old);
    int fresh = open_file(path, JOURNAL_FRESH, O_EXCL, error);
    if (fresh < 0)
        return -1;
    close(*fd);
    *fd = fresh;
    return lock(*fd, error);
}

/* Opened and locked, and still under its name: another run may have set it aside meanwhile. */
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

static int begin(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *past,
                 struct mpp_error *error)
{
    struct stat status;
    if (fstat(journal->fd, &status))
        return mpp_error_set_errno(error, "cannot be read");
    if (mode == JOURNAL_FRESH)
        return status.st_size ? set_aside(&journal->fd, path, error) : 0;
    if (journal_index_read(past, header, journal->fd, &journal->size, error))
        return -1;
    if (mode == JOURNAL_READ)
        return 0;
    if (TEMP_FAILURE_RETRY(ftruncate(journal->fd, (off_t)journal->size)) ||
        lseek(journal->fd, (off_t)journal->size, SEEK_SET) < 0)
        return mpp_error_set_errno(error, "cannot be written");
    return 0;
}

int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *past,
                 struct mpp_error *error)
{
    struct mpp_error why;
    int result = 0;
    *journal = (struct journal){.fd = open_locked(path, mode, &why)};
    pthread_mutex_init(&journal->mutex, NULL);
    if (journal->fd < 0)
        return mpp_error_set(error, "the journal '%.300s' %s", path, why.text);
    if (begin(journal, path, mode, header, past, &why)) {
        result = mpp_error_set(error, "the journal '%.300s' %s", path, why.text);
    } else if (mode != JOURNAL_READ) {
        journal_put_header(&journal->pending, header, (int64_t)time(NULL));
        result = journal_sync(journal, error);
        if (result == 0)
            return 0;
    }
    close(journal->fd);
    journal->fd = -1;
    buf_release(&journal->pending);
    return result;
}

/* ---- Writing ---- */

/* Writes what is pending, with the mutex held. What is written in part is taken back. */
static int flush(struct journal *journal, struct mpp_error *error)
{
    if (journal->failed)
        return mpp_error_set(error, "the journal could not be written");
    if (journal->pending.failed ||
        (journal->pending.size &&
         io_full_write(journal->fd, journal->pending.data, journal->pending.size))) {
        if (journal->pending.failed)
            errno = ENOMEM;
        journal->failed = true;
        mpp_error_set_errno(error, "cannot write the journal");
        if (ftruncate(journal->fd, (off_t)journal->size))
            return -1; /* the line that is cut off is dropped by whoever reads it */
        return -1;
    }
    journal->size += journal->pending.size;
    journal->unsynced |= journal->pending.size > 0;
    buf_clear(&journal->pending);
    return 0;
}

int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error)
{
    int result = 0;
    if (journal->fd < 0)
        return 0;
    pthread_mutex_lock(&journal->mutex);
    journal_put_record(&journal->pending, record);
    if (journal->pending.size >= BATCH_BYTES || journal->pending.failed)
        result = flush(journal, error);
    pthread_mutex_unlock(&journal->mutex);
    return result;
}

int journal_sync(struct journal *journal, struct mpp_error *error)
{
    if (journal->fd < 0)
        return 0;
    pthread_mutex_lock(&journal->mutex);
    int result = flush(journal, error);
    bool unsynced = journal->unsynced;
    journal->unsynced = false;
    pthread_mutex_unlock(&journal->mutex);
    if (result || !unsynced)
        return result;
    if (TEMP_FAILURE_RETRY(fdatasync(journal->fd)) && errno != EINVAL &&
        errno != EROFS) /* a file system that has no such thing */
        return mpp_error_set_errno(error, "cannot sync the journal");
    return 0;
}

int journal_close(struct journal *journal, struct mpp_error *error)
{
    if (journal->fd < 0)
        return 0;
    int result = journal->failed ? 0 : journal_sync(journal, error);
    close(journal->fd);
    journal->fd = -1;
    buf_release(&journal->pending);
    pthread_mutex_destroy(&journal->mutex);
    return result;
}
