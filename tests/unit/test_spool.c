/* SPDX-License-Identifier: MIT */
/* spool: each result that has a reference can be read, whatever failed before and after it; and
 * damage of a file is found. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "failing_calls.h"
#include "result_stream.h"
#include "spool.h"
#include "temporary_directory.h"

enum { LARGEST = 3 << 20 };

/* The bytes of result i begin at pattern + i. */
static uint8_t pattern[LARGEST + 256];
static const size_t sizes[] = {3000, 0, 1 << 16, 200000, 1, LARGEST};
enum { RESULTS = sizeof sizes / sizeof *sizes };

static int setup(void **state)
{
    uint32_t value = 1;
    for (size_t i = 0; i < sizeof pattern; i++) {
        value = value * 1664525 + 1013904223;
        pattern[i] = (uint8_t)(value >> 24);
    }
    return scratch_setup(state) || mkdir("s", 0777) ? -1 : 0;
}

static off_t size_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

/* Writes result i in parts of different sizes. */
static int write_result(struct spool_writer *writer, size_t i, struct result_ref *ref,
                        struct mpp_error *error)
{
    size_t part = 100;
    for (size_t at = 0; at < sizes[i]; at += part, part *= 7) {
        if (part > sizes[i] - at)
            part = sizes[i] - at;
        if (spool_writer_put(writer, pattern + i + at, part, error)) {
            int reason = errno;
            assert_int_equal(spool_writer_put(writer, "x", 1, error), -1);
            assert_int_equal(errno, reason);
            assert_int_equal(spool_writer_finish(writer, ref, error), -1);
            assert_int_equal(errno, reason);
            return -1;
        }
    }
    return spool_writer_finish(writer, ref, error) || spool_writer_sync(writer, error) ? -1 : 0;
}

static int check(struct spool_reader *reader, const struct result_ref *ref, struct mpp_error *error)
{
    return result_stream_pieces(ref, "x", reader, NULL, NULL, error);
}

static void expect_result(struct spool_reader *reader, size_t i, const struct result_ref *ref)
{
    static uint8_t bytes[LARGEST];
    struct mpp_error error = {""};
    assert_int_equal(ref->place, RESULT_SPOOLED);
    assert_int_equal(ref->size, sizes[i]);
    spool_read(reader, ref, 0, bytes, sizes[i], &error);
    assert_string_equal(error.text, "");
    assert_memory_equal(bytes, pattern + i, sizes[i]);
    if (sizes[i] > 10) {
        assert_int_equal(spool_read(reader, ref, 7, bytes, sizes[i] - 9, &error), 0);
        assert_memory_equal(bytes, pattern + i + 7, sizes[i] - 9);
    }
    assert_int_equal(check(reader, ref, &error), 0);
    struct result_ref other = *ref;
    other.xxh3++;
    assert_int_equal(check(reader, &other, &error), -1);
    assert_non_null(strstr(error.text, "damaged"));
}

static void expect_results(const bool done[RESULTS], const struct result_ref refs[RESULTS])
{
    struct spool_reader *reader = spool_reader_new("s", NULL);
    for (size_t i = 0; i < RESULTS; i++)
        if (done[i])
            expect_result(reader, i, &refs[i]);
    spool_reader_free(reader);
}

static off_t done_bytes; /* of the results that got a reference in write_all */

/* Writes all results with failing calls. Returns how many got no reference, or -1 if no writer
 * could be made. The bytes of the others are correct. */
static int write_all(int expected_errno, unsigned *calls)
{
    struct mpp_error error = {""};
    struct result_ref refs[RESULTS];
    bool done[RESULTS] = {false};
    int failures = 0;
    done_bytes = 0;
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, &error);
    if (!writer) {
        assert_int_equal(errno, expected_errno);
        *calls = calls_disarm();
        assert_true(*error.text);
        return -1;
    }
    for (size_t i = 0; i < RESULTS; i++) {
        done[i] = write_result(writer, i, &refs[i], &error) == 0;
        if (!done[i]) {
            assert_int_equal(errno, expected_errno);
            assert_non_null(strstr(error.text, "spool file 's/1-2-3.spool'"));
            assert_non_null(strstr(error.text, strerror(expected_errno)));
            failures++;
        } else {
            assert_true(!calls_left_unsynced() || expected_errno == EROFS);
            done_bytes += (off_t)sizes[i];
        }
    }
    *calls = calls_disarm();
    expect_results(done, refs);
    spool_writer_free(writer);
    return failures;
}

