/* SPDX-License-Identifier: MIT */
/* journal, journal_index: journals that are written, resumed, replaced, damaged or cut at any byte,
 * and those of other runs. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "journal_fixture.h"

static void written_records_are_found(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    write_journal(0, 5000, JOURNAL_FRESH);
    write_journal(4000, 2000, JOURNAL_RESUME);
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), 0);
    check_index(&index, 6000);
    assert_int_equal(index.runs, 2);
    assert_int_equal(journal.run, 3);
    assert_int_equal(journal.synced, journal.size);
    assert_int_equal(index.damaged, 0);
    journal_close(&journal, &error);
    journal_index_release(&index);
    /* A new journal replaces it. */
    write_journal(0, 1, JOURNAL_FRESH);
    check_journal(1);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    assert_int_equal(journal.run, 1);
    /* Nothing is written. */
    struct journal_record record = record_of("x");
    assert_int_equal(journal_append(&journal, &record, &error), 0);
    assert_int_equal(journal_sync(&journal, &error), 0);
    assert_int_equal(journal.pending.size, 0);
    journal_close(&journal, &error);
    journal_index_release(&index);
    check_journal(1);
}

/* Tasks with one key are told apart by stage and occurrence. */
static void tasks_have_identities(void **state)
{
    (void)state;
    static const struct task_identity tasks[] = {{"a", 0, 0}, {"a", 0, 1}, {"a", 1, 0},
                                                 {"a", 1, 1}, {"b", 0, 0}, {"a", 0, 2}};
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), 0);
    for (size_t i = 0; i < COUNT(tasks); i++) {
        struct journal_record record = record_of("");
        record.identity = tasks[i];
        record.status = i % 3;
        assert_int_equal(journal_append(&journal, &record, &error), 0);
    }
    journal_close(&journal, &error);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    assert_int_equal(index.count, COUNT(tasks));
    for (size_t i = 0; i < COUNT(tasks); i++)
        assert_int_equal(journal_index_find(&index, &tasks[i])->status, i % 3);
    assert_null(journal_index_find(&index, &(struct task_identity){"b", 0, 1}));
    journal_close(&journal, &error);
    journal_index_release(&index);
}

static void expect_counts(const struct journal_index *index, const uint64_t counts[3])
{
    uint64_t found[3] = {0};
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].hash[0])
            found[index->slots[i].status]++;
    assert_memory_equal(found, counts, sizeof found);
}

/* Counts that are streamed by `status` and `was` are those of the last lines. */
static void counts_can_be_streamed(void **state)
{
    (void)state;
    uint64_t counts[3] = {0};
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    for (unsigned run = 0; run < 4; run++) {
        enum journal_mode mode = run ? JOURNAL_RESUME : JOURNAL_FRESH;
        assert_int_equal(open_journal(&journal, mode, &index, &error), 0);
        expect_counts(&index, counts);
        for (unsigned i = 0; i < 20; i += run + 1) {
            char name[32];
            struct journal_record record = record_of(name);
            snprintf(name, sizeof name, "%u", i);
            record.status = (i * 7 + run) % 3;
            const struct journal_entry *entry = find_entry(&index, name);
            enum journal_status was = entry ? entry->status : JOURNAL_DONE;
            record.was = entry ? &was : NULL;
            counts[record.status]++;
            if (record.was)
                counts[was]--;
            assert_int_equal(journal_append(&journal, &record, &error), 0);
        }
        assert_int_equal(journal_close(&journal, &error), 0);
        journal_index_release(&index);
    }
    assert_int_equal(counts[0] + counts[1] + counts[2], 20);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    expect_counts(&index, counts);
    journal_close(&journal, &error);
    journal_index_release(&index);
}

static void one_run_at_a_time(void **state)
{
    (void)state;
    static const enum journal_mode modes[] = {JOURNAL_FRESH, JOURNAL_RESUME};
    struct journal first, second;
    struct journal_index index, none;
    struct mpp_error error;
    assert_int_equal(open_journal(&first, JOURNAL_FRESH, &index, &error), 0);
    assert_int_equal(first.run, 1);
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(open_journal(&second, modes[i], &none, &error), -1);
        assert_non_null(strstr(error.text, "is being written by another run"));
    }
    assert_int_equal(open_journal(&second, JOURNAL_READ, &none, &error), 0);
    assert_int_equal(journal_close(&second, &error), 0);
    assert_int_equal(journal_close(&first, &error), 0);
    assert_int_equal(open_journal(&second, JOURNAL_RESUME, &none, &error), 0);
    assert_int_equal(journal_close(&second, &error), 0);
    journal_index_release(&index);
    journal_index_release(&none);
}

/* A run can be killed at any byte: the complete lines are found, and the journal is complete again
 * after a run that resumes it. */
