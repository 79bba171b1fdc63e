#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The program that one would write without mpthumb: Pillow in a ProcessPoolExecutor.

    pillow_pool.py IMAGES THUMBS [WORKERS [BLUR]]

With a blur of 0 it does less work: JPEGs are then decoded at a smaller scale.
"""
import concurrent.futures
import functools
import os
import sys

from PIL import Image, ImageFilter


def make_thumbnail(blur, source, target):
    image = Image.open(source)
    if blur:
        if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
            image = image.convert("RGB")
        image = image.filter(ImageFilter.GaussianBlur(blur))
    image.thumbnail((50, 50))
    if target.lower().endswith(".png"):
        image.save(target)
    else:
        image.save(target, "JPEG", quality=75)


def main(images, thumbs, workers=os.cpu_count(), blur=2):
    os.makedirs(thumbs, exist_ok=True)
    names = sorted(os.listdir(images))
    with concurrent.futures.ProcessPoolExecutor(int(workers)) as pool:
        list(pool.map(functools.partial(make_thumbnail, float(blur)), [os.path.join(images, name) for name in names],
                      [os.path.join(thumbs, name) for name in names], chunksize=4))


if __name__ == "__main__":
    main(*sys.argv[1:])