static const unsigned writing = CALL_WRITE | CALL_SYNC | CALL_TRUNCATE | CALL_OPEN | CALL_SEEK;

static void test_write_and_read(void **state)
{
    (void)state;
    unsigned calls;
    calls_arm(writing, 0, 0);
    assert_int_equal(write_all(0, &calls), 0);
    assert_int_equal(size_of("s/1-2-3.spool"), done_bytes);
    assert_in_range(calls, 1 + 2 * RESULTS, 40); /* small pieces are written together */
}

/* Each call fails once: at most one result is lost, and nothing of it stays in the file. */
static void test_each_call_fails_once(void **state)
{
    (void)state;
    static const int errors[] = {ENOSPC, EIO, EDQUOT, EROFS};
    for (size_t e = 0; e < sizeof errors / sizeof *errors; e++) {
        unsigned calls = 0, lost = 0;
        for (unsigned at = 1;; at++) {
            calls_arm(writing, at, errors[e]);
            int failures = write_all(errors[e], &calls);
            if (calls < at) {
                assert_int_equal(failures, 0);
                break;
            }
            assert_in_range(failures + 1, 0, 2);
            lost += failures == 1;
            if (failures >= 0) {
                assert_int_equal(size_of("s/1-2-3.spool"), done_bytes);
                assert_int_equal(unlink("s/1-2-3.spool"), 0);
            }
        }
        /* all but the opening; a file system that cannot sync is tolerated */
        assert_int_equal(lost, calls - 1 - (errors[e] == EROFS ? RESULTS : 0));
        unlink("s/1-2-3.spool");
    }
}

static void test_all_later_calls_fail(void **state)
{
    (void)state;
    unsigned calls = 0;
    for (unsigned at = 1; calls >= at - 1; at++) {
        calls_arm_from(writing, at, ENOSPC);
        write_all(ENOSPC, &calls);
    }
}

static void test_interrupted_and_short(void **state)
{
    (void)state;
    static const int errors[] = {EINTR, CALLS_SHORT};
    for (size_t e = 0; e < 2; e++) {
        unsigned calls = 0;
        for (unsigned at = 1; calls >= at - 1; at++) {
            calls_arm(writing & ~(unsigned)CALL_SEEK, at, errors[e]);
            assert_int_equal(write_all(0, &calls), 0);
        }
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct mpp_error error = {""};
    calls_arm(CALL_MEMORY, 1, ENOMEM);
    assert_null(spool_writer_new("s", 1, 2, 3, &error));
    assert_int_equal(errno, ENOMEM);
    calls_arm(CALL_MEMORY, 1, ENOMEM);
    assert_null(spool_reader_new("s", &error));
    struct spool_reader *reader = spool_reader_new("s", &error);
    calls_arm(CALL_MEMORY, 1, ENOMEM);
    assert_int_equal(check(reader, &(struct result_ref){.place = RESULT_SPOOLED}, &error), -1);
    assert_string_equal(error.text, "out of memory");
    calls_disarm();
    spool_reader_free(reader);
}

/* After a failed sync the descriptor is not used again. */
static void test_new_descriptor_after_failed_sync(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 0, &refs[0], NULL), 0);
    calls_arm(CALL_SYNC, 1, EIO);
    assert_int_equal(write_result(writer, 3, &refs[3], NULL), -1);
    assert_int_equal(calls_disarm(), 1); /* not repeated */
    assert_int_equal(size_of("s/1-2-3.spool"), sizes[0]);
    calls_arm(CALL_OPEN, 0, 0);
    assert_int_equal(write_result(writer, 2, &refs[2], NULL), 0);
    assert_int_equal(calls_disarm(), 1);
    spool_writer_free(writer);
    expect_results((bool[RESULTS]){[0] = true, [2] = true}, refs);
}

