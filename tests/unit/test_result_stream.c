/* SPDX-License-Identifier: MIT */
/* result_stream: stdout and files get exactly the bytes that were written, or there is an error;
 * results are handed on in pieces, and damaged ones are not handed on to their end. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_calls.h"
#include "result_stream.h"
#include "temporary_directory.h"

enum { ALL = 3 << 20 };
static uint8_t pattern[ALL], found[ALL + 1];
static size_t found_size;
static int pipe_end = -1, polls; /* __wrap_poll reads from this descriptor */

int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout);

static void drain(void)
{
    for (ssize_t got; (got = read(pipe_end, found + found_size, sizeof found - found_size)) > 0;)
        found_size += (size_t)got;
}

/* Stands for a reader of stdout, which becomes active when the pipe is full. */
int __wrap_poll(struct pollfd *polled, nfds_t count, int timeout)
{
    assert_int_equal(count, 1);
    assert_int_equal(polled->fd, STDOUT_FILENO);
    assert_int_equal(polled->events, POLLOUT);
    assert_int_equal(timeout, -1);
    if (polls++ == 0) {
        errno = EINTR;
        return -1;
    }
    drain();
    return 1;
}

static int setup(void **state)
{
    uint32_t value = 7;
    for (size_t i = 0; i < sizeof pattern; i++) {
        value = value * 1664525 + 1013904223;
        pattern[i] = (uint8_t)(value >> 24);
    }
    found_size = 0;
    polls = 0;
    return scratch_setup(state);
}

static void read_file(const char *path)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, found, sizeof found);
    assert_true(got >= 0);
    found_size = (size_t)got;
    close(fd);
}

/* Puts fd in the place of stdout; returns a duplicate of the old one for restore_stdout. */
static int replace_stdout(int fd)
{
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    close(fd);
    return saved;
}

static void restore_stdout(int saved)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

/* Writes the whole pattern in parts of different sizes, and commits. After a failure each further
 * call fails. */
static int write_all(const char *path, struct mpp_error *error)
{
    struct mpb_output output;
    size_t part = 1;
    if (result_stream_open(&output, path, error))
        return -1;
    int result = 0;
    for (size_t at = 0; at < ALL && !result; at += part, part = part * 3 % 300007) {
        if (part > ALL - at)
            part = ALL - at;
        result = mpb_output_write(&output, pattern + at, part, error);
    }
    if (result) {
        int reason = errno;
        for (int i = 0; i < 2; i++) {
            struct mpp_error again;
            assert_int_equal(i ? result_stream_commit(&output, &again)
                               : mpb_output_write(&output, "x", 1, &again),
                             -1);
            assert_int_equal(errno, reason);
        }
        errno = reason;
    } else {
        result = result_stream_commit(&output, error);
    }
    int reason = errno;
    result_stream_release(&output);
    result_stream_release(&output);
    errno = reason;
    return result;
}

/* ---- stdout ---- */

/* Writes all to stdout, which is a file. */
static int write_stdout(struct mpp_error *error)
{
    int saved = replace_stdout(open("stdout", O_WRONLY | O_CREAT | O_TRUNC, 0666));
    int result = write_all("-", error), reason = errno;
    restore_stdout(saved);
    errno = reason;
    read_file("stdout");
    return result;
}

static void test_stdout(void **state)
{
    (void)state;
    struct mpp_error error;
    calls_arm(CALL_WRITE, 0, 0);
    assert_int_equal(write_stdout(&error), 0);
    assert_in_range(calls_disarm(), 2, 2 * ALL / 65536); /* small parts are written together */
    assert_int_equal(found_size, ALL);
    assert_memory_equal(found, pattern, ALL);
    assert_int_equal(scratch_count("."), 1);
}

