/* SPDX-License-Identifier: MIT */
/* completions: what bash completes by the script written for it, and the syntax of those for zsh
 * and fish, where these shells are installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "completions.h"
#include "temporary_directory.h"

static const char *const fits[] = {"inside", "cover", "fill", "it's", NULL};

static const struct mpb_option quiet = {
    .name = "quiet", .type = MPB_FLAG, .help = "don't print [much]: \"errors\" \\ `only` $HOME."};
static const struct mpb_option workers = {
    .name = "workers", .letter = 'j', .type = MPB_INT, .argument = "N", .help = "how many; 4"};
static const struct mpb_option output = {
    .name = "output", .letter = 'o', .type = MPB_TEXT, .argument = "DIR", .help = "output"};
static const struct mpb_option joblog = {
    .name = "joblog", .type = MPB_TEXT, .argument = "FILE", .help = "a line for each task"};
static const struct mpb_option fit = {
    .name = "fit", .type = MPB_CHOICE, .argument = "HOW", .choices = fits, .help = "the box"};
static const struct mpb_option share = {.name = "share", .type = MPB_CUSTOM, .argument = "N|N%"};

static const struct mpb_option *const before[] = {&quiet, &workers, &joblog, NULL};
static const struct mpb_option *const thumbnail[] = {&quiet, &workers, &output, &fit, &share, NULL};
static const struct mpb_option *const digest[] = {&joblog, NULL};
static const struct mpb_option *const none[] = {NULL};

static const struct completion_job jobs[] = {
    {"thumbnail", "makes someone's images smaller", thumbnail},
    {"digest", "checksums: of files", digest},
    {"whoami", "names ranks", none}};
static const struct completion_program programs[] = {
    {"mpbatch", before, jobs, 3}, {"mpthumb", thumbnail, NULL, 0}, {"mpbare", none, jobs, 3}};

static char script[16384];

/* Writes the script for a shell to `script`, and to a file of this name. */
static void write_script(const char *shell)
{
    struct buf out = BUF_INIT;
    struct mpp_error error;
    assert_int_equal(completions_write(shell, programs, 3, &out, &error), 0);
    assert_in_range(out.size, 1, sizeof script - 1);
    memcpy(script, out.data, out.size);
    script[out.size] = '\0';
    scratch_write("script", script);
    buf_release(&out);
}

/* Runs a command, and returns what it printed, up to a limit, and its exit status. */
static int run(const char *command, char *printed, size_t size)
{
    FILE *file = popen(command, "r");
    assert_non_null(file);
    printed[fread(printed, 1, size - 1, file)] = '\0';
    return pclose(file);
}

/* The last of the words is completed. bash makes words of their own of equals signs. Names of files
 * come in any order, so all are sorted. */
static void expect_bash(const char *words, const char *expected)
{
    char command[600], printed[600];
    snprintf(
        command, sizeof command,
        "exec bash --norc -uc '. ./script; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
        "_mpb_$COMP_WORDS; printf \"%%s\\n\" \"${COMPREPLY[@]-}\" | LC_ALL=C sort | paste -sd,' "
        "2>&1",
        words);
    assert_int_equal(run(command, printed, sizeof printed), 0);
    printed[strcspn(printed, "\n")] = '\0';
    assert_string_equal(printed, expected);
}

static void bash_completes(void **state)
{
    (void)state;
    write_script("bash");
    scratch_write("apple", "");
    scratch_write("a dir/file", "");

    /* The job, and options in front of it. */
    expect_bash("mpbatch \"\"", "digest,thumbnail,whoami");
    expect_bash("mpbatch d", "digest");
    expect_bash("mpbatch --", "--joblog,--quiet,--workers");
    expect_bash("mpbatch -", "--joblog,--quiet,--workers,-j");
    expect_bash("mpbatch --quiet -j 4 w", "whoami");
    expect_bash("mpbatch --workers = 4 w", "whoami");
    expect_bash("mpbatch -j4 w", "whoami");
    expect_bash("mpbatch -j d", "");
    expect_bash("mpbatch --joblog ap", "apple");
    expect_bash("mpbare --", "");
    expect_bash("mpbare w", "whoami");

    /* Behind it. */
    expect_bash("mpbatch thumbnail --f", "--fit");
    expect_bash("mpbatch --joblog digest thumbnail --f", "--fit");
    expect_bash("mpbatch digest --", "--joblog");
    expect_bash("mpbatch whoami --", "");
    expect_bash("mpbatch bogus --", "");
    expect_bash("mpbatch digest a", "a dir,apple");
    expect_bash("mpbatch digest digest", "");
    expect_bash("mpbatch thumbnail --fit \"\"", "cover,fill,inside,it's");

    /* A program that has one job. */
    expect_bash("mpthumb --fit i", "inside,it's");
    expect_bash("mpthumb --fit =", "cover,fill,inside,it's");
    expect_bash("mpthumb --fit = c", "cover");
    expect_bash("mpthumb -o a", "a dir");
    expect_bash("mpthumb --output = a", "a dir");
    expect_bash("mpthumb --share 1", "");
    expect_bash("mpthumb x --quiet a", "a dir,apple");
    expect_bash("mpthumb -", "--fit,--output,--quiet,--share,--workers,-j,-o");
}

