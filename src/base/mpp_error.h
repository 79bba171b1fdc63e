/*
 * mpp_error: the one error object of this project.
 *
 * The caller owns the storage (usually on its stack) and passes it as the last parameter. A
 * function that fails fills it with one line of text without a newline and returns -1; a function
 * that succeeds leaves it alone. Passing NULL says that the text is not wanted.
 */
#ifndef MPP_ERROR_H
#define MPP_ERROR_H

#define MPP_ERROR_SIZE 1024 /* bytes of text at most, the terminating zero included */

struct mpp_error {
    char text[MPP_ERROR_SIZE];
};

/* Writes a formatted line into error (cut at its size) and returns -1, so that a failing function
 * can say `return mpp_error_set(error, "...", ...)`. errno is kept. */
int mpp_error_set(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with ": " and strerror(errno) behind the text. */
int mpp_error_set_errno(struct mpp_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
