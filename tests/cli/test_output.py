#!/usr/bin/python3
"""What is printed, and where the thumbnails go that one names or asks for: -v, --beside, --format, --size."""
import re

from harness import equal, main

SUMMARY = re.compile(r"(\d+) .*done.*?(\d+) failed.*images/s.*It took \d+\.\d\d second\(s\) to finish")


def summary(outcome):
    found = SUMMARY.search(outcome.lines[-1])
    assert found, f"no summary: {outcome}"
    return int(found.group(1)), int(found.group(2))


def case_directory_gives_thumbs(scene):
    scene.images("images/1.jpg", "images/2.png", "images/sub/3.jpeg")
    outcome = scene.run("images")
    equal(outcome.exit, 0, outcome)
    equal(outcome.errors, [])
    equal(scene.names("thumbs"), ["1.jpg", "2.png", "sub/3.jpeg"])
    equal(scene.size("thumbs/1.jpg"), (50, 33))
    equal(summary(outcome), (3, 0))


def case_verbose_says_each_file(scene):
    scene.images("images/4.jpg", "images/5.jpg")
    outcome = scene.run("-v", "images")
    equal(outcome.processed, ["images/4.jpg was processed...", "images/5.jpg was processed..."])


def case_verbose_beside_names_the_thumbnail(scene):
    scene.images("a.jpg")
    outcome = scene.run("-v", "--size", "128", "--blur", "0", "--beside", "--suffix", "_thumbnail",
                        "--format", "jpeg", "a.jpg")
    equal(outcome.exit, 0, outcome)
    equal(outcome.lines[:-1], ["A thumbnail for a.jpg was saved as a_thumbnail.jpg"])
    equal(scene.names(), ["a.jpg", "a_thumbnail.jpg"])
    equal(scene.size("a_thumbnail.jpg"), (120, 80), "never enlarged")


def case_verbose_beside_in_a_directory(scene):
    scene.images("d/a.png")
    outcome = scene.run("-v", "--beside", "--suffix", "_t", "d")
    equal(scene.names("d"), ["a.png", "a_t.png"], outcome)
    equal(len(outcome.lines), 2)
    assert outcome.lines[0].startswith("A thumbnail for d/a.png was saved as "), outcome
    assert outcome.lines[0].endswith("a_t.png"), outcome


def case_quiet_says_nothing(scene):
    scene.images("images/1.jpg")
    outcome = scene.run("--quiet", "images")
    equal((outcome.exit, outcome.out, outcome.err), (0, "", ""))
    equal(scene.names("thumbs"), ["1.jpg"])


def case_quiet_still_names_failures(scene):
    scene.images("images/1.jpg")
    scene.write("images/2.jpg", b"")
    outcome = scene.run("--quiet", "images")
    equal((outcome.exit, outcome.out, len(outcome.about("'images/2.jpg'"))), (1, "", 1), outcome)


def case_dry_run_writes_nothing(scene):
    scene.images("images/1.jpg", "images/2.png")
    before = scene.names()
    outcome = scene.run("--dry-run", "images")
    equal(outcome.exit, 0, outcome)
    equal(scene.names(), before)
    assert not scene.path("thumbs").exists(), "not even the directory"


def case_size_is_a_box(scene):
    scene.images("wide.jpg", size=(400, 100))
    scene.images("tall.png", size=(100, 400))
    equal(scene.run("-s", "60x20", "wide.jpg", "tall.png").exit, 0)
    equal(scene.size("thumbs/wide.jpg"), (60, 15))
    equal(scene.size("thumbs/tall.png"), (5, 20))


def case_size_default_is_50(scene):
    scene.images("square.png", size=(300, 300))
    scene.images("small.png", size=(20, 10))
    scene.images("line.png", size=(1000, 2))
    equal(scene.run("square.png", "small.png", "line.png").exit, 0)
    equal(scene.size("thumbs/square.png"), (50, 50))
    equal(scene.size("thumbs/small.png"), (20, 10))
    equal(scene.size("thumbs/line.png"), (50, 1))


def case_format_same_goes_by_name(scene):
    scene.image("really.jpg", format="PNG")
    scene.image("photo.png", format="JPEG")
    scene.image("noextension", format="PNG")
    equal(scene.run("really.jpg", "photo.png", "noextension").exit, 0)
    equal([scene.format(f"thumbs/{name}") for name in ("really.jpg", "photo.png", "noextension")],
          ["JPEG", "PNG", "PNG"])


def case_format_jpeg_flattens_and_renames(scene):
    scene.image("clear.png", mode="RGBA")
    outcome = scene.run("-f", "jpeg", "clear.png")
    equal(outcome.exit, 0, outcome)
    equal(scene.names("thumbs"), ["clear.jpg"])
    equal(scene.format("thumbs/clear.jpg"), "JPEG")


def case_format_png(scene):
    scene.images("a.jpg")
    equal(scene.run("-f", "png", "a.jpg").exit, 0)
    equal(scene.names("thumbs"), ["a.png"])
    equal(scene.format("thumbs/a.png"), "PNG")


def case_quality_changes_the_size(scene):
    scene.images("a.jpg", size=(600, 600))
    equal(scene.run("-s", "300", "-q", "95", "-o", "fine", "a.jpg").exit, 0)
    equal(scene.run("-s", "300", "-q", "20", "-o", "coarse", "a.jpg").exit, 0)
    fine, coarse = (scene.path(f"{name}/a.jpg").stat().st_size for name in ("fine", "coarse"))
    assert coarse < fine, (coarse, fine)


def case_orientation_is_applied(scene):
    for orientation in range(1, 9):
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + bytes(6)
        scene.image(f"{orientation}.jpg", size=(300, 200), exif=exif)
    names = [f"{orientation}.jpg" for orientation in range(1, 9)]
    equal(scene.run(*names).exit, 0)
    equal([scene.size(f"thumbs/{name}") for name in names], [(50, 33)] * 4 + [(33, 50)] * 4)
    equal(scene.run("--no-orient", "-o", "as-stored", *names).exit, 0)
    equal({scene.size(f"as-stored/{name}") for name in names}, {(50, 33)})


def case_the_pool_is_told(scene):
    scene.images("images/a.jpg")
    version = scene.run("--version")
    confined = version.lines[-1].removeprefix("workers ")
    outcome = scene.run("-j", "3", "images")
    equal(outcome.pool, f"1 rank, 3 workers; {confined}")
    equal(scene.run("--quiet", "images").out, "")


main(globals())
