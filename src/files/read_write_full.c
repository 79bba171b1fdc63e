/* SPDX-License-Identifier: MIT */
/* Read and write in full: see read_write_full.h. */
#include "read_write_full.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

int write_in_full(int fd, const void *bytes, size_t size)
{
    const uint8_t *from = bytes;
    while (size) {
        ssize_t put = write(fd, from, size);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && errno == EAGAIN &&
            (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1) > 0 || errno == EINTR))
            continue;
        if (put <= 0) {
            errno = put ? errno : EIO;
            return -1;
        }
        from += put;
        size -= (size_t)put;
    }
    return 0;
}

ssize_t pread_in_full(int fd, void *to, size_t size, uint64_t at)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = pread(fd, (uint8_t *)to + done, size - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

int sync_data(int fd)
{
    return TEMP_FAILURE_RETRY(fdatasync(fd)) && errno != EINVAL && errno != EROFS ? -1 : 0;
}

bool concerns_all_files(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EROFS;
}
