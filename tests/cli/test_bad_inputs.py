#!/usr/bin/python3
"""A bad input costs itself only: one line that names it, the others are done, exit status 1."""
import os
import struct
import zlib

from harness import equal, main


def costs_itself_only(scene, name, ranks=0, says=""):
    """`images/` holds the bad input and gets two good ones; the run must do those and name the bad one once."""
    scene.images("images/0.jpg", "images/zzz.png")
    outcome = scene.run("images", ranks=ranks)
    equal(outcome.exit, 1, outcome)
    lines = outcome.about(f"'images/{name}': ")
    equal((len(outcome.errors), len(lines)), (1, 1), outcome)
    assert says in lines[0], f"says {says!r}? {lines[0]}"
    equal(scene.names("thumbs"), ["0.jpg", "zzz.png"])
    assert "1 failed" in outcome.lines[-1], outcome


def case_zero_bytes(scene):
    scene.write("images/x.jpg", b"")
    costs_itself_only(scene, "x.jpg", says="empty")


def case_text_named_jpg(scene):
    scene.write("images/x.jpg", b"<html>404 not found</html>\n")
    costs_itself_only(scene, "x.jpg", ranks=2)


def case_truncated_jpeg(scene):
    scene.image("images/x.jpg", size=(400, 300))
    content = scene.path("images/x.jpg").read_bytes()
    scene.write("images/x.jpg", content[: len(content) // 2])
    costs_itself_only(scene, "x.jpg", says="truncated")


def case_truncated_png(scene):
    scene.image("images/x.png", size=(400, 300))
    content = scene.path("images/x.png").read_bytes()
    scene.write("images/x.png", content[: len(content) // 2])
    costs_itself_only(scene, "x.png", says="truncated")


def case_header_only(scene):
    scene.write("images/x.png", b"\x89PNG\r\n\x1a\n")
    costs_itself_only(scene, "x.png")


def case_decompression_bomb(scene):
    """A header of 100,000 x 100,000 pixels is refused before memory is spent."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100000, 100000, 8, 2, 0, 0, 0)
    scene.write("images/x.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header +
                struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 10) + b"IDAT" + bytes(10))
    costs_itself_only(scene, "x.png")


def case_dangling_link(scene):
    scene.path("images").mkdir()
    os.symlink("nowhere", scene.path("images/x.jpg"))
    costs_itself_only(scene, "x.jpg")


def case_directory_named_jpg_is_walked(scene):
    scene.images("images/x.jpg/1.jpg")
    outcome = scene.run("images")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), ["x.jpg/1.jpg"])


def case_fifo_never_blocks(scene):
    scene.path("images").mkdir()
    os.mkfifo(scene.path("images/x.jpg"))
    costs_itself_only(scene, "x.jpg")


def case_device_and_missing_file_by_name(scene):
    scene.images("good.jpg")
    outcome = scene.run("/dev/zero", "gone.jpg", "good.jpg")
    equal(outcome.exit, 1, outcome)
    equal([len(outcome.about(name)) for name in ("'/dev/zero'", "'gone.jpg'")], [1, 1], outcome)
    equal(scene.names("thumbs"), ["good.jpg"])


def case_special_files_in_a_list(scene):
    scene.images("good.jpg")
    os.mkfifo(scene.path("pipe.jpg"))
    scene.path("dir.jpg").mkdir()
    outcome = scene.run("--files-from", "-", stdin=b"pipe.jpg\ndir.jpg\ngood.jpg\n")
    equal(outcome.exit, 1, outcome)
    equal([len(outcome.about(name)) for name in ("'pipe.jpg'", "'dir.jpg'")], [1, 1], outcome)
    equal(scene.names("thumbs"), ["good.jpg"])


def case_unreadable(scene):
    """Root reads everything, so this one speaks for other users only."""
    scene.images("images/0.jpg", "images/x.jpg", "images/zzz.png")
    scene.path("images/x.jpg").chmod(0)
    if os.access(scene.path("images/x.jpg"), os.R_OK):
        return
    costs_itself_only(scene, "x.jpg")


def case_png_named_jpg_is_fine(scene):
    scene.image("images/x.jpg", format="PNG")
    outcome = scene.run("images")
    equal((outcome.exit, outcome.errors), (0, []), outcome)
    equal(scene.format("thumbs/x.jpg"), "JPEG")


def case_many_bad_ones(scene):
    """Every second one is bad; three ranks; each is named once with -v, otherwise the first of each cause, and how
    many more there are, and where they stand."""
    for number in range(60):
        scene.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
        if number % 2:
            scene.write(f"images/{number:02}.jpg", b"\xff\xd8\xff")
    outcome = scene.run("images", ranks=3)
    equal((outcome.exit, len(outcome.errors)), (1, 7), outcome)
    equal(len([line for line in outcome.errors if line.startswith("mpthumb: and 25 more like")]), 1, outcome)
    equal(outcome.errors[-1], "mpthumb: all that failed are named in thumbs/.mpthumb/journal.jsonl")
    outcome = scene.run("-v", "images", ranks=3)
    equal((outcome.exit, len(outcome.errors)), (1, 30), outcome)
    equal([len(outcome.about(f"'images/{number:02}.jpg'")) for number in range(60)], [0, 1] * 30)
    equal(len(scene.names("thumbs")), 30)


def case_output_directory_cannot_be_made(scene):
    scene.images("images/0.jpg")
    scene.write("file", b"")
    outcome = scene.run("-o", "file/thumbs", "images")
    assert outcome.exit in (1, 2, 70) and outcome.errors, outcome


def case_error_lines_have_a_shape(scene):
    scene.write("images/x.jpg", b"")
    outcome = scene.run("images")
    equal(len(outcome.err.splitlines()), 1, outcome)
    assert outcome.err.startswith("mpthumb: 'images/x.jpg': "), outcome


main(globals())
