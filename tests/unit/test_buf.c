/* SPDX-License-Identifier: MIT */
/* The files of src/base: buf, fnv1a and mpp_error. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "fnv1a.h"
#include "mpp_error.h"

static void grows(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (uint32_t i = 0; i < 100000; i++)
        buf_put_u32(&buf, i);
    assert_false(buf.failed);
    struct reader reader = reader_over(buf.data, buf.size);
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(read_u32(&reader), i);
    assert_false(reader.failed);
    assert_int_equal(read_u8(&reader), 0);
    assert_true(reader.failed);
    buf_release(&buf);
    buf_release(&buf);
}

static void every_width(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_put_u8(&buf, 0x12);
    buf_put_u16(&buf, 0x3456);
    buf_put_u32(&buf, 0x789abcde);
    buf_put_u64(&buf, 0x0123456789abcdef);
    buf_put(&buf, NULL, 0);
    struct reader reader = reader_over(buf.data, buf.size);
    assert_int_equal(read_u8(&reader), 0x12);
    assert_int_equal(read_u16(&reader), 0x3456);
    assert_int_equal(read_u32(&reader), 0x789abcde);
    assert_true(read_u64(&reader) == 0x0123456789abcdef);
    assert_false(reader.failed);
    buf_release(&buf);
}

static void formatted_text(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (int i = 0; i < 1000; i++)
        buf_printf(&buf, "%03d%s", i, i % 2 ? "" : "!");
    assert_int_equal(buf.size, 3500);
    assert_memory_equal(buf.data, "000!001002!", 11);
    assert_memory_equal(buf.data + 3493, "998!999", 7);
    buf.failed = true;
    buf_printf(&buf, "x");
    assert_int_equal(buf.size, 3500);
    buf_release(&buf);
}

static void decimal_digits(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 9, 10, 1234567890, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[DECIMAL_DIGITS_MAX + 1] = "", wanted[32];
        snprintf(wanted, sizeof wanted, "%" PRIu64, values[i]);
        assert_string_equal(decimal_before(text + DECIMAL_DIGITS_MAX, values[i]), wanted);
    }
}

static void failure_to_read_is_sticky(void **state)
{
    (void)state;
    struct reader reader = reader_over("abc", 3);
    assert_null(read_bytes(&reader, 4));
    assert_int_equal(read_u8(&reader), 0);
    assert_true(reader.failed);
    reader = reader_over(NULL, 0);
    assert_null(read_bytes(&reader, 1));
}

static void failure_to_grow_is_sticky(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_put_u8(&buf, 1);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_put_u8(&buf, 2);
    assert_true(buf.failed);
    assert_int_equal(buf.size, 1);
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_release(&buf);
}

static void checked_sizes(void **state)
{
    (void)state;
    size_t result;
    assert_true(size_multiply(1 << 20, 1 << 10, &result) && result == 1 << 30);
    assert_false(size_multiply(SIZE_MAX / 2, 3, &result));
    assert_true(size_add(1, 2, &result) && result == 3);
    assert_false(size_add(SIZE_MAX, 1, &result));
}

/* From the algorithm's published test vectors. */
static void fnv1a_hashes(void **state)
{
    (void)state;
    assert_true(fnv1a(FNV1A_INIT, "", 0) == FNV1A_INIT);
    assert_true(fnv1a(FNV1A_INIT, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    uint64_t foo = fnv1a(FNV1A_INIT, "foo", 3);
    assert_true(fnv1a(foo, "bar", 3) == UINT64_C(0x85944171f73967e8));
}

static void errors(void **state)
{
    (void)state;
    struct mpp_error error;
    assert_int_equal(mpp_error_set(&error, "%d and %s", 7, "x"), -1);
    assert_string_equal(error.text, "7 and x");
    errno = ENOENT;
    assert_int_equal(mpp_error_set_errno(&error, "'%s'", "f"), -1);
    assert_string_equal(error.text, "'f': No such file or directory");
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mpp_error_set(NULL, "ignored"), -1);
    char *long_text = malloc(3 * MPP_ERROR_SIZE);
    assert_non_null(long_text);
    memset(long_text, 'x', 3 * MPP_ERROR_SIZE - 1);
    long_text[3 * MPP_ERROR_SIZE - 1] = '\0';
    mpp_error_set_errno(&error, "%s", long_text);
    assert_int_equal(strlen(error.text), MPP_ERROR_SIZE - 1);
    free(long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows),
        cmocka_unit_test(every_width),
        cmocka_unit_test(formatted_text),
        cmocka_unit_test(decimal_digits),
        cmocka_unit_test(failure_to_read_is_sticky),
        cmocka_unit_test(failure_to_grow_is_sticky),
        cmocka_unit_test(checked_sizes),
        cmocka_unit_test(fnv1a_hashes),
        cmocka_unit_test(errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
