/* Arguments, directories and lists as one sequence of names: see inputs.h. */
#include "inputs.h"

#include <string.h>
#include <sys/stat.h>

void inputs_init(struct inputs *inputs, char *const *arguments, size_t count)
{
    inputs->arguments = arguments;
    inputs->count = count;
    inputs->next = 0;
    inputs->walking = inputs->listing = false;
    directory_walk_init(&inputs->walk);
}

void inputs_release(struct inputs *inputs)
{
    directory_walk_release(&inputs->walk);
}

void inputs_add_list(struct inputs *inputs, int fd, char separator)
{
    inputs->listing = true;
    name_list_init(&inputs->list, fd, separator);
}

void inputs_exclude(struct inputs *inputs, dev_t dev, ino_t ino)
{
    directory_walk_exclude(&inputs->walk, dev, ino);
}

/* Begins with the next argument; a file is an item at once, a directory will be walked. */
static enum inputs_status next_argument(struct inputs *inputs, struct input *input,
                                        struct mpp_error *error)
{
    const char *path = inputs->arguments[inputs->next];
    struct stat status;
    *input = (struct input){
        .origin = INPUT_NAMED, .path = path, .below = path, .argument = inputs->next++};
    if (!*path || strlen(path) >= PATH_MAX) {
        mpp_error_set(error, *path ? "a path longer than the system takes" : "an empty name");
        return INPUTS_BAD;
    }
    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return INPUTS_ITEM;
    input->origin = INPUT_WALKED;
    if (directory_walk_start(&inputs->walk, path, error))
        return INPUTS_BAD;
    inputs->walking = true;
    return INPUTS_LATER; /* which here says: nothing from the argument itself */
}

static enum inputs_status next_walked(struct inputs *inputs, struct input *input,
                                      struct mpp_error *error)
{
    enum walk_status status = directory_walk_next(&inputs->walk, error);
    *input = (struct input){.origin = INPUT_WALKED,
                            .path = inputs->walk.path,
                            .below = inputs->walk.path + inputs->walk.top_size,
                            .argument = inputs->next - 1,
                            .link = status == WALK_LINK};
    switch (status) {
    case WALK_FILE:
    case WALK_LINK:
        return INPUTS_ITEM;
    case WALK_BAD:
        return INPUTS_BAD;
    case WALK_END:
        break;
    }
    inputs->walking = false;
    return INPUTS_END;
}

static enum inputs_status next_listed(struct inputs *inputs, struct input *input,
                                      struct mpp_error *error)
{
    const char *name = "";
    enum name_list_status status = name_list_next(&inputs->list, &name, error);
    *input = (struct input){.origin = INPUT_LISTED, .path = name, .below = name};
    switch (status) {
    case NAME_LIST_NAME:
        return INPUTS_ITEM;
    case NAME_LIST_BAD:
        return INPUTS_BAD;
    case NAME_LIST_LATER:
        return INPUTS_LATER;
    case NAME_LIST_FAILED:
        inputs->listing = false;
        input->path = "--files-from";
        return INPUTS_BAD;
    case NAME_LIST_END:
        break;
    }
    inputs->listing = false;
    return INPUTS_END;
}

enum inputs_status inputs_next(struct inputs *inputs, struct input *input, struct mpp_error *error)
{
    for (;;) {
        enum inputs_status status;
        if (inputs->walking) {
            status = next_walked(inputs, input, error);
            if (status != INPUTS_END)
                return status;
        } else if (inputs->next < inputs->count) {
            status = next_argument(inputs, input, error);
            if (status != INPUTS_LATER)
                return status;
        } else if (inputs->listing) {
            return next_listed(inputs, input, error);
        } else {
            return INPUTS_END;
        }
    }
}
