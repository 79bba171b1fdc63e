/* SPDX-License-Identifier: MIT */
/*
 * thumbnailer: makes a thumbnail of one image. Input and output are the bytes of image files.
 *
 * It opens no files and starts no processes. A thumbnailer keeps decoders, encoders and filter
 * tables from one image to the next, so a process should use one thumbnailer for all its images. It
 * must not be used by two threads at a time.
 *
 *     struct thumbnailer *thumbnailer = thumbnailer_new();
 *     struct byte_source source = {.bytes = file, .size = file_size};
 *     if (thumbnailer_run(thumbnailer, &source, &options, &out, &info, &error))
 *         ... error.text ...
 *
 * The result is that of Pillow's open, ImageOps.exif_transpose, GaussianBlur(blur_sigma),
 * thumbnail(box) and save: with `exact` the same pixels, otherwise a picture that looks the same.
 */
#ifndef THUMBNAILER_H
#define THUMBNAILER_H

#include "buf.h"
#include "byte_source.h"
#include "mpp_error.h"
#include "thumbnail_info.h"
#include "thumbnail_options.h"

struct thumbnailer;

struct thumbnailer *thumbnailer_new(void); /* NULL: out of memory */
void thumbnailer_free(struct thumbnailer *thumbnailer);

/* Appends the encoded thumbnail to `out` and fills `info`. The source must be in memory unless its
 * codec `streams`. Memory that grows with the picture is allocated only after the size in the
 * header has been checked.
 *
 * -1: the image cannot be used; the contents of `out` are then unchanged. `error` says why in a few
 * words that can follow "mpthumb: 'FILE': ", for example "truncated JPEG after row 120 of 480". */
int thumbnailer_run(struct thumbnailer *thumbnailer, const struct byte_source *source,
                    const struct thumbnail_options *options, struct buf *out,
                    struct thumbnail_info *info, struct mpp_error *error);

#endif