static void a_journal_cut_at_every_byte(void **state)
{
    (void)state;
    static char bytes[65536];
    write_journal(0, 7, JOURNAL_FRESH);
    size_t size = get_file(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= size; cut++) {
        struct journal journal;
        struct journal_index index;
        struct mpp_error error;
        int lines = -1; /* the first line is the header */
        put_file(bytes, cut);
        for (size_t i = 0; i < cut; i++)
            lines += bytes[i] == '\n';
        if (open_journal(&journal, JOURNAL_RESUME, &index, &error))
            fail_msg("cut at %zu: %s", cut, error.text);
        check_index(&index, lines < 0 ? 0 : lines);
        assert_int_equal(journal_close(&journal, &error), 0);
        journal_index_release(&index);
        write_journal(0, 7, JOURNAL_RESUME);
        check_journal(7);
    }
}

static void damaged_lines_are_ignored(void **state)
{
    (void)state;
    static char bytes[65536];
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    write_journal(0, 4, JOURNAL_FRESH);
    size_t size = get_file(bytes, sizeof bytes);
    char *second = strchr(strchr(bytes, '\n') + 1, '\n') + 1;
    memset(second, 0, 20); /* as a power failure can leave it */
    put_file(bytes, size);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, &index, &error), 0);
    assert_int_equal(index.damaged, 1);
    assert_int_equal(index.count, 3);
    journal_close(&journal, &error);
    journal_index_release(&index);
}

/* ---- Whose journal it is ---- */

static void a_run_continues_its_own_journal_only(void **state)
{
    (void)state;
    static const struct {
        const char *text, *job;
        const char *error; /* NULL: accepted */
    } cases[] = {
        {HEADER_2("\"format\":2,\"job\":\"thumbnail\"", "\"--blur\":\"2\""), "thumbnail", NULL},
        {HEADER_2("\"format\":2,\"job\":\"thumbnail\"", "\"--blur\":\"3\""), "thumbnail",
         "was written with --blur '3', but this run has '2'"},
        {HEADER_2("\"format\":2,\"job\":\"thumbnail\"", "\"--later\":\"3\""), "thumbnail", NULL},
        {HEADER_2("\"format\":2,\"job\":\"digest\"", "\"--blur\":\"3\""), "thumbnail",
         "was written by the job 'digest', not 'thumbnail'"},
        {HEADER_2("\"job\":\"thumbnail\",\"format\":3", "\"--blur\":\"3\""), "thumbnail",
         "has format 3; this program reads formats 1 and 2"},
        {HEADER_2("\"format\":2", ""), "thumbnail", "is not a journal"},
        {HEADER_2("\"format\":2,\"job\":7", ""), "thumbnail", "is not a journal"},
        {HEADER_2("\"format\":2", "\"job\":\"noop\""), "noop", "is not a journal"},
        {"{\"format\":2,\"job\":\"thumbnail\",\"options\":{}}\n", "thumbnail", "is not a journal"},
        {HEADER_2("\"format\":0,\"job\":\"thumbnail\"", ""), "thumbnail", "is not a journal"},
        {HEADER_2("\"format\":\"2\",\"job\":\"thumbnail\"", ""), "thumbnail", "is not a journal"},
        {HEADER_1("\"--blur\":\"2\""), "thumbnail", NULL},
        {HEADER_1("\"--blur\":\"3\""), "thumbnail", "was written with --blur '3'"},
        {HEADER_1("\"--blur\":\"2\""), "noop", "was written by the job 'thumbnail', not 'noop'"},
        {HEADER_1("\"job\":\"noop\""), "noop", NULL},
        {HEADER_1("\"job\":\"noop\""), "thumbnail",
         "was written by the job 'noop', not 'thumbnail'"},
        {HEADER_1("") HEADER_2("\"format\":2,\"job\":\"noop\"", ""), "thumbnail",
         "was written by the job 'noop'"},
        {HEADER_1("") TASK HEADER_2("\"format\":2,\"job\":\"thumbnail\"", ""), "thumbnail", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct journal_header header = run_header();
        struct journal journal;
        struct journal_index index = {0};
        struct mpp_error error;
        header.job = cases[i].job;
        put_file(cases[i].text, strlen(cases[i].text));
        int result = journal_open(&journal, JOURNAL_PATH, JOURNAL_RESUME, &header, &index, &error);
        if (cases[i].error)
            assert_int_equal(result, -1);
        else if (result)
            fail_msg("%s", error.text);
        if (result && !strstr(error.text, cases[i].error))
            fail_msg("%s", error.text);
        if (result)
            scratch_expect(JOURNAL_PATH, cases[i].text);
        else
            journal_close(&journal, &error);
        journal_index_release(&index);
    }
}

/* An initialiser of text and size. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static void other_files_are_refused(void **state)
{
    (void)state;
    static const char zeros[64];
    static const struct {
        const char *text;
        size_t size;
    } files[] = {
        BYTES("hello\nworld\n"),
        BYTES("{\"a\":1}\n{\"b\":2}\n"),
        BYTES("my important text"), /* no newline: an incomplete line, but not that of a header */
        BYTES("{\"a\":1}"),
        BYTES("{\"journal\":\"Nature\",\"title\":\"x\"}"),
        BYTES("{\"journal\":\"my diary, a long text"),
        BYTES("{\"journal\":7}"),
        {zeros, sizeof zeros},
        BYTES("{\"journal\":\"\0\0\0\0"),
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        char bytes[128];
        struct journal journal;
        struct journal_index index;
        struct mpp_error error;
        put_file(files[i].text, files[i].size);
        assert_int_equal(open_journal(&journal, JOURNAL_RESUME, &index, &error), -1);
        assert_non_null(strstr(error.text, "is not a journal"));
        assert_int_equal(get_file(bytes, sizeof bytes), files[i].size); /* unchanged */
        assert_memory_equal(bytes, files[i].text, files[i].size);
        journal_index_release(&index);
    }
}

