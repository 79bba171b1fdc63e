/* Files: only below the paths listed. By Landlock, through its system calls: see landlock(7), and
 * confine.h. */
#include "confine.h"

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

/* Of later versions than the header may know. */
#define ACCESS_REFER     (UINT64_C(1) << 13) /* 2: moving a file to another directory */
#define ACCESS_TRUNCATE  (UINT64_C(1) << 14) /* 3 */
#define ACCESS_IOCTL_DEV (UINT64_C(1) << 15) /* 5: on devices; never granted */

#define ACCESS_VERSION_1 (ACCESS_REFER - 1) /* all that is in version 1 */
#define ACCESS_READ      (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* As root a device below the output directory would be the whole disk. */
#define ACCESS_WRITE                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |  \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
     ACCESS_REFER | ACCESS_TRUNCATE)
/* What can be granted on something that is no directory; asking for more is an error. */
#define ACCESS_OF_FILE                                                                             \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     ACCESS_TRUNCATE)

int confine_paths_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

/* All that this version can refuse. */
static uint64_t refused(int version)
{
    return ACCESS_VERSION_1 | (version >= 2 ? ACCESS_REFER : 0) |
           (version >= 3 ? ACCESS_TRUNCATE : 0) | (version >= 5 ? ACCESS_IOCTL_DEV : 0);
}

/* -1 with errno when the path cannot be opened; *access loses what a file cannot have. With
 * O_DIRECTORY first: what an automounter keeps there is mounted by it, and the path is that. */
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
        return 0; /* missing or out of reach: there is nothing to open below it */
    if (fd < 0)
        return mpp_error_set_errno(error, "cannot let a worker open '%.800s'", path);
    struct landlock_path_beneath_attr beneath = {.allowed_access = access, .parent_fd = fd};
    int result = 0;
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0))
        result = mpp_error_set_errno(error, "cannot let a worker open '%.800s'", path);
    close(fd);
    return result;
}

static int grant(int rules, const char *const *paths, uint64_t access, struct mpp_error *error)
{
    for (; paths && *paths; paths++)
        if (grant_path(rules, *paths, access, error))
            return -1;
    return 0;
}

int confine_paths(const struct mpp_confine *confine, struct mpp_error *error)
{
    int version = confine_paths_version();
    if (!confine->paths || !version)
        return 0;
    uint64_t all = refused(version);
    uint64_t read = ACCESS_READ | (confine->no_exec ? 0 : LANDLOCK_ACCESS_FS_EXECUTE);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = all};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                             sizeof attributes.handled_access_fs, 0);
    if (rules < 0)
        return mpp_error_set_errno(error, "cannot keep a worker to its paths");
    int result = 0;
    if (grant(rules, confine->readable, read, error) ||
        grant(rules, confine->writable, (read | ACCESS_WRITE) & all, error))
        result = -1;
    else if (syscall(SYS_landlock_restrict_self, rules, 0))
        result = mpp_error_set_errno(error, "cannot keep a worker to its paths");
    close(rules);
    return result;
}

#else

int confine_paths_version(void)
{
    return 0;
}

int confine_paths(const struct mpp_confine *confine, struct mpp_error *error)
{
    (void)confine, (void)error;
    return 0;
}

#endif