/* Several results share a sync; if it fails, all of them are lost, and the earlier ones stay. */
static void test_shared_sync(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct mpp_error error;
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 0, &refs[0], NULL), 0);
    for (int failing = 0; failing < 2; failing++) {
        calls_arm(CALL_SYNC, failing, EIO);
        for (size_t i = 1; i < 4; i++) {
            assert_int_equal(spool_writer_put(writer, pattern + i, sizes[i], NULL), 0);
            assert_int_equal(spool_writer_finish(writer, &refs[i], NULL), 0);
        }
        assert_int_equal(spool_writer_sync(writer, &error), -failing);
        assert_int_equal(spool_writer_sync(writer, NULL), 0);
        assert_int_equal(calls_disarm(), 1);
        if (!failing)
            expect_results((bool[RESULTS]){true, true, true, true}, refs);
        off_t synced = (off_t)(sizes[0] + sizes[1] + sizes[2] + sizes[3]);
        assert_int_equal(size_of("s/1-2-3.spool"), synced);
    }
    /* A write that fails costs neither the results before it nor their sync. */
    assert_int_equal(spool_writer_put(writer, pattern + 2, sizes[2], NULL), 0);
    assert_int_equal(spool_writer_finish(writer, &refs[2], NULL), 0);
    calls_arm(CALL_WRITE, 1, ENOSPC);
    assert_int_equal(spool_writer_put(writer, pattern, LARGEST, NULL) ||
                         spool_writer_finish(writer, &refs[3], NULL),
                     1);
    calls_arm(CALL_SYNC, 0, 0);
    spool_writer_drop(writer);
    assert_int_equal(spool_writer_sync(writer, NULL), 0);
    assert_int_equal(calls_disarm(), 1);
    expect_results((bool[RESULTS]){[2] = true}, refs);
    spool_writer_free(writer);
}

static void test_dropped(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    spool_writer_drop(writer);
    assert_int_equal(write_result(writer, 0, &refs[0], NULL), 0);
    assert_int_equal(spool_writer_put(writer, pattern, 100, NULL), 0);
    spool_writer_drop(writer);
    assert_int_equal(spool_writer_put(writer, pattern, LARGEST, NULL), 0);
    assert_int_equal(spool_writer_put(writer, pattern, 100, NULL), 0);
    spool_writer_drop(writer);
    assert_int_equal(size_of("s/1-2-3.spool"), sizes[0]);
    assert_int_equal(write_result(writer, 3, &refs[3], NULL), 0);
    assert_int_equal(spool_writer_put(writer, pattern, LARGEST, NULL), 0);
    spool_writer_free(writer);
    spool_writer_free(NULL);
    assert_int_equal(size_of("s/1-2-3.spool"), sizes[0] + sizes[3]);
    expect_results((bool[RESULTS]){[0] = true, [3] = true}, refs);
}

/* A process that is killed leaves a part of a result. Its successor appends behind it. */
static void test_killed_predecessor(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 0, &refs[0], NULL), 0);
    spool_writer_free(writer);
    pid_t child = fork();
    if (child == 0) {
        writer = spool_writer_new("s", 1, 2, 3, NULL);
        spool_writer_put(writer, pattern, 70000, NULL);
        spool_writer_put(writer, pattern, 50000, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(size_of("s/1-2-3.spool"), sizes[0] + 70000);
    writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 3, &refs[3], NULL), 0);
    spool_writer_free(writer);
    assert_int_equal(refs[3].offset, sizes[0] + 70000);
    expect_results((bool[RESULTS]){[0] = true, [3] = true}, refs);
}

/* While another process appends, a result still begins where the file ends at that moment. */
static void test_begins_at_the_real_end(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 0, &refs[0], NULL), 0);
    FILE *other = fopen("s/1-2-3.spool", "a");
    fputs("others", other);
    fclose(other);
    assert_int_equal(write_result(writer, 3, &refs[3], NULL), 0);
    assert_int_equal(refs[3].offset, sizes[0] + 6);
    spool_writer_free(writer);
    expect_results((bool[RESULTS]){[0] = true, [3] = true}, refs);
}

/* Against the contract, another process appends within a result: neither overwrites the other, and
 * the checksum tells. */
