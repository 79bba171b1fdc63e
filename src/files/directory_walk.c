/* SPDX-License-Identifier: MIT */
/* Lists the files below a directory recursively: see directory_walk.h. */
#include "directory_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"

void directory_walk_init(struct directory_walk *walk)
{
    *walk = (struct directory_walk){0};
}

static void level_release(struct walk_level *level)
{
    buf_release(&level->names);
    free(level->order);
    *level = (struct walk_level){0};
}

void directory_walk_release(struct directory_walk *walk)
{
    while (walk->depth)
        level_release(&walk->levels[--walk->depth]);
    free(walk->levels);
    walk->levels = NULL;
    walk->capacity = 0;
}

void directory_walk_exclude(struct directory_walk *walk, dev_t dev, ino_t ino)
{
    walk->excluding = true;
    walk->exclude_dev = dev;
    walk->exclude_ino = ino;
}

static int by_name(const void *a, const void *b, void *names)
{
    return strcmp((const char *)names + *(const size_t *)a + 1,
                  (const char *)names + *(const size_t *)b + 1);
}

static bool is_listed(const char *name)
{
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           strncmp(name, ATOMIC_FILE_PREFIX, strlen(ATOMIC_FILE_PREFIX)) != 0 &&
           strcmp(name, METADATA_DIRECTORY) != 0;
}

static int level_sort(struct walk_level *level, struct mpp_error *error)
{
    size_t size;
    if (level->names.failed || !size_multiply(level->count, sizeof *level->order, &size))
        return mpp_error_set(error, "out of memory for a directory of %zu names", level->count);
    level->order = malloc(size ? size : 1);
    if (!level->order)
        return mpp_error_set(error, "out of memory for a directory of %zu names", level->count);
    size_t offset = 0;
    for (size_t i = 0; i < level->count; i++) {
        level->order[i] = offset;
        offset += 1 + strlen((const char *)level->names.data + offset + 1) + 1;
    }
    qsort_r(level->order, level->count, sizeof *level->order, by_name, level->names.data);
    return 0;
}

/* Reads all names of the directory fd, sorts them, and closes fd. */
static int level_read(struct walk_level *level, int fd, struct mpp_error *error)
{
    DIR *stream = fdopendir(fd);
    if (!stream) {
        mpp_error_set_errno(error, "cannot read the directory");
        close(fd);
        return -1;
    }
    struct dirent *entry;
    while (errno = 0, (entry = readdir(stream))) {
        if (!is_listed(entry->d_name))
            continue;
        buf_put_u8(&level->names, entry->d_type);
        buf_put(&level->names, entry->d_name, strlen(entry->d_name) + 1);
        level->count++;
    }
    int failed = errno ? mpp_error_set_errno(error, "cannot read the directory") : 0;
    closedir(stream);
    return failed ? -1 : level_sort(level, error);
}

static int make_room(struct directory_walk *walk, struct mpp_error *error)
{
    if (walk->depth < walk->capacity)
        return 0;
    size_t capacity = walk->capacity ? 2 * walk->capacity : 16;
    struct walk_level *levels = realloc(walk->levels, capacity * sizeof *levels);
    if (!levels)
        return mpp_error_set(error, "out of memory");
    walk->levels = levels;
    walk->capacity = capacity;
    return 0;
}

static bool is_excluded(const struct directory_walk *walk, const struct stat *status)
{
    return walk->excluding && walk->depth && status->st_dev == walk->exclude_dev &&
           status->st_ino == walk->exclude_ino;
}

/* Adds a level for the directory walk->path, unless it is excluded. */
static int enter(struct directory_walk *walk, struct mpp_error *error)
{
    struct walk_level level = {0};
    struct stat status;
    int follow = walk->depth ? O_NOFOLLOW : 0;
    int fd = TEMP_FAILURE_RETRY(open(walk->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
    if (fd < 0)
        return mpp_error_set_errno(error, "cannot open the directory");
    if (fstat(fd, &status)) {
        mpp_error_set_errno(error, "cannot read the directory");
        close(fd);
        return -1;
    }
    if (is_excluded(walk, &status)) {
        close(fd);
        return 0;
    }
    if (level_read(&level, fd, error) || make_room(walk, error)) {
        level_release(&level);
        return -1;
    }
    level.path_size = strlen(walk->path);
    if (walk->path[level.path_size - 1] != '/' && level.path_size + 1 < sizeof walk->path)
        walk->path[level.path_size++] = '/';
    walk->path[level.path_size] = '\0';
    walk->levels[walk->depth++] = level;
    return 0;
}

int directory_walk_start(struct directory_walk *walk, const char *directory,
                         struct mpp_error *error)
{
    size_t size = strlen(directory);
    while (walk->depth)
        level_release(&walk->levels[--walk->depth]);
    if (size == 0 || size >= sizeof walk->path - 1)
        return mpp_error_set(error, "the path is empty or longer than %d bytes", PATH_MAX - 2);
    memcpy(walk->path, directory, size + 1);
    if (enter(walk, error))
        return -1;
    walk->top_size = walk->levels[0].path_size;
    return 0;
}

static mode_t mode_of_type(uint8_t type)
{
    return type == DT_UNKNOWN ? 0 : DTTOIF(type);
}

/* Classifies the entry walk->path. Calls the file system only if readdir did not tell the type. A
 * directory is entered. *skip: this entry itself is not reported. */
static enum walk_status classify(struct directory_walk *walk, uint8_t type, struct mpp_error *error,
                                 bool *skip)
{
    struct stat status;
    mode_t mode = mode_of_type(type);
    *skip = false;
    if (!mode && lstat(walk->path, &status) == 0)
        mode = status.st_mode;
    if (S_ISLNK(mode)) {
        *skip = stat(walk->path, &status) == 0 && S_ISDIR(status.st_mode);
        return WALK_LINK;
    }
    if (!S_ISDIR(mode))
        return WALK_FILE;
    *skip = true;
    if (enter(walk, error) == 0)
        return WALK_FILE;
    *skip = false;
    return WALK_BAD;
}

enum walk_status directory_walk_next(struct directory_walk *walk, struct mpp_error *error)
{
    while (walk->depth) {
        struct walk_level *level = &walk->levels[walk->depth - 1];
        if (level->next == level->count) {
            level_release(level);
            walk->depth--;
            continue;
        }
        const char *entry = (const char *)level->names.data + level->order[level->next++];
        size_t room = sizeof walk->path - level->path_size;
        size_t size = strlen(entry + 1);
        memcpy(walk->path + level->path_size, entry + 1, size < room ? size + 1 : room);
        walk->path[sizeof walk->path - 1] = '\0';
        if (size + 1 >= room) { /* one more byte is needed for a directory's slash */
            mpp_error_set(error, "its path is longer than %d bytes", PATH_MAX - 2);
            return WALK_BAD;
        }
        bool skip;
        enum walk_status status = classify(walk, (uint8_t)entry[0], error, &skip);
        if (!skip)
            return status;
    }
    return WALK_END;
}
