/* SPDX-License-Identifier: MIT */
/* output_name: the names of thumbnails, for names of inputs and options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "output_name.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { SAME, JPEG, PNG }; /* formats, as numbered by the caller of output_name */

static int format_of_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name)
        return SAME;
    if (!strcmp(dot, ".jpg") || !strcmp(dot, ".JPG") || !strcmp(dot, ".jpeg"))
        return JPEG;
    return strcmp(dot, ".png") == 0 ? PNG : SAME;
}

static struct output_name_rules rules_for(int format, const char *suffix, bool flat)
{
    return (struct output_name_rules){.flat = flat,
                                      .suffix = suffix,
                                      .format = format,
                                      .extension = format == PNG ? ".png" : ".jpg",
                                      .format_of_name = format_of_name};
}

static void test_outputs(void **state)
{
    (void)state;
    static const struct {
        int format;
        const char *suffix;
        bool flat;
        const char *prefix, *path, *output;
    } cases[] = {
        {SAME, "", false, "", "a.jpg", "a.jpg"},
        {SAME, "", false, "", "x/y/a.jpg", "x/y/a.jpg"},
        {SAME, "", false, "d", "x/a.jpg", "d/x/a.jpg"},
        {SAME, "", true, "d", "x/a.jpg", "a.jpg"},
        {SAME, "_t", false, "", "x.y/a.b.jpg", "x.y/a.b_t.jpg"},
        {SAME, "_t", false, "", "x.y/a", "x.y/a_t"},
        {SAME, "_t", false, "", ".jpg", ".jpg_t"},
        {SAME, "_t", false, "", "a.", "a_t."},
        {SAME, "%s", false, "", "%n.jpg", "%n%s.jpg"},
        {JPEG, "", false, "", "a.jpg", "a.jpg"},
        {JPEG, "", false, "", "a.JPG", "a.JPG"},
        {JPEG, "", false, "", "a.jpeg", "a.jpeg"},
        {JPEG, "", false, "", "a.png", "a.jpg"},
        {JPEG, "", false, "", "x/a.png.png", "x/a.png.jpg"},
        {JPEG, "", false, "", "a", "a.jpg"},
        {JPEG, "", false, "", "a.txt", "a.txt.jpg"},
        {JPEG, "_t", false, "", "a.txt", "a.txt_t.jpg"},
        {JPEG, "_t", true, "d", "x/a.png", "a_t.jpg"},
        {JPEG, "", false, "", ".png", ".png.jpg"},
        {PNG, "", false, "", "a.JPG", "a.png"},
        {PNG, "_t", false, "d", "a.png", "d/a_t.png"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char output[PATH_MAX];
        struct output_name_rules rules = rules_for(cases[i].format, cases[i].suffix, cases[i].flat);
        assert_int_equal(output_name_make(&rules, cases[i].prefix, cases[i].path, output, NULL), 0);
        assert_string_equal(output, cases[i].output);
    }
}

static void test_output_too_long(void **state)
{
    (void)state;
    char path[PATH_MAX], output[PATH_MAX];
    struct output_name_rules plain = rules_for(SAME, "", false);
    struct output_name_rules suffixed = rules_for(SAME, "_", false);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(output_name_make(&plain, "", path, output, NULL), 0);
    assert_string_equal(output, path);
    assert_int_equal(output_name_make(&suffixed, "", path, output, NULL), -1);
    assert_int_equal(output_name_make(&plain, "d", path, output, NULL), -1);
}

static void test_listed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path; /* NULL: refused */
    } cases[] = {
        {"a.jpg", "a.jpg"},
        {"x/a.jpg", "x/a.jpg"},
        {"/x/a.jpg", "x/a.jpg"},
        {"///x//a", "x/a"},
        {"./a", "a"},
        {"././x/./a", "x/a"},
        {"/./a", "a"},
        {"x/", "x"},
        {"..a/...", "..a/..."},
        {"../a", NULL},
        {"x/../a", NULL},
        {"x/..", NULL},
        {"..", NULL},
        {"/..", NULL},
        {"", NULL},
        {".", NULL},
        {"/", NULL},
        {"a\n\xff", "a\n\xff"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[PATH_MAX];
        struct mpp_error error = {""};
        int wanted = cases[i].path ? 0 : -1;
        assert_int_equal(output_name_listed(cases[i].name, path, &error), wanted);
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        else
            assert_true(error.text[0]);
    }
}

static void test_directories(void **state)
{
    (void)state;
    static const struct {
        const char *path, *real, *name;
    } cases[] = {
        {"photos", "/h/photos", "photos"},
        {"photos/", "/h/photos", "photos"},
        {"a/b//", "/h/a/b", "b"},
        {"link", "/elsewhere", "link"},
        {".", "/h/photos", "photos"},
        {"./", "/h/photos", "photos"},
        {"..", "/h", "h"},
        {"a/..", "/h", "h"},
        {"/", "/", ""},
        {".", "/", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char name[NAME_MAX + 1];
        output_name_directory(cases[i].path, cases[i].real, name);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_path_is_within(void **state)
{
    (void)state;
    static const struct {
        const char *path, *directory;
        bool within;
    } cases[] = {
        {"/a/b", "/a", true},     {"/a/b/c", "/a", true}, {"/a/b", "/a/b", true},
        {"/a", "/a/b", false},    {"/ab", "/a", false},   {"/a.b", "/a", false},
        {"/a/bc", "/a/b", false}, {"/b/a", "/a", false},  {"/", "/", true},
        {"/a", "/", true},        {"/a/b", "/", true},    {"/", "/a", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        if (path_is_within(cases[i].path, cases[i].directory) != cases[i].within)
            fail_msg("%s in %s", cases[i].path, cases[i].directory);
}

static void test_suffix_is_recognised(void **state)
{
    (void)state;
    struct output_name_rules suffixed = rules_for(JPEG, "_t", false);
    struct output_name_rules plain = rules_for(JPEG, "", false);
    assert_true(output_name_has_suffix(&suffixed, "x/a_t.jpg"));
    assert_true(output_name_has_suffix(&suffixed, "a_t"));
    assert_false(output_name_has_suffix(&suffixed, "a.jpg"));
    assert_false(output_name_has_suffix(&suffixed, "x_t/a.jpg"));
    assert_false(output_name_has_suffix(&suffixed, "a._t"));
    assert_false(
        output_name_has_suffix(&suffixed, "_t.jpg")); /* without the suffix no name is left */
    assert_false(output_name_has_suffix(&plain, "a.jpg"));
}

static void test_unique(void **state)
{
    (void)state;
    static const struct {
        int format;
        const char *suffix;
        bool flat, unique;
    } cases[] = {{SAME, "", false, true},
                 {SAME, "_t", false, true},
                 {SAME, ".t", false, false},
                 {SAME, "", true, false},
                 {JPEG, "", false, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct output_name_rules rules = rules_for(cases[i].format, cases[i].suffix, cases[i].flat);
        assert_int_equal(output_name_is_unique(&rules), cases[i].unique);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),        cmocka_unit_test(test_output_too_long),
        cmocka_unit_test(test_listed),         cmocka_unit_test(test_directories),
        cmocka_unit_test(test_path_is_within), cmocka_unit_test(test_suffix_is_recognised),
        cmocka_unit_test(test_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
