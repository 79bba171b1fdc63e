/* SPDX-License-Identifier: MIT */
/* input_list: the inputs found in arguments, directories and files of names, and their order. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "input_list.h"
#include "temporary_directory.h"

/* An expected input. Its kind: 'n'amed, 'w'alked, walked 'l'ink, lis't'ed, or '!': refused. */
struct expected {
    char kind;
    const char *path;
};

static char kind_of(enum input_list_status status, const struct input *input)
{
    static const char kinds[] = {[INPUT_NAMED] = 'n', [INPUT_WALKED] = 'w', [INPUT_LISTED] = 't'};
    if (status == INPUT_LIST_BAD)
        return '!';
    return input->link ? 'l' : kinds[input->origin];
}

static void expect_all(struct input_list *list, const struct expected *expected, size_t count)
{
    struct input input;
    struct mpp_error error = {""};
    for (size_t i = 0; i < count; i++) {
        enum input_list_status status = input_list_next(list, &input, &error);
        if (status == INPUT_LIST_END || status == INPUT_LIST_LATER)
            fail_msg("ended before %s", expected[i].path);
        assert_string_equal(input.path, expected[i].path);
        assert_int_equal(kind_of(status, &input), expected[i].kind);
        assert_true(status != INPUT_LIST_BAD || error.text[0]);
    }
    assert_int_equal(input_list_next(list, &input, &error), INPUT_LIST_END);
    assert_int_equal(input_list_next(list, &input, &error), INPUT_LIST_END);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_arguments_keep_their_order(void **state)
{
    (void)state;
    static char *arguments[] = {"z.jpg", "d", "gone.jpg", "d/a", ""};
    static const struct expected expected[] = {{'n', "z.jpg"},    {'w', "d/a"}, {'w', "d/b"},
                                               {'n', "gone.jpg"}, {'n', "d/a"}, {'!', ""}};
    struct input_list *list = malloc(sizeof *list);
    scratch_write("z.jpg", "");
    scratch_write("d/b", "");
    scratch_write("d/a", "");
    input_list_init(list, arguments, COUNT(arguments));
    expect_all(list, expected, COUNT(expected));
    input_list_release(list);
    free(list);
}

static void make_tree(void)
{
    scratch_write("t/B/2.jpg", "");
    scratch_write("t/B/10.jpg", "");
    scratch_write("t/a.jpg", "");
    scratch_write("t/.hidden.jpg", "");
    scratch_write("t/.mpthumb-0123", "");
    scratch_write("t/new\nline", "");
    scratch_write("t/\xff\xfe", "");
    scratch_write("t/thumbs/deep/a.jpg", "");
    assert_int_equal(mkdir("t/empty", 0777), 0);
    assert_int_equal(mkfifo("t/fifo", 0666), 0);
    assert_int_equal(symlink("a.jpg", "t/l-file"), 0);
    assert_int_equal(symlink("B", "t/l-folder"), 0);
    assert_int_equal(symlink("..", "t/l-up"), 0);
    assert_int_equal(symlink("nothing", "t/l-nothing"), 0);
}

static void test_walk_is_sorted_and_complete(void **state)
{
    (void)state;
    static char *arguments[] = {"t"};
    static const struct expected expected[] = {
        {'w', "t/.hidden.jpg"}, {'w', "t/B/10.jpg"},  {'w', "t/B/2.jpg"},
        {'w', "t/a.jpg"},       {'w', "t/fifo"},      {'l', "t/l-file"},
        {'l', "t/l-nothing"},   {'w', "t/new\nline"}, {'w', "t/\xff\xfe"}};
    struct input_list *list = malloc(sizeof *list);
    struct stat status;
    make_tree();
    assert_int_equal(stat("t/thumbs", &status), 0);
    input_list_init(list, arguments, 1);
    input_list_exclude(list, status.st_dev, status.st_ino);
    expect_all(list, expected, COUNT(expected));
    input_list_release(list);
    free(list);
}

static void test_excluded_directory_is_walked_when_named(void **state)
{
    (void)state;
    static char *arguments[] = {"t/thumbs/"};
    static const struct expected expected[] = {{'w', "t/thumbs/deep/a.jpg"}};
    struct input_list *list = malloc(sizeof *list);
    struct stat status;
    make_tree();
    assert_int_equal(stat("t/thumbs", &status), 0);
    input_list_init(list, arguments, 1);
    input_list_exclude(list, status.st_dev, status.st_ino);
    expect_all(list, expected, COUNT(expected));
    input_list_release(list);
    free(list);
}

static void test_below_is_relative_to_the_argument(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "d/", "./d", "link", "d//"};
    struct input_list *list = malloc(sizeof *list);
    scratch_write("d/x/a.jpg", "");
    assert_int_equal(symlink("d", "link"), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        char *argument = (char *)names[i];
        struct input input;
        input_list_init(list, &argument, 1);
        assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_ITEM);
        assert_string_equal(input.below, "x/a.jpg");
        assert_int_equal(input.origin, INPUT_WALKED);
        input_list_release(list);
    }
    free(list);
}

