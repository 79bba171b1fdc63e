/*
 * journal: what has become of each input, on disk, so that a run that was stopped can be taken up.
 *
 * A text file, one JSON object a line. The first line of each run tells version, options, host and
 * time; each other one is an input that has come to its end:
 *
 *     {"source":"a/1.jpg","size":102400,"mtime":1700000000.123456789,"output":"1.jpg","width":50,
 *      "height":38,"status":"done","error":null,"ms":1.234,"rank":3,"host":"n1","attempts":1,
 *      "xxh3":"00112233aabbccdd"}
 *
 * The last line about a source counts. Lines are written in batches and synced when the caller
 * says; a line that was cut off, at the end of the file, is dropped by the next run. One run at a
 * time writes a journal (a lock on the file; where the file system has no locks, that is not
 * guarded).
 *
 * Memory of a journal that is taken up: 64 to 128 bytes a source.
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

struct journal_record {
    const char *source;
    int64_t size_bytes; /* of the source; negative: not known, and so is mtime_ns */
    int64_t mtime_ns;   /* since 1970 */
    const char *output; /* NULL: none, and so for the next three */
    int width_px, height_px;
    uint64_t xxh3; /* of the output: XXH3, 64 bits */
    enum journal_status status;
    const char *error; /* NULL: none */
    double run_s;
    int rank; /* -1: it came to no rank */
    const char *host;
    int attempts;
};

struct journal_option {
    const char *name;
    char value[512];
};

struct journal_header {
    const char *version;
    const char *libraries; /* and what else may tell one build from another */
    const char *host;
    const struct journal_option *options; /* those that decide on outputs; others are refused */
    size_t option_count;
};

/* What a journal says of a source. */
struct journal_entry {
    uint64_t key[2];    /* XXH3 of the name, 128 bits; 0, 0: none */
    int64_t size_bytes; /* negative: not known */
    int64_t mtime_ns;
    uint64_t xxh3;
    enum journal_status status;
};

/* One line, and a line taken apart; pure. A record's texts lie in the line's reader (`scratch`,
 * released by the caller) until the next call. False: no record. */
void journal_put_record(struct buf *out, const struct journal_record *record);
void journal_put_header(struct buf *out, const struct journal_header *header, int64_t now_s);
bool journal_read_entry(const char *line, size_t size, struct journal_entry *entry);

/* All that a journal says. */
struct journal_index {
    struct journal_entry *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t damaged; /* lines that make no sense */
    uint64_t runs;    /* so many wrote it */
};

void journal_index_release(struct journal_index *past);
const struct journal_entry *journal_index_find(const struct journal_index *past,
                                               const char *source);

/* Takes in the text of a journal, whole lines. A header with other options is refused with the
 * difference named. *valid is set to the size up to which the text is to be kept. */
int journal_index_read(struct journal_index *past, const struct journal_header *header, int fd,
                       uint64_t *valid, struct mpp_error *error);

struct journal {
    pthread_mutex_t mutex;
    int fd; /* -1: none */
    struct buf pending;
    uint64_t size; /* of what is on disk in whole lines */
    bool unsynced;
    bool failed; /* nothing more is written */
};

enum journal_mode {
    JOURNAL_FRESH,  /* what is there is set aside as FILE.old */
    JOURNAL_RESUME, /* what is there is read into *past and added to */
    JOURNAL_READ,   /* the same, and nothing is written */
};

/* Refuses a journal that another run is writing. Blocks for the reading. */
int journal_open(struct journal *journal, const char *path, enum journal_mode mode,
                 const struct journal_header *header, struct journal_index *past,
                 struct mpp_error *error);

/* From any thread. -1: it could not be written, now or earlier; what the file has is whole. */
int journal_append(struct journal *journal, const struct journal_record *record,
                   struct mpp_error *error);
int journal_sync(struct journal *journal, struct mpp_error *error);  /* blocks for the disk */
int journal_close(struct journal *journal, struct mpp_error *error); /* syncs; none is fine */

#endif
