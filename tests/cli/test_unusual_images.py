#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Unusual images as they occur in real collections: colour profiles, CMYK, 16 bits, damage, extreme shapes."""
import io
import os
import struct
import zlib

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps

from harness import equal, main, picture
from thumbnail_checks import assert_close, shrunk, succeeds, thumb


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(png, kind, data):
    """The PNG with one more chunk after its header."""
    return png[:33] + chunk(kind, data) + png[33:]


# ---- Colour profiles ----

def profile(columns, gamma, space=b"RGB "):
    """A small ICC profile with the colorants of red, green and blue, adapted to D50, and a gamma; or a gray one."""
    def xyz(values):
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65536)) for value in values)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = {b"wtpt": xyz((0.9642, 1.0, 0.8249))}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        for name, column in zip((b"r", b"g", b"b"), columns):
            tags[name + b"XYZ"] = xyz(column)
            tags[name + b"TRC"] = curve
    table, data = struct.pack(">I", len(tags)), b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, 128 + 4 + 12 * len(tags) + len(data), len(body))
        data += body
    head = struct.pack(">I4sI4s4s4s12s4s4sI4s4s8sI12s", 128 + len(table) + len(data), b"lcms", 0x02400000, b"mntr",
                       space, b"XYZ ", b"\x07\xd0\0\x01\0\x01" + bytes(6), b"acsp", b"APPL", 0, b"none", b"none",
                       bytes(8), 0, struct.pack(">3i", 63190, 65536, 54061))
    return (head + bytes(128 - len(head))) + table + data


