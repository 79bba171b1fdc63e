/* SPDX-License-Identifier: MIT */
/*
 * test_thumbnail_message: tasks and outcomes of the thumbnail job survive encoding, and truncated
 * ones are refused. Also file_type_guess.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file_type_guess.h"
#include "thumbnail_message.h"

/* A copy of exactly these bytes, so that a sanitizer detects a read past their end. */
static struct mpp_bytes first_bytes(const struct buf *buf, size_t size, void **copy)
{
    *copy = malloc(size ? size : 1);
    memcpy(*copy, buf->data, size);
    return (struct mpp_bytes){*copy, size};
}

static void test_task(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    struct thumbnail_task task = {
        .flags = THUMBNAIL_WALKED | THUMBNAIL_NO_REPLACE | THUMBNAIL_RECORDED,
        .source = "a\n\xff/b",
        .output = "c",
        .recorded = {.size_bytes = 5000000000, .mtime_ns = -1, .xxh3 = UINT64_MAX - 1}};
    struct thumbnail_task found;
    void *copy;
    thumbnail_task_encode(&task, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        struct mpp_bytes cut = first_bytes(&bytes, size, &copy);
        assert_int_equal(thumbnail_task_decode(cut, &found, NULL), -1);
        free(copy);
    }
    struct mpp_bytes whole = first_bytes(&bytes, bytes.size, &copy);
    assert_int_equal(thumbnail_task_decode(whole, &found, NULL), 0);
    assert_int_equal(found.flags, task.flags);
    assert_string_equal(found.source, task.source);
    assert_string_equal(found.output, task.output);
    assert_memory_equal(&found.recorded, &task.recorded, sizeof task.recorded);
    free(copy);
    bytes.data[6] = '\0'; /* a zero byte within a name */
    assert_int_equal(
        thumbnail_task_decode((struct mpp_bytes){bytes.data, bytes.size}, &found, NULL), -1);
    buf_release(&bytes);
}

static void test_outcome(void **state)
{
    (void)state;
    struct buf bytes = BUF_INIT;
    struct thumbnail_outcome outcome = {
        .status = THUMBNAIL_OWN_OUTPUT,
        .mismatch = true,
        .source_bytes = UINT64_C(5000000000),
        .source_mtime_ns = -7,
        .output_bytes = 1234,
        .output_xxh3 = UINT64_MAX,
        .text = "no room",
        .info = {&image_codec_png, &image_codec_jpeg, 4000, 3000, 50, 38, 2}};
    struct thumbnail_outcome found = {0};
    void *copy;
    thumbnail_outcome_encode(&outcome, &bytes);
    for (size_t size = 0; size < bytes.size; size++) {
        struct mpp_bytes cut = first_bytes(&bytes, size, &copy);
        assert_int_equal(thumbnail_outcome_decode(cut, &found, NULL), -1);
        free(copy);
    }
    struct mpp_bytes whole = {bytes.data, bytes.size};
    assert_int_equal(thumbnail_outcome_decode(whole, &found, NULL), 0);
    assert_int_equal(found.status, outcome.status);
    assert_true(found.mismatch);
    assert_true(found.source_bytes == outcome.source_bytes);
    assert_true(found.source_mtime_ns == outcome.source_mtime_ns);
    assert_true(found.output_bytes == outcome.output_bytes);
    assert_true(found.output_xxh3 == outcome.output_xxh3);
    assert_string_equal(found.text, outcome.text);
    assert_ptr_equal(found.info.source_format, outcome.info.source_format);
    assert_ptr_equal(found.info.format, outcome.info.format);
    assert_int_equal(found.info.source_width_px, outcome.info.source_width_px);
    assert_int_equal(found.info.source_height_px, outcome.info.source_height_px);
    assert_int_equal(found.info.width_px, outcome.info.width_px);
    assert_int_equal(found.info.height_px, outcome.info.height_px);
    assert_int_equal(found.info.warnings, outcome.info.warnings);
    bytes.data[0] = 77; /* not a status */
    assert_int_equal(thumbnail_outcome_decode(whole, &found, NULL), -1);
    buf_release(&bytes);
}

/* A process of another build could send the number of a format that this build does not have. */
static void test_unknown_format(void **state)
{
    (void)state;
    struct thumbnail_outcome outcome = {.info = {.source_format = &image_codec_png}};
    struct thumbnail_outcome found;
    struct buf bytes = BUF_INIT;
    thumbnail_outcome_encode(&outcome, &bytes);
    struct mpp_bytes message = {bytes.data, bytes.size};
    uint8_t *source_format = bytes.data + bytes.size - 5 * sizeof(uint32_t) - 2;
    assert_int_equal(*source_format, image_codec_number(&image_codec_png));
    for (unsigned i = 0; i < 2; i++) { /* of the source and of the output */
        uint8_t known = source_format[i];
        source_format[i] = (uint8_t)(image_codec_count() + 1);
        assert_int_equal(thumbnail_outcome_decode(message, &found, NULL), -1);
        source_format[i] = known;
    }
    assert_int_equal(thumbnail_outcome_decode(message, &found, NULL), 0);
    assert_null(found.info.format);
    buf_release(&bytes);
}

static void test_file_type_guess(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *name;
    } cases[] = {
        {"GIF89a", 6, "a GIF image"},
        {"GIF", 3, "text"},
        {"RIFF\x01\x02\x03\x04WEBPVP8 ", 16, "a WebP image"},
        {"\0\0\0\x18"
         "ftypheic",
         12, "a HEIF image"},
        {"II*\0", 4, "a TIFF image or a camera's raw file"},
        {"<html><body>", 12, "HTML or XML"},
        {"plain words\r\n", 13, "text"},
        {"\x01\x02", 2, NULL},
        {"a\0b", 3, NULL},
        {"", 0, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copy = malloc(cases[i].size + !cases[i].size);
        memcpy(copy, cases[i].bytes, cases[i].size);
        const char *found = file_type_guess(copy, cases[i].size);
        free(copy);
        if (cases[i].name)
            assert_string_equal(found, cases[i].name);
        else
            assert_null(found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task),
        cmocka_unit_test(test_outcome),
        cmocka_unit_test(test_unknown_format),
        cmocka_unit_test(test_file_type_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
