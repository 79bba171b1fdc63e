#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Which files become inputs: files in directories, symbolic links, lists of names, and unusual names."""
import os

from harness import equal, main


def case_directory_is_mirrored(sandbox):
    sandbox.images("photos/a.jpg", "photos/x/b.png", "photos/x/y/c.jpeg")
    equal(sandbox.run("-o", "out", "photos").exit, 0)
    equal(sandbox.names("out"), ["a.jpg", "x/b.png", "x/y/c.jpeg"])


def case_directory_with_slash_is_the_same(sandbox):
    sandbox.images("photos/a.jpg", "photos/x/b.png")
    equal(sandbox.run("-o", "out", "photos/").exit, 0)
    equal(sandbox.names("out"), ["a.jpg", "x/b.png"])


def case_several_directories_go_below_their_names(sandbox):
    sandbox.images("one/a.jpg", "two/a.jpg", "deep/er/a.jpg")
    outcome = sandbox.run("one", "two/", "deep/er")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), ["er/a.jpg", "one/a.jpg", "two/a.jpg"])


def case_named_file_keeps_its_base_name(sandbox):
    sandbox.images("photos/x/b.jpg")
    equal(sandbox.run("photos/x/b.jpg").exit, 0)
    equal(sandbox.names("thumbs"), ["b.jpg"])


def case_flat_takes_base_names(sandbox):
    sandbox.images("photos/a.jpg", "photos/x/b.png", "photos/x/y/c.jpeg")
    equal(sandbox.run("--flat", "photos").exit, 0)
    equal(sandbox.names("thumbs"), ["a.jpg", "b.png", "c.jpeg"])


def case_other_files_are_skipped(sandbox):
    sandbox.images("photos/a.jpg")
    sandbox.write("photos/notes.txt", b"no image")
    sandbox.write("photos/empty", b"")
    outcome = sandbox.run("photos")
    equal((outcome.exit, outcome.errors), (0, []), outcome)
    equal(sandbox.names("thumbs"), ["a.jpg"])
    assert "2 skipped" in outcome.lines[-1], outcome


def case_images_are_recognised_by_content(sandbox):
    sandbox.image("photos/IMG0001", format="JPEG")
    sandbox.image("photos/scan.dat", format="PNG")
    equal(sandbox.run("photos").exit, 0)
    equal(sandbox.names("thumbs"), ["IMG0001", "scan.dat"])
    equal(sandbox.format("thumbs/IMG0001"), "JPEG")


def case_only_links_to_files_are_followed(sandbox):
    sandbox.images("elsewhere/real.jpg", "photos/a.jpg")
    os.symlink("../elsewhere/real.jpg", sandbox.path("photos/link.jpg"))
    os.symlink("../elsewhere", sandbox.path("photos/more"))
    os.symlink(".", sandbox.path("photos/loop"))
    outcome = sandbox.run("photos")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), ["a.jpg", "link.jpg"])


def case_empty_directory_is_not_an_error(sandbox):
    sandbox.path("photos").mkdir()
    equal(sandbox.run("photos").exit, 0)


def case_list_by_lines(sandbox):
    sandbox.images("a/1.jpg", "b/2.jpg")
    sandbox.write("list", b"a/1.jpg\nb/2.jpg\n")
    outcome = sandbox.run("--files-from", "list")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), ["a/1.jpg", "b/2.jpg"])


def case_list_without_last_newline(sandbox):
    sandbox.images("a/1.jpg", "b/2.jpg")
    sandbox.write("list", b"a/1.jpg\nb/2.jpg")
    equal(sandbox.run("--files-from=list").exit, 0)
    equal(sandbox.names("thumbs"), ["a/1.jpg", "b/2.jpg"])


def case_list_absolute_path_loses_its_slash(sandbox):
    sandbox.images("a/1.jpg")
    path = str(sandbox.path("a/1.jpg"))
    equal(sandbox.run("--files-from", "-", stdin=path.encode() + b"\n").exit, 0)
    equal(sandbox.names("thumbs"), [path.lstrip("/")])


