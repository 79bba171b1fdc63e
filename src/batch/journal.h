/* SPDX-License-Identifier: MIT */
/*
 * journal: a file that records what happened to each input of a run, so that a later run can skip
 * what is done (--resume).
 *
 * Format: a text file with one JSON object per line (JSON Lines). Each run that writes the file
 * adds one header line:
 *
 *     {"journal":"0.1.0","started":"2024-02-29T12:00:00Z","host":"n1","libraries":"...",
 *      "options":{"--size":"50x50",...}}
 *
 * and then one line for each input that is finished, here shown on three lines:
 *
 *     {"source":"a/1.jpg","size":102400,"mtime":1700000000.123456789,"output":"1.jpg","width":50,
 *      "height":38,"status":"done","error":null,"ms":1.234,"rank":3,"host":"n1","attempts":1,
 *      "xxh3":"00112233aabbccdd"}
 *
 * "size" and "mtime" are those of the source file; "status" is done, failed or skipped; "xxh3" is
 * the 64-bit XXH3 checksum of the output in hexadecimal. Values that are unknown or do not apply
 * are null. A source can have several lines, one per run: the last one counts.
 *
 * Writing: lines are collected in memory and written in batches; journal_sync writes them to disk.
 * When a run is killed, the last line can be incomplete; the next run removes it. Only one run at a
 * time can write a journal: the file is locked. On a file system without locks this is not
 * enforced.
 *
 * Reading: journal_index holds what a journal says about each source, in 64 to 128 bytes of memory
 * per source.
 *
 * Error texts of journal_open begin with "the journal 'PATH'".
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "mpp_error.h"

enum journal_status { JOURNAL_DONE, JOURNAL_FAILED, JOURNAL_SKIPPED };

/* A line about one input, to be written. */
struct journal_record {
    const char *source;
    int64_t size_bytes; /* of the source; negative: size_bytes and mtime_ns are unknown */
    int64_t mtime_ns;   /* of the source, since 1970 */
    const char *output; /* NULL: there is none, and the next three members are ignored */
    int width_px, height_px;
    uint64_t xxh3; /* of the output */
    enum journal_status status;
    const char *error; /* NULL: none */
    double run_s;
    int rank; /* -1: the input was not given to any rank */
    const char *host;
    int attempts;
};

/* An option that affects the outputs. A run with another value cannot continue the journal. */
struct journal_option {
    const char *name;
    char value[512];
};

struct journal_header {
    const char *version;
    const char *libraries; /* names and versions: they can affect the outputs, too */
    const char *host;
    const struct journal_option *options;
    size_t option_count;
};

/* What a journal says about one source. */
struct journal_entry {
    uint64_t key[2];    /* 128-bit XXH3 of the source's name; 0, 0: free slot */
    int64_t size_bytes; /* negative: unknown */
    int64_t mtime_ns;
    uint64_t xxh3;
    enum journal_status status;
};

/* ---- Lines. Pure. ---- */

void journal_put_record(struct buf *out, const struct journal_record *record);
void journal_put_header(struct buf *out, const struct journal_header *header, int64_t now_s);

/* Whether an incomplete line can be the beginning of a header line that a killed run left. */
bool journal_begins_like_header(const char *line, size_t size);

/* Reads a line about an input, without its newline. False: it is not such a line. */
bool journal_read_entry(const char *line, size_t size, struct journal_entry *entry);

/* ---- Index: a hash table of the last entry about each source ---- */

struct journal_index {
    struct journal_entry *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t damaged; /* lines that could not be understood */
    uint64_t runs;    /* header lines */
};

/* Accepts a zero struct. */
void journal_index_release(struct journal_index *index);

/* NULL: the journal has no line about this source. */
const struct journal_entry *journal_index_find(const struct journal_index *index,
                                               const char *source);

/* Adds all complete lines of the file fd to the index. *valid is the size of the complete lines in
 * bytes; the rest of the file is an incomplete line, which the caller may remove. Fails if the file
 * does not begin with a header line or the beginning of one, unless it is empty. Also fails if an
 * option in a header line differs from `header`; the error names the option and both values. */
int journal_index_read(struct journal_index *index, const struct journal_header *header, int fd,
                       uint64_t *valid, struct mpp_error *error);

/* ---- The file ---- */

struct journal {
    pthread_mutex_t mutex;
    int fd;             /* -1: there is no journal; the other functions do nothing */
    struct buf pending; /* lines not written yet */
    uint64_t size;      /* of the file, in complete lines */
    bool unsynced;
    bool failed; /* writing failed once; nothing more is written */
};

enum journal_mode {
    JOURNAL_FRESH,  /* rename an existing journal to FILE.old, begin a new one */
    JOURNAL_RESUME, /* read an existing journal into *index, then add to it */
    JOURNAL_READ,   /* read an existing journal into *index, write nothing */
};

/* Opens and locks the journal. Blocks while an existing journal is read. Fails if another run is
 * writing the journal. JOURNAL_FRESH does not use *index. */
int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *index,
                 struct mpp_error *error);

/* May be called by several threads at once. -1: the journal cannot be written, now or since a
 * previous call; the file is then truncated to its complete lines, if possible. */
int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error);

/* Writes pending lines and waits until they are on disk. May be called by several threads. */
int journal_sync(struct journal *journal, struct mpp_error *error);

/* Syncs, unless writing failed before, and closes. */
int journal_close(struct journal *journal, struct mpp_error *error);

#endif
