/* What a worker process takes away from itself: see confine.h. */
#include "confine.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* An address sanitizer reserves more address space than any limit leaves. */
#if defined __SANITIZE_ADDRESS__
#define HAS_ROOM_FOR_LIMIT 0
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_ROOM_FOR_LIMIT 0
#endif
#endif
#ifndef HAS_ROOM_FOR_LIMIT
#define HAS_ROOM_FOR_LIMIT 1
#endif

/* Address space in use, from /proc; 0 where it cannot be told. */
static size_t used_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%lu", &pages) != 1)
        pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static int limit_memory(size_t bytes, struct mpp_error *error)
{
    size_t most;
    if (!bytes || !HAS_ROOM_FOR_LIMIT)
        return 0;
    if (__builtin_add_overflow(bytes, used_bytes(), &most))
        return 0;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){most, most}))
        return mpp_error_set_errno(error, "cannot limit a worker's memory to %zu bytes", bytes);
    return 0;
}

int confine_worker(const struct mpp_confine *confine, size_t memory_limit_bytes,
                   struct mpp_error *error)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a crash is told, not dumped */
    if (limit_memory(memory_limit_bytes, error))
        return -1;
    if (!confine)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return mpp_error_set_errno(error, "cannot give up privileges");
    return confine_paths(confine, error) || confine_calls(confine, error) ? -1 : 0;
}

const char *mpp_confinement(void)
{
    static _Thread_local char text[64];
    int landlock = confine_paths_version();
    bool seccomp = confine_calls_there();
    if (landlock)
        snprintf(text, sizeof text, "%sLandlock %d", seccomp ? "seccomp, " : "", landlock);
    else
        snprintf(text, sizeof text, "%s", seccomp ? "seccomp" : "nothing");
    return text;
}
