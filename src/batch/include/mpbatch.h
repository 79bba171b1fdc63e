/* SPDX-License-Identifier: MIT */
/*
 * mpbatch: runs a job over many inputs on all ranks of an MPI job, and finishes every run.
 *
 * A program describes its jobs in a table of struct mpb_job and calls mpb_main. It then has inputs
 * (arguments, directories, --files-from), options, a journal with --resume, an orderly stop on
 * signals and at the walltime, --shard, --joblog, progress, a summary and exit statuses. A job is
 * one function that handles one input:
 *
 *     static int run(void *state, const struct mpb_task *task, struct mpb_context *context,
 *                    struct mpp_error *error)
 *     {
 *         return mpb_write(context, "hello\n", 6, error);
 *     }
 *     static const struct mpb_job hello = {
 *         .name = "hello", .summary = "greets", .output = MPB_OUTPUT_STREAM, .run = run};
 *     static const struct mpb_job *const jobs[] = {&hello, NULL};
 *
 *     int main(int argc, char **argv)
 *     {
 *         return mpb_main(argc, argv, jobs);
 *     }
 *
 * An input becomes a task, usually one. A task runs in a worker process on any rank, more than once
 * if a worker or a rank dies, and gives a result: bytes that its run function writes. Small results
 * are stored in the journal, large ones in spool files in the run directory. They reach rank 0, or
 * the tasks of the next stage, in the order of the inputs. So the output has the same bytes for any
 * number of ranks and workers, and however often the run was killed and resumed.
 *
 * Functions that return int return 0, or -1 with *error filled. Nothing here is thread-safe, except
 * where it is said.
 */
#ifndef MPBATCH_H
#define MPBATCH_H

#include "mppool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Options of a job ---- */

/* How an option is written and where its value is stored: the type of the member of the settings
 * that `offset` refers to. */
enum mpb_option_type {
    MPB_FLAG,    /* bool; has no argument */
    MPB_INT,     /* int, from minimum to maximum */
    MPB_COUNT,   /* uint64_t, from minimum to maximum */
    MPB_REAL,    /* double, from minimum to maximum */
    MPB_SECONDS, /* double, at least minimum; a decimal number without sign and exponent */
    MPB_BYTES,   /* size_t, at least 1; may end with K, M, G or T for powers of 1024 */
    MPB_TEXT,    /* const char *, not empty; points into argv; below 512 bytes if it `decides` */
    MPB_CHOICE,  /* int: the index of one of `choices` */
    MPB_CUSTOM,  /* any; `parse` reads it and `format` writes it */
};

/* One option of the command line. A table of them ends with an option without a name. It is used
 * for parsing, error messages, --help, shell completions, the header of the journal, and the check
 * at --resume. */
struct mpb_option {
    const char *name; /* without the two dashes */
    char letter;      /* the short form; 0: none */
    enum mpb_option_type type;
    const char *argument; /* the word for its value in --help, such as "N"; NULL: a flag, or a
                             CUSTOM option without a value, whose `parse` gets NULL */
    const char *initial;  /* the default, as a user would write it; NULL: the member stays zero */
    const char *help;     /* what it does; --help breaks it into lines and adds the default */
    const char *group;    /* its heading in --help; NULL: it is not listed there */
    double minimum, maximum;    /* maximum 0: no limit */
    const char *const *choices; /* ends with NULL */
    size_t offset;              /* of the member, in bytes */

    /* It decides what comes out: it is written into the journal, and a run with another value
     * cannot continue it. */
    bool decides;

    /* MPB_CUSTOM: parse stores the value; its error says what the option takes, such as "--size
     * takes N or WxH, not '7y'". format, which only an option that `decides` needs, writes the
     * value as text, always the same for the same value. */
    int (*parse)(const char *text, void *member, struct mpp_error *error);
    void (*format)(const void *member, char *text, size_t size);
};

/* ---- A run ---- */

/* What the engine's own options say, for a job. Worker processes see it as it was when they were
 * forked. */
struct mpb_run {
    char *const *inputs; /* the arguments */
    size_t input_count;
    const char *files_from; /* the file of further inputs; NULL: none */
    const char *output;     /* --output or its default; NULL: none, or stdout */
    bool dry_run, verify, resume, skip_existing, verbose;

    /* `check` sets it if the job's output files are written next to their inputs. */
    bool writes_beside_inputs;
};

enum mpb_input_origin {
    MPB_NAMED,    /* an argument */
    MPB_WALKED,   /* found below an argument that is a directory */
    MPB_LISTED,   /* from the file of inputs */
    MPB_NUMBERED, /* one of --count N */
};

struct mpb_input {
    enum mpb_input_origin origin;
    const char *name;  /* a path, the text of an argument or a line, or "task N" */
    const char *below; /* WALKED: the path relative to the argument; otherwise equal to name */
    size_t argument;   /* NAMED, WALKED: index in run->inputs */
    bool link;         /* WALKED: it is a symbolic link */
};

