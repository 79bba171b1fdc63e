#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A bad input does not affect the others: one error line names it, the others are done, the exit status is 1."""
import os
import struct
import zlib

from harness import equal, main


def only_this_one_fails(sandbox, name, ranks=0, message=""):
    """`images/` contains the bad input. Adds two good ones: the run must do those and name the bad one once."""
    sandbox.images("images/0.jpg", "images/zzz.png")
    outcome = sandbox.run("images", ranks=ranks)
    equal(outcome.exit, 1, outcome)
    lines = outcome.about(f"'images/{name}': ")
    equal((len(outcome.errors), len(lines)), (1, 1), outcome)
    assert message in lines[0], f"{message!r} is not in: {lines[0]}"
    equal(sandbox.names("thumbs"), ["0.jpg", "zzz.png"])
    assert "1 failed" in outcome.lines[-1], outcome


def case_zero_bytes(sandbox):
    sandbox.write("images/x.jpg", b"")
    only_this_one_fails(sandbox, "x.jpg", message="empty")


def case_text_named_jpg(sandbox):
    sandbox.write("images/x.jpg", b"<html>404 not found</html>\n")
    only_this_one_fails(sandbox, "x.jpg", ranks=2)


def case_truncated_jpeg(sandbox):
    sandbox.image("images/x.jpg", size=(400, 300))
    content = sandbox.path("images/x.jpg").read_bytes()
    sandbox.write("images/x.jpg", content[: len(content) // 2])
    only_this_one_fails(sandbox, "x.jpg", message="truncated")


def case_truncated_png(sandbox):
    sandbox.image("images/x.png", size=(400, 300))
    content = sandbox.path("images/x.png").read_bytes()
    sandbox.write("images/x.png", content[: len(content) // 2])
    only_this_one_fails(sandbox, "x.png", message="truncated")


def case_header_only(sandbox):
    sandbox.write("images/x.png", b"\x89PNG\r\n\x1a\n")
    only_this_one_fails(sandbox, "x.png")


def case_decompression_bomb(sandbox):
    """A header of 100,000 x 100,000 pixels is refused before memory is spent."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 100000, 100000, 8, 2, 0, 0, 0)
    sandbox.write("images/x.png", b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header +
                struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 10) + b"IDAT" + bytes(10))
    only_this_one_fails(sandbox, "x.png")


def case_dangling_link(sandbox):
    sandbox.path("images").mkdir()
    os.symlink("nowhere", sandbox.path("images/x.jpg"))
    only_this_one_fails(sandbox, "x.jpg")


def case_directory_named_jpg_is_walked(sandbox):
    sandbox.images("images/x.jpg/1.jpg")
    outcome = sandbox.run("images")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), ["x.jpg/1.jpg"])


def case_fifo_never_blocks(sandbox):
    sandbox.path("images").mkdir()
    os.mkfifo(sandbox.path("images/x.jpg"))
    only_this_one_fails(sandbox, "x.jpg")


def case_device_and_missing_file_by_name(sandbox):
    sandbox.images("good.jpg")
    outcome = sandbox.run("/dev/zero", "gone.jpg", "good.jpg")
    equal(outcome.exit, 1, outcome)
    equal([len(outcome.about(name)) for name in ("'/dev/zero'", "'gone.jpg'")], [1, 1], outcome)
    equal(sandbox.names("thumbs"), ["good.jpg"])


def case_special_files_in_a_list(sandbox):
    sandbox.images("good.jpg")
    os.mkfifo(sandbox.path("pipe.jpg"))
    sandbox.path("dir.jpg").mkdir()
    outcome = sandbox.run("--files-from", "-", stdin=b"pipe.jpg\ndir.jpg\ngood.jpg\n")
    equal(outcome.exit, 1, outcome)
    equal([len(outcome.about(name)) for name in ("'pipe.jpg'", "'dir.jpg'")], [1, 1], outcome)
    equal(sandbox.names("thumbs"), ["good.jpg"])


def case_unreadable(sandbox):
    """Tests nothing as root, who can read everything."""
    sandbox.images("images/0.jpg", "images/x.jpg", "images/zzz.png")
    sandbox.path("images/x.jpg").chmod(0)
    if os.access(sandbox.path("images/x.jpg"), os.R_OK):
        return
    only_this_one_fails(sandbox, "x.jpg")


def case_png_named_jpg_is_processed(sandbox):
    sandbox.image("images/x.jpg", format="PNG")
    outcome = sandbox.run("images")
    equal((outcome.exit, outcome.errors), (0, []), outcome)
    equal(sandbox.format("thumbs/x.jpg"), "JPEG")


def case_many_bad_inputs(sandbox):
    """Every second image is bad. With -v each of them is named once; otherwise only the first five of each cause,
    then how many more there are, and the file that lists them."""
    for number in range(60):
        sandbox.image(f"images/{number:02}.jpg", size=(40, 30), seed=number)
        if number % 2:
            sandbox.write(f"images/{number:02}.jpg", b"\xff\xd8\xff")
    outcome = sandbox.run("images", ranks=3)
    equal((outcome.exit, len(outcome.errors)), (1, 7), outcome)
    equal(len([line for line in outcome.errors if line.startswith("mpthumb: and 25 more like")]), 1, outcome)
    equal(outcome.errors[-1], "mpthumb: all failed inputs are listed in 'thumbs/.mpthumb/journal.jsonl'")
    outcome = sandbox.run("-v", "images", ranks=3)
    equal((outcome.exit, len(outcome.errors)), (1, 30), outcome)
    equal([len(outcome.about(f"'images/{number:02}.jpg'")) for number in range(60)], [0, 1] * 30)
    equal(len(sandbox.names("thumbs")), 30)


def case_output_directory_cannot_be_made(sandbox):
    sandbox.images("images/0.jpg")
    sandbox.write("file", b"")
    outcome = sandbox.run("-o", "file/thumbs", "images")
    assert outcome.exit in (1, 2, 70) and outcome.errors, outcome


def case_format_of_error_lines(sandbox):
    sandbox.write("images/x.jpg", b"")
    outcome = sandbox.run("images")
    equal(len(outcome.err.splitlines()), 1, outcome)
    assert outcome.err.startswith("mpthumb: 'images/x.jpg': "), outcome


main(globals())
