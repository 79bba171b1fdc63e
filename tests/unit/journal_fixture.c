/* SPDX-License-Identifier: MIT */
/* A journal that tests write and check: see journal_fixture.h. */
#include "journal_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static const struct journal_option options[] = {{"--blur", "2"}, {"--size", "50x50"}};

struct journal_header run_header(void)
{
    return (struct journal_header){.version = "1",
                                   .libraries = "none",
                                   .host = "h",
                                   .job = "thumbnail",
                                   .options = options,
                                   .option_count = COUNT(options)};
}

int open_journal(struct journal *journal, enum journal_mode mode, struct journal_index *index,
                 struct mpp_error *error)
{
    struct journal_header header = run_header();
    *index = (struct journal_index){0};
    return journal_open(journal, JOURNAL_PATH, mode, &header, index, error);
}

struct journal_record record_of(const char *key)
{
    return (struct journal_record){.identity = {key, 0, 0},
                                   .size_bytes = 1000,
                                   .mtime_ns = 1700000000123456789,
                                   .output = "1.jpg",
                                   .host = "n1",
                                   .attempts = 1};
}

void write_journal(int first, int count, enum journal_mode mode)
{
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    if (open_journal(&journal, mode, &index, &error))
        fail_msg("%s", error.text);
    for (int i = first; i < first + count; i++) {
        char name[32];
        struct journal_record record = record_of(name);
        snprintf(name, sizeof name, "%d.jpg", i);
        record.size_bytes = 1000 + i;
        if (i % 3 == 2) {
            record.status = JOURNAL_FAILED;
            record.error = "broken";
            record.output = NULL;
        }
        assert_int_equal(journal_append(&journal, &record, &error), 0);
    }
    assert_int_equal(journal_close(&journal, &error), 0);
    journal_index_release(&index);
}

const struct journal_entry *find_entry(const struct journal_index *index, const char *key)
{
    return journal_index_find(index, &(struct task_identity){key, 0, 0});
}

void check_index(const struct journal_index *index, int count)
{
    assert_int_equal(index->count, count);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.jpg", i);
        const struct journal_entry *entry = find_entry(index, name);
        assert_non_null(entry);
        assert_int_equal(entry->size_bytes, 1000 + i);
        assert_int_equal(entry->status, i % 3 == 2 ? JOURNAL_FAILED : JOURNAL_DONE);
    }
    assert_null(find_entry(index, "none.jpg"));
}

void check_journal(int count)
{
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    if (open_journal(&journal, JOURNAL_READ, &index, &error))
        fail_msg("%s", error.text);
    check_index(&index, count);
    assert_int_equal(index.damaged, 0);
    assert_int_equal(journal_close(&journal, &error), 0);
    journal_index_release(&index);
}

void put_file(const void *bytes, size_t size)
{
    int fd = open(JOURNAL_PATH, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

size_t get_file(char *bytes, size_t most)
{
    int fd = open(JOURNAL_PATH, O_RDONLY);
    ssize_t size = read(fd, bytes, most);
    close(fd);
    return (size_t)size;
}
