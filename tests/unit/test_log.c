/* SPDX-License-Identifier: MIT */
/* log: control characters are escaped, within the size of the buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"

static void test_escape(void **state)
{
    (void)state;
    char text[32];
    assert_int_equal(log_escape("a\nb\x1b[\x7f\xff", text, sizeof text), 16);
    assert_string_equal(text, "a\\012b\\033[\\177\xff");
    log_escape("0123456789", text, 8); /* cut within the buffer, never inside an escape */
    assert_true(strlen(text) < 8);
    log_escape("\n\n\n", text, 8);
    assert_string_equal(text, "\\012");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
