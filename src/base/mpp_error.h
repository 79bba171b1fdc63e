/*
 * mpp_error: the error object of the library and the programs.
 *
 * The caller owns the storage, usually on its stack, and passes it as the last argument. A function
 * that fails writes one line of text without a newline into it and returns -1. A function that
 * succeeds does not touch it. A caller that does not need the text passes NULL.
 */
#ifndef MPP_ERROR_H
#define MPP_ERROR_H

#define MPP_ERROR_SIZE 1024 /* size of the text in bytes, with its terminating zero */

struct mpp_error {
    char text[MPP_ERROR_SIZE];
};

/* Formats the text, cuts it to MPP_ERROR_SIZE, and returns -1, so that a failing function can say
 * `return mpp_error_set(error, "...", ...)`. errno is preserved. */
int mpp_error_set(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same, with ": " and strerror(errno) appended to the text. */
int mpp_error_set_errno(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
