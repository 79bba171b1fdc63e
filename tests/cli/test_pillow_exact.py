#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""--exact gives exactly Pillow's pixels for images that Pillow loads as RGB, L, RGBA or LA."""
import pathlib
import struct
import sys
import zlib

import PIL
from PIL import Image, ImageChops

from harness import equal, main, picture

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "corpus"))
from compare import pillow  # noqa: E402

SETTINGS = [(blur, box) for blur in (0, 0.4, 2, 11.5) for box in ((50, 50), (128, 96), (1000, 1000))]


def same_as_pillow(sandbox, *names):
    """All settings give Pillow's pixels for these images."""
    for blur, box in SETTINGS:
        outcome = sandbox.run("--exact", "--quiet", "-f", "png", "-b", str(blur), "-s", f"{box[0]}x{box[1]}", *names)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        for name in names:
            what = f"{name}, blur {blur}, box {box}"
            theirs = pillow(sandbox.path(name), True, blur, box)
            with Image.open(sandbox.path("thumbs/" + pathlib.Path(name).stem + ".png")) as image:
                ours = image.convert("RGBA")
            equal(ours.size, theirs.size, what)
            equal(ours.tobytes(), theirs.tobytes(), f"{what}: {ImageChops.difference(ours, theirs).getextrema()}")


def case_jpeg(sandbox):
    sandbox.image("color.jpg", (1003, 671))
    sandbox.image("gray.jpg", (640, 481), "L")
    sandbox.image("progressive.jpg", (500, 333), progressive=True)
    sandbox.image("large.jpg", (1703, 1200), progressive=True)  # Pillow decodes it at 1/8 of its size
    sandbox.image("small.jpg", (40, 30))
    same_as_pillow(sandbox, "color.jpg", "gray.jpg", "progressive.jpg", "large.jpg", "small.jpg")


def case_png(sandbox):
    for mode in ("RGB", "L"):
        sandbox.image(f"{mode}.png", (333, 517), mode)
    same_as_pillow(sandbox, "RGB.png", "L.png")


def case_alpha(sandbox):
    for mode in ("RGBA", "LA"):
        image = picture((300, 211), "RGB").convert(mode)
        image.putalpha(picture((300, 211), "L", seed=1))
        image.save(sandbox.path(f"{mode}.png"))
    same_as_pillow(sandbox, "RGBA.png", "LA.png")


def case_odd_shapes(sandbox):
    shapes = ((1, 1), (1, 400), (700, 1), (3, 900), (51, 50), (100, 100), (101, 203), (2000, 7))
    names = [f"{width}x{height}.png" for width, height in shapes]
    for name, shape in zip(names, shapes):
        sandbox.image(name, shape)
    same_as_pillow(sandbox, *names)


def case_orientation(sandbox):
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        sandbox.image(f"{orientation}.jpg", (211, 97), exif=exif.tobytes())
    same_as_pillow(sandbox, *(f"{orientation}.jpg" for orientation in range(1, 9)))


def png(width, height, depth, color, rows, extra=b""):
    """A PNG file with the given rows, for formats that Pillow does not write."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def case_sixteen_bits(sandbox):
    for name, color, channels in (("rgb", 2, 3), ("rgba", 6, 4), ("la", 4, 2)):
        rows = [b"".join(struct.pack(">H", (x * 523 + y * 977 + c * 7919) % 65536) for x in range(120)
                         for c in range(channels)) for y in range(90)]
        sandbox.write(f"{name}.png", png(120, 90, 16, color, rows))
    same_as_pillow(sandbox, "rgb.png", "rgba.png", "la.png")


def case_transparent_colour(sandbox):
    rows = [bytes((x * 2 + c * 40) % 256 for x in range(120) for c in range(3)) for _ in range(90)]
    trns = struct.pack(">I", 6) + b"tRNS" + struct.pack(">HHH", 0, 40, 80)
    sandbox.write("rgb.png", png(120, 90, 8, 2, rows, trns + struct.pack(">I", zlib.crc32(trns[4:]))))
    same_as_pillow(sandbox, "rgb.png")


def case_transparency_on_white_in_jpeg(sandbox):
    image = Image.new("RGBA", (200, 200), (255, 0, 0, 128))
    image.save(sandbox.path("half.png"))
    equal(sandbox.run("--exact", "-f", "jpeg", "half.png").exit, 0)
    with Image.open(sandbox.path("thumbs/half.jpg")) as thumbnail:
        red, green, blue = thumbnail.convert("RGB").getpixel((25, 25))
    assert red > 250 and abs(green - 127) < 4 and abs(blue - 127) < 4, (red, green, blue)


if not PIL.__version__.startswith("9.4."):
    print(f"skipped: --exact is compared with Pillow 9.4, but this is Pillow {PIL.__version__}")
    sys.exit(77)
main(globals())
