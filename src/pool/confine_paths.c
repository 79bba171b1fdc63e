/* Files: only below the paths listed. By Landlock, through its system calls: see landlock(7), and
 * confine.h. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined __has_include
#if __has_include(<linux/landlock.h>) && defined SYS_landlock_create_ruleset
#include <linux/landlock.h>
#define HAS_LANDLOCK 1
#endif
#endif

#ifdef HAS_LANDLOCK

/* Rights that later versions added; headers may be older than the kernel. */
#define RIGHT_REFER    (UINT64_C(1) << 13) /* version 2 */
#define RIGHT_TRUNCATE (UINT64_C(1) << 14) /* version 3 */

#define RIGHTS_READ    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_1       ((UINT64_C(1) << 13) - 1) /* all of version 1 */
#define RIGHTS_FILE                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     RIGHT_TRUNCATE)

int confine_paths_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return version > 0 ? (int)version : 0;
}

/* A path that is not there is left out: nothing could be opened below it. */
static int allow(int rules, const char *const *paths, uint64_t rights, struct mpp_error *error)
{
    for (; paths && *paths; paths++) {
        struct stat status;
        struct landlock_path_beneath_attr beneath = {.allowed_access = rights,
                                                     .parent_fd = open(*paths, O_PATH | O_CLOEXEC)};
        if (beneath.parent_fd < 0 || fstat(beneath.parent_fd, &status)) {
            if (beneath.parent_fd >= 0)
                close(beneath.parent_fd);
            continue;
        }
        if (!S_ISDIR(status.st_mode))
            beneath.allowed_access &= RIGHTS_FILE;
        long failed =
            syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        int reason = errno;
        close(beneath.parent_fd);
        errno = reason;
        if (failed)
            return mpp_error_set_errno(error, "cannot keep a worker to the path '%s'", *paths);
    }
    return 0;
}

int confine_paths(const struct mpp_confine *confine, struct mpp_error *error)
{
    int version = confine_paths_version();
    if (!confine->paths || !version)
        return 0;
    uint64_t rights =
        RIGHTS_1 | (version >= 2 ? RIGHT_REFER : 0) | (version >= 3 ? RIGHT_TRUNCATE : 0);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = rights};
    int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                             sizeof attributes.handled_access_fs, 0);
    if (rules < 0)
        return mpp_error_set_errno(error, "cannot keep a worker to its paths");
    int failed =
        allow(rules, confine->readable, RIGHTS_READ, error) ||
        allow(rules, confine->writable, rights & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE, error);
    if (!failed && syscall(SYS_landlock_restrict_self, rules, 0))
        failed = mpp_error_set_errno(error, "cannot keep a worker to its paths");
    close(rules);
    return failed ? -1 : 0;
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