DISPLAY_P3 = profile(((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)), 2.2)
ADOBE_RGB = profile(((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 2.199)
GRAY_1_8 = profile((), 1.8, b"GRAY")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def in_srgb(image, icc):
    """The reference conversion: lcms2, called by Pillow."""
    return ImageCms.profileToProfile(image, ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB"),
                                     renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                                     flags=ImageCms.FLAGS["BLACKPOINTCOMPENSATION"])


def case_wide_gamut_becomes_srgb(sandbox):
    """The colours of the thumbnail are converted. Near the edge of a gamut one step makes a large difference."""
    image = picture((300, 200))
    for name, icc in (("p3", DISPLAY_P3), ("adobe", ADOBE_RGB)):
        for extension in ("png", "jpg"):
            image.save(sandbox.path(f"with.{extension}"), icc_profile=icc)
            image.save(sandbox.path(f"without.{extension}"))
            succeeds(sandbox, "-f", "png", f"with.{extension}", f"without.{extension}")
            plain = thumb(sandbox, "without.png")
            wanted = in_srgb(plain, icc)
            extremes = ImageChops.difference(plain, wanted).getextrema()
            assert max(high for _, high in extremes) > 12, "the profile makes no difference: nothing is tested"
            assert_close(thumb(sandbox, "with.png"), wanted, 1, (name, extension))
            assert "icc_profile" not in thumb(sandbox, "with.png").info


def case_a_profile_and_alpha(sandbox):
    image = picture((300, 200), "RGB").convert("RGBA")
    image.putalpha(200)
    image.save(sandbox.path("a.png"), icc_profile=DISPLAY_P3)
    succeeds(sandbox, "-b", "0", "a.png")
    ours = thumb(sandbox, "a.png")
    equal(ours.mode, "RGBA")
    equal(ours.getchannel("A").getextrema(), (200, 200))
    assert_close(ours.convert("RGB"), in_srgb(shrunk(image.convert("RGB"), 0), DISPLAY_P3), 8)


def case_gray_profile(sandbox):
    Image.new("L", (90, 90), 128).save(sandbox.path("g.png"), icc_profile=GRAY_1_8)
    succeeds(sandbox, "g.png")
    ours = thumb(sandbox, "g.png")
    equal(ours.mode, "L")
    # Y = (128/255) ^ 1.8, encoded with the curve of sRGB
    linear = (128 / 255) ** 1.8
    wanted = 255 * (1.055 * linear ** (1 / 2.4) - 0.055)
    assert all(abs(value - wanted) <= 1.5 for value in ours.getextrema()), (ours.getextrema(), wanted)


def case_srgb_profile_changes_nothing(sandbox):
    image = picture((300, 200))
    image.save(sandbox.path("with.jpg"), icc_profile=SRGB)
    image.save(sandbox.path("without.jpg"))
    succeeds(sandbox, "with.jpg", "without.jpg")
    tree = sandbox.tree("thumbs")
    equal(tree["with.jpg"], tree["without.jpg"])


def case_broken_profiles_are_ignored(sandbox):
    image = picture((300, 200))
    image.save(sandbox.path("plain.jpg"))
    image.save(sandbox.path("nonsense.jpg"), icc_profile=b"\0\1\2\3" * 100)
    image.save(sandbox.path("cut.jpg"), icc_profile=DISPLAY_P3[:200])
    image.save(sandbox.path("gray.jpg"), icc_profile=GRAY_1_8)  # in a colour picture
    image.convert("RGB").save(sandbox.path("nonsense.png"), icc_profile=b"\0\1\2\3" * 100)
    outcome = sandbox.run("plain.jpg", "nonsense.jpg", "cut.jpg", "gray.jpg", "nonsense.png")
    equal((outcome.exit, outcome.err), (0, ""), outcome)
    assert "4 with decoder warnings" in outcome.lines[-1], outcome
    tree = sandbox.tree("thumbs")
    equal({tree[name] for name in ("nonsense.jpg", "cut.jpg", "gray.jpg")}, {tree["plain.jpg"]})


def case_exact_keeps_the_profile(sandbox):
    image = picture((300, 200))
    image.save(sandbox.path("a.png"), icc_profile=DISPLAY_P3)
    image.save(sandbox.path("b.jpg"), icc_profile=ADOBE_RGB)
    succeeds(sandbox, "--exact", "a.png", "b.jpg")
    equal(thumb(sandbox, "a.png").info.get("icc_profile"), DISPLAY_P3)
    equal(thumb(sandbox, "b.jpg").info.get("icc_profile"), ADOBE_RGB)
    equal(thumb(sandbox, "a.png").tobytes(), shrunk(image.copy()).tobytes())


def case_exact_drops_a_gray_profile_on_a_coloured_background(sandbox):
    """The thumbnail is RGB, for which the profile of a gray image is not valid."""
    picture((90, 90), "L").convert("LA").save(sandbox.path("g.png"), icc_profile=GRAY_1_8)
    for background, mode, kept in (("white", "L", GRAY_1_8), ("ff0000", "RGB", None)):
        succeeds(sandbox, "--exact", "-f", "jpeg", "--background", background, "-o", background, "g.png")
        with Image.open(sandbox.path(f"{background}/g.jpg")) as image:
            equal((image.mode, image.info.get("icc_profile")), (mode, kept))


def case_profile_bomb(sandbox):
    """An iCCP that inflates to 200 MB is not inflated to its end; the picture is done."""
    sandbox.image("plain.png", (300, 200))
    bomb = b"bomb\0\0" + zlib.compress(bytes(200 << 20), 9)
    sandbox.write("a.png", with_chunk(sandbox.path("plain.png").read_bytes(), b"iCCP", bomb))
    succeeds(sandbox, "a.png", "plain.png")
    tree = sandbox.tree("thumbs")
    equal(tree["a.png"], tree["plain.png"])


# ---- CMYK ----

def case_cmyk(sandbox):
    """Adobe's marker means that ink is stored inverted; without it 255 is full ink."""
    image = picture((300, 200)).convert("CMYK")
    image.save(sandbox.path("adobe.jpg"), quality=100, subsampling=0)
    content = sandbox.path("adobe.jpg").read_bytes()
    at = content.index(b"\xff\xee")
    length = struct.unpack(">H", content[at + 2 : at + 4])[0]
    sandbox.write("plain.jpg", content[:at] + content[at + 2 + length :])
    succeeds(sandbox, "-f", "png", "adobe.jpg", "plain.jpg")
    # Pillow writes the marker and inverted values: without the marker the same bytes mean the inverse.
    for name, inks in (("adobe.png", image), ("plain.png", ImageChops.invert(image))):
        wanted = shrunk(inks.copy()).convert("RGB")
        assert_close(thumb(sandbox, name), wanted, 8, name)


# ---- Depth, palettes, orientation ----

def case_16_bits_are_rounded(sandbox):
    values = [0, 127, 128, 129, 255, 256, 257, 0x7FFF, 0x8000, 0x80FF, 0xFEFF, 0xFF00, 0xFF7F, 0xFF80, 0xFFFF]
    rows = b"\0" + b"".join(struct.pack(">H", value) for value in values)
    header = struct.pack(">IIBBBBB", len(values), 1, 16, 0, 0, 0, 0)
    sandbox.write("a.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
                chunk(b"IEND", b""))
    succeeds(sandbox, "-b", "0", "-s", "100", "a.png")
    equal(list(thumb(sandbox, "a.png").getdata()), [round(value / 257) for value in values])


def case_palette_with_alpha_and_transparent_colour(sandbox):
    image = picture((300, 200)).quantize(64)
    image.save(sandbox.path("palette.png"), transparency=bytes(range(0, 256, 4)))
    gray = Image.new("L", (60, 60), 7)
    ImageDraw.Draw(gray).rectangle((0, 0, 29, 59), 200)
    gray.save(sandbox.path("key.png"), transparency=7)
    succeeds(sandbox, "-b", "0", "palette.png", "key.png")
    with Image.open(sandbox.path("palette.png")) as source:
        wanted = source.convert("RGBA")
        wanted.thumbnail((50, 50))
    white = Image.new("RGBA", wanted.size, "white")
    assert_close(Image.alpha_composite(white, thumb(sandbox, "palette.png")), Image.alpha_composite(white, wanted), 8)
    key = thumb(sandbox, "key.png")
    equal((key.mode, key.getpixel((2, 25))[1], key.getpixel((47, 25))[1]), ("LA", 255, 0))


def case_orientations(sandbox):
    image = picture((120, 80))
    names = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        names.append(f"{orientation}.jpg")
        image.save(sandbox.path(names[-1]), exif=exif, quality=95)
    succeeds(sandbox, "-f", "png", *names)
    for name in names:
        with Image.open(sandbox.path(name)) as source:
            wanted = shrunk(ImageOps.exif_transpose(source).convert("RGB"))
        assert_close(thumb(sandbox, name[0] + ".png"), wanted, 8, name)


def case_corrupt_exif_is_ignored(sandbox):
    image = picture()
    image.save(sandbox.path("plain.jpg"))
    names = []
    for number, exif in enumerate((b"Exif\0\0MM\0*\xff\xff\xff\xff",
                                   b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 30,
                                   b"Exif\0\0", b"Exif\0\0" + bytes(range(256)) * 4)):
        names.append(f"{number}.jpg")
        image.save(sandbox.path(names[-1]), exif=exif)
    succeeds(sandbox, "plain.jpg", *names)
    equal(len(set(sandbox.tree("thumbs").values())), 1)


def case_png_named_jpg_and_the_reverse(sandbox):
    sandbox.image("a.jpg", format="PNG")
    sandbox.image("b.png", format="JPEG")
    succeeds(sandbox, "a.jpg", "b.png")
    equal((sandbox.format("thumbs/a.jpg"), sandbox.format("thumbs/b.png")), ("JPEG", "PNG"))


# ---- Damage ----

def case_truncated_is_refused_or_kept(sandbox):
    sandbox.image("a.jpg", (400, 300))
    sandbox.image("b.jpg", (400, 300), progressive=True)
    sandbox.image("c.png", (400, 300))
    whole = {}
    for name in ("a.jpg", "b.jpg", "c.png"):
        whole[name] = sandbox.path(name).read_bytes()
    succeeds(sandbox, "-f", "png", *whole, "-o", "thumbs")
    full = {name: thumb(sandbox, name.split(".")[0] + ".png") for name in whole}
    for name, content in whole.items():
        sandbox.write(name, content[: len(content) * 2 // 3])
    outcome = sandbox.run(*whole, "-o", "refused")
    equal((outcome.exit, len(outcome.about("truncated")), sandbox.names("refused")), (1, len(whole), []), outcome)
    for exact in ([], ["--exact"]):
        outcome = sandbox.run(*exact, "--on-truncated", "keep", "-f", "png", *whole)
        equal((outcome.exit, outcome.err), (0, ""), outcome)
        assert f"{len(whole)} with decoder warnings" in outcome.lines[-1], outcome
        for name in whole:
            kept = thumb(sandbox, name.split(".")[0] + ".png")
            equal(kept.size, full[name].size)
            top = (0, 0, kept.width, kept.height // 3)
            if name != "b.jpg":  # its later scans are missing
                assert_close(kept.crop(top), full[name].crop(top), 3 if not exact else 12, name)


def case_trailing_garbage_is_ignored(sandbox):
    for name in ("a.jpg", "b.png", "c.jpg"):
        sandbox.image(name, (300, 200), progressive=name == "c.jpg")
    succeeds(sandbox, "a.jpg", "b.png", "c.jpg", "-o", "clean")
    for name in ("a.jpg", "b.png", "c.jpg"):
        sandbox.write(name, sandbox.path(name).read_bytes() + os.urandom(5000))
    succeeds(sandbox, "a.jpg", "b.png", "c.jpg")
    equal(sandbox.tree("thumbs"), sandbox.tree("clean"))


def case_text_bomb(sandbox):
    """Text that inflates to 200 MB is not inflated; the thumbnail is made."""
    sandbox.image("a.png", (300, 200))
    bomb = b"Comment\0\0" + zlib.compress(bytes(200 << 20), 9)
    sandbox.write("a.png", with_chunk(sandbox.path("a.png").read_bytes(), b"zTXt", bomb))
    succeeds(sandbox, "a.png")


def case_extreme_shapes(sandbox):
    shapes = ((1, 1), (1, 3000), (3000, 1), (65500, 1), (1, 65500), (65500, 3))
    names = []
    for width, height in shapes:
        for extension in ("jpg", "png"):
            names.append(f"{width}x{height}.{extension}")
            Image.linear_gradient("L").resize((width, height)).convert("RGB").save(sandbox.path(names[-1]))
    succeeds(sandbox, *names)
    for name in names:
        width, height = (int(side) for side in name.split(".")[0].split("x"))
        wanted = Image.new("L", (width, height))
        wanted.thumbnail((50, 50))
        equal(sandbox.size("thumbs/" + name), wanted.size, name)


main(globals())
