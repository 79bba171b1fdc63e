/* SPDX-License-Identifier: MIT */
/*
 * codec: an image format as the thumbnailer sees it: how to recognise, decode and encode it.
 *
 * Each format is a `struct image_codec`: properties and functions, defined in a file of its own in
 * codecs/ and listed in codec_list.def. Code outside codecs/ never asks which format it has. It
 * asks for a property (streams, scales, holds_alpha) or calls a function. A format is passed around
 * as a pointer to its codec; NULL means an unknown format, or, where a caller chooses the output
 * format, the same format as the source. docs/adding-a-codec.md tells how to add one.
 *
 * A decoder serves many images, one after the other, in this order:
 *
 *     decoder_new
 *         open         reads the header; allocates nothing that grows with the picture
 *         start        begins to decode at a scale
 *         read_row     once for each row, from the top
 *         finish       checks what follows the last row
 *         close        ends this image; also after a failure of any call above
 *     decoder_free
 *
 * Functions that take an error return 0, or -1 with the error filled. Its text is a few words that
 * can follow "mpthumb: 'FILE': ", for example "truncated JPEG after row 120 of 480". A decoder or
 * encoder must not be used by two threads at a time; different ones may be.
 */
#ifndef CODEC_H
#define CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "byte_source.h"
#include "mpp_error.h"

/* What a file's header says about its picture. */
struct image_header {
    int width_px, height_px; /* at least 1; as stored, before the orientation is applied */
    int channels;            /* one byte each: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA or CMYK */
    bool alpha;              /* the last channel is alpha, not premultiplied */
    bool cmyk;               /* the channels are cyan, magenta, yellow, black */
    bool inverted;           /* CMYK: 255 means no ink */
    int orientation;         /* EXIF, 1 to 8; 1 if the file has none */
    const void *profile;     /* ICC; NULL: none. Owned by the decoder, valid until close */
    size_t profile_size;
};

/* Flags: how to decode. */
enum image_decode_mode {
    IMAGE_DECODE_EXACT = 1,          /* the pixels that Pillow decodes; no faster approximations */
    IMAGE_DECODE_KEEP_TRUNCATED = 2, /* fill rows that are cut off, and count a warning */
};

/* Pixels in memory: 8 bits a channel, rows without gaps. */
struct image_pixels {
    const uint8_t *bytes;
    int width_px, height_px;
    int channels; /* as in struct image_header; never CMYK */
};

/* How to encode. A codec ignores settings that its format does not have. */
struct image_encoding {
    int quality;         /* of lossy formats, 1 to 100 */
    bool progressive;    /* the file can be displayed coarsely before it is complete */
    bool optimize;       /* smaller output, made more slowly */
    const void *profile; /* ICC, to be embedded; NULL: none */
    size_t profile_size;
};

/* All members are required, except where a comment says that NULL is allowed. */
struct image_codec {
    const char *name;              /* as in --format, lower case: "jpeg" */
    const char *title;             /* as in messages: "JPEG" */
    const char *const *extensions; /* of file names, lower case, with the dot; NULL ends the
                                      list. New files get the first one. */
    bool streams;                  /* open accepts a source that is not in memory (byte_source.h) */
    unsigned scales;  /* that start accepts, in eighths: 8, and any of 1, 2 and 4, combined by | */
    bool holds_alpha; /* encode accepts 2 and 4 channels, otherwise only 1 and 3 */

    /* Whether a file that begins with these bytes has this format. `size` is
     * IMAGE_CODEC_SNIFF_BYTES, or less if the file is shorter. */
    bool (*sniff)(const uint8_t *bytes, size_t size);

    void *(*decoder_new)(void); /* NULL: out of memory */
    void (*decoder_free)(void *decoder);

    /* `source` must stay valid until close. `mode`: flags of enum image_decode_mode. */
    int (*open)(void *decoder, const struct byte_source *source, unsigned mode,
                struct image_header *header, struct mpp_error *error);

    /* The decoded picture has ceil(width_px * eighths / 8) x ceil(height_px * eighths / 8) pixels.
     * `eighths` is one of `scales`. With IMAGE_DECODE_EXACT a smaller scale must give what Pillow's
     * Image.draft gives at that scale. */
    int (*start)(void *decoder, int eighths, struct mpp_error *error);

    /* Writes one row: the scaled width times `channels` bytes. */
    int (*read_row)(void *decoder, uint8_t *row, struct mpp_error *error);

    int (*finish)(void *decoder, struct mpp_error *error);

    /* The number of defects since open that the decoder worked around. Call it before close. */
    int (*warnings)(const void *decoder);

    void (*close)(void *decoder);

    /* Both may be NULL: then encode needs no state and is called with `encoder` NULL. */
    void *(*encoder_new)(void); /* NULL: out of memory */
    void (*encoder_free)(void *encoder);

    /* Appends a complete file to `out`. After a failure `out` may hold a part of it. */
    int (*encode)(void *encoder, const struct image_pixels *pixels,
                  const struct image_encoding *encoding, struct buf *out, struct mpp_error *error);
};

/* Declares every codec: image_codec_jpeg and so on. */
#define IMAGE_CODEC(name) extern const struct image_codec image_codec_##name;
#include "codec_list.def"
#undef IMAGE_CODEC

#define IMAGE_CODEC_SNIFF_BYTES 16

size_t image_codec_count(void);

/* All codecs, by index from 0; NULL where the index is too large. */
const struct image_codec *image_codec_at(size_t index);

/* By the first bytes of a file. NULL: unknown. Decoders are chosen by content, because real
 * collections contain PNGs that are named .jpeg. A file's name only says which format to write. */
const struct image_codec *image_codec_by_content(const void *bytes, size_t size);

/* By the extension of a file's name or path, in upper or lower case. NULL: it has no extension of a
 * known format. */
const struct image_codec *image_codec_by_file_name(const char *path);

/* By the name of the format, or by the extension of its new files without the dot: "jpeg", "jpg",
 * "png". NULL: there is no such format. */
const struct image_codec *image_codec_by_name(const char *name);

/* A number for each codec, from 1 to image_codec_count(), and 0 for NULL, for messages to other
 * processes of the same build. By a larger number no codec is found: NULL. */
unsigned image_codec_number(const struct image_codec *codec);
const struct image_codec *image_codec_by_number(unsigned number);

/* The smallest scale in eighths that the codec can decode at and that is not below `eighths` (1, 2,
 * 4 or 8). */
int image_codec_scale(const struct image_codec *codec, int eighths);

/* Write a list of all formats into `text`, cut to `size` bytes, and return `text`. Titles:
 * "JPEG or PNG". Names: "jpeg or png", or with `first` "same" "same, jpeg or png". */
const char *image_codec_titles(char *text, size_t size);
const char *image_codec_names(const char *first, char *text, size_t size);

#endif