/* A directory tree deeper than a path can be: one error, and the walk goes on elsewhere. */
static void test_path_too_long_is_one_error(void **state)
{
    (void)state;
    char name[201];
    char *argument = ".";
    int bad = 0, files = 0;
    struct input_list *list = malloc(sizeof *list);
    struct input input;
    struct mpp_error error;
    memset(name, 'n', 200);
    name[200] = '\0';
    scratch_write("zz.jpg", "");
    int home = open(".", O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 22; depth++)
        assert_int_equal(mkdir(name, 0777) || chdir(name), 0);
    assert_int_equal(fchdir(home), 0);
    input_list_init(list, &argument, 1);
    enum input_list_status status;
    while ((status = input_list_next(list, &input, &error)) != INPUT_LIST_END) {
        bad += status == INPUT_LIST_BAD;
        files += status == INPUT_LIST_ITEM;
    }
    assert_int_equal(bad, 1);
    assert_int_equal(files, 1);
    input_list_release(list);
    for (int depth = 0; depth < 21; depth++) /* the teardown cannot remove so deep a tree */
        assert_int_equal(chdir(name), 0);
    for (int depth = 0; depth < 21; depth++)
        assert_int_equal(rmdir(name) || chdir(".."), 0);
    close(home);
    free(list);
}

/* A directory is removed after its parent was listed: one error, and the walk goes on. */
static void test_unreadable_directory_is_one_error(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct input_list *list = malloc(sizeof *list);
    struct input input;
    scratch_write("d/a", "");
    scratch_write("d/b/x", "");
    scratch_write("d/c", "");
    input_list_init(list, arguments, 1);
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_ITEM);
    assert_int_equal(unlink("d/b/x") || rmdir("d/b"), 0);
    expect_all(list, expected, COUNT(expected));
    input_list_release(list);
    free(list);
}

static void test_directory_replaced_by_link_is_not_followed(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct input_list *list = malloc(sizeof *list);
    struct input input;
    scratch_write("secret/x", "");
    scratch_write("d/a", "");
    scratch_write("d/c", "");
    assert_int_equal(mkdir("d/b", 0777), 0);
    input_list_init(list, arguments, 1);
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_ITEM);
    assert_int_equal(rmdir("d/b") || symlink("../secret", "d/b"), 0);
    expect_all(list, expected, COUNT(expected));
    input_list_release(list);
    free(list);
}

/* ---- Files of names ---- */

