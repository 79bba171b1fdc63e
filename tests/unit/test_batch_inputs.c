/* SPDX-License-Identifier: MIT */
/* batch_inputs: which inputs a run has, in which order, and the occurrences of their names. */
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

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct mpb_job of_files = {.name = "files"};
static const struct mpb_job of_words = {.name = "words", .inputs = MPB_INPUT_WORDS};

static struct batch_inputs inputs;

static void begin(const struct run_options *options, const struct mpb_job *job)
{
    struct mpp_error error = {""};
    if (batch_inputs_init(&inputs, options, job, &error))
        fail_msg("%s", error.text);
}

/* Describes all inputs: the letter of each status or origin, its name, and a bar. */
static const char *all_inputs(void)
{
    static const char origins[] = {
        [MPB_NAMED] = 'n', [MPB_WALKED] = 'w', [MPB_LISTED] = 't', [MPB_NUMBERED] = '#'};
    static char text[4096];
    struct mpb_input input;
    struct mpp_error error = {""};
    enum batch_input_status status;
    size_t used = 0;
    *text = '\0';
    while ((status = batch_inputs_next(&inputs, &input, &error)) != BATCH_INPUT_END) {
        assert_int_not_equal(status, BATCH_INPUT_LATER);
        char kind = status == BATCH_INPUT_BAD      ? '!'
                    : status == BATCH_INPUT_UNREAD ? '?'
                    : input.link                   ? 'l'
                                                   : origins[input.origin];
        assert_true(status == BATCH_INPUT || error.text[0]);
        used += (size_t)snprintf(text + used, sizeof text - used, "%c%.40s|", kind, input.name);
    }
    assert_int_equal(batch_inputs_next(&inputs, &input, &error), BATCH_INPUT_END);
    return text;
}

static void make_tree(void)
{
    static const char *const files[] = {"d/a.jpg",        "d/b.png",     "d/x/a.jpg", "d/x/c.txt",
                                        "d/x/y/deep.jpg", "d/out/t.jpg", "e.jpg"};
    for (size_t i = 0; i < COUNT(files); i++)
        scratch_write(files[i], "");
    scratch_write("list", "q\n\nd\nq\n");
    scratch_write("zeros", "");
    FILE *file = fopen("zeros", "w");
    assert_true(fwrite("a\nb\0\0c", 1, 6, file) == 6 && fclose(file) == 0);
    assert_int_equal(symlink("a.jpg", "d/link.jpg"), 0);
}

/* ---- Kinds of inputs ---- */

static void kinds(void **state)
{
    (void)state;
    static char *words[] = {"d", "", "7", "d"}, *names[] = {"e.jpg", "d/x", "gone", "d/x/", ""};
    static const struct {
        struct run_options options;
        const struct mpb_job *job;
        const char *inputs;
    } cases[] = {
        {{.count = 3}, &of_words, "#task 0|#task 1|#task 2|"},
        {{.run = {.inputs = words, .input_count = 4}}, &of_words, "nd|!|n7|nd|"},
        {{.run = {.inputs = names, .input_count = 5}},
         &of_files,
         "ne.jpg|wd/x/a.jpg|wd/x/c.txt|wd/x/y/deep.jpg|ngone|"
         "wd/x/a.jpg|wd/x/c.txt|wd/x/y/deep.jpg|!|"},
        {{.run = {.inputs = names, .input_count = 1, .files_from = "list"}},
         &of_files,
         "ne.jpg|tq|td|tq|"},
        {{.run.files_from = "list"}, &of_words, "tq|td|tq|"},
        {{.run.files_from = "zeros", .null = true}, &of_words, "ta\nb|tc|"},
        {{.run.files_from = "zeros"}, &of_words, "ta|!b|"},
        {{.run.files_from = "/dev/null"}, &of_files, ""},
    };
    make_tree();
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(&cases[i].options, cases[i].job);
        assert_string_equal(all_inputs(), cases[i].inputs);
        batch_inputs_release(&inputs);
    }
}

