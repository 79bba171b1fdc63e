/* SPDX-License-Identifier: MIT */
/* Whether files are still the same: see recorded_output.h. */
#include "recorded_output.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <xxhash.h>

#include "read_write_full.h"

int64_t file_mtime_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

bool recorded_input_unchanged(const char *path, int64_t size_bytes, int64_t mtime_ns)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == size_bytes &&
           file_mtime_ns(&status) == mtime_ns;
}

/* Computes a file's checksum. False: it cannot be read. */
static bool checksum_file(const char *path, uint64_t *xxh3)
{
    uint8_t bytes[65536];
    XXH3_state_t *state = XXH3_createState();
    ssize_t got = -1;
    int fd =
        TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (fd >= 0 && state && XXH3_64bits_reset(state) == XXH_OK)
        for (uint64_t at = 0; (got = pread_in_full(fd, bytes, sizeof bytes, at)) > 0;
             at += (uint64_t)got)
            XXH3_64bits_update(state, bytes, (size_t)got);
    *xxh3 = got == 0 ? XXH3_64bits_digest(state) : 0;
    XXH3_freeState(state);
    if (fd >= 0)
        close(fd);
    return got == 0;
}

bool recorded_output_intact(const char *path, const uint64_t *xxh3, struct mpp_error *why)
{
    struct stat status;
    uint64_t now;
    if (lstat(path, &status) || !S_ISREG(status.st_mode) || status.st_size == 0)
        mpp_error_set(why, "its output '%.800s' is missing", path);
    else if (xxh3 && (!checksum_file(path, &now) || now != *xxh3))
        mpp_error_set(why, "its output '%.800s' does not match the checksum in the journal", path);
    else
        return true;
    return false;
}
