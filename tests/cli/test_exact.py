#!/usr/bin/python3
"""--exact gives the pixels that Pillow gives, for whatever Pillow loads as RGB, L, RGBA or LA."""
import pathlib
import struct
import sys
import zlib

import PIL
from PIL import Image, ImageChops

from harness import equal, main, picture

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "corpus"))
from compare import pillow  # noqa: E402

WAYS = [(blur, box) for blur in (0, 0.4, 2, 11.5) for box in ((50, 50), (128, 96), (1000, 1000))]


def same(scene, *names):
    """Every way to make thumbnails of these images gives Pillow's pixels."""
    for blur, box in WAYS:
        outcome = scene.run("--exact", "--quiet", "-f", "png", "-b", str(blur), "-s", f"{box[0]}x{box[1]}", *names)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        for name in names:
            what = f"{name}, blur {blur}, box {box}"
            theirs = pillow(scene.path(name), True, blur, box)
            with Image.open(scene.path("thumbs/" + pathlib.Path(name).stem + ".png")) as image:
                ours = image.convert("RGBA")
            equal(ours.size, theirs.size, what)
            equal(ours.tobytes(), theirs.tobytes(), f"{what}: {ImageChops.difference(ours, theirs).getextrema()}")


def case_jpeg(scene):
    scene.image("color.jpg", (1003, 671))
    scene.image("gray.jpg", (640, 481), "L")
    scene.image("progressive.jpg", (500, 333), progressive=True)
    scene.image("large.jpg", (1703, 1200), progressive=True)  # which Pillow decodes at an eighth
    scene.image("small.jpg", (40, 30))
    same(scene, "color.jpg", "gray.jpg", "progressive.jpg", "large.jpg", "small.jpg")


def case_png(scene):
    for mode in ("RGB", "L"):
        scene.image(f"{mode}.png", (333, 517), mode)
    same(scene, "RGB.png", "L.png")


def case_alpha(scene):
    for mode in ("RGBA", "LA"):
        image = picture((300, 211), "RGB").convert(mode)
        image.putalpha(picture((300, 211), "L", seed=1))
        image.save(scene.path(f"{mode}.png"))
    same(scene, "RGBA.png", "LA.png")


def case_odd_shapes(scene):
    shapes = ((1, 1), (1, 400), (700, 1), (3, 900), (51, 50), (100, 100), (101, 203), (2000, 7))
    names = [f"{width}x{height}.png" for width, height in shapes]
    for name, shape in zip(names, shapes):
        scene.image(name, shape)
    same(scene, *names)


def case_orientation(scene):
    exif = Image.Exif()
    for orientation in range(1, 9):
        exif[0x0112] = orientation
        scene.image(f"{orientation}.jpg", (211, 97), exif=exif.tobytes())
    same(scene, *(f"{orientation}.jpg" for orientation in range(1, 9)))


def png(width, height, depth, color, rows, extra=b""):
    """A PNG whose rows are given, in a form that Pillow does not write."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def case_sixteen_bits(scene):
    for name, color, channels in (("rgb", 2, 3), ("rgba", 6, 4), ("la", 4, 2)):
        rows = [b"".join(struct.pack(">H", (x * 523 + y * 977 + c * 7919) % 65536) for x in range(120)
                         for c in range(channels)) for y in range(90)]
        scene.write(f"{name}.png", png(120, 90, 16, color, rows))
    same(scene, "rgb.png", "rgba.png", "la.png")


def case_transparent_colour(scene):
    rows = [bytes((x * 2 + c * 40) % 256 for x in range(120) for c in range(3)) for _ in range(90)]
    trns = struct.pack(">I", 6) + b"tRNS" + struct.pack(">HHH", 0, 40, 80)
    scene.write("rgb.png", png(120, 90, 8, 2, rows, trns + struct.pack(">I", zlib.crc32(trns[4:]))))
    same(scene, "rgb.png")


def case_transparency_on_white_in_jpeg(scene):
    image = Image.new("RGBA", (200, 200), (255, 0, 0, 128))
    image.save(scene.path("half.png"))
    equal(scene.run("--exact", "-f", "jpeg", "half.png").exit, 0)
    with Image.open(scene.path("thumbs/half.jpg")) as thumbnail:
        red, green, blue = thumbnail.convert("RGB").getpixel((25, 25))
    assert red > 250 and abs(green - 127) < 4 and abs(blue - 127) < 4, (red, green, blue)


if not PIL.__version__.startswith("9.4."):
    print(f"left out: --exact is Pillow 9.4, and here is {PIL.__version__}")
    sys.exit(77)
main(globals())
