/* SPDX-License-Identifier: MIT */
/*
 * Restricts a worker's file access to listed paths, with Landlock: see landlock(7).
 * The system calls are made directly, because the C library may not have wrappers yet.
 */
#include "confine_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __has_include
#if __has_include(<linux/landlock.h>) && defined SYS_landlock_create_ruleset
#define HAS_LANDLOCK
#endif
#endif

#ifdef HAS_LANDLOCK
#include <linux/landlock.h>

/* Access rights of later Landlock versions, which <linux/landlock.h> may not define. */
#define ACCESS_REFER     (UINT64_C(1) << 13) /* version 2: move a file to another directory */
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14) /* version 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* version 5: ioctl on devices; never granted */

#define ACCESS_VERSION_1 (ACCESS_REFER - 1) /* all rights of version 1 */
#define ACCESS_READ      (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Without the right to make devices: root could make one that is the whole disk. */
#define ACCESS_WRITE                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
     ACCESS_REFER | ACCESS_TRUNCATE)
/* The rights that exist for a file that is not a directory; granting others fails. */
#define ACCESS_OF_FILE                                                                             \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     ACCESS_TRUNCATE)

int confine_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

/* All rights that this version of Landlock can restrict. */
static uint64_t all_rights(int version)
{
    return ACCESS_VERSION_1 | (version >= 2 ? ACCESS_REFER : 0) |
           (version >= 3 ? ACCESS_TRUNCATE : 0) | (version >= 5 ? ACCESS_IOCTL_DEV : 0);
}

/* Opens a path for landlock_add_rule. -1 with errno when it cannot be opened. For a file, the
 * rights that only directories have are removed from *access. O_DIRECTORY is tried first because it
 * makes an automounter mount what belongs there. */
static int open_path(const char *path, uint64_t *access)
{
    int fd = TEMP_FAILURE_RETRY(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd >= 0 || errno != ENOTDIR)
        return fd;
    *access &= ACCESS_OF_FILE;
    return TEMP_FAILURE_RETRY(open(path, O_PATH | O_CLOEXEC));
}

static int grant_path(int rules, const char *path, uint64_t access, struct mpp_error *error)
{
    int fd = open_path(path, &access);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP))
        return 0; /* missing or inaccessible: the job could not open it anyway */
    if (fd < 0)
        return mpp_error_set_errno(error, "cannot let a worker open '%.800s'", path);
    struct landlock_path_beneath_attr beneath = {.allowed_access = access, .parent_fd = fd};
    int result = 0;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
        result = mpp_error_set_errno(error, "cannot let a worker open '%.800s'", path);
    close(fd);
    return result;
}

static int grant_paths(int rules, const char *const *paths, uint64_t access,
                       struct mpp_error *error)
{
    for (; paths && *paths; paths++)
        if (grant_path(rules, *paths, access, error))
            return -1;
    return 0;
}

int confine_paths(const struct mpp_confine *confine, struct mpp_error *error)
{
    int version = confine_landlock_version();
    if (!confine->paths || !version)
        return 0;
    uint64_t all = all_rights(version);
    uint64_t read = ACCESS_READ | (confine->no_exec ? 0 : LANDLOCK_ACCESS_FS_EXECUTE);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = all};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                             sizeof attributes.handled_access_fs, 0);
    if (rules < 0)
        return mpp_error_set_errno(error, "cannot restrict a worker to its paths");
    int result = 0;
    if (grant_paths(rules, confine->readable, read, error) ||
        grant_paths(rules, confine->writable, (read | ACCESS_WRITE) & all, error))
        result = -1;
    else if (syscall(SYS_landlock_restrict_self, rules, 0))
        result = mpp_error_set_errno(error, "cannot restrict a worker to its paths");
    close(rules);
    return result;
}

#else

int confine_landlock_version(void)
{
    return 0;
}

int confine_paths(const struct mpp_confine *confine, struct mpp_error *error)
{
    (void)confine, (void)error;
    return 0;
}

#endif
