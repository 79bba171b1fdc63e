/* SPDX-License-Identifier: MIT */
/*
 * Scripts for shells: see completions.h. A shell has one function here that writes an option, or a
 * list of them, and one that writes a program around them.
 */
#include "completions.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct mpb_option *const no_options[] = {NULL};

/* Options that can stand before the name of the job. */
static const struct mpb_option *const *options_before(const struct completion_program *program)
{
    return program->options ? program->options : no_options;
}

static bool names_jobs(const struct completion_program *program)
{
    return program->job_count && program->jobs[0].name;
}

static bool takes(const struct mpb_option *option, const char *word)
{
    return option->argument && strcmp(option->argument, word) == 0;
}

/* The size of the first sentence of a help text, without the default and the point at its end. */
static size_t first_sentence(const char *help)
{
    static const char *const ends[] = {"; ", ". ", " (default"};
    size_t size = strlen(help);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        const char *end = strstr(help, ends[i]);
        if (end && (size_t)(end - help) < size)
            size = (size_t)(end - help);
    }
    return size && help[size - 1] == '.' ? size - 1 : size;
}

/* Writes text for the inside of single quotes, with a backslash before each of `special`. A quote
 * that is not one of them becomes '\'', because zsh has no escapes inside of quotes. */
static void put_quoted(FILE *out, const char *text, size_t size, const char *special)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(special, text[i]))
            putc('\\', out);
        else if (text[i] == '\'')
            fputs("'\\'", out);
        putc(text[i], out);
    }
}

static void put_help(FILE *out, const char *help, const char *special)
{
    if (help)
        put_quoted(out, help, first_sentence(help), special);
}

/* Writes the choices as words with a backslash before odd bytes. quoted: for the inside of single
 * quotes, whose content the shell parses once more; see put_quoted. */
static void put_choices(FILE *out, const struct mpb_option *option, const char *quoted)
{
    for (size_t i = 0; option->choices[i]; i++) {
        fputs(i ? " " : "", out);
        for (const char *next = option->choices[i]; *next; next++) {
            if (!isalnum((unsigned char)*next) && !strchr("-_.", *next))
                put_quoted(out, "\\", 1, quoted ? quoted : "");
            if (quoted)
                put_quoted(out, next, 1, quoted);
            else
                putc(*next, out);
        }
    }
}

/* ---- bash ---- */

static void put_bash_names(FILE *out, const struct mpb_option *option, const char *start,
                           const char *middle)
{
    fprintf(out, "%s--%s", start, option->name);
    if (option->letter)
        fprintf(out, "%s-%c", middle, option->letter);
}

/* Writes what is completed for a job: options, or the value of the option before the cursor; or
 * before the name of the job, if `jobs` is given: also the names of jobs. */
static void put_bash_options(FILE *out, const struct mpb_option *const *options,
                             const struct completion_program *jobs)
{
    fputs("        words=(", out);
    for (size_t i = 0; options[i]; i++)
        put_bash_names(out, options[i], i ? " " : "", " ");
    fputs(jobs ? ") kind=words\n        [[ $cur == -* ]] || words=(" : "", out);
    for (size_t i = 0; jobs && i < jobs->job_count; i++)
        fprintf(out, "%s%s", i ? " " : "", jobs->jobs[i].name);
    fputs(")\n        case $option in\n", out);
    for (const struct mpb_option *option; (option = *options); options++) {
        if (!option->argument)
            continue;
        put_bash_names(out, option, "        ", " | ");
        fputs(") ", out);
        if (option->type == MPB_CHOICE) {
            fputs("kind=words words=(", out);
            put_choices(out, option, NULL);
            fputs(") ;;\n", out);
        } else
            fprintf(out, "kind=%s ;;\n",
                    takes(option, "FILE")  ? "files"
                    : takes(option, "DIR") ? "directories"
                                           : "nothing");
    }
    fputs("        esac\n        ;;\n", out);
}

/* Finds the name of the job: the first word that is neither an option nor the value of one. */
static void put_bash_find_job(FILE *out, const struct mpb_option *const *options)
{
    fputs("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        if [[ '",
          out);
    for (; *options; options++)
        if ((*options)->argument)
            put_bash_names(out, *options, " ", " ");
    fputs(" ' == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
          "            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
          "            ((i++))\n"
          "        elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
          "            job=${COMP_WORDS[i]}\n"
          "            break\n"
          "        fi\n"
          "    done\n",
          out);
}

