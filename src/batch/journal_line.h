/* SPDX-License-Identifier: MIT */
/*
 * journal_line: the lines of a journal, written to a buffer and read from memory. Pure.
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
 */
#ifndef JOURNAL_LINE_H
#define JOURNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

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

void journal_put_record(struct buf *out, const struct journal_record *record);
void journal_put_header(struct buf *out, const struct journal_header *header, int64_t now_s);

/* Whether an incomplete line can be the beginning of a header line that a killed run left. */
bool journal_begins_like_header(const char *line, size_t size);

/* Reads a line about an input, without its newline. False: it is not such a line. */
bool journal_read_entry(const char *line, size_t size, struct journal_entry *entry);

#endif