static void test_two_writers(void **state)
{
    (void)state;
    char bytes[6];
    struct result_ref ref;
    struct mpp_error error;
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(spool_writer_put(writer, pattern, LARGEST, NULL), 0);
    FILE *other = fopen("s/1-2-3.spool", "a");
    fputs("others", other);
    fclose(other);
    assert_int_equal(spool_writer_put(writer, pattern, LARGEST, NULL), 0);
    assert_int_equal(spool_writer_finish(writer, &ref, NULL), 0);
    spool_writer_free(writer);
    struct spool_reader *reader = spool_reader_new("s", NULL);
    assert_int_equal(spool_read(reader, &ref, LARGEST, bytes, 6, NULL), 0);
    assert_memory_equal(bytes, "others", 6);
    assert_int_equal(check(reader, &ref, &error), -1);
    spool_reader_free(reader);
}

static void test_beyond_4_gib(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    scratch_write("s/1-2-3.spool", "");
    if (truncate("s/1-2-3.spool", (off_t)5 << 30))
        skip(); /* the file system has no sparse files */
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    assert_int_equal(write_result(writer, 3, &refs[3], NULL), 0);
    spool_writer_free(writer);
    assert_int_equal(refs[3].offset, UINT64_C(5) << 30);
    expect_results((bool[RESULTS]){[3] = true}, refs);
}

static void test_writer_refuses(void **state)
{
    (void)state;
    struct mpp_error error;
    scratch_write("victim", "stays");
    assert_int_equal(mkdir("s/1-0-0.spool", 0777), 0);
    assert_int_equal(symlink("../victim", "s/1-0-1.spool"), 0);
    assert_int_equal(mkfifo("s/1-0-2.spool", 0666), 0);
    int held = open("s/1-0-2.spool", O_RDONLY | O_NONBLOCK); /* so that opening it can succeed */
    static const char *const texts[] = {"Is a directory", "symbolic link", "not a regular file"};
    for (uint32_t slot = 0; slot < 3; slot++) {
        assert_null(spool_writer_new("s", 1, 0, slot, &error));
        assert_non_null(strstr(error.text, texts[slot]));
    }
    close(held);
    scratch_expect("victim", "stays");
    assert_null(spool_writer_new("missing", 1, 0, 0, &error));
    assert_int_equal(errno, ENOENT);
    static char name[5000];
    for (size_t i = 0; i < sizeof name - 2; i += 2)
        memcpy(name + i, "./", 2);
    assert_null(spool_writer_new(name, 1, 0, 0, &error));
    assert_int_equal(errno, ENAMETOOLONG);
}

/* ---- Reading ---- */

/* Result 3 in the file 1-2-SLOT.spool. */
static struct result_ref make_spool(uint32_t slot)
{
    struct result_ref ref;
    struct spool_writer *writer = spool_writer_new("s", 1, 2, slot, NULL);
    assert_non_null(writer);
    assert_int_equal(write_result(writer, 3, &ref, NULL), 0);
    spool_writer_free(writer);
    return ref;
}

enum damage { CUT, EMPTIED, CHANGED, REMOVED, DIRECTORY, LINK, FIFO, DAMAGES };
static const char *const damage_texts[DAMAGES] = {
    "ends before",        "ends before",   "damaged",           "No such file",
    "not a regular file", "symbolic link", "not a regular file"};

static void do_damage(enum damage damage, const char *path)
{
    if (damage == CUT || damage == EMPTIED) {
        assert_int_equal(truncate(path, damage == CUT ? (off_t)sizes[3] - 1 : 0), 0);
    } else if (damage == CHANGED) {
        int fd = open(path, O_WRONLY);
        uint8_t other = pattern[3 + 100000] ^ 1;
        assert_int_equal(pwrite(fd, &other, 1, 100000), 1);
        close(fd);
    } else {
        assert_int_equal(rename(path, "s/moved"), 0);
        if (damage == DIRECTORY)
            assert_int_equal(mkdir(path, 0777), 0);
        if (damage == LINK)
            assert_int_equal(symlink("moved", path), 0);
        if (damage == FIFO)
            assert_int_equal(mkfifo(path, 0666), 0);
    }
}

