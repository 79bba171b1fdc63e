/* SPDX-License-Identifier: MIT */
/* Signatures of files that are not supported: see file_type_guess.h. */
#include "file_type_guess.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct signature {
    size_t offset;
    const char *bytes;
    size_t size;
    const char *name;
};

#define AT(offset, bytes, name)                                                                    \
    {                                                                                              \
        offset, bytes, sizeof bytes - 1, name                                                      \
    }

static const struct signature signatures[] = {
    /* IHDR at its place, or moved by one byte when line ends were converted in a transfer. */
    AT(12, "IHDR", "a PNG image whose signature is damaged"),
    AT(11, "IHDR", "a PNG image whose signature is damaged"),
    AT(13, "IHDR", "a PNG image whose signature is damaged"),
    AT(0, "GIF8", "a GIF image"),
    AT(8, "WEBP", "a WebP image"),
    AT(0, "II*\0", "a TIFF image or a camera's raw file"),
    AT(0, "MM\0*", "a TIFF image or a camera's raw file"),
    AT(0, "BM", "a BMP image"),
    AT(4, "ftypavif", "an AVIF image"),
    AT(4, "ftyphei", "a HEIF image"),
    AT(4, "ftyphev", "a HEIF image"),
    AT(4, "ftypmif1", "a HEIF image"),
    AT(4, "ftyp", "a video"),
    AT(0, "\xFF\x0A", "a JPEG XL image"),
    AT(0, "\0\0\0\x0CJXL ", "a JPEG XL image"),
    AT(0, "\0\0\0\x0CjP  ", "a JPEG 2000 image"),
    AT(0, "8BPS", "a Photoshop file"),
    AT(0, "%PDF", "a PDF file"),
    AT(0, "PK\x03\x04", "a ZIP archive"),
    AT(0, "\x1F\x8B", "gzip data"),
    AT(0, "version https://git-lfs", "a Git LFS pointer, the file itself was not fetched"),
};

static bool starts_as_text(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((bytes[i] < 0x20 && !strchr("\t\n\r\f", bytes[i])) || bytes[i] == 0x7f || !bytes[i])
            return false;
    return size > 0;
}

const char *file_type_guess(const void *bytes, size_t size)
{
    const uint8_t *start = bytes;
    if (size > FILE_TYPE_GUESS_BYTES)
        size = FILE_TYPE_GUESS_BYTES;
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *signature = &signatures[i];
        if (signature->offset + signature->size <= size &&
            memcmp(start + signature->offset, signature->bytes, signature->size) == 0)
            return signature->name;
    }
    if (!starts_as_text(start, size))
        return NULL;
    const char *text = bytes;
    if (text[0] == '<' && size >= 5)
        return strncasecmp(text, "<svg", 4) == 0 ? "an SVG image" : "HTML or XML";
    return "text";
}
