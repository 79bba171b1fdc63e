/* SPDX-License-Identifier: MIT */
/* json, journal, failure_summary, early_stop: JSON and journal lines that are written and read
 * back, journals that are damaged or cut at any byte, failures by cause, and the reserve before a
 * time limit. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "early_stop.h"
#include "failure_summary.h"
#include "journal.h"
#include "json.h"
#include "temporary_directory.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- json ---- */

static void strings_survive_writing_and_reading(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"tab\tline\n\x01\x7f", "\"tab\\u0009line\\u000a\\u0001\\u007f\""},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"\xe4.jpg", "\"\\udce4.jpg\""},               /* Latin-1 */
        {"\xc0\x80", "\"\\udcc0\\udc80\""},            /* an overlong form */
        {"\xed\xb2\x80", "\"\\udced\\udcb2\\udc80\""}, /* a surrogate as UTF-8 */
        {"\xf4\x90\x80\x80", "\"\\udcf4\\udc90\\udc80\\udc80\""},
        {"\xe2\x82", "\"\\udce2\\udc82\""}, /* cut off */
        {"\xff\xfe", "\"\\udcff\\udcfe\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = BUF_INIT;
        struct json_reader reader;
        struct json_value value;
        const char *name;
        buf_put_u8(&out, '{');
        json_put_string_member(&out, "x", cases[i].bytes);
        buf_put_u8(&out, '}');
        assert_int_equal(out.size, strlen(cases[i].text) + 6);
        assert_memory_equal(out.data + 5, cases[i].text, strlen(cases[i].text));
        json_reader_init(&reader, (const char *)out.data, out.size);
        assert_true(json_next(&reader, &name, &value));
        assert_string_equal(name, "x");
        assert_int_equal(value.kind, JSON_STRING);
        assert_string_equal(value.text, cases[i].bytes);
        assert_false(json_next(&reader, &name, &value));
        assert_false(reader.failed);
        json_reader_release(&reader);
        buf_release(&out);
    }
}

static bool reads(const char *text, int *members)
{
    struct json_reader reader;
    struct json_value value;
    const char *name;
    *members = 0;
    json_reader_init(&reader, text, strlen(text));
    while (json_next(&reader, &name, &value))
        ++*members;
    bool good = !reader.failed;
    json_reader_release(&reader);
    return good;
}

static void objects_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int members; /* -1: refused */
    } cases[] = {
        {"{}", 0},
        {" { } ", 0},
        {"{\"a\":1}", 1},
        {"{ \"a\" : [1, {\"b\": \"]}\"}, []] , \"c\":{\"d\":{}} }\n", 2},
        {"{\"a\":true,\"b\":false,\"c\":null,\"d\":-1.5e3}", 4},
        {"{\"\\u00e4\\ud83d\\ude00\\n\":\"\\b\\f\\r\\t\\/\"}", 1},
        {"", -1},
        {"{", -1},
        {"{\"a\"}", -1},
        {"{\"a\":}", -1},
        {"{\"a\":1,}", -1},
        {"{\"a\":1 \"b\":2}", -1},
        {"{\"a\":1}x", -1},
        {"{\"a\":tru}", -1},
        {"{\"a\":\"b}", -1},
        {"{\"a\":\"\\ud800\"}", -1},
        {"{\"a\":\"\\udc00\"}", -1}, /* half a surrogate pair that does not stand for a byte */
        {"{\"a\":\"\\u0000\"}", -1},
        {"{\"a\":\"\\q\"}", -1},
        {"{\"a\":\"\n\"}", -1},
        {"{\"a\":[}", -1},
        {"{\"a\":[[[[[[[[[[[[]]]]]]]]]]]]}", -1},
        {"[]", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int members;
        bool good = reads(cases[i].text, &members);
        assert_int_equal(good ? members : -1, cases[i].members);
    }
}

/* ---- Records ---- */

static const struct journal_record full = {.source = "a/\xe4 \"1\".jpg",
                                           .size_bytes = 102400,
                                           .mtime_ns = 1700000000123456789,
                                           .output = "a/1.jpg",
                                           .width_px = 50,
                                           .height_px = 38,
                                           .xxh3 = UINT64_C(0x00112233aabbccdd),
                                           .status = JOURNAL_DONE,
                                           .run_s = 0.0012344,
                                           .rank = 3,
                                           .host = "n1",
                                           .attempts = 1};