static void test_damaged_files(void **state)
{
    (void)state;
    for (uint32_t damage = 0; damage < DAMAGES; damage++) {
        char path[64];
        struct mpp_error error = {""};
        snprintf(path, sizeof path, "s/1-2-%u.spool", damage);
        struct result_ref ref = make_spool(damage);
        struct spool_reader *reader = spool_reader_new("s", NULL),
                            *early = spool_reader_new("s", NULL);
        assert_int_equal(check(early, &ref, &error), 0);
        do_damage(damage, path);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(check(reader, &ref, &error), -1);
            assert_non_null(strstr(error.text, damage_texts[damage]));
            if (damage != CHANGED)
                assert_non_null(strstr(error.text, path + 2));
        }
        /* a reader that has opened the file before sees what happened to this file only */
        assert_int_equal(check(early, &ref, &error), damage <= CHANGED ? -1 : 0);
        spool_reader_free(reader);
        spool_reader_free(early);
    }
}

static void test_damaged_references(void **state)
{
    (void)state;
    struct mpp_error error;
    uint8_t bytes[8];
    const struct result_ref good = make_spool(0);
    make_spool(0); /* further bytes behind it */
    struct result_ref bad[4] = {good, good, good, good};
    bad[0].offset = UINT64_MAX - 2;
    bad[1].size = UINT64_MAX;
    bad[2].offset = good.size + 1;
    bad[3].place = RESULT_INLINE;
    struct spool_reader *reader = spool_reader_new("s", NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(spool_read(reader, &bad[i], 0, bytes, 1, &error), -1);
    assert_int_equal(spool_read(reader, &good, good.size - 8, bytes, 8, &error), 0);
    assert_int_equal(spool_read(reader, &good, good.size - 7, bytes, 8, &error), -1);
    assert_int_equal(spool_read(reader, &good, UINT64_MAX, bytes, 8, &error), -1);
    spool_reader_free(reader);
    spool_reader_free(NULL);
}

static void test_each_read_fails(void **state)
{
    (void)state;
    static const int errors[] = {EIO, EINTR, CALLS_SHORT};
    struct result_ref ref = make_spool(0);
    for (size_t e = 0; e < 3; e++) {
        for (unsigned at = 1;; at++) {
            struct mpp_error error = {""};
            struct spool_reader *reader = spool_reader_new("s", NULL);
            calls_arm(CALL_OPEN | CALL_READ, at, errors[e]);
            int result = check(reader, &ref, &error);
            unsigned calls = calls_disarm();
            assert_int_equal(result, errors[e] == EIO && calls >= at ? -1 : 0);
            if (result)
                assert_non_null(strstr(error.text, "'s/1-2-0.spool': Input/output error"));
            expect_result(reader, 3, &ref);
            spool_reader_free(reader);
            if (calls < at)
                break;
        }
    }
}

/* As a network file system may need it: see spool_read. */
static void test_reopened(void **state)
{
    (void)state;
    struct result_ref refs[RESULTS];
    struct mpp_error error = {""};
    uint8_t byte;
    struct spool_writer *writer = spool_writer_new("s", 1, 2, 3, NULL);
    struct spool_reader *reader = spool_reader_new("s", NULL);
    calls_arm(CALL_OPEN, 0, 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(write_result(writer, i, &refs[i], NULL), 0);
    assert_int_equal(calls_disarm(), 0);
    for (unsigned i = 0; i < 4; i++) { /* one opening is enough for what was there */
        calls_arm(CALL_OPEN, 0, 0);
        expect_result(reader, i, &refs[i]);
        assert_int_equal(calls_disarm(), i == 0);
    }
    assert_int_equal(write_result(writer, 5, &refs[5], NULL), 0);
    calls_arm(CALL_OPEN, 0, 0);
    expect_result(reader, 5, &refs[5]); /* appended since then */
    expect_result(reader, 0, &refs[0]);
    assert_int_equal(calls_disarm(), 1);
    calls_arm(CALL_READ | CALL_OPEN, 1, ESTALE); /* read, open, read */
    assert_int_equal(spool_read(reader, &refs[5], 0, &byte, 1, &error), 0);
    assert_int_equal(calls_disarm(), 3);
    calls_arm_from(CALL_READ, 1, ESTALE); /* only once */
    assert_int_equal(spool_read(reader, &refs[5], 0, &byte, 1, &error), -1);
    assert_int_equal(calls_disarm(), 2);
    expect_result(reader, 5, &refs[5]);
    assert_int_equal(rename("s/1-2-3.spool", "s/old"), 0); /* the descriptor's file gets short */
    assert_int_equal(system("cp s/old s/1-2-3.spool"), 0);
    assert_int_equal(truncate("s/old", 10), 0);
    expect_result(reader, 5, &refs[5]);
    spool_writer_free(writer);
    spool_reader_free(reader);
}

static void test_open_files_are_limited(void **state)
{
    (void)state;
    struct result_ref refs[SPOOL_OPEN_MAX + 1];
    uint8_t byte;
    for (uint32_t i = 0; i <= SPOOL_OPEN_MAX; i++)
        refs[i] = make_spool(i);
    struct spool_reader *reader = spool_reader_new("s", NULL);
    int before = scratch_count("/proc/self/fd");
    for (size_t i = 0; i < SPOOL_OPEN_MAX; i++)
        assert_int_equal(spool_read(reader, &refs[i], 0, &byte, 1, NULL), 0);
    assert_int_equal(spool_read(reader, &refs[0], 0, &byte, 1, NULL),
                     0); /* refs[1] is the oldest */
    assert_int_equal(spool_read(reader, &refs[SPOOL_OPEN_MAX], 0, &byte, 1, NULL), 0);
    assert_int_equal(scratch_count("/proc/self/fd"), before + SPOOL_OPEN_MAX);
    calls_arm(CALL_OPEN, 0, 0);
    for (size_t i = 0; i <= SPOOL_OPEN_MAX; i++)
        if (i != 1)
            assert_int_equal(spool_read(reader, &refs[i], 0, &byte, 1, NULL), 0);
    assert_int_equal(calls_disarm(), 0);
    calls_arm(CALL_OPEN, 0, 0);
    assert_int_equal(spool_read(reader, &refs[1], 0, &byte, 1, NULL), 0);
    assert_int_equal(byte, pattern[3]);
    assert_int_equal(calls_disarm(), 1);
    spool_reader_free(reader);
    assert_int_equal(scratch_count("/proc/self/fd"), before);
}

/* ---- Removing ---- */

static void test_remove(void **state)
{
    (void)state;
    struct mpp_error error;
    static const char *const others[] = {
        "s/1-2-3.spool.bak", "s/1-2-3.spoo",   "s/01-2-3.spool",
        "s/+1-2-3.spool",    "s/ 1-2-3.spool", "s/1-2.spool",
        "s/journal",         "s/-1-2-3.spool", "s/1-2-4294967296.spool"};
    assert_int_equal(spool_remove("missing", 0, 9, &error), 0);
    for (uint32_t i = 0; i < 30; i++)
        spool_writer_free(spool_writer_new("s", i, UINT32_MAX, i, NULL));
    assert_int_equal(spool_remove("s", 10, 19, &error), 0); /* those of these runs only */
    assert_int_equal(scratch_count("s"), 20);
    assert_int_equal(spool_remove("s", 0, UINT32_MAX, &error), 0);
    assert_int_equal(access("s", F_OK), -1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        scratch_write(others[i], "x");
    scratch_write("s/1-2-3.spool", "x");
    assert_int_equal(spool_remove("s", 0, 9, &error), 0);
    assert_int_equal(scratch_count("s"), sizeof others / sizeof *others);
    assert_int_equal(mkdir("s/1-2-3.spool", 0777), 0);
    scratch_write("s/1-2-4.spool", "x");
    assert_int_equal(spool_remove("s", 0, 9, &error), -1);
    assert_non_null(strstr(error.text, "cannot remove the spool file 's/1-2-3.spool'"));
    assert_int_equal(access("s/1-2-4.spool", F_OK), -1);
    assert_int_equal(spool_remove("s/journal", 0, 9, &error), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_write_and_read),
        TEST(test_each_call_fails_once),
        TEST(test_all_later_calls_fail),
        TEST(test_interrupted_and_short),
        TEST(test_out_of_memory),
        TEST(test_new_descriptor_after_failed_sync),
        TEST(test_shared_sync),
        TEST(test_dropped),
        TEST(test_killed_predecessor),
        TEST(test_begins_at_the_real_end),
        TEST(test_two_writers),
        TEST(test_beyond_4_gib),
        TEST(test_writer_refuses),
        TEST(test_damaged_files),
        TEST(test_damaged_references),
        TEST(test_each_read_fails),
        TEST(test_reopened),
        TEST(test_open_files_are_limited),
        TEST(test_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