/* bash makes words of their own of equals signs, so "--fit=cover" is three words. */
static void put_bash_program(FILE *out, const struct completion_program *program)
{
    bool jobs = names_jobs(program);
    fprintf(out,
            "_mpb_%s() {\n"
            "    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
            "    local job= kind= words=() i\n"
            "    [[ $cur == = ]] && cur=\n"
            "    [[ $option == = ]] && option=${COMP_WORDS[COMP_CWORD - 2]}\n",
            program->name);
    if (jobs)
        put_bash_find_job(out, options_before(program));
    fputs("    case $job in\n", out);
    if (jobs) {
        fputs("    '')\n", out);
        put_bash_options(out, options_before(program), program);
    }
    for (size_t i = 0; i < program->job_count; i++) {
        fprintf(out, "    %s)\n", jobs ? program->jobs[i].name : "''");
        put_bash_options(out, program->jobs[i].options, NULL);
    }
    fprintf(out,
            "    esac\n"
            "    [[ -z $kind && $cur == -* ]] && kind=words\n"
            "    COMPREPLY=()\n"
            "    case ${kind:-files} in\n"
            "    words) for i in \"${words[@]}\"; do\n"
            "        [[ $i == \"$cur\"* ]] && COMPREPLY+=(\"$i\")\n"
            "    done ;;\n"
            "    files) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
            "    directories) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
            "    esac\n"
            "    [[ ${kind:-files} == [fd]* ]] && compopt -o filenames 2> /dev/null\n"
            "    return 0\n"
            "}\n"
            "complete -F _mpb_%s %s\n",
            program->name, program->name);
}

static void write_bash(FILE *out, const struct completion_program *programs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_bash_program(out, &programs[i]);
}

/* ---- zsh ---- */

#define ZSH_SPECIAL "\\[]:(){}"

/* Writes a call of _arguments without its last lines. */
static void put_zsh_options(FILE *out, const char *flags, const struct mpb_option *const *options)
{
    fprintf(out, "    _arguments -s -S%s", flags);
    for (; *options; options++) {
        const struct mpb_option *option = *options;
        bool value = option->argument;
        if (option->letter)
            fprintf(out, " \\\n        '(-%c --%s)'{-%c%s,--%s%s}'[", option->letter, option->name,
                    option->letter, value ? "+" : "", option->name, value ? "=" : "");
        else
            fprintf(out, " \\\n        '--%s%s[", option->name, value ? "=" : "");
        put_help(out, option->help, ZSH_SPECIAL);
        putc(']', out);
        if (value) {
            putc(':', out);
            put_quoted(out, option->argument, strlen(option->argument), ZSH_SPECIAL);
            putc(':', out);
        }
        if (option->type == MPB_CHOICE) {
            putc('(', out);
            put_choices(out, option, "");
            putc(')', out);
        } else if (value)
            fputs(takes(option, "FILE") ? "_files" : takes(option, "DIR") ? "_files -/" : " ", out);
        putc('\'', out);
    }
}

static void put_zsh_program(FILE *out, const struct completion_program *program)
{
    fprintf(out, "_mpb_%s() {\n", program->name);
    if (!names_jobs(program)) {
        put_zsh_options(out, "", program->job_count ? program->jobs[0].options : no_options);
        fputs(" \\\n        '*:input:_files'\n}\n", out);
        return;
    }
    fputs("    local context state state_descr line jobs\n"
          "    typeset -A opt_args\n"
          "    jobs=(",
          out);
    for (size_t i = 0; i < program->job_count; i++) {
        fprintf(out, "\n        '%s:", program->jobs[i].name);
        put_help(out, program->jobs[i].summary, "\\:");
        putc('\'', out);
    }
    fputs(")\n", out);
    put_zsh_options(out, " -C", options_before(program));
    fputs(" \\\n        '1:job:->job' '*:::input:->input'\n"
          "    [[ $state == job ]] && _describe -t commands job jobs\n"
          "    [[ $state == input ]] || return\n"
          "    words=(\"$line[1]\" \"${words[@]}\")\n"
          "    ((CURRENT++))\n"
          "    case $line[1] in\n",
          out);
    for (size_t i = 0; i < program->job_count; i++) {
        fprintf(out, "    %s)\n", program->jobs[i].name);
        put_zsh_options(out, "", program->jobs[i].options);
        fputs(" \\\n        '*:input:_files' ;;\n", out);
    }
    fputs("    esac\n}\n", out);
}

