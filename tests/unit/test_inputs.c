/* inputs: what comes out of arguments, directories and lists, in which order. */
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

#include "inputs.h"
#include "temporary_directory.h"

/* What an iterator must give: 'n'amed, 'w'alked, walked 'l'ink, lis't'ed, '!' for a bad one. */
struct expected {
    char kind;
    const char *path;
};

static char kind_of(enum inputs_status status, const struct input *input)
{
    static const char kinds[] = {[INPUT_NAMED] = 'n', [INPUT_WALKED] = 'w', [INPUT_LISTED] = 't'};
    if (status == INPUTS_BAD)
        return '!';
    return input->link ? 'l' : kinds[input->origin];
}

static void expect_all(struct inputs *inputs, const struct expected *expected, size_t count)
{
    struct input input;
    struct mpp_error error = {""};
    for (size_t i = 0; i < count; i++) {
        enum inputs_status status = inputs_next(inputs, &input, &error);
        if (status == INPUTS_END || status == INPUTS_LATER)
            fail_msg("ended before %s", expected[i].path);
        assert_string_equal(input.path, expected[i].path);
        assert_int_equal(kind_of(status, &input), expected[i].kind);
        assert_true(status != INPUTS_BAD || error.text[0]);
    }
    assert_int_equal(inputs_next(inputs, &input, &error), INPUTS_END);
    assert_int_equal(inputs_next(inputs, &input, &error), INPUTS_END);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_arguments_keep_their_order(void **state)
{
    (void)state;
    static char *arguments[] = {"z.jpg", "d", "gone.jpg", "d/a", ""};
    static const struct expected expected[] = {{'n', "z.jpg"},    {'w', "d/a"}, {'w', "d/b"},
                                               {'n', "gone.jpg"}, {'n', "d/a"}, {'!', ""}};
    struct inputs *inputs = malloc(sizeof *inputs);
    scratch_write("z.jpg", "");
    scratch_write("d/b", "");
    scratch_write("d/a", "");
    inputs_init(inputs, arguments, COUNT(arguments));
    expect_all(inputs, expected, COUNT(expected));
    inputs_release(inputs);
    free(inputs);
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
    struct inputs *inputs = malloc(sizeof *inputs);
    struct stat status;
    make_tree();
    assert_int_equal(stat("t/thumbs", &status), 0);
    inputs_init(inputs, arguments, 1);
    inputs_exclude(inputs, status.st_dev, status.st_ino);
    expect_all(inputs, expected, COUNT(expected));
    inputs_release(inputs);
    free(inputs);
}

static void test_excluded_directory_is_walked_when_named(void **state)
{
    (void)state;
    static char *arguments[] = {"t/thumbs/"};
    static const struct expected expected[] = {{'w', "t/thumbs/deep/a.jpg"}};
    struct inputs *inputs = malloc(sizeof *inputs);
    struct stat status;
    make_tree();
    assert_int_equal(stat("t/thumbs", &status), 0);
    inputs_init(inputs, arguments, 1);
    inputs_exclude(inputs, status.st_dev, status.st_ino);
    expect_all(inputs, expected, COUNT(expected));
    inputs_release(inputs);
    free(inputs);
}

static void test_below_is_relative_to_the_argument(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "d/", "./d", "link", "d//"};
    struct inputs *inputs = malloc(sizeof *inputs);
    scratch_write("d/x/a.jpg", "");
    assert_int_equal(symlink("d", "link"), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        char *argument = (char *)names[i];
        struct input input;
        inputs_init(inputs, &argument, 1);
        assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_ITEM);
        assert_string_equal(input.below, "x/a.jpg");
        assert_int_equal(input.origin, INPUT_WALKED);
        inputs_release(inputs);
    }
    free(inputs);
}

/* Deeper than a path can be: the walk says so once and comes back. */
static void test_path_too_long_is_one_error(void **state)
{
    (void)state;
    char name[201];
    char *argument = ".";
    int bad = 0, files = 0;
    struct inputs *inputs = malloc(sizeof *inputs);
    struct input input;
    struct mpp_error error;
    memset(name, 'n', 200);
    name[200] = '\0';
    scratch_write("zz.jpg", "");
    int home = open(".", O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 22; depth++)
        assert_int_equal(mkdir(name, 0777) || chdir(name), 0);
    assert_int_equal(fchdir(home), 0);
    inputs_init(inputs, &argument, 1);
    enum inputs_status status;
    while ((status = inputs_next(inputs, &input, &error)) != INPUTS_END) {
        bad += status == INPUTS_BAD;
        files += status == INPUTS_ITEM;
    }
    assert_int_equal(bad, 1);
    assert_int_equal(files, 1);
    inputs_release(inputs);
    for (int depth = 0; depth < 21; depth++) /* nftw cannot remove what is that deep */
        assert_int_equal(chdir(name), 0);
    for (int depth = 0; depth < 21; depth++)
        assert_int_equal(rmdir(name) || chdir(".."), 0);
    close(home);
    free(inputs);
}