/* Each option stands in the script, in each job, and the shell can read the script. */
static void check_script(const char *shell, const char *format)
{
    char command[64], printed[600];
    write_script(shell);
    for (size_t p = 0; p < 3; p++)
        for (size_t j = 0; j < programs[p].job_count; j++)
            for (const struct mpb_option *const *option = programs[p].jobs[j].options; *option;
                 option++) {
                char word[64];
                snprintf(word, sizeof word, format, (*option)->name);
                assert_non_null(strstr(script, word));
            }
    snprintf(command, sizeof command, "command -v %s", shell);
    if (run(command, printed, sizeof printed)) {
        print_message("%s is not installed\n", shell);
        skip();
    }
    snprintf(command, sizeof command, "%s -n script 2>&1", shell);
    int status = run(command, printed, sizeof printed);
    assert_string_equal(printed, "");
    assert_int_equal(status, 0);
}

static void bash_reads_its_script(void **state)
{
    (void)state;
    check_script("bash", "--%s");
}

static void zsh_reads_its_script(void **state)
{
    (void)state;
    check_script("zsh", "--%s");
}

static void fish_reads_its_script(void **state)
{
    (void)state;
    check_script("fish", " -l %s");
}

static void expect_line(const char *line)
{
    if (!strstr(script, line))
        fail_msg("the script lacks: %s\n%s", line, script);
}

static void texts_are_escaped(void **state)
{
    (void)state;
    write_script("zsh");
    expect_line("'--quiet[don'\\''t print \\[much\\]\\: \"errors\" \\\\ `only` $HOME]'");
    expect_line("'(-j --workers)'{-j+,--workers=}'[how many]:N: '");
    expect_line("'(-o --output)'{-o+,--output=}'[output]:DIR:_files -/'");
    expect_line("'--joblog=[a line for each task]:FILE:_files'");
    expect_line("'--fit=[the box]:HOW:(inside cover fill it\\'\\''s)'");
    expect_line("'thumbnail:makes someone'\\''s images smaller'");
    expect_line("'digest:checksums\\: of files'");
    write_script("fish");
    expect_line(" -l quiet -d 'don\\'t print [much]: \"errors\" \\\\ `only` $HOME'\n");
    expect_line("complete -c mpthumb -l workers -s j -x -d 'how many'\n");
    expect_line("complete -c mpthumb -l output -s o -x -a '(__fish_complete_directories)'");
    expect_line(" -l fit -x -a 'inside cover fill it\\\\\\'s' -d 'the box'");
    expect_line("-n __mpb_mpbatch_no_job -l joblog -r -F -d 'a line for each task'\n");
    expect_line("-n '__fish_seen_subcommand_from digest' -l joblog -r -F");
    expect_line("-n __mpb_mpbatch_no_job -f -a thumbnail -d 'makes someone\\'s images");
}

static void other_shells_are_refused(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct mpp_error error;
    assert_int_equal(completions_write("tcsh", programs, 3, &out, &error), -1);
    assert_string_equal(error.text, "completions takes bash, zsh or fish, not 'tcsh'");
    assert_int_equal(out.size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bash_completes, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(bash_reads_its_script, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(zsh_reads_its_script, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(fish_reads_its_script, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(texts_are_escaped, scratch_setup, scratch_teardown),
        cmocka_unit_test(other_shells_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
