/* SPDX-License-Identifier: MIT */
/* json, journal_line: JSON, headers, and lines about tasks with their results, which are written
 * and read back, or damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "journal_line.h"
#include "json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void expect_text(struct buf *out, const char *text)
{
    assert_false(out->failed);
    buf_put_u8(out, '\0');
    assert_string_equal((char *)out->data, text);
    buf_release(out);
}

static bool read_entry(const char *line, size_t size, struct journal_entry *entry)
{
    struct task_identity identity;
    struct buf key = BUF_INIT;
    bool good = journal_read_task(line, size, &key, &identity, entry);
    buf_release(&key);
    return good;
}

/* ---- json ---- */

struct json_case {
    const char *text;
    int members;
};

static bool check_string(void *context, const char *name, const struct json_value *value)
{
    struct json_case *wanted = context;
    wanted->members++;
    assert_string_equal(name, "x");
    assert_int_equal(value->kind, JSON_STRING);
    assert_string_equal(value->text, wanted->text);
    return true;
}

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
        struct json_case wanted = {.text = cases[i].bytes};
        buf_put_u8(&out, '{');
        json_put_string_member(&out, "x", cases[i].bytes);
        buf_put_u8(&out, '}');
        assert_int_equal(out.size, strlen(cases[i].text) + 6);
        assert_memory_equal(out.data + 5, cases[i].text, strlen(cases[i].text));
        assert_true(json_read_object((const char *)out.data, out.size, check_string, &wanted));
        assert_int_equal(wanted.members, 1);
        buf_release(&out);
    }
}

static bool count_member(void *context, const char *name, const struct json_value *value)
{
    (void)name, (void)value;
    ++*(int *)context;
    return true;
}

