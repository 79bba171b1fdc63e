/* SPDX-License-Identifier: MIT */
/* The short name of an MPI library: see mpi_library_name.h. Every MPI formats its text in its own
 * way: tests/unit/test_mpi_library_name.c quotes them. */
#include "mpi_library_name.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SPACES " \t\r"

static bool is_version_number(const char *word)
{
    return isdigit((unsigned char)*word) || (*word == 'v' && isdigit((unsigned char)word[1]));
}

/* Words that stand between the name and its number, and say only that this is a version. */
static bool is_label(const char *word, size_t length)
{
    return (length == 1 && *word == ':') || (length == 7 && !strncasecmp(word, "version", 7)) ||
           (length == 8 && !strncasecmp(word, "version:", 8));
}

void mpi_library_name(const char *version, char *name, size_t size)
{
    static const char cray_label[] = "MPI VERSION"; /* Cray's first line is "MPI VERSION : NAME" */
    const char *line_end = version + strcspn(version, "\n");
    const char *word = version;
    size_t used = 0;
    bool is_number = false;
    if (!strncmp(version, cray_label, sizeof cray_label - 1))
        word += sizeof cray_label - 1;
    name[0] = '\0';
    while (!is_number && (word += strspn(word, SPACES)) < line_end && used < size) {
        size_t length = strcspn(word, SPACES "\n");
        is_number = is_version_number(word);
        if (is_number) {
            size_t prefix = *word == 'v';
            size_t number = strcspn(word + prefix, SPACES ",;\n");
            used += (size_t)snprintf(name + used, size - used, "%s%.*s", used ? " " : "",
                                     (int)number, word + prefix);
        } else if (!is_label(word, length)) {
            used += (size_t)snprintf(name + used, size - used, "%s%.*s", used ? " " : "",
                                     (int)length, word);
        }
        word += length;
    }
    if (!used)
        snprintf(name, size, "unknown MPI");
}