static void test_each_write_to_stdout_fails(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EINTR, CALLS_SHORT};
    for (size_t e = 0; e < 4; e++) {
        for (unsigned at = 1;; at++) {
            struct mpp_error error = {""};
            bool fatal = errors[e] == ENOSPC || errors[e] == EIO;
            calls_arm(CALL_WRITE, at, errors[e]);
            int result = write_stdout(&error), reason = errno;
            unsigned calls = calls_disarm();
            assert_int_equal(result, fatal && calls >= at ? -1 : 0);
            assert_true(result ? found_size < ALL : found_size == ALL);
            assert_memory_equal(found, pattern, found_size); /* no gap after the failure */
            if (result) {
                char text[128];
                snprintf(text, sizeof text, "cannot write to standard output: %s",
                         strerror(errors[e]));
                assert_string_equal(error.text, text);
                assert_int_equal(reason, errors[e]);
            }
            if (calls < at)
                break;
        }
    }
}

static void test_stdout_that_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    struct mpp_error error = {""};
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pipe_end = ends[0];
    int saved = replace_stdout(ends[1]);
    int result = write_all(NULL, &error);
    restore_stdout(saved);
    assert_string_equal(error.text, "");
    assert_int_equal(result, 0);
    drain();
    close(ends[0]);
    assert_true(polls > 2);
    assert_int_equal(found_size, ALL);
    assert_memory_equal(found, pattern, ALL);
}

static void test_stdout_without_a_reader(void **state)
{
    (void)state;
    int ends[2];
    struct mpp_error error;
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    int saved = replace_stdout(ends[1]);
    int result = write_all(NULL, &error);
    restore_stdout(saved);
    assert_int_equal(result, -1);
    assert_string_equal(error.text, "cannot write to standard output: Broken pipe");
}

/* What a run has written when it is stopped early reaches stdout. */
static void test_stdout_of_a_stopped_run(void **state)
{
    (void)state;
    struct mpb_output output;
    int saved = replace_stdout(open("stdout", O_WRONLY | O_CREAT, 0666));
    int result = result_stream_open(&output, "-", NULL);
    result |= mpb_output_write(&output, "text", 4, NULL);
    result_stream_release(&output);
    restore_stdout(saved);
    assert_int_equal(result, 0);
    scratch_expect("stdout", "text");
}

/* ---- Files ---- */

static void expect_file(const char *path)
{
    read_file(path);
    assert_int_equal(found_size, ALL);
    assert_memory_equal(found, pattern, ALL);
}

static void test_files(void **state)
{
    (void)state;
    char absolute[256];
    struct mpp_error error = {""};
    assert_non_null(getcwd(absolute, sizeof absolute - 8));
    strcat(absolute, "/c");
    const char *const paths[] = {"a", "./b", absolute, "x/y/d", "x/../e"};
    for (size_t i = 0; i < 5; i++) {
        for (int again = 0; again < 2; again++) { /* then it exists */
            write_all(paths[i], &error);
            assert_string_equal(error.text, "");
            assert_false(calls_left_unsynced());
            expect_file(paths[i]);
            scratch_write(paths[i], "old");
        }
    }
    assert_int_equal(scratch_count("."), 5);
    assert_int_equal(scratch_count("x/y"), 1);
}

static void test_files_that_are_refused(void **state)
{
    (void)state;
    struct mpp_error error;
    struct mpb_output output;
    scratch_write("file", "old");
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(mkdir("directory", 0777), 0);
    const char *const paths[] = {"link", "directory",  ".",           "..", "/dev/null",
                                 "new/", "directory/", "file/within", ""};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        int fds = scratch_count("/proc/self/fd");
        assert_int_equal(result_stream_open(&output, paths[i], &error), -1);
        assert_int_equal(scratch_count("/proc/self/fd"), fds);
        result_stream_release(&output);
    }
    scratch_expect("file", "old");
    assert_int_equal(access("new", F_OK), -1);
    char long_name[NAME_MAX + 2] = "";
    memset(long_name, 'x', sizeof long_name - 1);
    assert_int_equal(result_stream_open(&output, long_name, &error), -1);
    assert_non_null(strstr(error.text, "File name too long"));
    int fds = scratch_count("/proc/self/fd");
    calls_arm_from(CALL_OPEN, 2, EMFILE); /* the directory can be opened, the file cannot */
    assert_int_equal(result_stream_open(&output, "x/out", &error), -1);
    assert_int_equal(errno, EMFILE);
    calls_disarm();
    assert_int_equal(scratch_count("/proc/self/fd"), fds);
}

