/* SPDX-License-Identifier: MIT */
/* batch_inputs: what is found in arguments, directories and lists of names, and in which order. */
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

#include "batch_inputs.h"
#include "temporary_directory.h"

/* An expected input. Its kind: 'n'amed, 'w'alked, walked 'l'ink, lis't'ed, or '!': refused. */
struct expected {
    char kind;
    const char *path;
};

static char kind_of(enum batch_input_status status, const struct mpb_input *input)
{
    static const char kinds[] = {[MPB_NAMED] = 'n', [MPB_WALKED] = 'w', [MPB_LISTED] = 't'};
    if (status != BATCH_INPUT)
        return '!';
    return input->link ? 'l' : kinds[input->origin];
}

static struct run_options options;

static struct batch_inputs *begin(char **arguments, size_t count, const char *list, char separator)
{
    static const struct mpb_job job = {.name = "files"};
    struct batch_inputs *inputs = calloc(1, sizeof *inputs);
    options = (struct run_options){
        .run = {.inputs = arguments, .input_count = count, .files_from = list}, .null = !separator};
    assert_int_equal(batch_inputs_init(inputs, &options, &job, NULL), 0);
    return inputs;
}

static void end(struct batch_inputs *inputs)
{
    batch_inputs_release(inputs);
    free(inputs);
}

static void expect_all(struct batch_inputs *list, const struct expected *expected, size_t count)
{
    struct mpb_input input;
    struct mpp_error error = {""};
    for (size_t i = 0; i < count; i++) {
        enum batch_input_status status = batch_inputs_next(list, &input, &error);
        if (status == BATCH_INPUT_END || status == BATCH_INPUT_LATER)
            fail_msg("ended before %s", expected[i].path);
        assert_string_equal(input.name, expected[i].path);
        assert_int_equal(kind_of(status, &input), expected[i].kind);
        assert_true(status == BATCH_INPUT || error.text[0]);
    }
    assert_int_equal(batch_inputs_next(list, &input, &error), BATCH_INPUT_END);
    assert_int_equal(batch_inputs_next(list, &input, &error), BATCH_INPUT_END);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_arguments_keep_their_order(void **state)
{
    (void)state;
    static char *arguments[] = {"z.jpg", "d", "gone.jpg", "d/a", ""};
    static const struct expected expected[] = {{'n', "z.jpg"},    {'w', "d/a"}, {'w', "d/b"},
                                               {'n', "gone.jpg"}, {'n', "d/a"}, {'!', ""}};
    scratch_write("z.jpg", "");
    scratch_write("d/b", "");
    scratch_write("d/a", "");
    struct batch_inputs *list = begin(arguments, COUNT(arguments), NULL, '\n');
    expect_all(list, expected, COUNT(expected));
    end(list);
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
    make_tree();
    struct batch_inputs *list = begin(arguments, 1, NULL, '\n');
    batch_inputs_exclude(list, "t/thumbs");
    expect_all(list, expected, COUNT(expected));
    end(list);
}

static void test_excluded_directory_is_walked_when_named(void **state)
{
    (void)state;
    static char *arguments[] = {"t/thumbs/"};
    static const struct expected expected[] = {{'w', "t/thumbs/deep/a.jpg"}};
    make_tree();
    struct batch_inputs *list = begin(arguments, 1, NULL, '\n');
    batch_inputs_exclude(list, "t/thumbs");
    expect_all(list, expected, COUNT(expected));
    end(list);
}

static void test_below_is_relative_to_the_argument(void **state)
{
    (void)state;
    static const char *const names[] = {"d", "d/", "./d", "link", "d//"};
    scratch_write("d/x/a.jpg", "");
    assert_int_equal(symlink("d", "link"), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        char *argument = (char *)names[i];
        struct mpb_input input;
        struct batch_inputs *list = begin(&argument, 1, NULL, '\n');
        assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT);
        assert_string_equal(input.below, "x/a.jpg");
        assert_int_equal(input.origin, MPB_WALKED);
        end(list);
    }
}

