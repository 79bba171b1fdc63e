#!/usr/bin/python3
"""The program that one would write instead of using mpthumb: Pillow in a ProcessPoolExecutor.

    pillow_pool.py IMAGES THUMBS [WORKERS]
"""
import concurrent.futures
import os
import sys

from PIL import Image, ImageFilter

BLUR = ImageFilter.GaussianBlur(2)


def make_thumbnail(source, target):
    image = Image.open(source)
    if image.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGB")
    image = image.filter(BLUR)
    image.thumbnail((50, 50))
    if target.lower().endswith(".png"):
        image.save(target)
    else:
        image.save(target, "JPEG", quality=75)


def main(images, thumbs, workers=os.cpu_count()):
    os.makedirs(thumbs, exist_ok=True)
    names = sorted(os.listdir(images))
    with concurrent.futures.ProcessPoolExecutor(int(workers)) as pool:
        list(pool.map(make_thumbnail, [os.path.join(images, name) for name in names],
                      [os.path.join(thumbs, name) for name in names], chunksize=4))


if __name__ == "__main__":
    main(*sys.argv[1:])