/* Without a commit an existing file stays as it is. */
static void test_file_of_a_stopped_run(void **state)
{
    (void)state;
    struct mpb_output output;
    scratch_write("x/out", "old");
    assert_int_equal(result_stream_open(&output, "x/out", NULL), 0);
    assert_int_equal(mpb_output_write(&output, pattern, 100000, NULL), 0);
    result_stream_release(&output);
    scratch_expect("x/out", "old");
    assert_int_equal(scratch_count("x"), 1);
    output = (struct mpb_output){.file = ATOMIC_FILE_INIT};
    result_stream_release(&output);
    assert_true(fcntl(0, F_GETFD) >= 0); /* descriptor 0 was not taken for the file */
}

static void test_each_call_for_a_file_fails(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EINTR, CALLS_SHORT};
    for (int exists = 0; exists < 2; exists++) {
        for (size_t e = 0; e < 4; e++) {
            bool fatal = errors[e] == ENOSPC || errors[e] == EIO;
            unsigned failures = 0, memory = fatal ? CALL_MEMORY : 0;
            for (unsigned at = 1;; at++) {
                struct mpp_error error = {""};
                int fds = scratch_count("/proc/self/fd");
                unlink("x/out");
                scratch_write("x/in", "");
                if (exists)
                    scratch_write("x/out", "old");
                calls_arm(CALL_WRITE | CALL_SYNC | CALL_OPEN | CALL_NAME | memory, at, errors[e]);
                int result = write_all("x/out", &error);
                unsigned calls = calls_disarm();
                assert_int_equal(scratch_count("/proc/self/fd"), fds);
                if (result == 0) {
                    expect_file("x/out");
                } else {
                    failures++;
                    if (exists)
                        scratch_expect("x/out", "old");
                    assert_non_null(
                        strstr(error.text, strstr(error.text, "memory") ? "x/out" : "x"));
                }
                assert_int_equal(scratch_count("x"), 1 + (exists || result == 0));
                if (calls < at)
                    break;
            }
            assert_true(fatal ? failures > 20 : failures == 0);
        }
    }
}

/* ---- Pieces ---- */

struct collected {
    uint8_t *bytes;
    size_t size, count, fail_at;
    bool last;
};

static int collect(void *context, const struct mpb_piece *piece, struct mpp_error *error)
{
    struct collected *collected = context;
    assert_string_equal(piece->input, "some input");
    assert_int_equal(piece->first, collected->count == 0);
    assert_false(collected->last);
    assert_true(piece->bytes.size <= 1 << 20);
    if (++collected->count == collected->fail_at)
        return mpp_error_set(error, "no more");
    if (piece->bytes.size)
        memcpy(found + collected->size, piece->bytes.data, piece->bytes.size);
    collected->size += piece->bytes.size;
    collected->last = piece->last;
    return 0;
}

static struct result_ref spool(size_t size)
{
    struct result_ref ref;
    mkdir("s", 0777);
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(spool_writer_put(writer, "before", 6, NULL), 0);
    assert_int_equal(spool_writer_finish(writer, &ref, NULL), 0);
    assert_int_equal(spool_writer_put(writer, pattern, size, NULL), 0);
    assert_int_equal(spool_writer_finish(writer, &ref, NULL), 0);
    spool_writer_free(writer);
    return ref;
}

static int pieces(const struct result_ref *ref, struct collected *collected,
                  struct mpp_error *error)
{
    struct spool_reader *reader = spool_reader_new("s", NULL);
    int result = result_stream_pieces(ref, "some input", reader, collect, collected, error);
    spool_reader_free(reader);
    return result;
}