def case_list_from_stdin_under_mpirun(sandbox):
    sandbox.images("a/1.jpg", "a/2 with blanks.jpg", "a/3'quote\".jpg")
    names = b"a/1.jpg\0a/2 with blanks.jpg\0a/3'quote\".jpg\0"
    outcome = sandbox.run("-0", "--files-from", "-", "-o", "out", ranks=2, stdin=names)
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("out"), ["a/1.jpg", "a/2 with blanks.jpg", "a/3'quote\".jpg"])


def case_list_refuses_dot_dot(sandbox):
    sandbox.images("up.jpg", "in/ok.jpg")
    sandbox.path("in/work").mkdir()
    sandbox.write("list", b"in/../up.jpg\n../up.jpg\nin/ok.jpg\nin/work/..\n")
    outcome = sandbox.run("--files-from", "list")
    equal(outcome.exit, 1, outcome)
    equal(len(outcome.errors), 3, outcome)
    equal(sandbox.names("thumbs"), ["in/ok.jpg"])


def case_list_names_a_missing_file(sandbox):
    sandbox.images("ok.jpg")
    sandbox.write("list", b"gone.jpg\nok.jpg\n")
    outcome = sandbox.run("--files-from", "list")
    equal((outcome.exit, len(outcome.about("'gone.jpg'"))), (1, 1), outcome)
    equal(sandbox.names("thumbs"), ["ok.jpg"])


def case_missing_list(sandbox):
    outcome = sandbox.run("--files-from", "gone")
    equal((outcome.exit, len(outcome.errors), len(outcome.about("the list 'gone'"))), (2, 1, 1), outcome)


def case_list_is_a_directory(sandbox):
    sandbox.images("photos/a.jpg")
    outcome = sandbox.run("--files-from", "photos")
    equal((outcome.exit, len(outcome.errors), len(outcome.about("the list 'photos' is a directory"))), (2, 1, 1), outcome)


def case_list_names_a_file_that_is_not_an_image(sandbox):
    sandbox.write("notes.txt", b"no image")
    outcome = sandbox.run("--files-from", "-", stdin=b"notes.txt\n")
    equal((outcome.exit, len(outcome.about("'notes.txt'"))), (1, 1), outcome)


UNUSUAL = [b"with\nnewline.jpg", b"latin1-\xe9\xff.jpg", b" blank .jpg", b"-v.jpg", b"quote'\".jpg",
           b"tab\t.jpg", b"percent%s%n.jpg", "\u00fc\u20ac\u65e5.jpg".encode(), b"back\\slash.jpg"]


def case_unusual_names_in_a_directory(sandbox):
    for name in UNUSUAL:
        sandbox.image(b"photos/" + name)
    outcome = sandbox.run("-v", "photos", ranks=2)
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), sorted(os.fsdecode(name) for name in UNUSUAL))
    equal(len([line for line in outcome.lines if line.startswith("photos/")]), len(UNUSUAL), outcome)
    equal(len(outcome.processed), len(UNUSUAL), f"a newline in a name must not give two lines: {outcome}")


def case_unusual_names_in_a_list(sandbox):
    for name in UNUSUAL:
        sandbox.image(b"photos/" + name)
    outcome = sandbox.run("-0", "--files-from", "-", stdin=b"\0".join(b"photos/" + name for name in UNUSUAL))
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs/photos"), sorted(os.fsdecode(name) for name in UNUSUAL))


def case_unusual_names_in_errors_stay_one_line(sandbox):
    sandbox.write(b"photos/with\nnewline.jpg", b"")
    sandbox.write(b"photos/esc\x1b[31m.jpg", b"")
    outcome = sandbox.run("photos")
    equal((outcome.exit, len(outcome.err.splitlines())), (1, 2), outcome)
    assert "\x1b" not in outcome.err, outcome


def case_name_of_255_bytes(sandbox):
    name = "n" * 251 + ".jpg"
    sandbox.images(f"photos/{name}")
    outcome = sandbox.run("photos")
    equal(outcome.exit, 0, outcome)
    equal(sandbox.names("thumbs"), [name])


def case_double_dash_ends_options(sandbox):
    sandbox.images("-v.jpg")
    equal(sandbox.run("--", "-v.jpg").exit, 0)
    equal(sandbox.names("thumbs"), ["-v.jpg"])


main(globals())