static void what_a_walk_says_about_a_file(void **state)
{
    (void)state;
    static char *names[] = {"e.jpg", "d/x"};
    const struct run_options options = {.run = {.inputs = names, .input_count = 2}};
    struct mpb_input input;
    make_tree();
    begin(&options, &of_files);
    assert_int_equal(batch_inputs_next(&inputs, &input, NULL), BATCH_INPUT);
    assert_string_equal(input.below, "e.jpg");
    assert_int_equal(input.argument, 0);
    assert_int_equal(batch_inputs_next(&inputs, &input, NULL), BATCH_INPUT);
    assert_string_equal(input.name, "d/x/a.jpg");
    assert_string_equal(input.below, "a.jpg");
    assert_int_equal(input.argument, 1);
    batch_inputs_release(&inputs);
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    static char *names[] = {"d"};
    struct run_options options = {.run = {.inputs = names, .input_count = 1}};
    struct mpb_input input;
    struct mpp_error error = {""};
    make_tree();
    begin(&options, &of_files);
    assert_int_equal(batch_inputs_next(&inputs, &input, &error), BATCH_INPUT);
    assert_int_equal(rename("d/out", "elsewhere"), 0); /* it was listed with d */
    assert_string_equal(all_inputs(), "wd/b.png|ld/link.jpg|?d/out|wd/x/a.jpg|wd/x/c.txt|"
                                      "wd/x/y/deep.jpg|");
    batch_inputs_release(&inputs);

    options = (struct run_options){.run.files_from = "d"};
    assert_int_equal(batch_inputs_init(&inputs, &options, &of_files, &error), -1);
    assert_string_equal(error.text, "the list 'd' is a directory");
    batch_inputs_release(&inputs);
    options.run.files_from = "gone";
    assert_int_equal(batch_inputs_init(&inputs, &options, &of_files, &error), -1);
    batch_inputs_release(&inputs);

    int ends[2];
    char path[32];
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    options.run.files_from = path;
    begin(&options, &of_words);
    assert_int_equal(batch_inputs_next(&inputs, &input, &error), BATCH_INPUT_LATER);
    assert_int_equal(write(ends[1], "a\nb", 3), 3);
    assert_int_equal(batch_inputs_next(&inputs, &input, &error), BATCH_INPUT);
    assert_int_equal(batch_inputs_next(&inputs, &input, &error), BATCH_INPUT_LATER);
    close(ends[1]);
    assert_string_equal(all_inputs(), "tb|");
    close(ends[0]);
    batch_inputs_release(&inputs);
}

/* ---- Patterns ---- */

static void patterns(void **state)
{
    (void)state;
    static char *names[] = {"d", "e.jpg"};
#define ALL "wd/a.jpg|wd/b.png|ld/link.jpg|wd/out/t.jpg|wd/x/a.jpg|wd/x/c.txt|wd/x/y/deep.jpg|"
    static const struct {
        struct pattern_list include, exclude;
        const char *inputs; /* without e.jpg, to which patterns do not apply */
    } cases[] = {
        {{{0}, 0}, {{0}, 0}, ALL},
        {{{"*"}, 1}, {{0}, 0}, ALL},
        {{{"*.jpg"}, 1}, {{0}, 0}, "wd/a.jpg|ld/link.jpg|wd/out/t.jpg|wd/x/a.jpg|wd/x/y/deep.jpg|"},
        {{{"*.txt", "b.*"}, 2}, {{0}, 0}, "wd/b.png|wd/x/c.txt|"},
        {{{0}, 0}, {{"*.jpg", "*.txt"}, 2}, "wd/b.png|"},
        {{{"a*"}, 1}, {{"x/*"}, 1}, "wd/a.jpg|"},
        {{{"x/*"}, 1}, {{0}, 0}, "wd/x/a.jpg|wd/x/c.txt|wd/x/y/deep.jpg|"},
        {{{"x/a.jpg"}, 1}, {{0}, 0}, "wd/x/a.jpg|"},
        {{{"*/*"}, 1}, {{"*/y/*"}, 1}, "wd/out/t.jpg|wd/x/a.jpg|wd/x/c.txt|"},
        {{{"d/*"}, 1}, {{0}, 0}, ""}, /* paths are relative to the argument */
        {{{"x"}, 1}, {{0}, 0}, ""},   /* names of directories do not count */
        {{{"[ab].???"}, 1}, {{"b*"}, 1}, "wd/a.jpg|wd/x/a.jpg|"},
    };
    make_tree();
    for (size_t i = 0; i < COUNT(cases); i++) {
        char wanted[512];
        const struct run_options options = {.run = {.inputs = names, .input_count = 2},
                                            .include = cases[i].include,
                                            .exclude = cases[i].exclude};
        begin(&options, &of_files);
        snprintf(wanted, sizeof wanted, "%sne.jpg|", cases[i].inputs);
        assert_string_equal(all_inputs(), wanted);
        batch_inputs_release(&inputs);
    }
}

static void a_directory_is_left_out(void **state)
{
    (void)state;
    static char *names[] = {"d"};
    struct run_options options = {.run = {.inputs = names, .input_count = 1}};
    make_tree();
    begin(&options, &of_files);
    batch_inputs_exclude(&inputs, "gone");
    batch_inputs_exclude(&inputs, "d/x/../x");
    assert_string_equal(all_inputs(), "wd/a.jpg|wd/b.png|ld/link.jpg|wd/out/t.jpg|");
    batch_inputs_release(&inputs);
    begin(&options, &of_files);
    batch_inputs_exclude(&inputs, "d");
    assert_string_equal(all_inputs(), ALL);
    batch_inputs_release(&inputs);
}

/* ---- Shards ---- */

