/* SPDX-License-Identifier: MIT */
/*
 * The table of image formats and the look-ups in it: see codec.h.
 */
#include "codec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define IMAGE_CODEC(name) &image_codec_##name,
static const struct image_codec *const codecs[] = {
#include "codec_list.def"
};
#undef IMAGE_CODEC

enum { CODECS = sizeof codecs / sizeof *codecs };

size_t image_codec_count(void)
{
    return CODECS;
}

const struct image_codec *image_codec_at(size_t index)
{
    return index < CODECS ? codecs[index] : NULL;
}

const struct image_codec *image_codec_by_content(const void *bytes, size_t size)
{
    for (size_t i = 0; i < CODECS; i++)
        if (codecs[i]->sniff(bytes, size))
            return codecs[i];
    return NULL;
}

static bool has_extension(const struct image_codec *codec, const char *extension)
{
    for (const char *const *known = codec->extensions; *known; known++)
        if (strcasecmp(extension, *known) == 0)
            return true;
    return false;
}

const struct image_codec *image_codec_by_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');

    if (!dot || dot == base) /* ".png" is a hidden file without an extension */
        return NULL;
    for (size_t i = 0; i < CODECS; i++)
        if (has_extension(codecs[i], dot))
            return codecs[i];
    return NULL;
}

const struct image_codec *image_codec_by_name(const char *name)
{
    for (size_t i = 0; i < CODECS; i++)
        if (strcmp(name, codecs[i]->name) == 0 || strcmp(name, codecs[i]->extensions[0] + 1) == 0)
            return codecs[i];
    return NULL;
}

unsigned image_codec_number(const struct image_codec *codec)
{
    for (unsigned i = 0; i < CODECS; i++)
        if (codecs[i] == codec)
            return i + 1;
    return 0;
}

const struct image_codec *image_codec_by_number(unsigned number)
{
    return number ? image_codec_at(number - 1) : NULL;
}

int image_codec_scale(const struct image_codec *codec, int eighths)
{
    while (eighths < 8 && !(codec->scales & (unsigned)eighths))
        eighths *= 2;
    return eighths;
}

/* ---- Lists for messages ---- */

static void append_word(char *text, size_t size, const char *separator, const char *word)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%s", used ? separator : "", word);
}

const char *image_codec_titles(char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < CODECS; i++)
        append_word(text, size, i + 1 < CODECS ? ", " : " or ", codecs[i]->title);
    return text;
}

const char *image_codec_names(const char *first, char *text, size_t size)
{
    snprintf(text, size, "%s", first ? first : "");
    for (size_t i = 0; i < CODECS; i++)
        append_word(text, size, i + 1 < CODECS ? ", " : " or ", codecs[i]->name);
    return text;
}
