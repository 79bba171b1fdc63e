/*
 * sniff: which format a file has, by its first bytes or by its name.
 *
 * Real collections hold PNGs called .JPEG, so readers are chosen by content; names only say what a
 * person wants written.
 */
#include "thumbnailer.h"

#include <string.h>
#include <strings.h>

enum image_format image_sniff(const void *bytes, size_t size)
{
    static const uint8_t jpeg[] = {0xFF, 0xD8, 0xFF}; /* SOI and the start of any marker */
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

    if (size >= sizeof(jpeg) && memcmp(bytes, jpeg, sizeof(jpeg)) == 0)
        return IMAGE_JPEG;
    if (size >= sizeof(png) && memcmp(bytes, png, sizeof(png)) == 0)
        return IMAGE_PNG;
    return IMAGE_UNKNOWN;
}

enum image_format image_format_of_name(const char *name)
{
    static const struct {
        const char *extension;
        enum image_format format;
    } known[] = {
        {"jpg", IMAGE_JPEG},  {"jpeg", IMAGE_JPEG}, {"jpe", IMAGE_JPEG},
        {"jfif", IMAGE_JPEG}, {"png", IMAGE_PNG},
    };
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *dot = strrchr(base, '.');

    if (dot == NULL || dot == base) /* ".png" is a hidden file without an extension */
        return IMAGE_UNKNOWN;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(dot + 1, known[i].extension) == 0)
            return known[i].format;
    }
    return IMAGE_UNKNOWN;
}