/* ---- A new journal ---- */

static void lines_about_tasks_are_never_lost(void **state)
{
    (void)state;
    write_journal(0, 4, JOURNAL_FRESH);
    write_journal(0, 0, JOURNAL_FRESH); /* such as two runs with a wrong input */
    write_journal(0, 0, JOURNAL_FRESH);
    assert_int_equal(scratch_count("."), 2);
    write_journal(0, 5, JOURNAL_FRESH);
    write_journal(0, 6, JOURNAL_FRESH);
    assert_int_equal(scratch_count("."), 3);
    write_journal(0, 7, JOURNAL_FRESH);
    assert_int_equal(scratch_count("."), 4);
    check_journal(7);
    static const char *const old[] = {"journal.jsonl.old", "journal.jsonl.old.2",
                                      "journal.jsonl.old.3"};
    for (size_t i = 0; i < COUNT(old); i++) {
        assert_int_equal(rename(old[i], JOURNAL_PATH), 0);
        check_journal(4 + (int)i);
    }
}

/* The first free name is taken, even below higher numbers. */
static void the_first_free_name_is_taken(void **state)
{
    (void)state;
    scratch_write("journal.jsonl.old", "a");
    scratch_write("journal.jsonl.old.3", "c");
    assert_int_equal(symlink("nowhere", "journal.jsonl.old.2"), 0);
    write_journal(0, 1, JOURNAL_FRESH);
    write_journal(0, 2, JOURNAL_FRESH);
    scratch_expect("journal.jsonl.old", "a");
    scratch_expect("journal.jsonl.old.3", "c");
    assert_int_equal(rename("journal.jsonl.old.4", JOURNAL_PATH), 0);
    check_journal(1);
}

static void only_headers_are_overwritten(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool kept;
    } cases[] = {
        {"", false},
        {HEADER_1(""), false},
        {HEADER_2("\"format\":2,\"job\":\"x\"", ""), false},
        {HEADER_1("") HEADER_2("\"format\":2,\"job\":\"x\"", ""), false},
        {HEADER_1("") "{\"journal\":\"2", false},
        {HEADER_1("") TASK, true},
        {HEADER_1("") TASK HEADER_1(""), true},
        {HEADER_1("") "{\"source\":\"x", true},
        {HEADER_1("") "damaged\n" HEADER_1(""), true},
        {HEADER_2("\"format\":3,\"job\":\"x\"", ""), true},
    };
    static const char *const foreign[] = {"my important text", "my important text\n", "{}\n"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        unlink("journal.jsonl.old");
        scratch_write(JOURNAL_PATH, cases[i].text);
        write_journal(0, 1, JOURNAL_FRESH);
        check_journal(1);
        assert_int_equal(access("journal.jsonl.old", F_OK), cases[i].kept ? 0 : -1);
        if (cases[i].kept)
            scratch_expect("journal.jsonl.old", cases[i].text);
    }
    for (size_t i = 0; i < COUNT(foreign); i++) {
        struct journal journal;
        struct journal_index index = {0};
        struct mpp_error error;
        scratch_write(JOURNAL_PATH, foreign[i]);
        assert_int_equal(open_journal(&journal, JOURNAL_FRESH, &index, &error), -1);
        assert_non_null(strstr(error.text, "is another file, not a journal"));
        scratch_expect(JOURNAL_PATH, foreign[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(written_records_are_found),
        IN_SCRATCH(tasks_have_identities),
        IN_SCRATCH(counts_can_be_streamed),
        IN_SCRATCH(one_run_at_a_time),
        IN_SCRATCH(a_journal_cut_at_every_byte),
        IN_SCRATCH(damaged_lines_are_ignored),
        IN_SCRATCH(a_run_continues_its_own_journal_only),
        IN_SCRATCH(other_files_are_refused),
        IN_SCRATCH(lines_about_tasks_are_never_lost),
        IN_SCRATCH(the_first_free_name_is_taken),
        IN_SCRATCH(only_headers_are_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