static void a_record_is_one_line(void **state)
{
    (void)state;
    static const char line[] =
        "{\"source\":\"a/\\udce4 \\\"1\\\".jpg\",\"size\":102400,\"mtime\":1700000000.123456789,"
        "\"output\":\"a/1.jpg\",\"width\":50,\"height\":38,\"status\":\"done\",\"error\":null,"
        "\"ms\":1.234,\"rank\":3,\"host\":\"n1\",\"attempts\":1,\"xxh3\":\"00112233aabbccdd\"}\n";
    struct buf out = BUF_INIT;
    struct journal_entry entry;
    journal_put_record(&out, &full);
    assert_int_equal(out.size, sizeof line - 1);
    assert_memory_equal(out.data, line, sizeof line - 1);
    assert_true(journal_read_entry(line, sizeof line - 2, &entry));
    assert_int_equal(entry.size_bytes, full.size_bytes);
    assert_int_equal(entry.mtime_ns, full.mtime_ns);
    assert_int_equal(entry.xxh3, full.xxh3);
    assert_int_equal(entry.status, JOURNAL_DONE);
    for (size_t size = 0; size < sizeof line - 2; size++)
        assert_false(journal_read_entry(line, size, &entry));
    buf_release(&out);
}

static void times_are_exact_before_and_after_1970(void **state)
{
    (void)state;
    static const int64_t times[] = {
        0,          1,           -1,          999999999,
        -999999999, -1000000000, -1500000000, INT64_C(253402300799) * 10000000};
    for (size_t i = 0; i < COUNT(times); i++) {
        struct buf out = BUF_INIT;
        struct journal_entry entry;
        struct journal_record record = full;
        record.mtime_ns = times[i];
        journal_put_record(&out, &record);
        assert_true(journal_read_entry((char *)out.data, out.size, &entry));
        assert_int_equal(entry.mtime_ns, times[i]);
        buf_release(&out);
    }
}

/* ---- Files ---- */

static const char path[] = "journal.jsonl";

static struct journal_header header_with(const struct journal_option *options, size_t count)
{
    return (struct journal_header){.version = "1",
                                   .libraries = "none",
                                   .host = "h",
                                   .options = options,
                                   .option_count = count};
}

static const struct journal_option blur_2[] = {{"--blur", "2"}, {"--size", "50x50"}};
static const struct journal_option blur_3[] = {{"--blur", "3"}, {"--size", "50x50"}};

static int open_journal(struct journal *journal, enum journal_mode mode,
                        const struct journal_option *options, struct journal_index *index,
                        struct mpp_error *error)
{
    struct journal_header header = header_with(options, 2);
    *index = (struct journal_index){0};
    return journal_open(journal, path, mode, &header, index, error);
}

/* Writes a journal about `count` sources from number `first` on; every third one failed. */
static void write_journal(int first, int count, enum journal_mode mode)
{
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    if (open_journal(&journal, mode, blur_2, &index, &error))
        fail_msg("%s", error.text);
    for (int i = first; i < first + count; i++) {
        char name[32];
        struct journal_record record = full;
        snprintf(name, sizeof name, "%d.jpg", i);
        record.source = name;
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

static void check_index(const struct journal_index *index, int count)
{
    assert_int_equal(index->count, count);
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.jpg", i);
        const struct journal_entry *entry = journal_index_find(index, name);
        assert_non_null(entry);
        assert_int_equal(entry->size_bytes, 1000 + i);
        assert_int_equal(entry->status, i % 3 == 2 ? JOURNAL_FAILED : JOURNAL_DONE);
    }
    assert_null(journal_index_find(index, "none.jpg"));
}

static void written_records_are_found(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    write_journal(0, 5000, JOURNAL_FRESH);
    write_journal(4000, 2000, JOURNAL_RESUME);
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, blur_2, &index, &error), 0);
    check_index(&index, 6000);
    assert_int_equal(index.runs, 2);
    assert_int_equal(index.damaged, 0);
    journal_close(&journal, &error);
    journal_index_release(&index);
    /* A new journal replaces it. */
    write_journal(0, 1, JOURNAL_FRESH);
    assert_int_equal(open_journal(&journal, JOURNAL_READ, blur_2, &index, &error), 0);
    check_index(&index, 1);
    journal_index_release(&index);
}

static void other_options_are_refused(void **state)
{
    (void)state;
    struct journal journal;
    struct journal_index index;
    struct mpp_error error;
    write_journal(0, 3, JOURNAL_FRESH);
    assert_int_equal(open_journal(&journal, JOURNAL_RESUME, blur_3, &index, &error), -1);
    assert_non_null(strstr(error.text, "--blur '2', but this run has '3'"));
    journal_index_release(&index);
}

static void one_run_at_a_time(void **state)
{
    (void)state;
    static const enum journal_mode modes[] = {JOURNAL_FRESH, JOURNAL_RESUME};
    struct journal first, second;
    struct journal_index index, none;
    struct mpp_error error;
    assert_int_equal(open_journal(&first, JOURNAL_FRESH, blur_2, &index, &error), 0);
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(open_journal(&second, modes[i], blur_2, &none, &error), -1);
        assert_non_null(strstr(error.text, "is being written by another run"));
    }
    assert_int_equal(open_journal(&second, JOURNAL_READ, blur_2, &none, &error), 0);
    assert_int_equal(journal_close(&first, &error), 0);
    assert_int_equal(open_journal(&second, JOURNAL_RESUME, blur_2, &none, &error), 0);
    assert_int_equal(journal_close(&second, &error), 0);
    journal_index_release(&index);
    journal_index_release(&none);
}