static void test_pieces(void **state)
{
    (void)state;
    const struct {
        size_t size, pieces;
    } cases[] = {{0, 1}, {1, 1}, {1 << 20, 1}, {(1 << 20) + 1, 2}, {ALL, 3}};
    for (size_t i = 0; i < 5; i++) {
        for (int spooled = 0; spooled < 2; spooled++) {
            struct collected collected = {0};
            struct result_ref ref = {.place = RESULT_INLINE, .bytes = {pattern, cases[i].size}};
            if (spooled)
                ref = spool(cases[i].size);
            else if (!cases[i].size)
                ref.bytes.data = NULL;
            assert_int_equal(pieces(&ref, &collected, NULL), 0);
            assert_int_equal(collected.count, cases[i].pieces);
            assert_int_equal(collected.size, cases[i].size);
            assert_true(collected.last);
            assert_memory_equal(found, pattern, cases[i].size);
        }
    }
    struct collected none = {0};
    assert_int_equal(pieces(&(struct result_ref){.place = RESULT_NONE}, &none, NULL), 0);
    assert_int_equal(none.count, 0);
}

static void test_damaged_pieces(void **state)
{
    (void)state;
    for (size_t changed = 0; changed < 3; changed++) { /* a byte of each piece */
        struct mpp_error error;
        struct collected collected = {0};
        struct result_ref ref = spool(ALL);
        off_t at = (off_t)(ref.offset + (changed << 20) + 5);
        int fd = open("s/1-2-3.spool", O_RDWR);
        assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0", 7, at), 7);
        close(fd);
        assert_int_equal(pieces(&ref, &collected, &error), -1);
        assert_string_equal(error.text, "the result of 'some input' in the spool is damaged; run "
                                        "again with --resume");
        assert_int_equal(collected.count, 2); /* not the last one */
        assert_false(collected.last);
    }
}

static void test_lost_pieces(void **state)
{
    (void)state;
    struct mpp_error error;
    struct collected collected = {0};
    struct result_ref ref = spool(ALL);
    assert_int_equal(truncate("s/1-2-3.spool", ALL), 0);
    assert_int_equal(pieces(&ref, &collected, &error), -1);
    assert_non_null(strstr(error.text, "the result of 'some input' cannot be read: the spool file "
                                       "'s/1-2-3.spool' ends before"));
    assert_non_null(strstr(error.text, "; run again with --resume"));
    assert_int_equal(unlink("s/1-2-3.spool"), 0);
    assert_int_equal(pieces(&ref, &collected, &error), -1);
    assert_non_null(strstr(error.text, "No such file or directory; run again with --resume"));
    assert_int_equal(collected.count, 0);
}

static void test_failing_pieces(void **state)
{
    (void)state;
    struct mpp_error error;
    struct result_ref ref = spool(ALL);
    for (size_t at = 1; at <= 3; at++) { /* the receiver fails */
        struct collected collected = {.fail_at = at};
        assert_int_equal(pieces(&ref, &collected, &error), -1);
        assert_string_equal(error.text, "no more");
        assert_int_equal(collected.count, at);
    }
    unsigned calls = 0;
    for (unsigned at = 1; calls >= at - 1; at++) { /* memory, opening, reading fail */
        struct collected collected = {0};
        struct spool_reader *reader = spool_reader_new("s", NULL);
        calls_arm_from(CALL_OPEN | CALL_READ | CALL_MEMORY, at, EIO);
        int result = result_stream_pieces(&ref, "some input", reader, collect, &collected, &error);
        calls = calls_disarm();
        if (at == 1)
            assert_string_equal(error.text, "out of memory");
        assert_int_equal(result, calls >= at ? -1 : 0);
        assert_int_equal(collected.last, result == 0);
        spool_reader_free(reader);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stdout),
        TEST(test_each_write_to_stdout_fails),
        TEST(test_stdout_that_does_not_block),
        TEST(test_stdout_without_a_reader),
        TEST(test_stdout_of_a_stopped_run),
        TEST(test_files),
        TEST(test_files_that_are_refused),
        TEST(test_file_of_a_stopped_run),
        TEST(test_each_call_for_a_file_fails),
        TEST(test_pieces),
        TEST(test_damaged_pieces),
        TEST(test_lost_pieces),
        TEST(test_failing_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
