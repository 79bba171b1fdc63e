/* SPDX-License-Identifier: MIT */
/* The path of the output for each input: see output_name.h. */
#include "output_name.h"

#include <stdio.h>
#include <string.h>

const char *output_name_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_is_within(const char *path, const char *directory)
{
    size_t size = strlen(directory);
    return strncmp(path, directory, size) == 0 &&
           (size == 1 || path[size] == '/' || path[size] == '\0');
}

/* The extension with its dot, or "". A leading dot marks a hidden file, not an extension. */
static const char *extension_of(const char *base)
{
    const char *dot = strrchr(base, '.');
    return dot && dot != base ? dot : base + strlen(base);
}

static const char *last_component(const char *path, size_t *size)
{
    const char *end = path + strlen(path);
    while (end > path && end[-1] == '/')
        end--;
    const char *start = end;
    while (start > path && start[-1] != '/')
        start--;
    *size = (size_t)(end - start);
    return start;
}

void output_name_directory(const char *path, const char *real_path, char name[NAME_MAX + 1])
{
    size_t size;
    const char *last = last_component(path, &size);
    bool nameless = size == 0 || (size == 1 && last[0] == '.') ||
                    (size == 2 && last[0] == '.' && last[1] == '.');
    if (nameless)
        last = last_component(real_path, &size);
    if (size > NAME_MAX)
        size = NAME_MAX;
    memcpy(name, last, size);
    name[size] = '\0';
}

int output_name_make(const struct output_name_rules *rules, const char *prefix, const char *path,
                     char output[PATH_MAX], struct mpp_error *error)
{
    const char *base = output_name_base(path);
    const char *extension = extension_of(base);
    const char *new_extension = extension;
    int stem_size = (int)(extension - base);
    int folder_size = rules->flat ? 0 : (int)(base - path);
    if (rules->flat)
        prefix = "";
    if (rules->format && rules->format_of_name(base) != rules->format) {
        new_extension = rules->extension;
        if (!rules->format_of_name(base)) /* an extension such as ".txt" stays */
            stem_size = (int)strlen(base);
    }
    int size = snprintf(output, PATH_MAX, "%s%s%.*s%.*s%s%s", prefix, *prefix ? "/" : "",
                        folder_size, path, stem_size, base, rules->suffix, new_extension);
    if (size < 0 || size >= PATH_MAX)
        return mpp_error_set(error, "the path of its thumbnail would be longer than %d bytes",
                             PATH_MAX - 1);
    return 0;
}

int output_name_listed(const char *name, char path[PATH_MAX], struct mpp_error *error)
{
    size_t used = 0;
    if (strlen(name) >= PATH_MAX)
        return mpp_error_set(error, "its path is longer than %d bytes", PATH_MAX - 1);
    while (*name) {
        size_t size = strcspn(name, "/");
        if (size == 2 && name[0] == '.' && name[1] == '.')
            return mpp_error_set(error,
                                 "'..' is not allowed in a list, because the thumbnail "
                                 "could leave the output directory; give the path without it");
        if (size && !(size == 1 && name[0] == '.')) {
            if (used)
                path[used++] = '/';
            memcpy(path + used, name, size);
            used += size;
        }
        name += size + (name[size] == '/');
    }
    path[used] = '\0';
    return used ? 0
                : mpp_error_set(error,
                                "is the name of a directory; a list must contain names of files");
}

bool output_name_has_suffix(const struct output_name_rules *rules, const char *path)
{
    const char *base = output_name_base(path);
    size_t stem_size = (size_t)(extension_of(base) - base);
    size_t suffix_size = strlen(rules->suffix);
    return suffix_size && stem_size > suffix_size &&
           memcmp(base + stem_size - suffix_size, rules->suffix, suffix_size) == 0;
}

bool output_name_is_unique(const struct output_name_rules *rules)
{
    /* A dot in the suffix could begin another extension. */
    return !rules->flat && !rules->format && !strchr(rules->suffix, '.');
}
