#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The options for thumbnails, on ordinary images: --fit, --enlarge, --background, --optimize, --progressive and
--max-pixels; and MPTHUMB_SIMD, which changes no byte."""
import os

from PIL import Image, ImageFilter, ImageOps

from harness import equal, main, picture
from thumbnail_checks import assert_close, shrunk, succeeds, thumb


def case_fit_and_enlarge(sandbox):
    image = picture((400, 300))
    image.save(sandbox.path("large.png"))
    small = picture((40, 20))
    small.save(sandbox.path("small.png"))
    blurred = image.filter(ImageFilter.GaussianBlur(2))
    wanted = {
        ("large", "cover"): ImageOps.fit(blurred, (60, 40), Image.Resampling.BICUBIC),
        ("large", "fill"): blurred.resize((60, 40), Image.Resampling.BICUBIC),
        ("large", "inside"): blurred.resize((53, 40), Image.Resampling.BICUBIC),
    }
    for (name, fit), reference in wanted.items():
        succeeds(sandbox, "-s", "60x40", "--fit", fit, name + ".png")
        assert_close(thumb(sandbox, name + ".png"), reference, 8, fit)
    for options, size in ((["--fit", "cover"], (30, 20)), (["--fit", "fill"], (40, 20)), ([], (40, 20)),
                          (["--enlarge"], (60, 30)), (["--enlarge", "--fit", "cover"], (60, 40)),
                          (["--enlarge", "--fit", "fill"], (60, 40))):
        succeeds(sandbox, "-s", "60x40", *options, "small.png")
        equal(sandbox.size("thumbs/small.png"), size, options)
    succeeds(sandbox, "-s", "60x60", "-b", "0", "--enlarge", "small.png")
    assert_close(thumb(sandbox, "small.png"), small.resize((60, 30), Image.Resampling.BICUBIC), 2)


def case_cover_of_turned_pictures(sandbox):
    """The same part is cropped for all orientations of the stored image."""
    image = picture((90, 240))
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        undone = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
                  4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
                  7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}[orientation]
        stored = image.transpose(undone) if undone is not None else image
        stored.save(sandbox.path(f"{orientation}.png"), exif=exif)
    names = [f"{orientation}.png" for orientation in range(1, 9)]
    for exact in ([], ["--exact"]):
        succeeds(sandbox, *exact, "-s", "50x31", "--fit", "cover", *names)
        left = thumb(sandbox, "1.png")
        for name in names:
            assert_close(thumb(sandbox, name), left, 0 if exact else 1, name)
        top = (240 - 56) // 2
        region = image.filter(ImageFilter.GaussianBlur(2)).crop((0, top, 90, top + 56))
        assert_close(left, region.resize((50, 31), Image.Resampling.BICUBIC), 8)


def case_background(sandbox):
    for mode, gray in (("RGBA", False), ("LA", True)):
        image = picture((200, 200), "L" if gray else "RGB").convert(mode)
        image.putalpha(100)
        image.save(sandbox.path(f"{mode}.png"))
        for background in ((255, 0, 0), (255, 255, 255), (90, 90, 90)):
            name = "%02x%02X%02x" % background
            succeeds(sandbox, "-f", "jpeg", "-q", "100", "--background", name, f"{mode}.png")
            ours = thumb(sandbox, f"{mode}.jpg")
            is_gray = len(set(background)) == 1
            equal(ours.mode, "L" if gray and is_gray else "RGB")
            below = Image.new("RGBA", image.size, background + (255,))
            wanted = shrunk(Image.alpha_composite(below, image.convert("RGBA")).convert("RGB"))
            assert_close(ours.convert("RGB"), wanted, 12, name)
    succeeds(sandbox, "-f", "jpeg", "--background", "black", "RGBA.png")
    outcome = sandbox.run("--background", "reddish", "RGBA.png")
    equal((outcome.exit, len(outcome.about("--background takes"))), (2, 1), outcome)


def case_progressive_and_optimize(sandbox):
    sandbox.image("a.jpg", (800, 600))
    sandbox.image("b.png", (800, 600))
    succeeds(sandbox, "-s", "400", "a.jpg", "b.png", "-o", "thumbs")
    plain = {name: sandbox.path("thumbs/" + name).stat().st_size for name in ("a.jpg", "b.png")}
    pixels = {name: thumb(sandbox, name).tobytes() for name in plain}
    assert not thumb(sandbox, "a.jpg").info.get("progressive")
    succeeds(sandbox, "-s", "400", "--optimize", "a.jpg", "b.png")
    for name in plain:
        assert sandbox.path("thumbs/" + name).stat().st_size < plain[name], name
        equal(thumb(sandbox, name).tobytes(), pixels[name], name)
    succeeds(sandbox, "-s", "400", "--progressive", "a.jpg")
    assert thumb(sandbox, "a.jpg").info.get("progressive")
    equal(thumb(sandbox, "a.jpg").tobytes(), pixels["a.jpg"])


def case_same_bytes_with_all_vector_instructions(sandbox):
    for name, options in (("a.jpg", {"size": (700, 500)}), ("b.png", {"size": (333, 217)}), ("c.jpg", {"mode": "L"}),
                          ("d.jpg", {"size": (2000, 1500), "progressive": True})):
        sandbox.image(name, **options)
    for mode in ("RGBA", "LA", "L"):
        image = picture((300, 211), "RGB").convert(mode)
        if "A" in mode:
            image.putalpha(picture((300, 211), "L", seed=1))
        image.save(sandbox.path(f"{mode}.png"))
    names = ["a.jpg", "b.png", "c.jpg", "d.jpg", "RGBA.png", "LA.png", "L.png"]
    trees = {}
    for level in ("base", "best"):
        os.environ["MPTHUMB_SIMD"] = level
        if level == "base":
            os.environ["JSIMD_FORCESSE2"] = "1"
        for exact in ((), ("--exact",)):
            succeeds(sandbox, *exact, *names, "-o", level + "".join(exact))
            trees.setdefault(exact, []).append(sandbox.tree(level + "".join(exact)))
        os.environ.pop("MPTHUMB_SIMD")
        os.environ.pop("JSIMD_FORCESSE2", None)
    for exact, (base, best) in trees.items():
        equal(base, best, exact)
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as stream:
        if " avx2 " not in stream.read():
            print("skipped: AVX2, which this machine does not have")


def case_max_pixels(sandbox):
    sandbox.image("a.png", (300, 200))
    sandbox.image("b.jpg", (300, 200))
    outcome = sandbox.run("--max-pixels", "59999", "a.png", "b.jpg")
    equal((outcome.exit, len(outcome.about("300 x 200 pixels are more than the limit of 59999"))), (1, 2), outcome)
    succeeds(sandbox, "--max-pixels", "60000", "a.png", "b.jpg")


main(globals())