/* The directory vanishes between its listing and its turn: one error, and the walk goes on. */
static void test_unreadable_directory_is_one_error(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct inputs *inputs = malloc(sizeof *inputs);
    struct input input;
    scratch_write("d/a", "");
    scratch_write("d/b/x", "");
    scratch_write("d/c", "");
    inputs_init(inputs, arguments, 1);
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_ITEM);
    assert_int_equal(unlink("d/b/x") || rmdir("d/b"), 0);
    expect_all(inputs, expected, COUNT(expected));
    inputs_release(inputs);
    free(inputs);
}

static void test_directory_replaced_by_link_is_not_followed(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct inputs *inputs = malloc(sizeof *inputs);
    struct input input;
    scratch_write("secret/x", "");
    scratch_write("d/a", "");
    scratch_write("d/c", "");
    assert_int_equal(mkdir("d/b", 0777), 0);
    inputs_init(inputs, arguments, 1);
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_ITEM);
    assert_int_equal(rmdir("d/b") || symlink("../secret", "d/b"), 0);
    expect_all(inputs, expected, COUNT(expected));
    inputs_release(inputs);
    free(inputs);
}

/* ---- Lists ---- */

static struct inputs *list_over(const char *bytes, size_t size, char separator)
{
    struct inputs *inputs = malloc(sizeof *inputs);
    FILE *file = fopen("list", "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    inputs_init(inputs, NULL, 0);
    inputs_add_list(inputs, open("list", O_RDONLY), separator);
    return inputs;
}

static void list_end(struct inputs *inputs)
{
    close(inputs->list.fd);
    inputs_release(inputs);
    free(inputs);
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
        struct inputs *inputs = list_over(cases[i].bytes, cases[i].size, cases[i].separator);
        expect_all(inputs, cases[i].expected, count);
        list_end(inputs);
    }
}

/* Names of every length, so that the ends of the read buffer fall everywhere in a name. */
static void test_list_across_buffer_ends(void **state)
{
    (void)state;
    FILE *file = fopen("made", "w");
    for (int i = 1; i <= 3000; i++)
        fprintf(file, "%0*d\n", i % 300 + 4, i);
    fclose(file);
    struct inputs *inputs = malloc(sizeof *inputs);
    inputs_init(inputs, NULL, 0);
    inputs_add_list(inputs, open("made", O_RDONLY), '\n');
    for (int i = 1; i <= 3000; i++) {
        struct input input;
        assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_ITEM);
        assert_int_equal(strlen(input.path), i % 300 + 4);
        assert_int_equal(atoi(input.path), i);
    }
    expect_all(inputs, NULL, 0);
    list_end(inputs);
}

static void test_list_name_too_long(void **state)
{
    (void)state;
    static const size_t sizes[] = {PATH_MAX - 1, PATH_MAX, 70000, 200000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *bytes = malloc(sizes[i] + 8);
        memset(bytes, 'x', sizes[i]);
        memcpy(bytes + sizes[i], "\nnext\n", 6);
        struct inputs *inputs = list_over(bytes, sizes[i] + 6, '\n');
        struct input input;
        struct mpp_error error;
        enum inputs_status wanted = sizes[i] < PATH_MAX ? INPUTS_ITEM : INPUTS_BAD;
        assert_int_equal(inputs_next(inputs, &input, &error), wanted);
        assert_int_equal(strlen(input.path), PATH_MAX - 1);
        expect_all(inputs, &(struct expected){'t', "next"}, 1);
        list_end(inputs);
        free(bytes);
    }
}

static void test_slow_pipe_is_waited_for_elsewhere(void **state)
{
    (void)state;
    int ends[2];
    struct input input;
    struct inputs *inputs = malloc(sizeof *inputs);
    assert_int_equal(pipe(ends), 0);
    inputs_init(inputs, NULL, 0);
    inputs_add_list(inputs, ends[0], '\n');
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_LATER);
    assert_int_equal(write(ends[1], "ha", 2), 2);
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_LATER);
    assert_int_equal(write(ends[1], "lf\nwho", 6), 6);
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_ITEM);
    assert_string_equal(input.path, "half");
    assert_int_equal(inputs_next(inputs, &input, NULL), INPUTS_LATER);
    close(ends[1]);
    expect_all(inputs, &(struct expected){'t', "who"}, 1);
    list_end(inputs);
}

static void test_list_that_cannot_be_read(void **state)
{
    (void)state;
    struct inputs *inputs = malloc(sizeof *inputs);
    inputs_init(inputs, NULL, 0);
    inputs_add_list(inputs, open(".", O_RDONLY), '\n');
    expect_all(inputs, &(struct expected){'!', "--files-from"}, 1);
    list_end(inputs);
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
        IN_SCRATCH(test_slow_pipe_is_waited_for_elsewhere),
        IN_SCRATCH(test_list_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