static bool reads(const char *text, int *members)
{
    *members = 0;
    return json_read_object(text, strlen(text), count_member, members);
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

static void text_ends_at_its_size(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    json_put_text(&out, "ab\xc3\xa4", 3); /* a character is cut off */
    expect_text(&out, "\"ab\\udcc3\"");
    assert_true(json_is_text(NULL, 0));
    assert_true(json_is_text("\xc3\xa4\x01\x7f", 4));
    assert_false(json_is_text("\xc3\xa4", 1));
    assert_false(json_is_text("a\0", 2));
    assert_false(json_is_text("\xed\xb2\x80", 3));
}

static void numbers_have_decimals(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        int digits;
        const char *text;
    } cases[] = {
        {0, 0, "\"x\":0"},
        {0, 3, "\"x\":0.000"},
        {-5, 3, "\"x\":-0.005"},
        {1234567, 3, "\"x\":1234.567"},
        {INT64_MIN, 0, "\"x\":-9223372036854775808"},
        {INT64_MIN, 9, "\"x\":-9223372036.854775808"},
        {-1, 19, "\"x\":-0.0000000000000000001"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf out = BUF_INIT;
        json_put_fixed_member(&out, "x", cases[i].value, cases[i].digits);
        expect_text(&out, cases[i].text);
    }
}

/* ---- Lines about tasks ---- */

static const enum journal_status failed = JOURNAL_FAILED;

static const char fields[] = "\"width\":50,\"height\":38";

/* All that a line can have but a result, and the least. */
static const struct journal_record full = {.identity = {"a/\xe4 \"1\".jpg", 2, 1},
                                           .status = JOURNAL_DONE,
                                           .was = &failed,
                                           .size_bytes = 102400,
                                           .mtime_ns = 1700000000123456789,
                                           .output = "a/\xff.jpg",
                                           .xxh3 = UINT64_C(0x00112233aabbccdd),
                                           .fields = {fields, sizeof fields - 1},
                                           .end_ms = 1772280001250,
                                           .run_s = 0.0012336,
                                           .rank = 3,
                                           .worker = 1,
                                           .host = "n1",
                                           .attempts = 2};
static const struct journal_record least = {
    .identity = {"b", 0, 0}, .status = JOURNAL_SKIPPED, .size_bytes = -1, .rank = -1};

static const char full_line[] =
    "{\"source\":\"a/\\udce4 \\\"1\\\".jpg\",\"stage\":2,\"occurrence\":1,\"status\":\"done\","
    "\"was\":\"failed\",\"size\":102400,\"mtime\":1700000000.123456789,"
    "\"output\":\"a/\\udcff.jpg\",\"xxh3\":\"00112233aabbccdd\",\"width\":50,\"height\":38,"
    "\"end\":1772280001.250,\"ms\":1.234,\"rank\":3,\"worker\":1,\"host\":\"n1\",\"attempts\":2}\n";

static void what_does_not_apply_is_left_out(void **state)
{
    (void)state;
    struct journal_record failure = least;
    struct buf out = BUF_INIT;
    journal_put_record(&out, &full);
    expect_text(&out, full_line);
    journal_put_record(&out, &least);
    expect_text(&out, "{\"source\":\"b\",\"status\":\"skipped\",\"end\":0.000}\n");
    failure.status = JOURNAL_FAILED;
    failure.error = "line\nbreak";
    failure.rank = 0;
    failure.host = "";
    journal_put_record(&out, &failure);
    expect_text(&out, "{\"source\":\"b\",\"status\":\"failed\",\"error\":\"line\\u000abreak\","
                      "\"end\":0.000,\"ms\":0.000,\"rank\":0,\"worker\":0,\"host\":\"\","
                      "\"attempts\":0}\n");
    failure.run_s = -1; /* unknown */
    journal_put_record(&out, &failure);
    expect_text(&out, "{\"source\":\"b\",\"status\":\"failed\",\"error\":\"line\\u000abreak\","
                      "\"end\":0.000,\"rank\":0,\"worker\":0,\"host\":\"\",\"attempts\":0}\n");
}

static void expect_identity(const struct journal_entry *entry, const struct task_identity *identity)
{
    uint64_t hash[2];
    task_identity_hash(identity, hash);
    assert_memory_equal(entry->hash, hash, sizeof hash);
}

static void a_line_is_read_back(void **state)
{
    (void)state;
    struct journal_entry entry;
    struct task_identity identity;
    struct buf key = BUF_INIT;
    assert_int_equal(sizeof entry, 48);
    assert_true(journal_read_task(full_line, sizeof full_line - 2, &key, &identity, &entry));
    assert_string_equal(identity.key, full.identity.key);
    assert_int_equal(identity.stage, 2);
    assert_int_equal(identity.occurrence, 1);
    expect_identity(&entry, &full.identity);
    assert_int_equal(entry.size_bytes, full.size_bytes);
    assert_int_equal(entry.mtime_ns, full.mtime_ns);
    assert_int_equal(entry.xxh3, full.xxh3);
    assert_int_equal(entry.status, JOURNAL_DONE);
    for (size_t size = 0; size < sizeof full_line - 2; size++)
        assert_false(read_entry(full_line, size, &entry));
    buf_release(&key);
}

static bool reads_entry(const char *line, struct journal_entry *entry)
{
    return read_entry(line, strlen(line), entry);
}

static void members_may_have_any_order(void **state)
{
    (void)state;
    struct journal_entry entry;
    assert_true(reads_entry(
        "{\"occurrence\":7,\"later\":[{}],\"status\":\"failed\",\"stage\":1,\"source\":\"x\"}",
        &entry));
    expect_identity(&entry, &(struct task_identity){"x", 1, 7});
    assert_int_equal(entry.size_bytes, -1);
    assert_int_equal(entry.xxh3, 0);
    assert_true(reads_entry("{\"source\":\"x\",\"status\":\"done\",\"size\":3}", &entry));
    expect_identity(&entry, &(struct task_identity){"x", 0, 0});
    assert_int_equal(entry.size_bytes, -1); /* of no use without the time */
}

/* Lines that mpthumb and mpbatch 0.1.0 wrote. */
static void lines_of_format_1_are_read(void **state)
{
    (void)state;
    struct journal_entry entry;
    assert_true(reads_entry(
        "{\"source\":\"in/\\udce4 \\\"1\\\".jpg\",\"size\":543,\"mtime\":1700000000.123456789,"
        "\"output\":\"\\udce4 \\\"1\\\".jpg\",\"width\":16,\"height\":16,\"status\":\"done\","
        "\"error\":null,\"ms\":0.360,\"rank\":0,\"host\":\"vm\",\"attempts\":1,"
        "\"xxh3\":\"979cb06c5de35850\"}",
        &entry));
    expect_identity(&entry, &(struct task_identity){"in/\xe4 \"1\".jpg", 0, 0});
    assert_int_equal(entry.status, JOURNAL_DONE);
    assert_int_equal(entry.size_bytes, 543);
    assert_int_equal(entry.mtime_ns, 1700000000123456789);
    assert_int_equal(entry.xxh3, UINT64_C(0x979cb06c5de35850));
    static const char unread[] =
        "{\"source\":\"in/b.jpg\",\"size\":null,\"mtime\":null,\"output\":null,\"width\":null,"
        "\"height\":null,\"status\":\"failed\",\"error\":\"not a JPEG or PNG file, it looks like "
        "text\",\"ms\":1.411,\"rank\":0,\"host\":\"vm\",\"attempts\":1,\"xxh3\":null}";
    struct result_ref ref;
    struct buf bytes = BUF_INIT;
    assert_true(reads_entry(unread, &entry));
    assert_int_equal(entry.status, JOURNAL_FAILED);
    assert_int_equal(entry.size_bytes, -1);
    assert_int_equal(entry.xxh3, 0);
    assert_true(journal_read_result(unread, strlen(unread), &bytes, &ref));
    assert_int_equal(ref.place, RESULT_NONE);
    buf_release(&bytes);
}

static void damaged_lines_are_not_read(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "{}",
        "{\"source\":\"x\"}",
        "{\"status\":\"done\"}",
        "{\"source\":null,\"status\":\"done\"}",
        "{\"source\":1,\"status\":\"done\"}",
        "{\"source\":\"x\",\"status\":\"perhaps\"}",
        "{\"source\":\"x\",\"status\":0}",
        "{\"source\":\"x\",\"status\":\"done\"}}",
        "{\"source\":\"x\",\"status\":\"done\",\"stage\":-1}",
        "{\"source\":\"x\",\"status\":\"done\",\"stage\":65536}",
        "{\"source\":\"x\",\"status\":\"done\",\"occurrence\":\"1\"}",
        "{\"source\":\"x\",\"status\":\"done\",\"occurrence\":1.5}",
        "{\"source\":\"x\",\"status\":\"done\",\"occurrence\":99999999999999999999}",
        "{\"source\":\"x\",\"status\":\"done\",\"size\":\"1\"}",
        "{\"source\":\"x\",\"status\":\"done\",\"mtime\":17}",
        "{\"source\":\"x\",\"status\":\"done\",\"mtime\":17.5}",
        "{\"source\":\"x\",\"status\":\"done\",\"xxh3\":\"0\"}",
        "{\"source\":\"x\",\"status\":\"done\",\"xxh3\":\"00112233AABBCCDD\"}",
        "{\"source\":\"x\",\"status\":\"done\",\"xxh3\":7}",
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct journal_entry entry;
        if (reads_entry(lines[i], &entry))
            fail_msg("read: %s", lines[i]);
    }
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
        assert_true(read_entry((char *)out.data, out.size, &entry));
        assert_int_equal(entry.mtime_ns, times[i]);
        buf_release(&out);
    }
}

