/* SPDX-License-Identifier: MIT */
/*
 * mpp_error: the error object of the library and the programs.
 *
 * The caller owns the storage, usually on its stack, and passes it as the last parameter. A
 * function that fails writes one line of text into it, without a newline, and returns -1. A
 * function that succeeds does not touch it. NULL may be passed if the text is not wanted.
 */
#ifndef MPP_ERROR_H
#define MPP_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define MPP_ERROR_SIZE 1024 /* bytes of text, including the terminating zero */

struct mpp_error {
    char text[MPP_ERROR_SIZE];
};

/* Marks a function that programs may call; all other symbols of the library are hidden. */
#define MPP_API __attribute__((visibility("default")))

/* Writes a formatted line into *error, truncated to its size, and returns -1. So a failing function
 * can say `return mpp_error_set(error, "...", ...)`. errno is not changed. */
MPP_API int mpp_error_set(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and the text for errno. */
MPP_API int mpp_error_set_errno(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
