/* SPDX-License-Identifier: MIT */
/* Prints names from journals: see journal_list.h. Each journal is read twice: which line about a
 * task is the last one is known only at its end. */
#include "journal_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory_walk.h"
#include "journal_index.h"
#include "journal_window.h"
#include "name_set.h"
#include "regular_file.h"

struct listing {
    int status; /* -1: any */
    char separator;
    FILE *out;
    struct name_set printed;
};

static int print_name(struct listing *listing, const char *name, struct mpp_error *error)
{
    bool added;
    if (name_set_add(&listing->printed, name, &added, error))
        return -1;
    if (added) {
        fputs(name, listing->out);
        putc(listing->separator, listing->out);
    }
    return 0;
}

/* Prints the names of one journal, whose first `end` bytes are in the index. */
static int list_lines(struct listing *listing, const struct journal_index *index, int fd,
                      uint64_t end, struct mpp_error *error)
{
    struct journal_window window = {.fd = fd};
    struct buf key = BUF_INIT;
    const char *line;
    size_t size;
    bool complete = true;
    int result = 0;
    for (uint64_t at = 0; !result && complete && at < end; at += size + 1) {
        struct task_identity identity;
        struct journal_entry read;
        result = journal_window_line(&window, at, &line, &size, &complete, error);
        if (result || !journal_read_task(line, size, &key, &identity, &read) || identity.stage)
            continue;
        const struct journal_entry *last = journal_index_find(index, &identity);
        if (last && last->line == at &&
            (listing->status < 0 || (int)last->status == listing->status))
            result = print_name(listing, identity.key, error);
    }
    buf_release(&key);
    journal_window_release(&window);
    return result;
}

static int list_journal(struct listing *listing, const char *path, struct mpp_error *error)
{
    struct journal_index index = {0};
    struct mpp_error why;
    struct stat status;
    uint64_t end;
    int fd = regular_file_open_with(path, O_RDONLY, &status);
    if (fd < 0 && !errno)
        return mpp_error_set(error, "the journal '%.300s' is not a regular file", path);
    if (fd < 0)
        return mpp_error_set_errno(error, "the journal '%.300s' cannot be read", path);
    int result = journal_index_read(&index, NULL, fd, &end, &why);
    if (result == 0)
        result = list_lines(listing, &index, fd, end, &why);
    if (result)
        mpp_error_set(error, "the journal '%.300s' %s", path, why.text);
    journal_index_release(&index);
    close(fd);
    return result;
}

static int is_journal(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return strncmp(entry->d_name, "journal", 7) == 0 && size >= 13 &&
           strcmp(entry->d_name + size - 6, ".jsonl") == 0;
}

/* Lists all journals of a directory; *count is set to their number. */
static int list_directory(struct listing *listing, const char *directory, int *count,
                          struct mpp_error *error)
{
    struct dirent **entries;
    int result = 0;
    *count = scandir(directory, &entries, is_journal, alphasort);
    if (*count < 0 && errno != ENOENT && errno != ENOTDIR)
        return mpp_error_set_errno(error, "cannot read the directory '%.300s'", directory);
    for (int i = 0; i < *count; i++) {
        char path[2 * PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (result == 0)
            result = list_journal(listing, path, error);
        free(entries[i]);
    }
    if (*count >= 0)
        free(entries);
    return result;
}

static int list_path(struct listing *listing, const char *path, struct mpp_error *error)
{
    char below[2 * PATH_MAX];
    struct stat status;
    int count;
    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return list_journal(listing, path, error);
    snprintf(below, sizeof below, "%s/" METADATA_DIRECTORY, path);
    if (list_directory(listing, below, &count, error))
        return -1;
    if (count <= 0 && list_directory(listing, path, &count, error))
        return -1;
    return count > 0 ? 0 : mpp_error_set(error, "there is no journal in '%.300s'", path);
}

int journal_list_names(const char *path, int status, char separator, FILE *out,
                       struct mpp_error *error)
{
    struct listing listing = {.status = status, .separator = separator, .out = out};
    if (name_set_init_random(&listing.printed, error))
        return -1;
    int result = list_path(&listing, path, error);
    name_set_release(&listing.printed);
    return result;
}
