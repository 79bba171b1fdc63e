/* SPDX-License-Identifier: MIT */
/* Reads names from a file or a pipe: see name_list.h. */
#include "name_list.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int name_list_open(const char *path, struct mpp_error *error)
{
    struct stat status;
    bool is_stdin = strcmp(path, "-") == 0;
    int fd =
        is_stdin ? STDIN_FILENO : TEMP_FAILURE_RETRY(open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC));
    if (fd < 0)
        return mpp_error_set_errno(error, "cannot open the list '%.800s'", path);
    if (fstat(fd, &status) || !S_ISDIR(status.st_mode))
        return fd;
    if (!is_stdin)
        close(fd);
    return mpp_error_set(error, "the list '%.800s' is a directory", path);
}

void name_list_init(struct name_list *list, int fd, char separator)
{
    list->fd = fd;
    list->separator = separator;
    list->ended = list->unfit = false;
    list->next = list->end = list->name_size = 0;
}

/* Moves bytes from the buffer to the name, up to the next separator. True: the name is complete. */
static bool take_bytes(struct name_list *list)
{
    const char *from = list->bytes + list->next;
    size_t there = list->end - list->next;
    const char *separator = memchr(from, list->separator, there);
    size_t size = separator ? (size_t)(separator - from) : there;
    size_t room = sizeof list->name - 1 - list->name_size;
    size_t kept = size < room ? size : room;

    if (kept < size || memchr(from, '\0', size))
        list->unfit = true;
    memcpy(list->name + list->name_size, from, kept);
    list->name_size += kept;
    list->next += size + (separator ? 1 : 0);
    return separator;
}

/* Reads more bytes into the empty buffer. NAME_LIST_NAME means that there are some. */
static enum name_list_status fill(struct name_list *list, struct mpp_error *error)
{
    struct pollfd ready = {.fd = list->fd, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0)
        return NAME_LIST_LATER;
    ssize_t got = read(list->fd, list->bytes, sizeof list->bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return NAME_LIST_LATER;
    if (got < 0) {
        mpp_error_set_errno(error, "cannot read the list of names");
        return NAME_LIST_FAILED;
    }
    list->next = 0;
    list->end = (size_t)got;
    list->ended = got == 0;
    return list->ended ? NAME_LIST_END : NAME_LIST_NAME;
}

/* Hands out the complete name in list->name. False: it is empty and is skipped. */
static bool finish_name(struct name_list *list, const char **name, enum name_list_status *status,
                        struct mpp_error *error)
{
    bool unfit = list->unfit;
    size_t size = list->name_size;
    list->unfit = false;
    list->name_size = 0;
    list->name[size] = '\0';
    *name = list->name;
    if (!unfit) {
        *status = NAME_LIST_NAME;
        return size > 0;
    }
    if (memchr(list->name, '\0', size) || size < sizeof list->name - 1)
        mpp_error_set(error,
                      "contains a zero byte; use --null if the names are separated by zero bytes");
    else
        mpp_error_set(error, "the name is longer than %zu bytes", sizeof list->name - 1);
    *status = NAME_LIST_BAD;
    return true;
}

enum name_list_status name_list_next(struct name_list *list, const char **name,
                                     struct mpp_error *error)
{
    enum name_list_status status;
    for (;;) {
        while (list->next < list->end)
            if (take_bytes(list) && finish_name(list, name, &status, error))
                return status;
        if (list->ended || (status = fill(list, error)) == NAME_LIST_END) {
            if ((list->name_size || list->unfit) && finish_name(list, name, &status, error))
                return status;
            return NAME_LIST_END;
        }
        if (status != NAME_LIST_NAME)
            return status;
    }
}
