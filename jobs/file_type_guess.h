/* looks_like: what a file that is neither JPEG nor PNG seems to be, for its error line. */
#ifndef FILE_TYPE_GUESS_H
#define FILE_TYPE_GUESS_H

#include <stddef.h>

#define LOOKS_LIKE_BYTES 32 /* of the file's start are enough */

/* "a GIF image" and the like; NULL: no idea. */
const char *file_type_guess(const void *bytes, size_t size);

#endif
