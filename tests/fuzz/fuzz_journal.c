/* SPDX-License-Identifier: MIT */
/* Fuzz target: journals. Values that are read must lie within the file. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_target.h"
#include "journal.h"
#include "json.h"
#include "read_write_full.h"

/* Reads every member of an object, and of the objects within it. */
static void read_object(const char *text, size_t size, int depth)
{
    struct json_reader reader;
    struct json_value value;
    const char *name;
    int64_t number;
    json_reader_init(&reader, text, size);
    while (json_next(&reader, &name, &value)) {
        if (value.span < text || value.span + value.span_size > text + size)
            abort();
        json_int(&value, &number);
        if (value.kind == JSON_OBJECT && depth < 3)
            read_object(value.span, value.span_size, depth + 1);
    }
    json_reader_release(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct journal_option options[] = {{"--blur", "2"}};
    struct journal_header header = {.options = options, .option_count = 1};
    struct journal_index past = {0};
    struct mpp_error error;
    uint64_t valid;
    int fd = memfd_create("journal", MFD_CLOEXEC);
    if (fd < 0 || write_in_full(fd, data, size))
        abort();
    if (journal_index_read(&past, &header, fd, &valid, &error) == 0 &&
        (valid > size || (valid && data[valid - 1] != '\n') || past.count >= past.capacity + 1))
        abort();
    close(fd);
    journal_index_release(&past);
    read_object((const char *)data, size, 0);
    return 0;
}