/* ---- Results ---- */

static void inline_results_survive(void **state)
{
    (void)state;
    static const struct {
        struct mpp_bytes bytes;
        const char *text;
    } cases[] = {
        {{NULL, 0}, "{\"text\":\"\"}"},
        {{"a\n\"\xc3\xa4", 5}, "{\"text\":\"a\\u000a\\\"\xc3\xa4\"}"},
        {{"a\0\x0f", 3}, "{\"hex\":\"61000f\"}"},
        {{"\xff\xe4", 2}, "{\"hex\":\"ffe4\"}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char line[200];
        struct result_ref ref;
        struct journal_record record = least;
        struct buf out = BUF_INIT, bytes = BUF_INIT;
        record.result = (struct result_ref){.place = RESULT_INLINE, .bytes = cases[i].bytes};
        snprintf(line, sizeof line,
                 "{\"source\":\"b\",\"status\":\"skipped\",\"result\":%s,\"end\":0.000}\n",
                 cases[i].text);
        journal_put_record(&out, &record);
        expect_text(&out, line);
        buf_put(&bytes, "before", 6);
        assert_true(journal_read_result(line, strlen(line), &bytes, &ref));
        assert_int_equal(ref.place, RESULT_INLINE);
        assert_int_equal(ref.bytes.size, cases[i].bytes.size);
        if (ref.bytes.size)
            assert_memory_equal(ref.bytes.data, cases[i].bytes.data, ref.bytes.size);
        buf_release(&bytes);
    }
}

static void any_inline_result_survives(void **state)
{
    (void)state;
    uint8_t all[RESULT_INLINE_MAX];
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)(i * i >> 3);
    for (size_t size = 0; size <= sizeof all; size += 31) {
        struct result_ref ref;
        struct journal_record record = full;
        struct buf out = BUF_INIT, bytes = BUF_INIT;
        record.result = (struct result_ref){.place = RESULT_INLINE, .bytes = {all, size}};
        journal_put_record(&out, &record);
        assert_true(journal_read_result((char *)out.data, out.size, &bytes, &ref));
        assert_int_equal(ref.bytes.size, size);
        if (size)
            assert_memory_equal(ref.bytes.data, all, size);
        buf_release(&out);
        buf_release(&bytes);
    }
}

