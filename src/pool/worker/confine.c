/* SPDX-License-Identifier: MIT */
/* Sandboxes a worker process; the resource limits are set here. See confine.h. */
#include "confine.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "confine_paths.h"
#include "confine_syscalls.h"

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define HAS_SANITIZER true
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) ||                         \
    __has_feature(thread_sanitizer)
#define HAS_SANITIZER true
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER false
#endif

bool confine_has_sanitizer(void)
{
    return HAS_SANITIZER;
}

/* The address space that this process maps now. */
static int address_space_used(rlim_t *bytes, struct mpp_error *error)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    int found = file ? fscanf(file, "%lu", &pages) : 0;
    if (file)
        fclose(file);
    if (found != 1)
        return mpp_error_set(error, "cannot limit a worker's memory: its size cannot be read from "
                                    "/proc/self/statm");
    *bytes = pages * (rlim_t)sysconf(_SC_PAGESIZE);
    return 0;
}

static int limit_memory(size_t bytes, struct mpp_error *error)
{
    rlim_t used = 0, limit_bytes;
    struct rlimit limit;
    if (!bytes || confine_has_sanitizer())
        return 0;
    if (address_space_used(&used, error))
        return -1;
    if (getrlimit(RLIMIT_AS, &limit))
        return mpp_error_set_errno(error, "cannot limit a worker's memory");
    /* A lower limit set by a batch system stays. RLIM_INFINITY is the largest number. */
    if (__builtin_add_overflow(used, bytes, &limit_bytes) || limit_bytes > limit.rlim_cur)
        limit_bytes = limit.rlim_cur;
    if (setrlimit(RLIMIT_AS, &(struct rlimit){limit_bytes, limit_bytes}))
        return mpp_error_set_errno(error, "cannot limit a worker's memory to %zu bytes", bytes);
    return 0;
}

/* The kernel restricts the calling thread and the threads it starts, but not threads that exist
 * already. A sanitizer may run a thread of its own, so it is not checked there. */
static int check_single_thread(struct mpp_error *error)
{
    int threads = 1;
    char line[128];
    FILE *file = confine_has_sanitizer() ? NULL : fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "Threads: %d", &threads) != 1)
        ;
    if (file)
        fclose(file);
    if (threads != 1)
        return mpp_error_set(error,
                             "cannot confine a worker that has %d threads: its initializer must "
                             "not start any",
                             threads);
    return 0;
}

int confine_worker(const struct mpp_confine *confine, size_t memory_limit_bytes,
                   struct mpp_error *error)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* crashes are reported instead */
    if (limit_memory(memory_limit_bytes, error))
        return -1;
    if (!confine || (!confine->no_exec && !confine->no_sockets && !confine->paths))
        return 0;
    if (check_single_thread(error))
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return mpp_error_set_errno(error, "cannot keep a worker from gaining privileges");
    return confine_paths(confine, error) || confine_syscalls(confine, error) ? -1 : 0;
}

const char *mpp_confinement(void)
{
    static _Thread_local char text[64];
    bool seccomp = confine_seccomp_available();
    int landlock = confine_landlock_version();
    if (landlock)
        snprintf(text, sizeof text, "%sLandlock %d", seccomp ? "seccomp, " : "", landlock);
    else
        snprintf(text, sizeof text, "%s", seccomp ? "seccomp" : "nothing");
    return text;
}