/* Each input is in exactly one shard, always in the same one, and none is empty. */
static void shards_are_a_partition(void **state)
{
    (void)state;
    enum { INPUTS = 2000 };
    static const int counts[] = {1, 2, 7, 16};
    for (size_t c = 0; c < COUNT(counts); c++) {
        int shard_of[INPUTS] = {0};
        for (int number = 1; number <= counts[c]; number++) {
            const struct run_options options = {.count = INPUTS, .shard = {number, counts[c]}};
            struct mpb_input input;
            int found = 0, last = -1;
            begin(&options, &of_words);
            for (; batch_inputs_next(&inputs, &input, NULL) == BATCH_INPUT; found++) {
                int task = atoi(input.name + strlen("task "));
                assert_true(task > last && task < INPUTS);
                assert_int_equal(shard_of[task], 0);
                shard_of[task] = number;
                last = task;
            }
            assert_in_range(found, INPUTS / counts[c] / 2, INPUTS / counts[c] * 2);
            batch_inputs_release(&inputs);
        }
        for (int i = 0; i < INPUTS; i++)
            assert_int_not_equal(shard_of[i], 0);
    }
}

/* The shard goes by the name alone, wherever it comes from. */
static void the_shard_of_a_name(void **state)
{
    (void)state;
    static char *names[] = {"d/a.jpg", "d", "q"};
    make_tree();
    scratch_write("list", "d/a.jpg\nq\n");
    for (int number = 1; number <= 3; number++) {
        const struct run_options options = {
            .run = {.inputs = names, .input_count = 3, .files_from = "list"}, .shard = {number, 3}};
        begin(&options, &of_files);
        const char *text = all_inputs();
        bool first = strstr(text, "nd/a.jpg|"), second = strstr(text, "nq|");
        bool walked = strstr(text, "wd/a.jpg|"), listed = strstr(text, "td/a.jpg|");
        bool second_listed = strstr(text, "tq|");
        assert_true(first == walked && first == listed && second == second_listed);
        batch_inputs_release(&inputs);
    }
}

/* ---- Occurrences ---- */

static void expect_occurrence(const char *name, uint64_t wanted)
{
    uint64_t occurrence = 99;
    assert_int_equal(batch_inputs_occurrence(&inputs, name, &occurrence, NULL), 0);
    if (occurrence != wanted)
        fail_msg("%s: %d, not %d", name, (int)occurrence, (int)wanted);
}

static void names_that_repeat(void **state)
{
    (void)state;
    static char *words[] = {"a", "b", "a", "a", "b"};
    static const uint64_t wanted[] = {0, 0, 1, 2, 1};
    const struct run_options options = {.run = {.inputs = words, .input_count = COUNT(words)}};
    struct mpb_input input;
    begin(&options, &of_words);
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_int_equal(batch_inputs_next(&inputs, &input, NULL), BATCH_INPUT);
        expect_occurrence(input.name, wanted[i]);
    }
    expect_occurrence("b", 2); /* a further task of the same input */
    expect_occurrence("c", 0);
    batch_inputs_release(&inputs);
}

/* Names are not remembered where they cannot repeat: several tasks of one input are counted. */
static void names_that_cannot_repeat(void **state)
{
    (void)state;
    static char *names[] = {"d", "d/a.jpg"};
    static const struct {
        struct run_options options;
        const struct mpb_job *job;
        bool unique;
    } cases[] = {
        {{.run = {.inputs = names, .input_count = 1}}, &of_files, true},
        {{.count = 9}, &of_words, true},
        {{.run = {.inputs = names, .input_count = 2}}, &of_files, false},
        {{.run = {.inputs = names, .input_count = 1, .files_from = "list"}}, &of_files, false},
        {{.run = {.inputs = names + 1, .input_count = 1}}, &of_files, false},
        {{.run = {.inputs = names, .input_count = 1}}, &of_words, false},
    };
    make_tree();
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mpb_input input;
        begin(&cases[i].options, cases[i].job);
        assert_int_equal(batch_inputs_next(&inputs, &input, NULL), BATCH_INPUT);
        for (uint64_t k = 0; k < 3; k++)
            expect_occurrence(input.name, k);
        assert_int_equal(inputs.seen.count, cases[i].unique ? 0 : 3);
        if (batch_inputs_next(&inputs, &input, NULL) == BATCH_INPUT &&
            strcmp(input.name, "d/a.jpg") != 0)
            expect_occurrence(input.name, 0);
        batch_inputs_release(&inputs);
    }
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(kinds),
        IN_SCRATCH(what_a_walk_says_about_a_file),
        IN_SCRATCH(what_cannot_be_read),
        IN_SCRATCH(patterns),
        IN_SCRATCH(a_directory_is_left_out),
        cmocka_unit_test(shards_are_a_partition),
        IN_SCRATCH(the_shard_of_a_name),
        cmocka_unit_test(names_that_repeat),
        IN_SCRATCH(names_that_cannot_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
