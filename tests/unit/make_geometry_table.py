#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints geometry_table.h: thumbnail sizes as Pillow's own Image.thumbnail decides them.

    /usr/bin/python3 tests/unit/make_geometry_table.py > tests/unit/geometry_table.h

The table was made with Pillow 9.4. Image.thumbnail runs on a stand-in that has a size and no pixels, so that
sides may be of any length.
"""
import PIL
from PIL import Image


class Sized:
    """What Image.thumbnail needs of an image to choose a size."""

    mode = "L"
    im = None

    def __init__(self, width, height):
        self.width, self.height = self._size = width, height

    @property
    def size(self):
        return self._size

    def draft(self, mode, size):
        return None

    def load(self):
        pass

    def resize(self, size, resample, box=None, reducing_gap=None):
        result = Sized(*size)
        result.im = result
        return result


def thumbnail_size(width, height, box):
    image = Sized(width, height)
    Image.Image.thumbnail(image, box)
    return image.size


SOURCES = [
    (1, 1), (1, 2), (2, 1), (1, 50), (1, 51), (51, 1), (1, 1000), (1000, 1), (3, 1000), (1000, 3),
    (49, 49), (50, 50), (51, 51), (50, 51), (51, 50), (49, 51), (500, 375), (375, 500), (500, 333),
    (333, 500), (500, 334), (640, 480), (768, 512), (1920, 1080), (4000, 3000), (5472, 3648), (65500, 1),
    (1, 65500), (65500, 65500), (1000000, 268), (997, 991), (101, 99), (99, 101), (151, 75),
]
BOXES = [(50, 50), (128, 128), (200, 100), (1, 1), (7, 300), (33, 32), (100000, 100000)]

if __name__ == "__main__":
    print("/* SPDX-License-Identifier: MIT */")
    print("/* Thumbnail sizes of Pillow %s; made by make_geometry_table.py. */" % PIL.__version__)
    print("/* source, box, thumbnail: width, height */")
    print("/* clang-format off */")
    for source in SOURCES:
        for box in BOXES:
            print("{{%d, %d}, {%d, %d}, {%d, %d}}," % (source + box + thumbnail_size(*source, box)))
