/* SPDX-License-Identifier: MIT */
/* command_line: what the words after the name of a program with several jobs, or with one, ask for:
 * a run, a text, or an error message. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command_line.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct pack_settings {
    bool flat, seen;
    int level;
    const char *given; /* the value of run->output that `check` found */
};

static int pack_check(void *settings, struct mpb_run *run, struct mpp_error *error)
{
    struct pack_settings *to = settings;
    to->seen = true;
    to->given = run->output;
    run->writes_beside_inputs = to->flat;
    return to->level == 9 ? mpp_error_set(error, "--level 9 is too much") : 0;
}

static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error)
{
    (void)state, (void)task, (void)context, (void)error;
    return 0;
}

static const char *pack_libraries(void)
{
    return "libpack 1.2\n";
}

static const char *count_libraries(void)
{
    return "libcount 3.4\n";
}

/* Its groups of options: one of its own between two of the engine. */
static const struct mpb_option pack_options[] = {
    {.name = "flat",
     .letter = 'F',
     .type = MPB_FLAG,
     .help = "put all into one",
     .group = "Packing",
     .offset = offsetof(struct pack_settings, flat)},
    {.name = "level",
     .type = MPB_INT,
     .argument = "N",
     .initial = "3",
     .help = "how much",
     .group = "Packing",
     .maximum = 9,
     .offset = offsetof(struct pack_settings, level)},
    {0},
};

static const struct mpb_default pack_defaults[] = {{"timeout", "300"}, {"retries", "7"}, {0}};
static const struct mpb_job pack = {.name = "pack",
                                    .program = "packer",
                                    .summary = "packs each file",
                                    .description = "Packs each file,\nand more.",
                                    .libraries = pack_libraries,
                                    .output = MPB_OUTPUT_FILES,
                                    .output_default = "packed",
                                    .options = pack_options,
                                    .defaults = pack_defaults,
                                    .settings_size = sizeof(struct pack_settings),
                                    .check = pack_check,
                                    .run = run};
static const struct mpb_job count = {.name = "count",
                                     .summary = "counts words",
                                     .libraries = count_libraries,
                                     .inputs = MPB_INPUT_WORDS,
                                     .output = MPB_OUTPUT_STREAM,
                                     .run = run};
static const struct mpb_job greet = {
    .name = "greet", .summary = "says hello", .inputs = MPB_INPUT_WORDS, .run = run};
static const struct mpb_job *const several[] = {&pack, &count, &greet, NULL};
static const struct mpb_job *const one[] = {&pack, NULL};

/* ---- Runs one command line ---- */

static struct command_line command;
static char said[600]; /* the error */

