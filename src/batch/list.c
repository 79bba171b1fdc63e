/* Names from a file or a pipe: see list.h. */
#include "list.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void list_init(struct list *list, int fd, char separator)
{
    list->fd = fd;
    list->separator = separator;
    list->ended = list->unfit = false;
    list->next = list->end = list->name_size = 0;
}

/* Moves bytes from the buffer to the name, up to a separator. True: the name is complete. */
static bool take_bytes(struct list *list)
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
    list->next += size + (separator != NULL);
    return separator != NULL;
}

/* LIST_NAME: there are new bytes. */
static enum list_status fill(struct list *list, struct mpp_error *error)
{
    struct pollfd ready = {.fd = list->fd, .events = POLLIN};
    if (poll(&ready, 1, 0) == 0)
        return LIST_LATER;
    ssize_t got = read(list->fd, list->bytes, sizeof list->bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return LIST_LATER;
    if (got < 0) {
        mpp_error_set_errno(error, "the list of names cannot be read any further");
        return LIST_FAILED;
    }
    list->next = 0;
    list->end = (size_t)got;
    list->ended = got == 0;
    return list->ended ? LIST_END : LIST_NAME;
}

/* The name that stands complete in list->name; false for an empty one. */
static bool finish(struct list *list, const char **name, enum list_status *status,
                   struct mpp_error *error)
{
    bool unfit = list->unfit;
    size_t size = list->name_size;
    list->unfit = false;
    list->name_size = 0;
    list->name[size] = '\0';
    *name = list->name;
    if (!unfit) {
        *status = LIST_NAME;
        return size > 0;
    }
    if (memchr(list->name, '\0', size) || size < sizeof list->name - 1)
        mpp_error_set(error, "holds a zero byte; names separated by zero bytes need --null");
    else
        mpp_error_set(error, "a name of more than %zu bytes", sizeof list->name - 1);
    *status = LIST_BAD;
    return true;
}

enum list_status list_next(struct list *list, const char **name, struct mpp_error *error)
{
    enum list_status status;
    for (;;) {
        while (list->next < list->end)
            if (take_bytes(list) && finish(list, name, &status, error))
                return status;
        if (list->ended || (status = fill(list, error)) == LIST_END) {
            if ((list->name_size || list->unfit) && finish(list, name, &status, error))
                return status;
            return LIST_END;
        }
        if (status != LIST_NAME)
            return status;
    }
}
