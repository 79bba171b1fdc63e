/* SPDX-License-Identifier: MIT */
/* file_type_guess: the first bytes of files, and what they are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file_type_guess.h"

static void names_of_types(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } cases[] = {
        {"GIF89a", 6, "a GIF image"},
        {"GIF", 3, "text"},
        {"RIFF\x01\x02\x03\x04WEBPVP8 ", 16, "a WebP image"},
        {"\0\0\0\x18"
         "ftypheic",
         12, "a HEIF image"},
        {"II*\0", 4, "a TIFF image or a camera's raw file"},
        {"<html><body>", 12, "HTML or XML"},
        {"plain words\r\n", 13, "text"},
        {"\x01\x02", 2, NULL},
        {"a\0b", 3, NULL},
        {"", 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* A copy of exactly these bytes, so that a sanitizer detects a read past their end. */
        char *copy = malloc(cases[i].size + !cases[i].size);
        memcpy(copy, cases[i].bytes, cases[i].size);
        const char *found = file_type_guess(copy, cases[i].size);
        free(copy);
        if (cases[i].name)
            assert_string_equal(found, cases[i].name);
        else
            assert_null(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names_of_types)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