/* As a file in $fpath the script is the body of a function, which zsh calls for each program in its
 * first line, with the program in $service. Otherwise it is sourced. */
static void write_zsh(FILE *out, const struct completion_program *programs, size_t count)
{
    fputs("#compdef", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, " %s", programs[i].name);
    putc('\n', out);
    for (size_t i = 0; i < count; i++)
        put_zsh_program(out, &programs[i]);
    fputs("if [[ -n $service ]]; then\n    \"_mpb_$service\" \"$@\"\nelse\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "    compdef _mpb_%s %s\n", programs[i].name, programs[i].name);
    fputs("fi\n", out);
}

/* ---- fish ---- */

#define FISH_SPECIAL "\\'"

static void put_fish_options(FILE *out, const char *start, const struct mpb_option *const *options)
{
    for (; *options; options++) {
        fprintf(out, "%s -l %s", start, (*options)->name);
        if ((*options)->letter)
            fprintf(out, " -s %c", (*options)->letter);
        if ((*options)->type == MPB_CHOICE) {
            fputs(" -x -a '", out);
            put_choices(out, *options, FISH_SPECIAL);
            putc('\'', out);
        } else if ((*options)->argument)
            fputs(takes(*options, "FILE")  ? " -r -F"
                  : takes(*options, "DIR") ? " -x -a '(__fish_complete_directories)'"
                                           : " -x",
                  out);
        fputs(" -d '", out);
        put_help(out, (*options)->help, FISH_SPECIAL);
        fputs("'\n", out);
    }
}

static void put_fish_program(FILE *out, const struct completion_program *program)
{
    char start[256], after[256];
    bool jobs = names_jobs(program);
    if (jobs) {
        fprintf(out, "function __mpb_%s_no_job\n    not __fish_seen_subcommand_from",
                program->name);
        for (size_t i = 0; i < program->job_count; i++)
            fprintf(out, " %s", program->jobs[i].name);
        fputs("\nend\n", out);
        snprintf(start, sizeof start, "complete -c %s -n __mpb_%s_no_job", program->name,
                 program->name);
        put_fish_options(out, start, options_before(program));
    }
    for (size_t i = 0; i < program->job_count; i++) {
        const struct completion_job *job = &program->jobs[i];
        if (jobs) {
            fprintf(out, "%s -f -a %s -d '", start, job->name);
            put_help(out, job->summary, FISH_SPECIAL);
            fputs("'\n", out);
        }
        snprintf(after, sizeof after, "complete -c %s", program->name);
        if (jobs)
            snprintf(after, sizeof after, "complete -c %s -n '__fish_seen_subcommand_from %s'",
                     program->name, job->name);
        put_fish_options(out, after, job->options);
    }
}

static void write_fish(FILE *out, const struct completion_program *programs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_fish_program(out, &programs[i]);
}

/* ---- All ---- */

static const struct {
    const char *name;
    void (*write)(FILE *out, const struct completion_program *programs, size_t count);
} shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};

int completions_write(const char *shell, const struct completion_program *programs, size_t count,
                      struct buf *out, struct mpp_error *error)
{
    char *text = NULL;
    size_t size = 0, i = 0;
    while (i < sizeof shells / sizeof *shells && strcmp(shells[i].name, shell) != 0)
        i++;
    if (i == sizeof shells / sizeof *shells)
        return mpp_error_set(error, "completions takes bash, zsh or fish, not '%.200s'", shell);
    FILE *file = open_memstream(&text, &size);
    if (file)
        shells[i].write(file, programs, count);
    bool failed = !file || ferror(file);
    failed = (file && fclose(file)) || failed;
    if (!failed)
        buf_put(out, text, size);
    free(text);
    return failed || out->failed ? mpp_error_set(error, "out of memory for the completions") : 0;
}
