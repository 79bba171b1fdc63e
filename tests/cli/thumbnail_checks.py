# SPDX-License-Identifier: MIT
"""Reads thumbnails that mpthumb has made, and compares their pixels with Pillow's."""
from PIL import Image, ImageChops, ImageFilter

from harness import equal


def thumb(sandbox, name):
    with Image.open(sandbox.path("thumbs/" + name)) as image:
        image.load()
        return image


def succeeds(sandbox, *arguments):
    """Runs mpthumb; everything must succeed."""
    outcome = sandbox.run("--quiet", *arguments)
    equal((outcome.exit, outcome.out, outcome.err), (0, "", ""), outcome)


def assert_close(ours, theirs, most, what=""):
    """No sample of the two images differs by more than `most`."""
    equal((ours.size, ours.mode), (theirs.size, theirs.mode), what)
    extremes = ImageChops.difference(ours, theirs).getextrema()
    worst = max(high for _, high in (extremes if isinstance(extremes[0], tuple) else [extremes]))
    assert worst <= most, f"{what}: differs by {worst}, more than {most}"


def shrunk(image, blur=2, box=(50, 50)):
    image = image.filter(ImageFilter.GaussianBlur(blur)) if blur else image
    image.thumbnail(box, reducing_gap=2.0)
    return image