static struct input_list *list_of_names(const char *bytes, size_t size, char separator)
{
    struct input_list *list = malloc(sizeof *list);
    FILE *file = fopen("list", "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    input_list_init(list, NULL, 0);
    input_list_add_names_from(list, "list", open("list", O_RDONLY), separator);
    return list;
}

static void list_end(struct input_list *list)
{
    close(list->names.fd);
    input_list_release(list);
    free(list);
}

static void test_lists(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        char separator;
        struct expected expected[4];
    } cases[] = {
#define BYTES(text) text, sizeof text - 1
        {BYTES(""), '\n', {{0}}},
        {BYTES("\n\n\n"), '\n', {{0}}},
        {BYTES("a\nb\n"), '\n', {{'t', "a"}, {'t', "b"}}},
        {BYTES("a\n\nb"), '\n', {{'t', "a"}, {'t', "b"}}},
        {BYTES("a\r\n b \n"), '\n', {{'t', "a\r"}, {'t', " b "}}},
        {BYTES("\xff'\"\n"), '\n', {{'t', "\xff'\""}}},
        {BYTES("a\0b\nc\0"), '\0', {{'t', "a"}, {'t', "b\nc"}}},
        {BYTES("\0\0a"), '\0', {{'t', "a"}}},
        {BYTES("a\0b\nc\n"), '\n', {{'!', "a"}, {'t', "c"}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t count = 0;
        while (cases[i].expected[count].kind)
            count++;
        struct input_list *list = list_of_names(cases[i].bytes, cases[i].size, cases[i].separator);
        expect_all(list, cases[i].expected, count);
        list_end(list);
    }
}

/* Names of many lengths, so that the read buffer ends at many positions within a name. */
static void test_list_across_buffer_ends(void **state)
{
    (void)state;
    FILE *file = fopen("made", "w");
    for (int i = 1; i <= 3000; i++)
        fprintf(file, "%0*d\n", i % 300 + 4, i);
    fclose(file);
    struct input_list *list = malloc(sizeof *list);
    input_list_init(list, NULL, 0);
    input_list_add_names_from(list, "made", open("made", O_RDONLY), '\n');
    for (int i = 1; i <= 3000; i++) {
        struct input input;
        assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_ITEM);
        assert_int_equal(strlen(input.path), i % 300 + 4);
        assert_int_equal(atoi(input.path), i);
    }
    expect_all(list, NULL, 0);
    list_end(list);
}

static void test_list_name_too_long(void **state)
{
    (void)state;
    static const size_t sizes[] = {PATH_MAX - 1, PATH_MAX, 70000, 200000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *bytes = malloc(sizes[i] + 8);
        memset(bytes, 'x', sizes[i]);
        memcpy(bytes + sizes[i], "\nnext\n", 6);
        struct input_list *list = list_of_names(bytes, sizes[i] + 6, '\n');
        struct input input;
        struct mpp_error error;
        enum input_list_status wanted = sizes[i] < PATH_MAX ? INPUT_LIST_ITEM : INPUT_LIST_BAD;
        assert_int_equal(input_list_next(list, &input, &error), wanted);
        assert_int_equal(strlen(input.path), PATH_MAX - 1);
        expect_all(list, &(struct expected){'t', "next"}, 1);
        list_end(list);
        free(bytes);
    }
}

static void test_slow_pipe_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    struct input input;
    struct input_list *list = malloc(sizeof *list);
    assert_int_equal(pipe(ends), 0);
    input_list_init(list, NULL, 0);
    input_list_add_names_from(list, "-", ends[0], '\n');
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_LATER);
    assert_int_equal(write(ends[1], "ha", 2), 2);
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_LATER);
    assert_int_equal(write(ends[1], "lf\nwho", 6), 6);
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_ITEM);
    assert_string_equal(input.path, "half");
    assert_int_equal(input_list_next(list, &input, NULL), INPUT_LIST_LATER);
    close(ends[1]);
    expect_all(list, &(struct expected){'t', "who"}, 1);
    list_end(list);
}

static void test_unreadable_list_is_one_error(void **state)
{
    (void)state;
    struct input_list *list = malloc(sizeof *list);
    input_list_init(list, NULL, 0);
    input_list_add_names_from(list, "names.txt", open(".", O_RDONLY), '\n');
    expect_all(list, &(struct expected){'!', "names.txt"}, 1);
    list_end(list);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(test_arguments_keep_their_order),
        IN_SCRATCH(test_walk_is_sorted_and_complete),
        IN_SCRATCH(test_excluded_directory_is_walked_when_named),
        IN_SCRATCH(test_below_is_relative_to_the_argument),
        IN_SCRATCH(test_path_too_long_is_one_error),
        IN_SCRATCH(test_unreadable_directory_is_one_error),
        IN_SCRATCH(test_directory_replaced_by_link_is_not_followed),
        IN_SCRATCH(test_lists),
        IN_SCRATCH(test_list_across_buffer_ends),
        IN_SCRATCH(test_list_name_too_long),
        IN_SCRATCH(test_slow_pipe_does_not_block),
        IN_SCRATCH(test_unreadable_list_is_one_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
