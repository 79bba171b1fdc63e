/* SPDX-License-Identifier: MIT */
/*
 * Scripts for shells: see completions.h. A shell has one function here that writes an option, or a
 * list of them, and one that writes a program around them.
 */
#include "completions.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Chooses by what the option's value is. */
static const char *by_value(const struct mpb_option *option, const char *file,
                            const char *directory, const char *other)
{
    return strcmp(option->argument, "FILE") == 0  ? file
           : strcmp(option->argument, "DIR") == 0 ? directory
                                                  : other;
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
static void put_quoted(struct buf *out, const char *text, size_t size, const char *special)
{
    for (size_t i = 0; i < size; i++)
        buf_printf(out, "%s%c",
                   strchr(special, text[i]) ? "\\"
                   : text[i] == '\''        ? "'\\'"
                                            : "",
                   text[i]);
}

static void put_help(struct buf *out, const char *help, const char *special)
{
    if (help)
        put_quoted(out, help, first_sentence(help), special);
}

/* Writes the choices as words with a backslash before odd bytes. quoted: for the inside of single
 * quotes, whose content the shell parses once more; see put_quoted. */
static void put_choices(struct buf *out, const struct mpb_option *option, const char *quoted)
{
    for (size_t i = 0; option->choices[i]; i++) {
        buf_printf(out, "%s", i ? " " : "");
        for (const char *next = option->choices[i]; *next; next++) {
            if (!isalnum((unsigned char)*next) && !strchr("-_.", *next))
                put_quoted(out, "\\", 1, quoted ? quoted : "");
            if (quoted)
                put_quoted(out, next, 1, quoted);
            else
                buf_put_u8(out, (uint8_t)*next);
        }
    }
}

/* ---- bash ---- */

static void put_bash_names(struct buf *out, const struct mpb_option *option, const char *start,
                           const char *middle)
{
    buf_printf(out, "%s--%s", start, option->name);
    if (option->letter)
        buf_printf(out, "%s-%c", middle, option->letter);
}

/* Writes what is completed: options, or the value of the option before the cursor. `jobs`: also the
 * names of these jobs. */
static void put_bash_options(struct buf *out, const struct mpb_option *const *options,
                             const struct completion_program *jobs)
{
    buf_printf(out, "        words=(");
    for (size_t i = 0; options[i]; i++)
        put_bash_names(out, options[i], i ? " " : "", " ");
    buf_printf(out, jobs ? ") kind=words\n        [[ $cur == -* ]] || words=(" : "");
    for (size_t i = 0; jobs && i < jobs->job_count; i++)
        buf_printf(out, "%s%s", i ? " " : "", jobs->jobs[i].name);
    buf_printf(out, ")\n        case $option in\n");
    for (const struct mpb_option *option; (option = *options); options++) {
        if (!option->argument)
            continue;
        put_bash_names(out, option, "        ", " | ");
        if (option->type == MPB_CHOICE) {
            buf_printf(out, ") kind=words words=(");
            put_choices(out, option, NULL);
            buf_printf(out, ") ;;\n");
        } else {
            buf_printf(out, ") kind=%s ;;\n", by_value(option, "files", "directories", "nothing"));
        }
    }
    buf_printf(out, "        esac\n        ;;\n");
}

/* Finds the name of the job: the first word that is neither an option nor the value of one. */
static void put_bash_find_job(struct buf *out, const struct mpb_option *const *options)
{
    buf_printf(out, "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                    "        if [[ '");
    for (; *options; options++)
        if ((*options)->argument)
            put_bash_names(out, *options, " ", " ");
    buf_printf(out, " ' == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
                    "            [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
                    "            ((i++))\n"
                    "        elif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
                    "            job=${COMP_WORDS[i]}\n"
                    "            break\n"
                    "        fi\n"
                    "    done\n");
}

/* bash makes words of their own of equals signs, so "--fit=cover" is three words. */
static void put_bash_program(struct buf *out, const struct completion_program *program)
{
    bool jobs = program->job_count;
    buf_printf(out,
               "_mpb_%s() {\n"
               "    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
               "    local job= kind= words=() i\n"
               "    [[ $cur == = ]] && cur=\n"
               "    [[ $option == = ]] && option=${COMP_WORDS[COMP_CWORD - 2]}\n",
               program->name);
    if (jobs)
        put_bash_find_job(out, program->options);
    buf_printf(out, "    case $job in\n    '')\n");
    put_bash_options(out, program->options, jobs ? program : NULL);
    for (size_t i = 0; i < program->job_count; i++) {
        buf_printf(out, "    %s)\n", program->jobs[i].name);
        put_bash_options(out, program->jobs[i].options, NULL);
    }
    buf_printf(out,
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

/* ---- zsh ---- */

#define ZSH_SPECIAL "\\[]:(){}"

/* As a file in $fpath the script is the body of a function, which zsh calls for each program in its
 * first line, with the program in $service. Otherwise it is sourced. */
static void begin_zsh(struct buf *out, const struct completion_program *programs, size_t count)
{
    buf_printf(out, "#compdef");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, " %s", programs[i].name);
    buf_printf(out, "\n");
}

static void end_zsh(struct buf *out, const struct completion_program *programs, size_t count)
{
    buf_printf(out, "if [[ -n $service ]]; then\n    \"_mpb_$service\" \"$@\"\nelse\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "    compdef _mpb_%s %s\n", programs[i].name, programs[i].name);
    buf_printf(out, "fi\n");
}

/* Writes a call of _arguments without its last lines. */
static void put_zsh_options(struct buf *out, const char *flags,
                            const struct mpb_option *const *options)
{
    buf_printf(out, "    _arguments -s -S%s", flags);
    for (const struct mpb_option *option; (option = *options); options++) {
        const char *equals = option->argument ? "=" : "";
        if (option->letter)
            buf_printf(out, " \\\n        '(-%c --%s)'{-%c%s,--%s%s}'[", option->letter,
                       option->name, option->letter, *equals ? "+" : "", option->name, equals);
        else
            buf_printf(out, " \\\n        '--%s%s[", option->name, equals);
        put_help(out, option->help, ZSH_SPECIAL);
        buf_printf(out, option->argument ? "]:" : "]");
        if (option->argument) {
            put_quoted(out, option->argument, strlen(option->argument), ZSH_SPECIAL);
            buf_printf(out, option->type == MPB_CHOICE ? ":(" : ":");
        }
        if (option->type == MPB_CHOICE) {
            put_choices(out, option, "");
            buf_printf(out, ")");
        } else if (option->argument) {
            buf_printf(out, "%s", by_value(option, "_files", "_files -/", " "));
        }
        buf_printf(out, "'");
    }
}

static void put_zsh_program(struct buf *out, const struct completion_program *program)
{
    buf_printf(out, "_mpb_%s() {\n", program->name);
    if (!program->job_count) {
        put_zsh_options(out, "", program->options);
        buf_printf(out, " \\\n        '*:input:_files'\n}\n");
        return;
    }
    buf_printf(out, "    local context state state_descr line jobs\n"
                    "    typeset -A opt_args\n"
                    "    jobs=(");
    for (size_t i = 0; i < program->job_count; i++) {
        buf_printf(out, "\n        '%s:", program->jobs[i].name);
        put_help(out, program->jobs[i].summary, "\\:");
        buf_printf(out, "'");
    }
    buf_printf(out, ")\n");
    put_zsh_options(out, " -C", program->options);
    buf_printf(out, " \\\n        '1:job:->job' '*:::input:->input'\n"
                    "    [[ $state == job ]] && _describe -t commands job jobs\n"
                    "    [[ $state == input ]] || return\n"
                    "    words=(\"$line[1]\" \"${words[@]}\")\n"
                    "    ((CURRENT++))\n"
                    "    case $line[1] in\n");
    for (size_t i = 0; i < program->job_count; i++) {
        buf_printf(out, "    %s)\n", program->jobs[i].name);
        put_zsh_options(out, "", program->jobs[i].options);
        buf_printf(out, " \\\n        '*:input:_files' ;;\n");
    }
    buf_printf(out, "    esac\n}\n");
}

/* ---- fish ---- */

#define FISH_SPECIAL "\\'"

static void put_fish_options(struct buf *out, const char *start,
                             const struct mpb_option *const *options)
{
    for (const struct mpb_option *option; (option = *options); options++) {
        buf_printf(out, "%s -l %s", start, option->name);
        if (option->letter)
            buf_printf(out, " -s %c", option->letter);
        if (option->type == MPB_CHOICE) {
            buf_printf(out, " -x -a '");
            put_choices(out, option, FISH_SPECIAL);
            buf_printf(out, "'");
        } else if (option->argument) {
            buf_printf(out, "%s",
                       by_value(option, " -r -F", " -x -a '(__fish_complete_directories)'", " -x"));
        }
        buf_printf(out, " -d '");
        put_help(out, option->help, FISH_SPECIAL);
        buf_printf(out, "'\n");
    }
}

static void put_fish_program(struct buf *out, const struct completion_program *program)
{
    char start[256];
    snprintf(start, sizeof start, "complete -c %s", program->name);
    if (program->job_count) {
        buf_printf(out, "function __mpb_%s_no_job\n    not __fish_seen_subcommand_from",
                   program->name);
        for (size_t i = 0; i < program->job_count; i++)
            buf_printf(out, " %s", program->jobs[i].name);
        buf_printf(out, "\nend\n");
        snprintf(start, sizeof start, "complete -c %s -n __mpb_%s_no_job", program->name,
                 program->name);
    }
    put_fish_options(out, start, program->options);
    for (size_t i = 0; i < program->job_count; i++) {
        const struct completion_job *job = &program->jobs[i];
        char after[256];
        buf_printf(out, "%s -f -a %s -d '", start, job->name);
        put_help(out, job->summary, FISH_SPECIAL);
        buf_printf(out, "'\n");
        snprintf(after, sizeof after, "complete -c %s -n '__fish_seen_subcommand_from %s'",
                 program->name, job->name);
        put_fish_options(out, after, job->options);
    }
}

/* ---- All ---- */

static const struct {
    const char *name;
    void (*begin)(struct buf *out, const struct completion_program *programs, size_t count);
    void (*program)(struct buf *out, const struct completion_program *program);
    void (*end)(struct buf *out, const struct completion_program *programs, size_t count);
} shells[] = {{"bash", NULL, put_bash_program, NULL},
              {"zsh", begin_zsh, put_zsh_program, end_zsh},
              {"fish", NULL, put_fish_program, NULL}};

enum { SHELLS = sizeof shells / sizeof *shells };

static size_t find_shell(const char *name)
{
    size_t at = 0;
    while (at < SHELLS && strcmp(shells[at].name, name) != 0)
        at++;
    return at;
}

bool completions_known(const char *shell)
{
    return find_shell(shell) < SHELLS;
}

int completions_write(const char *shell, const struct completion_program *programs, size_t count,
                      struct buf *out, struct mpp_error *error)
{
    size_t at = find_shell(shell);
    if (at == SHELLS)
        return mpp_error_set(error, "completions takes bash, zsh or fish, not '%.200s'", shell);
    if (shells[at].begin)
        shells[at].begin(out, programs, count);
    for (size_t i = 0; i < count; i++)
        shells[at].program(out, &programs[i]);
    if (shells[at].end)
        shells[at].end(out, programs, count);
    return out->failed ? mpp_error_set(error, "out of memory for the completions") : 0;
}
