/* SPDX-License-Identifier: MIT */
/* journal: lines that are read at their offset or are too long, full disks, and files that cannot
 * be read or written. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_fixture.h"

/* ---- Reading lines ---- */

static void expect_line(struct journal *journal, const struct journal_index *index, int number)
{
    char name[32];
    struct mpp_error error;
    struct journal_entry entry;
    struct task_identity identity;
    const char *line;
    size_t size;
    struct buf key = BUF_INIT;
    snprintf(name, sizeof name, "%d.jpg", number);
    if (journal_read_line(journal, find_entry(index, name)->line, &line, &size, &error))
        fail_msg("%s", error.text);
    assert_true(journal_read_task(line, size, &key, &identity, &entry));
    assert_int_equal(entry.size_bytes, 1000 + number);
    buf_release(&key);
}

static void lines_are_read_while_the_journal_is_written(void **state)
{
    (void)state;
    enum { LINES = 10000 };
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    const char *line;
    size_t size;
    write_journal(0, LINES / 2, JOURNAL_FRESH);
    write_journal(LINES / 2, LINES / 2, JOURNAL_RESUME);
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), 0);
    for (int i = 0; i < LINES; i++) {
        struct journal_record record = record_of("new");
        assert_int_equal(journal_append(&journal, &record, &error), 0);
        expect_line(&journal, &index, i);
        if (i % 10 == 0)
            expect_line(&journal, &index, i * 7919 % LINES);
    }
    assert_int_equal(journal_read_line(&journal, journal.size + 1000000, &line, &size, &error), -1);
    assert_non_null(strstr(error.text, "was cut off"));
    assert_int_equal(journal_close(&journal, &error), 0);
    assert_int_equal(journal_read_line(&journal, 0, &line, &size, &error), -1);
    journal_index_release(&index);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    assert_int_equal(index.count, LINES + 1);
    expect_line(&journal, &index, 17);
    journal_close(&journal, &error);
    journal_index_release(&index);
}

/* Appends a record with an error text of this size. */
static int append_long(size_t size)
{
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    struct journal_record record = record_of("long");
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    record.error = text;
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), 0);
    int result = journal_append(&journal, &record, &error);
    if (result)
        assert_non_null(strstr(error.text, "longer than a megabyte"));
    assert_int_equal(journal_close(&journal, &error), 0);
    journal_index_release(&index);
    free(text);
    return result;
}

static void lines_may_be_long_but_not_too_long(void **state)
{
    (void)state;
    struct stat before, after;
    write_journal(0, 3, JOURNAL_FRESH);
    stat(JOURNAL_PATH, &before);
    assert_int_equal(append_long(0), 0);
    stat(JOURNAL_PATH, &after);
    /* What a run adds, without the text; a run number and a time have the same length again. */
    size_t frame = (size_t)(after.st_size - before.st_size);
    stat(JOURNAL_PATH, &before);
    assert_int_equal(append_long(JOURNAL_LINE_MAX), -1);
    stat(JOURNAL_PATH, &after);
    size_t most = JOURNAL_LINE_MAX - (frame - (size_t)(after.st_size - before.st_size));
    assert_int_equal(append_long(most + 1), -1);
    assert_int_equal(append_long(most), 0);
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    const char *line;
    size_t size;
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    assert_int_equal(index.count, 4);
    assert_int_equal(
        journal_read_line(&journal, find_entry(&index, "long")->line, &line, &size, &error), 0);
    assert_int_equal(size, JOURNAL_LINE_MAX - 1);
    journal_close(&journal, &error);
    journal_index_release(&index);
    /* A file with a longer line. */
    static char x[4096] = HEADER_1("") "{\"source\":\"";
    memset(x + strlen(x), 'x', sizeof x - strlen(x));
    put_file(x, sizeof x);
    int fd = open(JOURNAL_PATH, O_WRONLY | O_APPEND);
    for (size_t i = 0; i < JOURNAL_LINE_MAX; i += sizeof x)
        assert_int_equal(write(fd, x + sizeof x - 1024, 1024), 1024);
    for (size_t i = 0; i < JOURNAL_LINE_MAX; i += 1024)
        assert_int_equal(write(fd, x + sizeof x - 1024, 1024), 1024);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), -1);
    assert_non_null(strstr(error.text, "a line of more than a megabyte"));
    journal_index_release(&index);
}

/* ---- Failures ---- */

