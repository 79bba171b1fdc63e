/* SPDX-License-Identifier: MIT */
/* Tasks of a stage: see stage_plan.h. */
#include "stage_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <unistd.h>
#include <xxhash.h>

#include "atomic_file.h"

/* A file that never gets its name: abandoned at once, and used through a second descriptor. */
static FILE *open_file(const char *directory, struct mpp_error *error)
{
    struct atomic_file unnamed;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/stage", directory) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        mpp_error_set_errno(error, "cannot use the spool directory '%.800s'", directory);
        return NULL;
    }
    if (atomic_file_create(&unnamed, path, error))
        return NULL;
    int fd = fcntl(unnamed.fd, F_DUPFD_CLOEXEC, 0);
    FILE *file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (!file)
        mpp_error_set_errno(error, "cannot create a file in '%.800s'", directory);
    if (!file && fd >= 0)
        close(fd);
    atomic_file_abandon(&unnamed);
    return file;
}

int stage_plan_add(struct stage_plan *plan, const char *directory, const struct result_ref *ref,
                   struct mpp_error *error)
{
    buf_clear(&plan->encoded);
    result_ref_put(&plan->encoded, ref);
    if (plan->encoded.failed)
        return mpp_error_set(error, "out of memory");
    uint32_t size = (uint32_t)plan->encoded.size;
    if (!plan->file && !(plan->file = open_file(directory, error)))
        return -1;
    if (fwrite(&size, sizeof size, 1, plan->file) != 1 ||
        fwrite(plan->encoded.data, size, 1, plan->file) != 1)
        return mpp_error_set_errno(error, "cannot write a file in '%.800s'", directory);
    plan->count++;
    return 0;
}

/* The error of a read that was too short. */
static int read_failed(const struct stage_plan *plan, struct mpp_error *error)
{
    return ferror(plan->file)
               ? mpp_error_set_errno(error, "cannot read a file in the spool directory")
               : mpp_error_set(error, "a file in the spool directory was cut off");
}

/* Reads the next reference, and appends it to the members and its checksum to the sums. */
static int take_member(struct stage_plan *plan, struct mpp_error *error)
{
    uint32_t size;
    struct result_ref ref;
    buf_clear(&plan->encoded);
    if (fread(&size, sizeof size, 1, plan->file) != 1)
        return read_failed(plan, error);
    uint8_t *to = buf_extend(&plan->encoded, size);
    if (!to)
        return mpp_error_set(error, "out of memory");
    if (fread(to, size, 1, plan->file) != 1)
        return read_failed(plan, error);
    struct reader from = reader_over(to, size);
    result_ref_get(&from, &ref);
    buf_put_u64(&plan->sums, result_ref_xxh3(&ref));
    buf_put(&plan->members, to, size);
    plan->read++;
    return 0;
}

int stage_plan_next(struct stage_plan *plan, const struct mpb_stage *stage,
                    struct task_order *order, bool *made, struct mpp_error *error)
{
    uint64_t left = plan->count - plan->read;
    uint64_t count = stage->group && stage->group < left ? stage->group : left;
    *made = count > 0;
    if (!count)
        return 0;
    if (!plan->read && (fflush(plan->file) || fseek(plan->file, 0, SEEK_SET)))
        return mpp_error_set_errno(error, "cannot write a file in the spool directory");
    buf_clear(&plan->members);
    buf_clear(&plan->sums);
    for (uint64_t i = 0; i < count; i++)
        if (take_member(plan, error))
            return -1;
    buf_put_u64(&plan->sums, result_ref_xxh3(&plan->shared));
    if (plan->members.failed || plan->sums.failed || count > UINT32_MAX)
        return mpp_error_set(error, "out of memory for a task of %" PRIu64 " results", count);
    XXH128_hash_t hash = XXH3_128bits(plan->sums.data, plan->sums.size);
    snprintf(plan->key, sizeof plan->key, "%.*s %016" PRIx64 "%016" PRIx64, STAGE_NAME_MAX,
             stage->name, hash.high64, hash.low64);
    order->identity.key = plan->key;
    order->shared = plan->shared;
    order->member_count = (uint32_t)count;
    order->members = (struct mpp_bytes){plan->members.data, plan->members.size};
    return 0;
}

void stage_plan_release(struct stage_plan *plan)
{
    if (plan->file)
        fclose(plan->file);
    buf_release(&plan->encoded);
    buf_release(&plan->members);
    buf_release(&plan->sums);
    *plan = (struct stage_plan){0};
}
