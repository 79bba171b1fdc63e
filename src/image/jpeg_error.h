/*
 * jpeg_error: what libjpeg has to say goes into a struct instead of to stderr and exit().
 *
 * Reader and writer embed it and set `jump` right before each stretch of library calls. libjpeg
 * leaves such a stretch by longjmp, so everything that changes within lives in their structs, never
 * in locals.
 */
#ifndef JPEG_ERROR_H
#define JPEG_ERROR_H

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs FILE and size_t */

#include <jpeglib.h>

#define JPEG_ERROR_MAX_WARNINGS 1000000 /* of one file: more damage is not decoded over */

struct jpeg_error {
    struct jpeg_error_mgr manager; /* first: libjpeg hands back a pointer to it */
    jmp_buf jump;
    char text[JMSG_LENGTH_MAX]; /* of the error that jumped */
    int warnings;               /* since the caller last set it to 0 */
};

/* The manager to put into a decompressor or compressor before it is created. */
struct jpeg_error_mgr *jpeg_error_init(struct jpeg_error *failure);

/* Leaves the library with a text of our own. */
_Noreturn void jpeg_error_leave(struct jpeg_error *failure, const char *text);

#endif
