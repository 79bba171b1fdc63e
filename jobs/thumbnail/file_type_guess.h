/* SPDX-License-Identifier: MIT */
/*
 * file_type_guess: guesses what a file in no supported format is, for its error message. Pure.
 */
#ifndef FILE_TYPE_GUESS_H
#define FILE_TYPE_GUESS_H

#include <stddef.h>

#define FILE_TYPE_GUESS_BYTES 32 /* bytes of a file's start that are looked at */

/* `bytes` are the first of a file. Returns a text such as "a GIF image"; NULL: unknown. */
const char *file_type_guess(const void *bytes, size_t size);

#endif