/* Limits the size of files, as a full disk does; 0: no limit. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The first failure is final, and leaves complete lines. */
static void a_full_disk_leaves_complete_lines(void **state)
{
    (void)state;
    for (int by_sync = 0; by_sync < 2; by_sync++) {
        struct journal journal;
        struct journal_index index;
        struct mpp_error error;
        struct stat status;
        int appended = 0, result = 0;
        assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), 0);
        limit_files(150000);
        for (; result == 0; appended++) {
            char name[32];
            struct journal_record record = record_of(name);
            snprintf(name, sizeof name, "%d.jpg", appended);
            result = journal_append(&journal, &record, &error);
            if (result == 0 && by_sync)
                result = journal_sync(&journal, &error);
        }
        assert_string_equal(error.text, "cannot write the journal: File too large");
        limit_files(0);
        struct journal_record record = record_of("x");
        while (journal_append(&journal, &record, &error) == 0 && journal.pending.size < 1 << 20)
            continue;
        assert_string_equal(error.text, "the journal could not be written");
        assert_int_equal(journal_sync(&journal, &error), -1);
        stat(JOURNAL_PATH, &status);
        assert_int_equal(status.st_size, journal.size);
        assert_int_equal(journal_close(&journal, &error), -1);
        assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), 0);
        assert_int_equal(index.damaged, 0);
        assert_in_range(index.count, 1, appended - 1);
        assert_non_null(find_entry(&index, "0.jpg"));
        journal_close(&journal, &error);
        journal_index_release(&index);
    }
}

static void a_header_that_cannot_be_written(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    limit_files(10);
    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), -1);
    limit_files(0);
    assert_string_equal(error.text, "the journal 'journal.jsonl' cannot be begun: cannot write the "
                                    "journal: File too large");
    assert_int_equal(journal.fd, -1);
    scratch_expect(JOURNAL_PATH, "");
}

/* A sync fails once; the kernel does not report it again, but the journal does. */
static void a_failed_sync_is_final(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    struct journal_record record = record_of("x");
    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), 0);
    while (journal.size == journal.synced)
        assert_int_equal(journal_append(&journal, &record, &error), 0);
    assert_int_equal(journal.pending.size, 0);
    int saved = dup(journal.fd);
    close(journal.fd);
    assert_int_equal(journal_sync(&journal, &error), -1);
    assert_string_equal(error.text, "cannot sync the journal: Bad file descriptor");
    assert_int_equal(dup2(saved, journal.fd), journal.fd);
    close(saved);
    assert_int_equal(journal_sync(&journal, &error), -1);
    assert_int_equal(journal_close(&journal, &error), -1);
}

/* No memory for a line, a device that is full, and a file that cannot be read. */
static void other_failures_are_reported(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    const char *line;
    size_t size;
    struct journal_record record = record_of("x");
    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), 0);
    journal.pending.failed = true;
    assert_int_equal(journal_append(&journal, &record, &error), -1);
    assert_string_equal(error.text, "cannot write the journal: Cannot allocate memory");
    assert_int_equal(journal_close(&journal, &error), -1);

    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), 0);
    assert_int_equal(journal_append(&journal, &record, &error), 0);
    int device = open("/dev/full", O_RDWR);
    assert_int_equal(dup2(device, journal.fd), journal.fd);
    close(device);
    assert_int_equal(journal_close(&journal, &error), -1);
    assert_string_equal(error.text, "cannot write the journal: No space left on device");

    write_journal(0, 3, JOURNAL_FRESH);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    journal.window.fd = -1;
    assert_int_equal(journal_read_line(&journal, 0, &line, &size, &error), -1);
    assert_string_equal(error.text, "the journal cannot be read: Bad file descriptor");
    journal_close(&journal, &error);
    journal_index_release(&index);
}

#define FIRST_LINES "{\"journal\":\"0.1.0\",\"started\":\"\",\"options\":{}}\n{\"source\":\"x"

static void files_that_cannot_be_journals(void **state)
{
    (void)state;
    char name[5000];
    struct journal journal;
    struct journal_index index = {0};
    struct mpp_error error;
    struct journal_header header = run_header();
    assert_int_equal(mkdir(JOURNAL_PATH, 0777), 0);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), -1);
    assert_string_equal(error.text, "the journal 'journal.jsonl' is not a regular file");
    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), -1);
    assert_non_null(strstr(error.text, "cannot be written: Is a directory"));
    rmdir(JOURNAL_PATH);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), -1);
    assert_non_null(strstr(error.text, "cannot be read: No such file"));
    /* FILE.old has a name that is too long. */
    memset(name, 'x', 253);
    name[253] = '\0';
    scratch_write(name, FIRST_LINES);
    assert_int_equal(journal_open(&journal, name, JOURNAL_FRESH, &header, &index, &error), -1);
    assert_non_null(strstr(error.text, "cannot be renamed: File name too long"));
    scratch_expect(name, FIRST_LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(lines_are_read_while_the_journal_is_written),
        IN_SCRATCH(lines_may_be_long_but_not_too_long),
        IN_SCRATCH(a_full_disk_leaves_complete_lines),
        IN_SCRATCH(a_header_that_cannot_be_written),
        IN_SCRATCH(a_failed_sync_is_final),
        IN_SCRATCH(other_failures_are_reported),
        IN_SCRATCH(files_that_cannot_be_journals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
