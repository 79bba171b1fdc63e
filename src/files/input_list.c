/* SPDX-License-Identifier: MIT */
/* Arguments, directories and files of names as one sequence: see input_list.h. */
#include "input_list.h"

#include <string.h>
#include <sys/stat.h>

void input_list_init(struct input_list *list, char *const *arguments, size_t count)
{
    list->arguments = arguments;
    list->count = count;
    list->next = 0;
    list->words = list->walking = list->reading_names = false;
    directory_walk_init(&list->walk);
}

void input_list_release(struct input_list *list)
{
    directory_walk_release(&list->walk);
}

void input_list_add_names_from(struct input_list *list, const char *path, int fd, char separator)
{
    list->names_path = path;
    list->reading_names = true;
    name_list_init(&list->names, fd, separator);
}

void input_list_exclude(struct input_list *list, dev_t dev, ino_t ino)
{
    directory_walk_exclude(&list->walk, dev, ino);
}

/* Handles the next argument: a file is returned, a directory is going to be walked. */
static enum input_list_status next_argument(struct input_list *list, struct input *input,
                                            struct mpp_error *error)
{
    const char *path = list->arguments[list->next];
    struct stat status;
    *input = (struct input){
        .origin = INPUT_NAMED, .path = path, .below = path, .argument = list->next++};
    if (!*path || strlen(path) >= PATH_MAX) {
        mpp_error_set(error, *path ? "the path is too long" : "the name is empty");
        return INPUT_LIST_BAD;
    }
    if (list->words || stat(path, &status) || !S_ISDIR(status.st_mode))
        return INPUT_LIST_ITEM;
    input->origin = INPUT_WALKED;
    if (directory_walk_start(&list->walk, path, error))
        return INPUT_LIST_BAD;
    list->walking = true;
    return INPUT_LIST_LATER; /* no item yet: continue with next_walked */
}

static enum input_list_status next_walked(struct input_list *list, struct input *input,
                                          struct mpp_error *error)
{
    enum walk_status status = directory_walk_next(&list->walk, error);
    *input = (struct input){.origin = INPUT_WALKED,
                            .path = list->walk.path,
                            .below = list->walk.path + list->walk.top_size,
                            .argument = list->next - 1,
                            .link = status == WALK_LINK};
    switch (status) {
    case WALK_FILE:
    case WALK_LINK:
        return INPUT_LIST_ITEM;
    case WALK_BAD:
        return INPUT_LIST_BAD;
    case WALK_END:
        break;
    }
    list->walking = false;
    return INPUT_LIST_END;
}

static enum input_list_status next_listed(struct input_list *list, struct input *input,
                                          struct mpp_error *error)
{
    const char *name = "";
    enum name_list_status status = name_list_next(&list->names, &name, error);
    *input = (struct input){.origin = INPUT_LISTED, .path = name, .below = name};
    switch (status) {
    case NAME_LIST_NAME:
        return INPUT_LIST_ITEM;
    case NAME_LIST_BAD:
        return INPUT_LIST_BAD;
    case NAME_LIST_LATER:
        return INPUT_LIST_LATER;
    case NAME_LIST_FAILED:
        list->reading_names = false;
        input->path = list->names_path;
        return INPUT_LIST_BAD;
    case NAME_LIST_END:
        break;
    }
    list->reading_names = false;
    return INPUT_LIST_END;
}

enum input_list_status input_list_next(struct input_list *list, struct input *input,
                                       struct mpp_error *error)
{
    for (;;) {
        enum input_list_status status;
        if (list->walking) {
            status = next_walked(list, input, error);
            if (status != INPUT_LIST_END)
                return status;
        } else if (list->next < list->count) {
            status = next_argument(list, input, error);
            if (status != INPUT_LIST_LATER)
                return status;
        } else if (list->reading_names) {
            return next_listed(list, input, error);
        } else {
            return INPUT_LIST_END;
        }
    }
}
