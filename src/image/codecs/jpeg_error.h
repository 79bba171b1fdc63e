/* SPDX-License-Identifier: MIT */
/*
 * jpeg_error: an error manager for libjpeg that stores the message and calls longjmp. libjpeg's own
 * error manager prints to stderr and calls exit().
 *
 * The reader and the writer embed it and call setjmp(jump) right before each group of libjpeg
 * calls. After an error local variables that the group changed are indeterminate, so its results
 * must be in a struct.
 */
#ifndef JPEG_ERROR_H
#define JPEG_ERROR_H

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jpeglib.h>

#define JPEG_ERROR_MAX_WARNINGS 1000000 /* of one file; one more is an error */

struct jpeg_error {
    struct jpeg_error_mgr manager; /* must be first: libjpeg passes a pointer to it */
    jmp_buf jump;
    char text[JMSG_LENGTH_MAX]; /* of the error that jumped */
    int warnings;               /* since the caller set it to 0 */
};

/* Returns the manager for the `err` field of a compressor or decompressor. Set it before
 * jpeg_create_compress or jpeg_create_decompress is called. */
struct jpeg_error_mgr *jpeg_error_init(struct jpeg_error *failure);

/* Ends the current libjpeg call with an error of our own. */
_Noreturn void jpeg_error_leave(struct jpeg_error *failure, const char *text);

#endif
