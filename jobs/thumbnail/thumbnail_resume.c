/* SPDX-License-Identifier: MIT */
/* Whether an earlier run has done a task: see thumbnail_resume.h. */
#include "thumbnail_resume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "read_write_full.h"

int64_t thumbnail_mtime_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* Whether the output exists and is a regular file that is not empty. Writes its path to `path`,
 * which has 2 * PATH_MAX bytes. */
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
    *xxh3 = state ? XXH3_64bits_digest(state) : 0;
    XXH3_freeState(state);
    if (fd >= 0)
        close(fd);
    return got == 0;
}

bool thumbnail_resume_output_exists(const struct thumbnail_setup *setup,
                                    const struct thumbnail_task *task)
{
    char path[2 * PATH_MAX];
    uint64_t xxh3;
    return find_output(setup, task, path) &&
           (!(task->flags & THUMBNAIL_VERIFY) ||
            (checksum_file(path, &xxh3) && xxh3 == task->recorded.xxh3));
}

/* Does not open the source, which on a network file system can take longer than everything else. */
bool thumbnail_resume_source_unchanged(const struct thumbnail_task *task)
{
    struct stat status;
    return stat(task->source, &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_size == task->recorded.size_bytes &&
           thumbnail_mtime_ns(&status) == task->recorded.mtime_ns;
}

int thumbnail_resume_check(const struct thumbnail_setup *setup, const struct thumbnail_task *task,
                           struct mpp_error *error)
{
    if (!(task->flags & THUMBNAIL_RECORDED))
        return mpp_error_set(error, "the journal does not say that it is done");
    char path[2 * PATH_MAX];
    if (thumbnail_resume_output_exists(setup, task))
        return 0;
    if (!find_output(setup, task, path))
        return mpp_error_set(error, "its thumbnail '%.800s' is missing", task->output);
    return mpp_error_set(error, "its thumbnail '%.800s' does not match the checksum in the journal",
                         task->output);
}