static void spooled_results_survive(void **state)
{
    (void)state;
    static const char line[] = "{\"source\":\"b\",\"status\":\"skipped\",\"result\":{\"spool\":"
                               "\"4294967295-0-17\",\"offset\":9223372036854775807,\"size\":2,"
                               "\"xxh3\":\"fedcba9876543210\"},\"end\":0.000}\n";
    const struct result_ref ref = {.place = RESULT_SPOOLED,
                                   .run = UINT32_MAX,
                                   .slot = 17,
                                   .offset = INT64_MAX,
                                   .size = 2,
                                   .xxh3 = UINT64_C(0xfedcba9876543210)};
    struct journal_record record = least;
    struct result_ref back;
    struct buf out = BUF_INIT, bytes = BUF_INIT;
    record.result = ref;
    journal_put_record(&out, &record);
    expect_text(&out, line);
    assert_true(journal_read_result(line, sizeof line - 1, &bytes, &back));
    assert_int_equal(back.place, RESULT_SPOOLED);
    assert_int_equal(back.run, ref.run);
    assert_int_equal(back.rank, ref.rank);
    assert_int_equal(back.slot, ref.slot);
    assert_int_equal(back.offset, ref.offset);
    assert_int_equal(back.size, ref.size);
    assert_int_equal(back.xxh3, ref.xxh3);
    buf_release(&bytes);
}

static void damaged_results_are_not_read(void **state)
{
    (void)state;
#define REST ",\"offset\":0,\"size\":2,\"xxh3\":\"fedcba9876543210\"}"
    static const char *const results[] = {
        "7",
        "\"text\"",
        "{}",
        "{\"text\":7}",
        "{\"text\":\"a\",\"hex\":\"61\"}",
        "{\"hex\":\"6\"}",
        "{\"hex\":\"6g\"}",
        "{\"hex\":\"6A\"}",
        "{\"text\" \"a\"}",
        "{\"spool\":\"1-2-3\"}",
        "{\"spool\":\"1-2-3\",\"offset\":0,\"size\":2}",
        "{\"spool\":\"1-2-3\",\"offset\":0,\"size\":-2,\"xxh3\":\"fedcba9876543210\"}",
        "{\"spool\":\"1-2-3\",\"offset\":0,\"size\":2,\"xxh3\":\"\"}",
        "{\"spool\":\"\"" REST,
        "{\"spool\":\"1-2\"" REST,
        "{\"spool\":\"1-2-\"" REST,
        "{\"spool\":\"1-2-3-4\"" REST,
        "{\"spool\":\"1--2\"" REST,
        "{\"spool\":\"../1-2-3\"" REST,
        "{\"spool\":\"1-2-4294967296\"" REST,
    };
#undef REST
    for (size_t i = 0; i < COUNT(results); i++) {
        char line[200];
        struct result_ref ref;
        struct buf bytes = BUF_INIT;
        snprintf(line, sizeof line, "{\"source\":\"b\",\"result\":%s}", results[i]);
        if (journal_read_result(line, strlen(line), &bytes, &ref))
            fail_msg("read: %s", line);
        buf_release(&bytes);
    }
}

/* ---- Headers ---- */

static void a_header_is_known_by_its_beginning(void **state)
{
    (void)state;
    static const struct journal_option options[] = {{"--size", "50x50"}, {"--suffix", "\xff\""}};
    static const struct journal_header header = {.version = "0.2.0",
                                                 .libraries = "a\n",
                                                 .host = "n1",
                                                 .job = "thumbnail",
                                                 .options = options,
                                                 .option_count = 2};
    static const char line[] =
        "{\"journal\":\"0.2.0\",\"format\":2,\"job\":\"thumbnail\",\"run\":7,"
        "\"started\":\"1970-01-02T00:00:00Z\",\"host\":\"n1\",\"libraries\":\"a\\u000a\","
        "\"options\":{\"--size\":\"50x50\",\"--suffix\":\"\\udcff\\\"\"}}\n";
    static const char format_1[] = "{\"journal\":\"0.1.0\",\"started\":\"2026-11-21T18:08:36Z\",";
    struct buf out = BUF_INIT;
    journal_put_header(&out, &header, 7, 86400);
    expect_text(&out, line);
    for (size_t size = 0; size < sizeof line; size++)
        assert_true(journal_begins_like_header(line, size));
    for (size_t size = 0; size < sizeof format_1; size++)
        assert_true(journal_begins_like_header(format_1, size));
    assert_false(journal_begins_like_header("{\"journal\":\"Nature\",\"title\"", 27));
    assert_false(journal_begins_like_header("{\"source\"", 9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_survive_writing_and_reading),
        cmocka_unit_test(objects_are_read_or_refused),
        cmocka_unit_test(text_ends_at_its_size),
        cmocka_unit_test(numbers_have_decimals),
        cmocka_unit_test(what_does_not_apply_is_left_out),
        cmocka_unit_test(a_line_is_read_back),
        cmocka_unit_test(members_may_have_any_order),
        cmocka_unit_test(lines_of_format_1_are_read),
        cmocka_unit_test(damaged_lines_are_not_read),
        cmocka_unit_test(times_are_exact_before_and_after_1970),
        cmocka_unit_test(inline_results_survive),
        cmocka_unit_test(any_inline_result_survives),
        cmocka_unit_test(spooled_results_survive),
        cmocka_unit_test(damaged_results_are_not_read),
        cmocka_unit_test(a_header_is_known_by_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
