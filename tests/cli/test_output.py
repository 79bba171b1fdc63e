#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is printed, and the names, sizes and formats of the thumbnails."""
import re

from harness import equal, main

SUMMARY = re.compile(r"(\d+) .*done.*?(\d+) failed.*images/s.*It took \d+\.\d\d second\(s\) to finish")


def summary(outcome):
    found = SUMMARY.search(outcome.lines[-1])
    assert found, f"no summary: {outcome}"
    return int(found.group(1)), int(found.group(2))


def case_directory_gives_thumbs(sandbox):
    sandbox.images("images/1.jpg", "images/2.png", "images/sub/3.jpeg")
    outcome = sandbox.run("images")
    equal(outcome.exit, 0, outcome)
    equal(outcome.errors, [])
    equal(sandbox.names("thumbs"), ["1.jpg", "2.png", "sub/3.jpeg"])
    equal(sandbox.size("thumbs/1.jpg"), (50, 33))
    equal(summary(outcome), (3, 0))


def case_verbose_names_each_file(sandbox):
    sandbox.images("images/4.jpg", "images/5.jpg")
    outcome = sandbox.run("-v", "images")
    equal(outcome.processed, ["images/4.jpg was processed...", "images/5.jpg was processed..."])


def case_verbose_beside_names_the_thumbnail(sandbox):
    sandbox.images("a.jpg")
    outcome = sandbox.run("-v", "--size", "128", "--blur", "0", "--beside", "--suffix", "_thumbnail",
                        "--format", "jpeg", "a.jpg")
    equal(outcome.exit, 0, outcome)
    equal(outcome.lines[:-1], ["A thumbnail for a.jpg was saved as a_thumbnail.jpg"])
    equal(sandbox.names(), ["a.jpg", "a_thumbnail.jpg"])
    equal(sandbox.size("a_thumbnail.jpg"), (120, 80), "not enlarged")


def case_verbose_beside_in_a_directory(sandbox):
    sandbox.images("d/a.png")
    outcome = sandbox.run("-v", "--beside", "--suffix", "_t", "d")
    equal(sandbox.names("d"), ["a.png", "a_t.png"], outcome)
    equal(len(outcome.lines), 2)
    assert outcome.lines[0].startswith("A thumbnail for d/a.png was saved as "), outcome
    assert outcome.lines[0].endswith("a_t.png"), outcome


def case_quiet_prints_nothing(sandbox):
    sandbox.images("images/1.jpg")
    outcome = sandbox.run("--quiet", "images")
    equal((outcome.exit, outcome.out, outcome.err), (0, "", ""))
    equal(sandbox.names("thumbs"), ["1.jpg"])


def case_quiet_still_names_failures(sandbox):
    sandbox.images("images/1.jpg")
    sandbox.write("images/2.jpg", b"")
    outcome = sandbox.run("--quiet", "images")
    equal((outcome.exit, outcome.out, len(outcome.about("'images/2.jpg'"))), (1, "", 1), outcome)


def case_dry_run_writes_nothing(sandbox):
    sandbox.images("images/1.jpg", "images/2.png")
    before = sandbox.names()
    outcome = sandbox.run("--dry-run", "images")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names(), before)
    assert not sandbox.path("thumbs").exists(), "the directory must not be created"


def case_size_is_a_box(sandbox):
    sandbox.images("wide.jpg", size=(400, 100))
    sandbox.images("tall.png", size=(100, 400))
    equal(sandbox.run("-s", "60x20", "wide.jpg", "tall.png").exit, 0)
    equal(sandbox.size("thumbs/wide.jpg"), (60, 15))
    equal(sandbox.size("thumbs/tall.png"), (5, 20))


def case_size_default_is_50(sandbox):
    sandbox.images("square.png", size=(300, 300))
    sandbox.images("small.png", size=(20, 10))
    sandbox.images("line.png", size=(1000, 2))
    equal(sandbox.run("square.png", "small.png", "line.png").exit, 0)
    equal(sandbox.size("thumbs/square.png"), (50, 50))
    equal(sandbox.size("thumbs/small.png"), (20, 10))
    equal(sandbox.size("thumbs/line.png"), (50, 1))


def case_format_same_follows_the_name(sandbox):
    sandbox.image("really.jpg", format="PNG")
    sandbox.image("photo.png", format="JPEG")
    sandbox.image("noextension", format="PNG")
    equal(sandbox.run("really.jpg", "photo.png", "noextension").exit, 0)
    equal([sandbox.format(f"thumbs/{name}") for name in ("really.jpg", "photo.png", "noextension")],
          ["JPEG", "PNG", "PNG"])


def case_format_jpeg_flattens_and_renames(sandbox):
    sandbox.image("clear.png", mode="RGBA")
    outcome = sandbox.run("-f", "jpeg", "clear.png")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), ["clear.jpg"])
    equal(sandbox.format("thumbs/clear.jpg"), "JPEG")


def case_format_png(sandbox):
    sandbox.images("a.jpg")
    equal(sandbox.run("-f", "png", "a.jpg").exit, 0)
    equal(sandbox.names("thumbs"), ["a.png"])
    equal(sandbox.format("thumbs/a.png"), "PNG")


def case_quality_changes_the_size(sandbox):
    sandbox.images("a.jpg", size=(600, 600))
    equal(sandbox.run("-s", "300", "-q", "95", "-o", "fine", "a.jpg").exit, 0)
    equal(sandbox.run("-s", "300", "-q", "20", "-o", "coarse", "a.jpg").exit, 0)
    fine, coarse = (sandbox.path(f"{name}/a.jpg").stat().st_size for name in ("fine", "coarse"))
    assert coarse < fine, (coarse, fine)


def case_orientation_is_applied(sandbox):
    for orientation in range(1, 9):
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + bytes(6)
        sandbox.image(f"{orientation}.jpg", size=(300, 200), exif=exif)
    names = [f"{orientation}.jpg" for orientation in range(1, 9)]
    equal(sandbox.run(*names).exit, 0)
    equal([sandbox.size(f"thumbs/{name}") for name in names], [(50, 33)] * 4 + [(33, 50)] * 4)
    equal(sandbox.run("--no-orient", "-o", "as-stored", *names).exit, 0)
    equal({sandbox.size(f"as-stored/{name}") for name in names}, {(50, 33)})


def case_the_line_about_the_pool(sandbox):
    sandbox.images("images/a.jpg")
    version = sandbox.run("--version")
    confined = version.lines[-1].removeprefix("workers ")
    outcome = sandbox.run("-j", "3", "images")
    equal(outcome.pool, f"1 rank, 3 workers; {confined}")
    equal(sandbox.run("--quiet", "images").out, "")


main(globals())