/* A directory tree deeper than a path can be: one error, and the walk goes on elsewhere. */
static void test_path_too_long_is_one_error(void **state)
{
    (void)state;
    char name[201];
    char *argument = ".";
    int bad = 0, files = 0;
    struct mpb_input input;
    struct mpp_error error;
    memset(name, 'n', 200);
    name[200] = '\0';
    scratch_write("zz.jpg", "");
    int home = open(".", O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 22; depth++)
        assert_int_equal(mkdir(name, 0777) || chdir(name), 0);
    assert_int_equal(fchdir(home), 0);
    struct batch_inputs *list = begin(&argument, 1, NULL, '\n');
    enum batch_input_status status;
    while ((status = batch_inputs_next(list, &input, &error)) != BATCH_INPUT_END) {
        bad += status == BATCH_INPUT_UNREAD;
        files += status == BATCH_INPUT;
    }
    assert_int_equal(bad, 1);
    assert_int_equal(files, 1);
    end(list);
    for (int depth = 0; depth < 21; depth++) /* the teardown cannot remove so deep a tree */
        assert_int_equal(chdir(name), 0);
    for (int depth = 0; depth < 21; depth++)
        assert_int_equal(rmdir(name) || chdir(".."), 0);
    close(home);
}

/* A directory is removed after its parent was listed: one error, and the walk goes on. */
static void test_unreadable_directory_is_one_error(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct mpb_input input;
    scratch_write("d/a", "");
    scratch_write("d/b/x", "");
    scratch_write("d/c", "");
    struct batch_inputs *list = begin(arguments, 1, NULL, '\n');
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT);
    assert_int_equal(unlink("d/b/x") || rmdir("d/b"), 0);
    expect_all(list, expected, COUNT(expected));
    end(list);
}

static void test_directory_replaced_by_link_is_not_followed(void **state)
{
    (void)state;
    static char *arguments[] = {"d"};
    static const struct expected expected[] = {{'!', "d/b"}, {'w', "d/c"}};
    struct mpb_input input;
    scratch_write("secret/x", "");
    scratch_write("d/a", "");
    scratch_write("d/c", "");
    assert_int_equal(mkdir("d/b", 0777), 0);
    struct batch_inputs *list = begin(arguments, 1, NULL, '\n');
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT);
    assert_int_equal(rmdir("d/b") || symlink("../secret", "d/b"), 0);
    expect_all(list, expected, COUNT(expected));
    end(list);
}

/* ---- Files of names ---- */

static struct batch_inputs *list_of_names(const char *bytes, size_t size, char separator)
{
    FILE *file = fopen("list", "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return begin(NULL, 0, "list", separator);
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
        struct batch_inputs *list =
            list_of_names(cases[i].bytes, cases[i].size, cases[i].separator);
        expect_all(list, cases[i].expected, count);
        end(list);
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
    struct batch_inputs *list = begin(NULL, 0, "made", '\n');
    for (int i = 1; i <= 3000; i++) {
        struct mpb_input input;
        assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT);
        assert_int_equal(strlen(input.name), i % 300 + 4);
        assert_int_equal(atoi(input.name), i);
    }
    expect_all(list, NULL, 0);
    end(list);
}

static void test_list_name_too_long(void **state)
{
    (void)state;
    static const size_t sizes[] = {PATH_MAX - 1, PATH_MAX, 70000, 200000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        char *bytes = malloc(sizes[i] + 8);
        memset(bytes, 'x', sizes[i]);
        memcpy(bytes + sizes[i], "\nnext\n", 6);
        struct batch_inputs *list = list_of_names(bytes, sizes[i] + 6, '\n');
        struct mpb_input input;
        struct mpp_error error;
        enum batch_input_status wanted = sizes[i] < PATH_MAX ? BATCH_INPUT : BATCH_INPUT_BAD;
        assert_int_equal(batch_inputs_next(list, &input, &error), wanted);
        assert_int_equal(strlen(input.name), PATH_MAX - 1);
        expect_all(list, &(struct expected){'t', "next"}, 1);
        end(list);
        free(bytes);
    }
}

static void test_slow_pipe_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    struct mpb_input input;
    char path[32];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct batch_inputs *list = begin(NULL, 0, path, '\n');
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT_LATER);
    assert_int_equal(write(ends[1], "ha", 2), 2);
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT_LATER);
    assert_int_equal(write(ends[1], "lf\nwho", 6), 6);
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT);
    assert_string_equal(input.name, "half");
    assert_int_equal(batch_inputs_next(list, &input, NULL), BATCH_INPUT_LATER);
    close(ends[1]);
    expect_all(list, &(struct expected){'t', "who"}, 1);
    end(list);
    close(ends[0]);
}

static void test_unreadable_list_is_one_error(void **state)
{
    (void)state;
    struct batch_inputs *list = begin(NULL, 0, "/proc/self/mem", '\n');
    expect_all(list, &(struct expected){'!', "/proc/self/mem"}, 1);
    end(list);
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
