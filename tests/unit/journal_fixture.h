/* SPDX-License-Identifier: MIT */
/* journal_fixture: a journal that tests write and check. It is in the working directory. */
#ifndef JOURNAL_FIXTURE_H
#define JOURNAL_FIXTURE_H

#include "journal.h"
#include "temporary_directory.h"

#define COUNT(array)     (sizeof(array) / sizeof *(array))
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

#define HEADER_1(options)                                                                          \
    "{\"journal\":\"0.1.0\",\"started\":\"2026-11-21T18:08:36Z\",\"host\":\"vm\",\"libraries\":"   \
    "\"mpthumb 0.1.0\\u000a\",\"options\":{" options "}}\n"
#define HEADER_2(members, options)                                                                 \
    "{\"journal\":\"2\"," members ",\"started\":\"2026-11-21T18:08:36Z\",\"options\":{" options    \
    "}}\n"
#define TASK         "{\"source\":\"x\",\"status\":\"done\"}\n"

#define JOURNAL_PATH "journal.jsonl"

/* Of the job thumbnail, with the options --blur 2 and --size 50x50. */
struct journal_header run_header(void);

int open_journal(struct journal *journal, enum journal_mode mode, struct journal_index *index,
                 struct mpp_error *error);

/* Of a task that is done, of a rank. */
struct journal_record record_of(const char *key);

/* Writes a journal about `count` inputs from number `first` on; every third one failed. */
void write_journal(int first, int count, enum journal_mode mode);

/* The entry of an input. */
const struct journal_entry *find_entry(const struct journal_index *index, const char *key);

/* Fails the test unless the index, or the journal, is about inputs 0 to count - 1, as written by
 * write_journal. */
void check_index(const struct journal_index *index, int count);
void check_journal(int count);

/* Replaces or reads the file. */
void put_file(const void *bytes, size_t size);
size_t get_file(char *bytes, size_t most);

#endif