static void put_file(const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static size_t get_file(char *bytes, size_t most)
{
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, bytes, most);
    close(fd);
    return (size_t)size;
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
        if (open_journal(&journal, JOURNAL_RESUME, blur_2, &index, &error))
            fail_msg("cut at %zu: %s", cut, error.text);
        check_index(&index, lines < 0 ? 0 : lines);
        assert_int_equal(journal_close(&journal, &error), 0);
        journal_index_release(&index);
        write_journal(0, 7, JOURNAL_RESUME);
        assert_int_equal(open_journal(&journal, JOURNAL_READ, blur_2, &index, &error), 0);
        check_index(&index, 7);
        assert_int_equal(index.damaged, 0);
        journal_index_release(&index);
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
    assert_int_equal(open_journal(&journal, JOURNAL_READ, blur_2, &index, &error), 0);
    assert_int_equal(index.damaged, 1);
    assert_int_equal(index.count, 3);
    journal_index_release(&index);
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
        assert_int_equal(open_journal(&journal, JOURNAL_RESUME, blur_2, &index, &error), -1);
        assert_non_null(strstr(error.text, "is not a journal"));
        assert_int_equal(get_file(bytes, sizeof bytes), files[i].size); /* unchanged */
        assert_memory_equal(bytes, files[i].text, files[i].size);
        journal_index_release(&index);
    }
}

/* ---- failure_summary ---- */

static void failures_are_counted_by_cause(void **state)
{
    (void)state;
    struct failure_summary failures = {0};
    assert_int_equal(failure_summary_add(&failures, "no such file", "a"), 0);
    assert_int_equal(failure_summary_add(&failures, "width 70000 is above 65500", "b"), 0);
    assert_int_equal(failure_summary_add(&failures, "width 9 is above 65500", "c"), 1);
    assert_int_equal(failure_summary_add(&failures, "would replace 'x 1' here", "d"), 0);
    assert_int_equal(failure_summary_add(&failures, "would replace 'y' here", "e"), 1);
    assert_int_equal(failure_summary_add(&failures, "width 10 is above 65500", "f"), 2);
    assert_int_equal(failure_summary_add(&failures, "an odd 'quote", "g"), 0);
    failure_summary_sort(&failures);
    assert_int_equal(failures.count, 4);
    assert_string_equal(failures.list[0].text, "width 70000 is above 65500");
    assert_int_equal(failures.list[0].count, 3);
    assert_string_equal(failures.list[0].examples[2], "f");
    for (int i = 0; i < 200; i++) {
        char text[32];
        snprintf(text, sizeof text, "%c%c", 'a' + i / 26, 'a' + i % 26);
        failure_summary_add(&failures, text, "h");
    }
    assert_int_equal(failures.count, FAILURE_SUMMARY_MAX);
    assert_int_equal(failures.others, 204 - FAILURE_SUMMARY_MAX);
    failure_summary_release(&failures);
}

/* ---- early_stop ---- */

static void reserve_before_the_time_limit(void **state)
{
    (void)state;
    static const struct {
        double limit_s, slowest_s, reserve_s;
    } cases[] = {{3600, 0, 10}, {3600, 20, 40}, {100, 0, 5},
                 {10, 1, 2},    {10, 60, 5},    {3600, 9000, 1800}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(early_stop_reserve_s(cases[i].limit_s, cases[i].slowest_s) ==
                    cases[i].reserve_s);
    assert_true(early_stop_remaining_s("1000", 400) == 600);
    assert_true(early_stop_remaining_s("1000", 1000) > 0);
    assert_true(early_stop_remaining_s("1000", 2000) < 1);
    assert_true(early_stop_remaining_s(NULL, 400) == 0 && early_stop_remaining_s("soon", 400) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_survive_writing_and_reading),
        cmocka_unit_test(objects_are_read_or_refused),
        cmocka_unit_test(a_record_is_one_line),
        cmocka_unit_test(times_are_exact_before_and_after_1970),
        cmocka_unit_test_setup_teardown(written_records_are_found, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(other_options_are_refused, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(one_run_at_a_time, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(a_journal_cut_at_every_byte, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(damaged_lines_are_ignored, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(other_files_are_refused, scratch_setup, scratch_teardown),
        cmocka_unit_test(failures_are_counted_by_cause),
        cmocka_unit_test(reserve_before_the_time_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