/* Parses a copy of the words, because getopt reorders them. `words` ends with NULL. */
static enum command_status parse(const struct mpb_job *const *jobs, const char *const *words)
{
    static char *argv[16];
    struct mpp_error error = {""};
    int argc = 1;
    argv[0] = "program";
    while (*words)
        argv[argc++] = (char *)*words++;
    argv[argc] = NULL;
    command_line_release(&command);
    enum command_status status = command_line_parse(argc, argv, jobs, &command, &error);
    snprintf(said, sizeof said, "%s", error.text);
    return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *text_of(const struct mpb_job *const *jobs, const char *const *words)
{
    if (parse(jobs, words) != COMMAND_TEXT)
        fail_msg("%s", said);
    buf_put_u8(&command.text, '\0');
    assert_false(command.text.failed);
    return (const char *)command.text.data;
}

static const struct pack_settings *pack_with(const struct mpb_job *const *jobs,
                                             const char *const *words)
{
    if (parse(jobs, words) != COMMAND_RUN)
        fail_msg("%s", said);
    assert_ptr_equal(command.job, &pack);
    const struct pack_settings *settings = command.settings;
    assert_true(settings->seen);
    return settings;
}

static int release(void **state)
{
    (void)state;
    command_line_release(&command);
    command = (struct command_line){0};
    return 0;
}

/* ---- Tests ---- */

static void inputs_and_jobs(void **state)
{
    (void)state;
    static const struct {
        const char *words[8], *job, *inputs; /* the inputs, each followed by a bar */
    } cases[] = {
        {{"pack", "a", "b"}, "pack", "a|b|"},
        {{"pack", "pack", "count", "list", "completions"}, "pack", "pack|count|list|completions|"},
        {{"-v", "--workers", "2", "pack", "a"}, "pack", "a|"},
        {{"pack", "a", "-v", "b"}, "pack", "a|b|"},
        {{"pack", "--", "-v", "--help"}, "pack", "-v|--help|"},
        {{"--", "pack", "--", "--", "-v"}, "pack", "--|-v|"},
        {{"--", "pack", "-v", "a"}, "pack", "a|"},
        {{"--files-from", "list", "pack"}, "pack", ""},
        {{"--joblog", "--help", "pack", "a"}, "pack", "a|"},
        {{"-j", "2", "count", "list", "-"}, "count", "list|-|"},
        {{"count", "--count", "3"}, "count", ""},
        {{"--count", "3", "greet"}, "greet", ""},
        {{"greet", ""}, "greet", "|"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char inputs[100] = "";
        if (parse(several, cases[i].words) != COMMAND_RUN)
            fail_msg("case %zu: %s", i, said);
        assert_string_equal(command.job->name, cases[i].job);
        for (size_t k = 0; k < command.options.run.input_count; k++)
            strcat(strcat(inputs, command.options.run.inputs[k]), "|");
        assert_string_equal(inputs, cases[i].inputs);
    }
    assert_int_equal(parse(one, WORDS("list", "pack")), COMMAND_RUN); /* both are inputs */
    assert_int_equal(command.options.run.input_count, 2);
}

static void options_before_and_after_the_job(void **state)
{
    (void)state;
    const struct pack_settings *settings =
        pack_with(several, WORDS("-j2", "-v", "--retries", "5", "pack", "a", "--level=4", "-F",
                                 "--retries=6", "--timeout", "2"));
    assert_int_equal(command.options.workers, 2);
    assert_true(command.options.run.verbose && settings->flat);
    assert_int_equal(command.options.retries, 6);
    assert_int_equal(settings->level, 4);
    assert_true(command.options.timeout_s == 2);

    settings = pack_with(several, WORDS("pack", "a"));
    assert_int_equal(settings->level, 3);
    assert_int_equal(command.options.retries, 7); /* the job's default */
    assert_true(command.options.timeout_s == 300);
    pack_with(several, WORDS("--retries", "5", "pack", "a"));
    assert_int_equal(command.options.retries, 5);

    assert_int_equal(parse(several, WORDS("--include=*", "count", "a")), COMMAND_WRONG);
    assert_int_equal(parse(several, WORDS("count", "a")), COMMAND_RUN);
    assert_int_equal(command.options.retries, 1); /* the engine's default */
    assert_true(command.options.timeout_s == 0);
    assert_int_equal(command.options.include.count, 0);
    pack_with(several, WORDS("--include=*", "--include=b", "pack", "a", "--include", "c"));
    assert_int_equal(command.options.include.count, 3); /* those before JOB only once */
}

/* The job learns whether --output was given; afterwards it has its default. */
static void output_and_its_default(void **state)
{
    (void)state;
    assert_null(pack_with(several, WORDS("pack", "a"))->given);
    assert_string_equal(command.options.run.output, "packed");
    assert_null(pack_with(one, WORDS("a"))->given);
    assert_string_equal(command.options.run.output, "packed");
    assert_string_equal(pack_with(several, WORDS("-o", "d", "pack", "a"))->given, "d");
    assert_string_equal(pack_with(several, WORDS("pack", "a", "-o", "d"))->given, "d");
    assert_string_equal(command.options.run.output, "d");
    assert_string_equal(pack_with(one, WORDS("a", "-opacked"))->given, "packed");
    assert_null(pack_with(several, WORDS("pack", "a", "-F"))->given); /* beside the inputs */
    assert_null(command.options.run.output);

    assert_int_equal(parse(several, WORDS("count", "a")), COMMAND_RUN);
    assert_null(command.options.run.output);
    assert_int_equal(parse(several, WORDS("count", "a", "-o-")), COMMAND_RUN);
    assert_string_equal(command.options.run.output, "-");
}

static void usage_errors(void **state)
{
    (void)state;
    static const struct {
        const char *words[5], *message;
        bool one;
    } cases[] = {
        {{NULL}, "no job was named", false},
        {{"-v"}, "no job was named", false},
        {{"--"}, "no job was named", false},
        {{"--files-from", "pack"}, "no job was named", false},
        {{"bake"}, "there is no job 'bake'", false},
        {{""}, "there is no job ''", false},
        {{"pac", "a"}, "there is no job 'pac'", false},
        {{"-v", "list", "d"}, "there is no job 'list'", false},
        {{"pack"}, "no input: name files or directories, or give --files-from", false},
        {{NULL}, "no input: name files or directories, or give --files-from", true},
        {{"count"}, "nothing to do: use --count, name inputs, or use --files-from", false},
        {{"--bogus", "pack", "a"}, "unknown option '--bogus'", false},
        {{"pack", "a", "--bogus"}, "unknown option '--bogus'", false},
        {{"--level=4", "pack", "a"}, "unknown option '--level=4'", false}, /* is the job's */
        {{"count", "--level=4", "a"}, "unknown option '--level=4'", false},
        {{"pack", "a", "--level"}, "option '--level' needs a value", false},
        {{"pack", "a", "-j"}, "option '-j' needs a value", false},
        {{"--joblog", "pack"}, "no job was named", false},
        {{"pack", "a", "--level=10"}, "--level takes a whole number from 0 to 9, not '10'", false},
        {{"pack", "a", "--level=9"}, "--level 9 is too much", false},
        {{"pack", "--count=2"}, "--count means nothing for 'pack': its inputs are files", false},
        {{"--count=2", "pack"}, "--count means nothing for 'pack': its inputs are files", false},
        {{"--count=2"}, "--count means nothing for 'pack': its inputs are files", true},
        {{"greet", "-o", "f", "a"},
         "--output means nothing for 'greet': it writes no output",
         false},
        {{"greet", "--resume", "--no-journal", "a"},
         "--no-journal cannot be used with --journal, --resume, --retry-failed or --verify",
         false},
        {{"completions"}, "completions takes bash, zsh or fish, not ''", false},
        {{"completions", "tcsh"}, "completions takes bash, zsh or fish, not 'tcsh'", false},
        {{"list"}, "list takes one output directory, run directory or journal", false},
        {{"list", "a", "b"}, "list takes one output directory, run directory or journal", false},
        {{"list", "a", "--status=x"},
         "--status takes done, failed, skipped or all, not 'x'",
         false},
        {{"list", "-x", "a"}, "unknown option '-x'", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(parse(cases[i].one ? one : several, cases[i].words), COMMAND_WRONG);
        assert_string_equal(said, cases[i].message);
    }
    assert_int_equal(parse(several, WORDS("completions", "bash", "zsh")), COMMAND_WRONG);
    assert_int_equal(parse(several, WORDS("list", "there/is/no/such")), COMMAND_UNREADABLE);
    assert_non_null(strstr(said, "there/is/no/such"));
}

static void options_that_are_too_many(void **state)
{
    (void)state;
    static struct mpb_option options[128];
    static char names[127][8];
    for (size_t i = 0; i < COUNT(names); i++) {
        snprintf(names[i], sizeof names[i], "o%zu", i);
        options[i] = (struct mpb_option){.name = names[i]};
    }
    const struct mpb_job many = {.name = "many", .summary = "m", .options = options, .run = run};
    assert_int_equal(
        parse((const struct mpb_job *const[]){&greet, &many, NULL}, WORDS("completions", "bash")),
        COMMAND_FAILED);
    assert_string_equal(said, "more than 127 options");
}

/* Fails unless the text has these parts, in this order. */
static void expect_parts(const char *text, const char *const *parts)
{
    for (const char *at = text; *parts; parts++) {
        const char *found = strstr(at, *parts);
        if (!found)
            fail_msg("'%s' is missing in:\n%s", *parts, text);
        at = found + strlen(*parts);
    }
}

static void help_of_the_program(void **state)
{
    (void)state;
    static const char *const ways[][4] = {
        {"--help"}, {"-v", "--help", "pack"}, {"--hel", "--bogus"}, {"--help", "list"}};
    for (size_t i = 0; i < COUNT(ways); i++) {
        const char *text = text_of(several, ways[i]);
        expect_parts(text, WORDS("Usage: program JOB [OPTION]... INPUT...\n       mpirun -n N "
                                 "program JOB [OPTION]... INPUT...\n",
                                 "\nJobs\n  pack        packs each file\n", "  count       counts",
                                 "  greet ", "\nOther commands\n  completions ", "  list DIR",
                                 "\nInputs\n", "--include GLOB", "--count N", "\nOutputs\n",
                                 "--output PATH", "\nRun\n", "--help", "\nResuming and limits\n",
                                 "--verify", "\nExit status: 0 all done;", "to continue.\n"));
        assert_null(strstr(text, "--level"));
    }
}

static void help_of_a_job(void **state)
{
    (void)state;
    static const char *const ways[][4] = {
        {"pack", "--help"}, {"pack", "a", "--help", "--bogus"}, {"-v", "pack", "--hel"}};
    static const char *const parts[] = {"\nInputs\n",
                                        "--include GLOB",
                                        "\nOutputs\n",
                                        "--output DIR",
                                        "(default: packed)\n",
                                        "\nPacking\n",
                                        "  -F, --flat ",
                                        "--level N ",
                                        "(default: 3)\n",
                                        "\nRun\n",
                                        "\nResuming and limits\n",
                                        "(default: 300)",
                                        "--retries N",
                                        "(default: 7)\n",
                                        "\nExit status",
                                        NULL};
    for (size_t i = 0; i < COUNT(ways); i++) {
        const char *text = text_of(several, ways[i]);
        expect_parts(text, WORDS("Usage: program pack [OPTION]... INPUT...\n       mpirun -n N "
                                 "program pack [OPTION]... INPUT...\nPacks each file,\nand more.\n"
                                 "\nInputs\n"));
        expect_parts(text, parts);
        assert_null(strstr(text, "Jobs"));
        assert_null(strstr(text, "--count"));
        assert_null(strstr(strstr(text, "Packing") + 1, "Packing")); /* one heading */
    }
    expect_parts(text_of(one, WORDS("--help")),
                 WORDS("Usage: program [OPTION]... INPUT...\n       mpirun -n N program [OPTION]",
                       "Packs each file"));
    expect_parts(command.text.data ? (const char *)command.text.data : "", parts);

    const char *text = text_of(several, WORDS("greet", "--help"));
    expect_parts(text, WORDS("program greet", "\nsays hello\n", "\nInputs\n", "--count N",
                             "\nRun\n", "\nResuming and limits\n"));
    assert_null(strstr(text, "Outputs")); /* a group without options has no heading */
    assert_null(strstr(text, "--include"));
    expect_parts(
        text_of(several, WORDS("count", "--help")),
        WORDS("--output FILE", "write the output to FILE, not to stdout\n", "--spool-dir"));
}

/* A group that recurs has one heading; an option without a group is not listed. */
static void help_by_groups(void **state)
{
    (void)state;
    static const struct mpb_option options[] = {
        {.name = "hidden"},
        {.name = "one", .help = "1", .group = "A"},
        {.name = "two", .help = "2", .group = "B"},
        {.name = "three", .help = "3", .group = "A"},
        {.name = "four", .help = "4", .group = "Run"},
        {0},
    };
    const struct mpb_job job = {.name = "job", .summary = "j", .options = options, .run = run};
    const char *text =
        text_of((const struct mpb_job *const[]){&job, NULL}, WORDS("--hidden", "--help"));
    expect_parts(text,
                 WORDS("\nA\n", "--one ", "--three ", "\nB\n", "--two ", "\nRun\n", "--four "));
    assert_null(strstr(strstr(text, "\nA\n") + 1, "\nA\n"));
    assert_null(strstr(text, "--hidden"));
}

static void versions(void **state)
{
    (void)state;
    char library[128];
    const char *all = text_of(several, WORDS("--version", "--bogus"));
    assert_int_equal(strncmp(all, "program " MPP_VERSION "\n", strlen("program " MPP_VERSION "\n")),
                     0);
    snprintf(library, sizeof library, "\n%s\nlibpack", mpp_mpi_library());
    expect_parts(all, WORDS(library));
    expect_parts(all, WORDS("\nlibpack 1.2\nlibcount 3.4\nworkers confined by ", "\n"));
    assert_null(strstr(text_of(several, WORDS("pack", "--version")), "libcount"));
    assert_null(strstr(text_of(several, WORDS("count", "--version")), "libpack"));
    expect_parts(text_of(one, WORDS("--version")), WORDS("\nlibpack 1.2\nworkers"));
    assert_string_equal(command_line_version(&command), command_line_version(&command));
    assert_null(strstr(text_of(several, WORDS("--help", "--version")), "libpack"));
}

static void completions_know_all_programs(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < COUNT(shells); i++) {
        const char *text = text_of(several, WORDS("completions", shells[i]));
        expect_parts(text, WORDS("program"));
        expect_parts(text, WORDS("packer"));
        expect_parts(text, WORDS("greet"));
        expect_parts(text, WORDS("level"));
    }
}

int main(void)
{
    program_invocation_short_name = "program";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(inputs_and_jobs, release),
        cmocka_unit_test_teardown(options_before_and_after_the_job, release),
        cmocka_unit_test_teardown(output_and_its_default, release),
        cmocka_unit_test_teardown(usage_errors, release),
        cmocka_unit_test_teardown(options_that_are_too_many, release),
        cmocka_unit_test_teardown(help_of_the_program, release),
        cmocka_unit_test_teardown(help_of_a_job, release),
        cmocka_unit_test_teardown(help_by_groups, release),
        cmocka_unit_test_teardown(versions, release),
        cmocka_unit_test_teardown(completions_know_all_programs, release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