/* ---- Tasks ---- */

struct mpb_task {
    const char *input;     /* the name of its input; in a stage: a text that identifies the task */
    struct mpp_bytes plan; /* what the job's plan function gave; empty without it */
    size_t member_count;   /* in a stage: the results that it is made of; otherwise 0 */
};

/* Through it a run function says what came of its task. Valid only during the call. */
struct mpb_context;

/* Appends to the task's result. Large results go to a file, so they need little memory. */
MPP_API int mpb_write(struct mpb_context *context, const void *bytes, size_t size,
                      struct mpp_error *error);

/* A line for the user, on stdout when the task has ended. The text is copied, at most 12287 bytes
 * of it. A second call replaces the first. */
MPP_API void mpb_line(struct mpb_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The task has written a file. The journal gets its name, which is relative to the output
 * directory, and the 64-bit XXH3 checksum of its content, which --verify compares. A task has one
 * file: a second call replaces the first. */
MPP_API void mpb_output_file(struct mpb_context *context, const char *name, uint64_t size_bytes,
                             uint64_t xxh3);

/* A further member of the task's line in the journal, at most 64 KiB together. The name must not
 * need escapes, and must not be one of those in mpbatch-journal(5). */
MPP_API void mpb_field_int(struct mpb_context *context, const char *name, int64_t value);
MPP_API void mpb_field_text(struct mpb_context *context, const char *name, const char *text);

/* The task is done, but something is odd; the summary counts such tasks. */
MPP_API void mpb_warn(struct mpb_context *context);

/* The input is not one for this job: it is neither done nor failed. Returns 0, so that a run
 * function can end with `return mpb_skip(context, "why")`. */
MPP_API int mpb_skip(struct mpb_context *context, const char *why);

/* This task and all others would fail, because the disk is full, for example: the run stops early
 * with exit status 75, and this task counts as not begun. Returns 0. */
MPP_API int mpb_stop(struct mpb_context *context, const char *why);

/* What load stored; NULL without load. */
MPP_API void *mpb_loaded(struct mpb_context *context);

/* The rank on which the task runs. */
MPP_API int mpb_rank(const struct mpb_context *context);

/* In a stage: reads the whole result of member `index` (from 0), and checks it. *bytes is valid
 * until the next call. */
MPP_API int mpb_member(struct mpb_context *context, size_t index, struct mpp_bytes *bytes,
                       struct mpp_error *error);

/* In a stage: the bytes that its share function gave on rank 0. *bytes is valid until the end of
 * the task. */
MPP_API int mpb_shared(struct mpb_context *context, struct mpp_bytes *bytes,
                       struct mpp_error *error);

/* ---- Outputs on rank 0 ---- */

/* What --output FILE, or stdout, gets. */
struct mpb_output;
MPP_API int mpb_output_write(struct mpb_output *output, const void *bytes, size_t size,
                             struct mpp_error *error);

/* A part of a task's result, at most 1 MiB. An empty result has one empty piece. */
struct mpb_piece {
    const char *input; /* of the task */
    struct mpp_bytes bytes;
    bool first, last; /* of the result */
};

/* ---- A job ---- */

enum mpb_inputs {
    MPB_INPUT_FILES, /* names of files; a directory stands for all files below it */
    MPB_INPUT_WORDS, /* texts, which the engine does not look at; or --count N */
};

enum mpb_output_kind {
    MPB_OUTPUT_NONE,   /* nothing but lines for the user */
    MPB_OUTPUT_FILES,  /* the tasks write files below the directory --output */
    MPB_OUTPUT_STREAM, /* the results, in the order of the inputs, are written to --output FILE, or
                          to stdout */
};

/* What a worker process of the job may do besides reading files and writing below the output and
 * the spool directory. Everything else is refused by the kernel, where it can be. */
enum mpb_permission {
    MPB_MAY_EXEC = 1,    /* start programs */
    MPB_MAY_CONNECT = 2, /* use sockets */
    MPB_MAY_WRITE = 4,   /* write anywhere */
};

/* What plan says about an input. */
enum mpb_plan {
    MPB_PLAN_TASK,   /* it becomes a task, the last one of this input */
    MPB_PLAN_MORE,   /* it becomes a task; plan is called again with the same input */
    MPB_PLAN_SKIP,   /* it is not one for this job; *error says why */
    MPB_PLAN_REFUSE, /* it fails; *error says why */
};

/* A further round of tasks, made of the results of the round before. Only tasks that are done have
 * results. A stage begins when all tasks of the round before have ended. If one of its own tasks
 * fails, no further stage begins, and the output is not written. */
struct mpb_stage {
    const char
        *name;    /* such as "merge", at most 20 bytes. It is a part of what identifies the tasks
                         in the journal: after a change of it a resumed run does them again */
    size_t group; /* how many results, in the order of the inputs, a task gets; 0: all */
    int (*run)(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error);

    /* On rank 0, optional: gather is called for each piece of each result of the round before, in
     * the order of the inputs; then share, once: it gives the bytes that all tasks of the stage
     * need beside their members. They must stay valid until the stage's first task. */
    int (*gather)(void *planner, const struct mpb_piece *piece, struct mpp_error *error);
    int (*share)(void *planner, struct mpp_bytes *bytes, struct mpp_error *error);
};

/* A default of one of the engine's options that is another one for this job. */
struct mpb_default {
    const char *name, *value;
};

/* Only name, summary and run are required, and output_path if the tasks write files. mpb_main
 * returns 70 at once if one is missing. check, begin, open, output_path and load get the settings:
 * a struct of settings_size bytes that the job's options are stored in. */
struct mpb_job {
    const char *name;
    const char *program;     /* a program that runs only this job; NULL: none. For completions */
    const char *summary;     /* one line for --help */
    const char *description; /* further lines for --help, or NULL */
    const char *unit;        /* the word for several tasks in messages; NULL: "tasks" */
    const char *warned;      /* what tasks with a warning are, such as "with decoder warnings" */
    const char *(*libraries)(void); /* lines for --version, each with a newline; or NULL */

    enum mpb_inputs inputs;
    enum mpb_output_kind output;
    const char *output_default;         /* of --output; NULL: none, or stdout */
    unsigned permissions;               /* enum mpb_permission */
    const struct mpb_option *options;   /* or NULL */
    const struct mpb_default *defaults; /* ends with name NULL; or NULL */
    size_t settings_size;

    /* Called on each rank when the command line has been read, before workers are forked. Checks
     * that the options fit together, and may complete the settings and set
     * run->writes_beside_inputs. run->output is NULL unless --output is given. The error is a usage
     * error. */
    int (*check)(void *settings, struct mpb_run *run, struct mpp_error *error);

    /* ---- Called on rank 0 ---- */

    /* Before the first input. Whatever it stores in *planner is passed to the following functions.
     * It may use the file system. An error is a usage error. */
    int (*begin)(void **planner, const struct mpb_run *run, const void *settings,
                 struct mpp_error *error);

    /* For each input. *plan is passed to the workers; it must stay valid until the next call. */
    enum mpb_plan (*plan)(void *planner, const struct mpb_input *input, struct mpp_bytes *plan,
                          struct mpp_error *error);

    /* MPB_OUTPUT_STREAM: for each piece of each result of the last stage, in the order of the
     * inputs. Without it, the pieces are written to the output as they are. */
    int (*collect)(void *planner, const struct mpb_piece *piece, struct mpb_output *output,
                   struct mpp_error *error);

    /* MPB_OUTPUT_STREAM: after the last piece, unless the run is stopped early. */
    int (*finish)(void *planner, struct mpb_output *output, struct mpp_error *error);

    /* At the end of the run, if begin has returned 0. */
    void (*end)(void *planner);

    /* ---- Called in worker processes; see struct mpp_job about threads and crashes ---- */

    int (*open)(void **state, const struct mpb_run *run, const void *settings,
                struct mpp_error *error);

    /* MPB_OUTPUT_FILES, required: writes the path of the output file of an input's task to `path`,
     * which has room for `size` bytes. The engine compares the file with the journal. Several
     * threads may call it. */
    void (*output_path)(const struct mpb_run *run, const void *settings,
                        const struct mpb_task *task, char *path, size_t size);

    /* As in struct mpp_job. A job has both or neither. */
    int (*load)(const struct mpb_run *run, const void *settings, const struct mpb_task *task,
                void **loaded, struct mpp_error *error);
    void (*unload)(void *loaded);
    int (*run)(void *state, const struct mpb_task *task, struct mpb_context *context,
               struct mpp_error *error);
    void (*close)(void *state);

    const struct mpb_stage *stages; /* ends with name NULL; or NULL */
};

/* ---- The program ---- */

/* Runs the command line: `PROGRAM [OPTION]... INPUT...` if the table has one job, otherwise
 * `PROGRAM [OPTION]... JOB [OPTION]... INPUT...`, --help, --version, and the commands `completions`
 * and `list`. Collective: every rank calls it first thing in main, with the same arguments, and
 * returns its result. `jobs` ends with NULL.
 *
 * Returns the exit status: 0 all done; 1 some inputs failed, all others are done; 2 usage error;
 * 70 internal error; 75 stopped early, --resume continues. */
MPP_API int mpb_main(int argc, char **argv, const struct mpb_job *const *jobs);

#ifdef __cplusplus
}
#endif

#endif
